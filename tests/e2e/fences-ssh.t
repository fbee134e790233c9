#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fences-ssh.t - fences and real log-ins: who is kept out, whose session lives on, and an administrator who would lock himself out.
. "$(dirname "$0")/../services.sh"
. "$TESTS/resident.sh"
needs socat
services_up && sshd_up && severd_up || exit 1

here=$(netns_inode)
add_of()	# KIND VALUE [MORE]: the call
{
	printf '{"method":"io.sever.FenceAdd","parameters":{"selectors":[{"kind":"%s","value":"%s"},{"kind":"netns","value":"%s"}],"for_ms":600000%s}}\0' \
		"$1" "$2" "$here" "${3-}"
}
add() { add_of "$@" | socat -t 30 - UNIX:"$SOCKET" | tr '\0' '\n'; }
lift() { call FenceLift "{\"fence\":\"$1\"}"; }
id_of() { printf '%s\n' "$1" | sed -n 's/.*"fence": *"\(f[0-9]*\)".*/\1/p'; }

# --- a client: RDP-6

login desk bob $B
login phone alice $A
f=$(id_of "$(add client $A)")
ok "RDP-6 revoked and not killed: the session lives" echoes phone
tries() { for _try in 1 2 3; do logs_in alice $A && return; done; return 1; }
ok "RDP-6 a log-in from there is refused" not tries
is "$(from $A)" "$(transport phone)" "RDP-6 no flow came of it"
ok "RDP-6 others log in" logs_in alice $B
ok "RDP-6 and bob's session lives" echoes desk
lift "$f" >/dev/null
ok "RDP-6 lifted: a log-in works" logs_in alice $A

# --- a user, and a session: what they open

start srv listen tcp 127.0.0.1 7001
opens()	# NAME: what a connection that the session opens comes to
{
	rm -f "$T/opened"
	say "$1" "$PEER try 127.0.0.1 7001 >$T/try.$1; mv $T/try.$1 $T/opened.$1"
	until_true 20 [ -s "$T/opened.$1" ] && cat "$T/opened.$1"
	rm -f "$T/opened.$1"
}
chmod 777 "$T"
talk shell ssh_to alice $A $HOST "$GREETING; exec sh" && greeted shell
talk other ssh_to bob $B $HOST "$GREETING; exec sh" && greeted other
is "$(opens shell):$(opens other)" ok:ok "both may connect from inside"
f=$(id_of "$(add user alice)")
is "$(opens shell):$(opens other)" EPERM:ok "a user: what her session opens is refused, his is not"
ok "her session lives" echoes phone
lift "$f" >/dev/null
f=$(id_of "$(add session "audit:$(session shell)")")
is "$(opens shell):$(opens other)" EPERM:ok "a session"
lift "$f" >/dev/null
is "$(opens shell)" ok "lifted"

# --- an administrator

talk admin ssh_to root $B $HOST "$GREETING; exec sh" && greeted admin
asks()	# KIND VALUE [MORE]: as if he had typed it
{
	add_of "$@" >"$T/ask"
	rm -f "$T/asked"
	say admin "socat -t 30 - UNIX:$SOCKET <$T/ask >$T/asking; mv $T/asking $T/asked"
	until_true 30 [ -e "$T/asked" ] && tr '\0' '\n' <"$T/asked"
}
self='"guard": *"self"'
like "$(asks client $B)" "$self.*$B" "his own address: refused, and named"
like "$(asks local_port 22)" "$self" "the port he came by"
like "$(asks user root)" "$self" "himself"
like "$(asks session "audit:$(session admin)")" "$self" "his session"
ok "nothing of it stands" logs_in bob $B
got=$(asks client $A)
f=$(id_of "$got")
like "$got" "\"uid\": *0, *\"login_uid\": *0, *\"pid\": *[0-9]" "somebody else's: it is his, by his login uid"
lift "$f" >/dev/null
f=$(id_of "$(asks client $B ',"include_self":true')")
ok "include_self: he is kept out" not logs_in bob $B
lift "$f" >/dev/null
severd_down
done_testing
