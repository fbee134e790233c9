#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# ssh-prompt.t - who is connected and has not logged in: at the password prompt of a real sshd. Then logged in, cut, gone. And
# services that nobody logs in to, of which nothing of the kind is said.
. "$(dirname "$0")/../services.sh"
needs socat
services_up && sshd_up || exit 1

# Of `list sessions`: the lines of those who have no session, and of them that of the connection.
list_all() { sever_run list sessions --json --netns self "$@"; }
to_be() { grep '"session":null' "$OUT"; }
line_of() { to_be | grep "\"flow\":\"$1\""; }			# COOKIE@NETNS
known_by() { to_be | sed 's/.*"flow":"\([^"]*\)".*/\1/' | sort; }
there() { dump | awk -v r="$1:" '$3 == "established" && $5 ~ /:22$/ && index($6, r) == 1 { print $4 }'; }	# CLIENT: its flow to sshd
connected() { list_all && [ -n "$(line_of "$1")" ]; }		# COOKIE@NETNS

# BEFORE TIME AFTER: TIME, cut to seconds, is neither earlier nor later.
in_order() { printf '%s\n' "$1" "${2%.*}" "$3" | LC_ALL=C sort -c 2>/dev/null; }

# At the prompt: ssh asks a program for the password, which waits until it is told one.
mkfifo "$T/password"
cat >"$T/ask" <<EOF
#!/bin/sh
echo asked >>"$T/asked"
cat "$T/password"
EOF
# sshd asks PAM, and any password will do.
printf '#!/bin/sh\ncat >/dev/null\n' >"$T/any"
chmod 755 "$T/ask" "$T/any"
sed -i "1i auth required pam_exec.so quiet expose_authtok $T/any\nauth required pam_permit.so" /etc/pam.d/sshd
# shellcheck disable=SC2016
type_password() { timeout 10 sh -c 'echo secret >"$T/password"'; }
at_prompt()	# NAME USER CLIENT
{
	: >"$T/asked"
	talk "$1" env SSH_ASKPASS="$T/ask" SSH_ASKPASS_REQUIRE=force ssh -F "$T/ssh_config" -o BatchMode=no \
		-o PreferredAuthentications=keyboard-interactive,password -o PubkeyAuthentication=no \
		-b "$3" -l "$2" "$HOST" "$GREETING; exec cat"
	until_true 20 grep -q asked "$T/asked"
}

# --- nobody is logged in -----------------------------------------------------------------------------

before=$(date -u +%Y-%m-%dT%H:%M:%S)
at_prompt prompt alice "$A"
after=$(date -u +%Y-%m-%dT%H:%M:%S)
FLOW=$(there "$A")
ok "WTS-9: at the prompt of the first log-in" connected "$FLOW"
LINE=$(line_of "$FLOW")
is "$(known_by)" "$FLOW" "WTS-9: it alone"
is "$(for key in state user uid session leader; do json_field "$LINE" $key; done | tr '\n' ' ')" "connected null null null null " \
	"WTS-9: connected, and who it will be is not known"
is "$(json_field "$LINE" client):$(json_field "$LINE" transports):$(json_field "$LINE" flows):$(json_field "$LINE" proto)" \
	"$A:1:1:tcp" "WTS-9: with its client"
if [ -n "${SEVER_RESIDENT-}" ]; then
	ok "WTS-9: and since when" in_order "$before" "$(json_field "$LINE" connected)" "$after"
else
	is "$(json_field "$LINE" connected)" null "WTS-9: nobody saw since when"
fi
ok "WTS-10: the bytes so far" [ "$(json_field "$LINE" received)" -gt 100 ]
ok "WTS-10: both ways" [ "$(json_field "$LINE" sent)" -gt 100 ]
list_all --client "$A"
is "$RC:$(known_by)" "0:$FLOW" "WTS-9: found by its client"
list_all --client "$B"
is "$RC" 1 "WTS-9: not by another"
for who in alice root; do
	list_all --user $who
	is "$(to_be)" "" "WTS-9: not by a user: $who"
done
list_all --local-port 22
is "$(known_by)" "$FLOW" "WTS-9: by the port"

# --- others, while somebody is logged in ---------------------------------------------------------------

login bob bob "$B"
talk silent socat -u "TCP:$HOST:22,bind=127.0.0.5" -	# has not even said a word
until_true 20 grep -q '^SSH-' "$T/silent.out"
SILENT=$(there 127.0.0.5)
ok "WTS-9: one that has said nothing came in where bob did" connected "$SILENT"
is "$(known_by)" "$(sorted "$FLOW" "$SILENT")" "WTS-9: each has its line"
ok "WTS-9: and bob has his" [ "$(listed "audit:$(session bob)" state)" = active ]
list_all --client 127.0.0.5
is "$RC:$(known_by)" "0:$SILENT" "WTS-9: as certain when bob was not asked for"
is "$(grep -c '"session":"' "$OUT")" 0 "WTS-9: who is not shown then"

