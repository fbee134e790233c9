#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# people.t - whose a flow is: log-ins, what they started under other names, and what carries a session.
. "$(dirname "$0")/../lib.sh"

A=127.0.0.2
fake_user alice 3001
fake_user bob 3002
start out listen tcp 127.0.0.1 7009
start bystander -u 3002 -l 3002 connect tcp 127.0.0.1 7009 from 127.0.0.9
unharmed() { [ "$(ask bystander echo)" = "ok=1 bad=0" ] && accepts 7009; }
plan() { sever_kill --dry-run "$@"; echo "$RC:$(handles)"; }

# --- the login, not the uid (X-4)

start sudo -u 0 -l 3001 connect tcp 127.0.0.1 7009
start hers -u 3001 -l 3001 connect tcp 127.0.0.1 7009
start roots connect tcp 127.0.0.1 7009
start daemon -u 3001 connect tcp 127.0.0.1 7009
start as_bob -u 3002 -l 3001 connect tcp 127.0.0.1 7009
sudo=$(cookies sudo) hers=$(cookies hers) roots=$(cookies roots) daemon=$(cookies daemon) as_bob=$(cookies as_bob)
is "$(plan --user alice)" "0:$(sorted "$sudo" "$hers" "$daemon" "$as_bob")" \
	"X-4 alice: what she runs as root and as bob is hers, and a service of her uid"
is "$(plan --user bob)" "0:$(cookies bystander)" "X-4 bob: not what alice runs as him"
is "$(plan --user root --remote-port 7009)" "0:$roots" "X-4 root: not what alice runs as root"
sever_kill --user alice --dry-run
is "$(flow_field "$sudo" via):$(flow_field "$sudo" uid):$(flow_field "$sudo" login_uid)" session:0:3001 \
	"X-4 sudo: by session, uid 0, her login"
is "$(flow_field "$daemon" via):$(flow_field "$daemon" login_uid)" uid:null "X-4 a service: by uid, no login"
is "$(flow_field "$hers" session)" "audit:$(session_of hers)" "X-4 the session is named"
is "$(flow_field "$hers" user):$(flow_field "$hers" comm)" alice:peer "X-4 user and program are named"
is "$(plan --session "audit:$(session_of sudo)")" "0:$sudo" "X-4 by audit session: that one alone"
sever_kill --user alice
is "$RC:$(summary dead)" 0:4 "X-4 killed"
is "$(ask roots echo)" "ok=1 bad=0" "X-4 root's own lives"
ok "X-4 bob's lives" unharmed

# --- transport and what was opened from inside (X-6)

start sess -l 3001 listen tcp 127.0.0.1 7001
start in connect tcp 127.0.0.1 7001 from $A
ask sess connect tcp 127.0.0.1 7009 >/dev/null
transport=$(at_port 7001)
onward=$(dump | awk '$3 == "established" && $6 ~ /:7009$/ { print $4 }' | grep -vx -e "$(cookies bystander)" \
	-e "$(cookies roots)")
is "$(plan --session "audit:$(session_of sess)")" "0:$(sorted "$transport" "$onward")" "X-6 kill: all of the session"
sever_run disconnect --json --netns self --session "audit:$(session_of sess)"
is "$RC:$(handles)" "0:$transport" "X-6 disconnect: its transport alone"
ok "X-6 disconnect: the client is told" until_true 1 heard in ECONNRESET
is "$(ask sess echo)" "ok=1 bad=0" "X-6 disconnect: the onward flow lives, and its program"
sever_run disconnect --json --netns self --user alice
is "$RC" 1 "WTS-5 a session without transport: nothing to disconnect, exit 1"
ok "WTS-5 and a sentence" one_line
is "$(ask sess echo)" "ok=1 bad=0" "WTS-5 nothing changed"
sever_kill --session "audit:$(session_of sess)"
is "$RC:$(handles)" "0:$onward" "X-6 kill: the onward flow"

# --- one flow of a session, and the session goes on (NET-13)

start shell -l 3001 listen tcp 127.0.0.1 7003
start term connect tcp 127.0.0.1 7003 from $A
ask shell connect tcp 127.0.0.1 7009 n 2 >/dev/null
one=$(ask shell cookies | tr ' ' '\n' | grep -vx "$(at_port 7003)" | head -n 1)
other=$(ask shell cookies | tr ' ' '\n' | grep -vx -e "$(at_port 7003)" -e "$one")
sever_flow "$one"
is "$RC:$(handles)" "0:$one" "NET-13 one forwarding: cut"
ok "NET-13 the other forwarding lives" not gone "$other"
is "$(ask term echo)" "ok=1 bad=0" "NET-13 the transport lives"
stop shell term

# --- sessions that are none (WTS-5)

start lonely -l 3002 listen udp 127.0.0.1 7010
for id in "audit:$(session_of lonely)" audit:0 audit:4294967294 everyone all console c1 0; do
	sever_kill --session "$id" --proto tcp
	is "$RC" 1 "WTS-5 --session $id: nobody, exit 1"
	ok "WTS-5 --session $id: one sentence" one_line
done
for id in audit: audit:-1 audit:4294967296 '' audit:1x; do
	sever_kill --session "$id"
	is "$RC" 2 "WTS-5 --session '$id': not a session"
done
sever_kill --session self
is "$RC" 1 "WTS-5 --session self, and we are in none: exit 1"
ok "WTS-5 nothing died" unharmed

# --- a descriptor handed down to a child (X-9)

start parent listen tcp 127.0.0.1 7002 hold
start kid connect tcp 127.0.0.1 7002 from $A
victim=$(at_port 7002)
child=$(ask parent fork)
ok "X-9 the child holds it too" sh -c "ls -l /proc/$child/fd | grep -q socket"
sever_kill --pid "$child"
is "$RC:$(handles)" "0:$victim" "X-9 found by its child"
ok "X-9 dead at once, in the hands of both" gone "$victim"
is "$(summary stage):$(summary elapsed_ms | awk -v slow=$SEVER_TEST_SLOW '{ print ($1 < 500 * slow) }')" verified:1 "X-9 without waiting for them"
ok "X-9 the parent is told" until_true 1 heard parent ECONNABORTED
sever_kill --client $A --wait released
is "$RC" 7 "X-9 --wait released needs the resident half: exit 7"

# --- who is there

start one -u 3001 -l 3001 connect tcp 127.0.0.1 7009
sever_run list users --json --netns self
like "$(grep '"alice"' "$OUT")" '"uid": *3001' "list users: alice is one"
sever_run list clients --json --netns self
like "$(cat "$OUT")" '"client": *"127.0.0.9"' "list clients: the bystander's address"
sever_run list sessions --json --netns self
like "$(cat "$OUT")" "\"session\": *\"audit:$(session_of one)\"" "list sessions: hers"
sever_run list --json --netns self --user alice
ok "list takes selectors" not grep -q '"bob"' "$OUT"

# --- libsystemd, which is opened where systemd runs, and nowhere else

library=$(LD_TRACE_LOADED_OBJECTS=1 "$_bin/severd" | awk '$1 == "libsystemd.so.0" { print $3 }')
mount --bind /dev/null "$library"
sever_run list sessions --json --netns self
is "$RC" 0 "no systemd: nobody asks for libsystemd"
mkdir -p /run/systemd/system
sever_run list sessions --json --netns self
is "$RC" 5 "systemd, and no libsystemd: whose sessions there are cannot be told"
ok "which one it is" said "sessions are not known: .*libsystemd.so.0"
rmdir /run/systemd/system
umount "$library"
done_testing
