#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# ssh.t - real log-ins: who is cut, who is not, what both ends see, and that one can come back.
. "$(dirname "$0")/../services.sh"
needs strace
services_up && sshd_up || exit 1

survivors() { at_port 22; }
all_in()	# the three sessions of the table
{
	login_start aliceA alice $A && login_start aliceB alice $B && login_start bobA bob $A &&
		greeted aliceA aliceB bobA
}

all_in
aA=$(transport aliceA) aB=$(transport aliceB) bA=$(transport bobA)
is "$(survivors)" "$(sorted "$aA" "$aB" "$bA")" "NET-1: three log-ins, three flows"

cut_by sever_kill --client $A --user alice
is "$RC:$(summary matched):$(summary dead)" 0:1:1 "NET-1: client and user, one flow"
is "$(handles)" "$aA" "NET-1: it is alice's from there"
is "$(survivors)" "$(sorted "$aB" "$bA")" "NET-1: the other two live"
ok "NET-7: her client ends within a second" ended_in_time aliceA
ok "NET-1: bob's session works" echoes bobA
ok "NET-1: her other session works" echoes aliceB
old=$(session aliceA)
ok "NET-7: she logs in again at once" login again alice $A
ok "NET-7: which is a new session" [ "$old" != "$(session again)" ]
ok "NET-7: and not the same flow" [ "$aA" != "$(transport again)" ]
sever_kill --flow "$(transport again)"
is "$RC" 0 "TSG-3: one flow by its handle"
is "$(survivors)" "$(sorted "$aB" "$bA")" "TSG-3: it alone"

sever_kill --client $A
is "$RC:$(handles)" "0:$bA" "NET-1: client alone, bob's flow"
is "$(survivors)" "$aB" "NET-1: hers from elsewhere lives"
ok "NET-1: and works" echoes aliceB
ok "NET-1: sshd lets bob in" logs_in bob $A

sever_kill --user alice
is "$RC:$(handles)" "0:$aB" "NET-1: user alone"
is "$(survivors)" "" "NET-1: nobody is left"
ok "NET-1: sshd lets alice in" logs_in alice $B
sever_kill --user alice
is "$RC" 1 "NET-3: nothing matches any more"

# --- what both ends see ----------------------------------------------------------------------------

seen() { grep -Eq "$1" "$T/$2"; }
talk traced strace -f -o "$T/client.trace" -e trace=read ssh -F "$T/ssh_config" -i "$T/id" -b $A -l alice $HOST \
	"$GREETING; exec cat"
greeted traced
for pid in $(members "$(session traced)"); do # not root's monitor, but her own half of sshd
	grep -qs '^sshd' "/proc/$pid/comm" && grep -qs "^Uid:[[:space:]]*$ALICE" "/proc/$pid/status" && victim=$pid
done
spawn strace strace -o "$T/server.trace" -e trace=read -p "$victim"
until_true 10 seen attached strace.out
cut_by sever_run disconnect --user alice --json
is "$RC" 0 "TSG-7: disconnected"
ok "TSG-7: the client ends within a second" ended_in_time traced
ok "TSG-7: it saw ECONNRESET" until_true 5 seen 'read\(.* = -1 ECONNRESET' client.trace
ok "TSG-7: the server saw ECONNABORTED" until_true 5 seen 'read\(.* = -1 ECONNABORTED' server.trace
is "$(rc_of traced)" 255 "TSG-7: ssh's word for a lost connection"

done_testing