# Services that nobody logs in to, one process a connection, at other ports of the same host.
spawn web socat TCP-LISTEN:7001,bind=$HOST,reuseaddr,fork EXEC:cat
spawn relay socat TCP-LISTEN:7002,bind=$HOST,reuseaddr,fork TCP:$HOST:7001
start peers listen tcp $HOST 7003
start asnobody -u 65534 listen tcp $HOST 7004
until_true 10 listening 7001 && until_true 10 listening 7002
for port in 7001 7002; do talk to$port socat - TCP:$HOST:$port,bind="$A"; echoes to$port; done
start p3 connect tcp $HOST 7003 from "$A"
start p4 connect tcp $HOST 7004 from "$A"
ask p3 echo >/dev/null
ask p4 echo >/dev/null
list_all
is "$(known_by)" "$(sorted "$FLOW" "$SILENT")" "WTS-9: what nobody logs in to is not connected"
# A root process and an unprivileged child of it with the same connection, but free to do anything.
printf '#!/bin/sh\nsetpriv --reuid 65534 --clear-groups cat\nexit\n' >"$T/helper"
chmod 755 "$T/helper"
spawn helpers socat TCP-LISTEN:7005,bind=$HOST,reuseaddr,fork EXEC:"$T/helper",nofork
until_true 10 listening 7005
talk helped socat - TCP:$HOST:7005,bind="$A"
ok "a helper speaks for a root process" echoes helped
list_all
is "$(known_by)" "$(sorted "$FLOW" "$SILENT")" "WTS-9: nor what a helper inherits"

# --- logged in, cut, gone ------------------------------------------------------------------------------

ok "WTS-9: she gives her password" type_password
ok "WTS-9: and is in" greeted prompt
is "$(transport prompt)" "$FLOW" "WTS-9: through that connection"
list_all
is "$(listed "audit:$(session prompt)" state):$(listed "audit:$(session prompt)" user):$(listed "audit:$(session prompt)" client)" \
	"active:alice:$A" "WTS-9: active, and alice's"
is "$(listed "audit:$(session prompt)" flow)" null "WTS-9: known by its session"
is "$(known_by)" "$SILENT" "WTS-9: no longer connected"
hers=$(session prompt)
sever_run disconnect --json --netns self --session "audit:$hers"
is "$RC" 0 "WTS-9: disconnected"
until_true 20 session_over "$hers"
list_all
is "$(listed "audit:$hers" state)" "" "WTS-9: gone"
ok "WTS-9: bob is not" [ "$(listed "audit:$(session bob)" state)" = active ]

at_prompt again alice "$A"
FLOW=$(there "$A")
ok "WTS-9: at the prompt again" connected "$FLOW"
sever_kill --flow "$FLOW"
is "$RC:$(handles)" "0:$FLOW" "WTS-9: cut by the name it has"
ok "WTS-9: which she learns when she has typed" eval 'type_password && ends_within 10 again'
list_all
is "$(known_by)" "$SILENT" "WTS-9: gone from the list"
ok "WTS-9: bob works" echoes bob
sever_run list sessions --netns self
like "$(cat "$OUT")" "^- +- +- +- +127\\.0\\.0\\.5 .* 1 +1\$" "for people: its client, and no name"

# --- in pages ------------------------------------------------------------------------------------------

in_pages()	# prints the flow of each line, of pages of two
{
	_at='' _page=''
	while [ "$_at" != null ]; do
		_page=$(call List "{\"selectors\":[{\"kind\":\"netns\",\"value\":\"$(netns_inode)\"}],\"limit\":2${_at:+,\"cursor\":\"$_at\"}}")
		printf '%s\n' "$_page" | grep -o '"flow": *"[^"]*"' | cut -d '"' -f 4
		_at=$(json_field "$_page" next)
		[ -n "$_at" ] || return 1
	done
}
if [ -n "${SEVER_RESIDENT-}" ]; then
	for name in one two three four; do
		talk $name socat -u "TCP:$HOST:22,bind=127.0.0.5" -
		until_true 20 grep -q '^SSH-' "$T/$name.out"
	done
	is "$(in_pages | sort)" "$(there 127.0.0.5 | sort)" "NET-10: five without a name, each on one page"
fi
done_testing
