#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fence-people.t - a fence for a user, with real log-ins: whom he is shows only when he has logged in, and then he is out.
. "$(dirname "$0")/../services.sh"
. "$TESTS/resident.sh"

services_up && sshd_up && severd_up || exit 1
spawn watch "$SEVER" watch --json --socket "$SOCKET"
login phone alice $A && login desk bob $B || exit 1
transport=$(transport phone)
until_true 5 told session.open "audit:$(session phone)"
cut_by sever_run kill --json --socket "$SOCKET" --user alice --fence 10m
id=$(summary fence)
is "$RC:$(handles)" "0:$transport" "RDP-6 alice is cut and fenced in one request"
ok "RDP-6 the client is told within a second" ended_in_time phone
ok "RDP-6 bob's lives" echoes desk

# What she does while she is in: the first and the last moment of that.
mkdir -m 777 "$T/stays"
TRIES=100
[ "$SEVER_TEST_SLOW" = 1 ] || TRIES=10
for i in $(seq "$TRIES"); do
	ssh_to alice $A $HOST "for n in \$(seq 10000); do date +%s%N >>$T/stays/$i && echo && sleep 0.002 || exit; done" >/dev/null 2>&1 </dev/null
	echo $? >>"$T/codes"
done
is "$(sort "$T/codes" | uniq -c | awk '{ print $1 ":" $2 }')" "$TRIES:255" "RDP-6 $TRIES log-ins, each cut"
cuts_told() { events flow.close '"reason":"fence"' | grep -c "\"remote_addr\":\"$A\""; }
all_cut() { [ "$(cuts_told)" = "$TRIES" ]; }
ok "each told, with the reason fence" until_true 5 all_cut
for i in $(seq "$TRIES"); do
	awk 'NR == 1 { a = $1 } { b = $1 } END { printf "%.0f\n", NR ? (b - a) / 1000000 : 0 }' "$T/stays/$i" 2>/dev/null || echo 0
done | sort -n >"$T/windows"
longest=$(tail -n 1 "$T/windows") median=$(sed -n "$((TRIES / 2 + 1))p" "$T/windows")
diag "of $TRIES log-ins: median $median ms, longest $longest ms from the first command to the last"
ok "she is in for less than two seconds" [ "$longest" -lt $((2000 * SEVER_TEST_SLOW)) ]
# Who looks every two seconds alone would let her in for one.
ok "half of the time for less than a tenth" [ "$median" -lt $((200 * SEVER_TEST_SLOW)) ]
login phone2 bob $A
ok "RDP-6 another user logs in from the same address" echoes phone2
ok "bob's still lives" echoes desk
sever_run fence lift "$id" --socket "$SOCKET" --json
is "$RC" 0 "lifted"
ok "RDP-6 she logs in" login back alice $A
ok "and stays" echoes back

# Revoked, and not cut.
sever_run fence add --user alice --for 10m --socket "$SOCKET" --json
is "$RC" 0 "RDP-6 a fence alone"
ssh_to alice $B $HOST 'sleep 60' >/dev/null 2>&1 </dev/null
is $? 255 "RDP-6 who logs in as her does not stay"
ok "RDP-6 who was there stays" echoes back
done_testing
