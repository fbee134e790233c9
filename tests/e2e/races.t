#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# races.t - connections that end, come back and change hands while they are cut; numbers that are used again.
. "$(dirname "$0")/../lib.sh"

A=127.0.0.2
fake_user alice 3001
start srv listen tcp 127.0.0.1 7001
start bystander connect tcp 127.0.0.1 7001 from 127.0.0.9
listener=$(ask srv listeners)
unharmed() { [ "$(ask bystander echo)" = "ok=1 bad=0" ] && accepts 7001 && not gone "$listener"; }

# --- X-1: thousands of kills of connections that are about to end by themselves

start churn connect tcp 127.0.0.1 7001 from $A n 600 retry 0
kills=$(many 10000)
tries=0 stale=0 left=0 hit=0 bad=0
now && end=$((NOW + 30 * SEVER_TEST_SLOW))
while { [ $tries -lt "$kills" ] || [ $stale = 0 ]; } && now && [ $NOW -lt $end ]; do
	tell churn churn $((400 * SEVER_TEST_SLOW)) # for longer than a kill takes to start, or none comes late
	asked=$(replies churn)
	until [ "$(replies churn)" -gt "$asked" ] || { now && [ $NOW -ge $end ]; }; do
		sever_kill --client $A
		[ $RC -le 1 ] || bad=$((bad + 1))
		# shellcheck disable=SC2046
		set -- $(sed -n 's/.*"matched":\([0-9]*\).*"alive":\([0-9]*\),"stale":\([0-9]*\),"denied":\([0-9]*\).*/\1 \2 \3 \4/p' "$OUT")
		tries=$((tries + $1)) left=$((left + $2 + $4)) stale=$((stale + $3))
		grep -q "\"$listener\"" "$OUT" && hit=$((hit + 1))
		accepts 7001 || bad=$((bad + 1))
	done
done
diag "$tries kills, $stale of them came late"
ok "X-1 $kills kills of connections about to end" [ $tries -ge "$kills" ]
ok "X-1 some had ended before: stale, not dead" [ $stale -gt 0 ]
is "$left:$bad" 0:0 "X-1 none was left, every run succeeded, the listener accepted after each"
is $hit 0 "X-1 the listener is never a victim"
ok "X-1 bystander and listener live" unharmed
stop churn

# --- X-2: a client that comes back at once

start returning connect tcp 127.0.0.1 7001 from $A n 20 retry 0
comes_back()
{
	sever_kill --client $A
	[ "$RC:$(summary dead)" = 0:20 ] && [ "$(summary reconnected)" -gt 0 ]
}
full_again() { [ "$(dump | awk '$6 ~ /^127.0.0.2:/ && $3 == "established"' | wc -l)" = 20 ]; }
seen=1
for _try in 1 2 3 4 5 6 7 8 9 10; do
	until_true 5 full_again
	comes_back && seen=0 && break
done
is $seen 0 "X-2 clients that reconnect are counted beside the dead"
is "$RC" 0 "X-2 which is no failure: exit 0"
grep '"reconnected": *true' "$OUT" | sed 's/.*"flow": *"\([^"]*\)".*/\1/' >"$T/again"
is "$(wc -l <"$T/again")" "$(summary reconnected)" "X-2 each is listed"
is "$("$PEER" alive "$T/again")" "$(summary reconnected)" "X-2 and was left alone"
stop returning

# --- X-13, K14: a peer that the reset never reaches

no_more() { [ "$(dump | awk '$6 ~ /^127.0.0.2:/ && $3 != "time-wait"' | wc -l)" = 0 ]; }
until_true 5 no_more
start far connect tcp 127.0.0.1 7001 from $A
victim=$(from $A)
ask far deaf >/dev/null
sever_flow "$victim"
is "$RC:$(summary dead):$(summary stage)" 0:1:verified "X-13 the reset is lost: dead here all the same"
ok "X-13 gone" gone "$victim"
is "$(ask far stat | cut -d ' ' -f 1)" live=1 "X-13 K14 its peer knows nothing"
ask far hear >/dev/null
is "$(ask far echo)" "ok=0 bad=1" "X-13 K14 until it speaks"
ok "X-13 listener lives" unharmed
stop far

