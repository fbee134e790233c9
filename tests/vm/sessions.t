#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# sessions.t - log-ins that logind has opened: sever names them as loginctl does, and cuts who was meant.
. "$(dirname "$0")/../guest.sh"

agrees()	# sever and loginctl: the same sessions, of the same users, from the same places
{
	sever_run list sessions --json
	[ "$RC" = 0 ] && [ "$(all_listed)" = "$(sessions)" ] || return 1
	for _id in $(sessions); do
		[ "$(listed "$_id" user)" = "$(logind_knows "$_id" Name)" ] || return 1
		_host=$(logind_knows "$_id" RemoteHost)
		[ "$(listed "$_id" client)" = "${_host:-null}" ] || return 1
	done
}
told() { diag "loginctl: $(loginctl --no-legend list-sessions)"; diag "sever: $(cat "$OUT")"; }

login_start aliceA alice $A && login_start aliceB alice $B && login_start bobA bob $A &&
	greeted aliceA aliceB bobA || exit 1
sA=$(session aliceA) sB=$(session aliceB) sbob=$(session bobA)
aA=$(transport aliceA) aB=$(transport aliceB) bA=$(transport bobA)
is "$(sessions)" "$(sorted "$sA" "$sB" "$sbob")" "WTS-9: logind's ids are those of the audit sessions"
ok "WTS-9: list sessions agrees with loginctl" until_true 10 agrees || told
is "$(listed "$sA" leader)" "$(logind_knows "$sA" Leader)" "WTS-9: on the leader too"

sever_run list flows --json --session "$sA"
is "$RC:$(handles)" "0:$aA" "WTS-9: one flow of a session by logind's id"
is "$(flow_field "$aA" via):$(flow_field "$aA" user):$(flow_field "$aA" session)" "transport:alice:$sA" \
	"WTS-9: it carries the session, and is alice's"
like "$(flow_field "$aA" cgroup)" '/ssh\.service$' "WTS-9: although its socket is that of the service"

cut_by sever_run kill --json --session "$sA"
is "$RC:$(handles)" "0:$aA" "WTS-1: a session by logind's id"
ok "WTS-1: her client ends within a second" ended_in_time aliceA
ok "WTS-1: her other session works" echoes aliceB
ok "WTS-1: so does bob's" echoes bobA
ok "WTS-1: logind sees it end" until_true 20 not in_logind "$sA"
ok "WTS-9: and the lists agree again" until_true 10 agrees || told
sever_run kill --json --session "$sA"
is "$RC" 1 "WTS-6: once it is over, there is no such session"
like "$(cat "$ERR")" "no such session: $sA" "WTS-6: which is said"

cut_by sever_run kill --json --user alice
is "$RC:$(handles)" "0:$aB" "NET-1: by user"
ok "NET-1: her client ends within a second" ended_in_time aliceB
ok "NET-1: bob's session works" echoes bobA

login again alice $B
cut_by sever_run kill --json --client $A
is "$RC:$(handles)" "0:$bA" "NET-1: by client"
ok "NET-1: bob's client ends within a second" ended_in_time bobA
ok "NET-1: alice from elsewhere works" echoes again

login bobA bob $A
cut_by sever_run kill --json --unit ssh.service
is "$RC:$(summary dead)" 0:2 "TSG-1: all that one service accepted"
ok "TSG-1: both clients end: alice" ended_in_time again
ok "TSG-1: both clients end: bob" ended_in_time bobA
ok "TSG-1: the service itself goes on" [ "$(systemctl is-active ssh.service)" = active ]
ok "TSG-1: and lets alice in" logs_in alice $A
talk stays ssh_to alice $A $HOST "setsid nohup sleep 1001 >/dev/null 2>&1 </dev/null & $GREETING; exec cat"
greeted stays
left=$(session stays)
cut_by sever_run disconnect --json --session "$left"
is "$RC:$(summary dead):$(summary already)" 0:1:false "WTS-6: a session in which something goes on"
ok "WTS-6: its client ends within a second" ended_in_time stays
no_leader() { sever_run list sessions --json; [ "$(listed "$left" leader)" = null ]; }
ok "WTS-6: its server ends" until_true 10 no_leader
sever_run disconnect --json --session "$left"
is "$RC:$(summary dead):$(summary already)" 0:0:true "WTS-6: disconnected again: it was already, as logind knows"
pkill -u alice -f 'sleep 1001'
ok "WTS-1: no session is left behind in loginctl" until_true 20 nobody_there
is "$(sever_run list sessions --json; all_listed)" "" "WTS-9: nor does sever list any"

done_testing