# --- X-14: pids that are used again

start victim -l 3001 connect tcp 127.0.0.1 7001
flow=$(cookies victim) session=$(session_of victim) pid=$(pid_of victim)
stop victim
closed() { [ "$(state_of "$flow")" != established ]; }
until_true 5 closed
again=
for _try in $(seq 20); do
	[ -w /proc/sys/kernel/ns_last_pid ] || break
	PIN_PID=$pid start newcomer -l 3001 connect tcp 127.0.0.1 7001
	[ "$(pid_of newcomer)" = "$pid" ] && again=yes && break
	stop newcomer
done
unset PIN_PID
if [ -n "$again" ]; then
	sever_flow "$flow"
	is "$RC:$(count stale)" 1:1 "X-14 the old flow's handle: stale"
	sever_kill --session "audit:$session"
	is "$RC" 1 "X-14 the old session's id: nobody"
	is "$(ask newcomer echo)" "ok=1 bad=0" "X-14 who has the pid now lives"
	flow=$(cookies newcomer)
	sever_kill --pid "$pid"
	is "$RC:$(handles)" "0:$flow" "X-14 --pid means the one that has it now"
else
	skip "X-14" "pids cannot be chosen here"
fi

# --- a signal in the middle: what is said stays true

N=4000
[ "$SEVER_TEST_SLOW" = 1 ] || N=1000
start crowd connect tcp 127.0.0.1 7001 from 127.0.0.5 n $N
crowded() { [ "$(from 127.0.0.5 | wc -l)" = $N ]; }
until_true 5 crowded
interrupted()	# DELAY ARGS...: RC of a kill that gets SIGINT so many seconds after its start
{
	_delay=$1
	shift
	SEVER_ARGS="$*, SIGINT after $_delay s"
	"$PEER" as "$SEVER" kill --json --netns self "$@" >"$OUT" 2>"$ERR" </dev/null &
	_pid=$!
	sleep "$_delay"
	kill -INT $_pid 2>/dev/null
	wait $_pid
	RC=$?
}
true_report()
{
	flow_lines | grep '"outcome": *"dead"' | sed 's/.*"flow": *"\([^"]*\)".*/\1/' >"$T/dead"
	flow_lines | grep '"outcome": *"alive"' | sed 's/.*"flow": *"\([^"]*\)".*/\1/' >"$T/alive"
	[ "$("$PEER" alive "$T/dead")" = 0 ] && [ "$("$PEER" alive "$T/alive")" = "$(wc -l <"$T/alive")" ]
}
start slow listen tcp 127.0.0.1 7002 flood 100000000
start sip connect tcp 127.0.0.1 7002 from $A slow 50000
flooded() { [ "$(ask slow stat | sed 's/.*sent=//')" -gt 200000 ]; } # more than is read in three seconds
until_true 5 flooded
delay=0.3
[ "$SEVER_TEST_SLOW" = 1 ] || delay=3
interrupted $delay --local-port 7002 --drain 20s
is "$RC:$(count alive)" 3:1 "SIGINT while draining: exit 3, alive"
ok "SIGINT while draining: true, it lives" true_report
for delay in 0.001 0.005 0.01 0.02 0.03; do
	there=$(from 127.0.0.5 | wc -l)
	interrupted $delay --client 127.0.0.5
	like "$RC:$(summary matched)" "^(130:|0:$there\$|3:$there\$|3:0\$|1:0\$)" "SIGINT after $delay s: done, partial, or never begun"
	ok "SIGINT after $delay s: what is said is true" true_report
	[ "$RC" = 0 ] && break
done
ok "SIGINT: bystander and listener live" unharmed

done_testing
