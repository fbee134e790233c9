#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# bulk.t - ten thousand and fifty thousand victims at once, a tenth or less of that where the CPU is emulated.
. "$(dirname "$0")/../lib.sh"

fake_user alice 3001
fake_user bob 3002
PATIENT="--timeout $((5 * SEVER_TEST_SLOW))s"
M=$(many 10000) EACH=12500
[ "$SEVER_TEST_SLOW" = 1 ] || EACH=500
N=$((4 * EACH))
start other -l 3002 listen tcp 127.0.0.1 6999
start bystander connect tcp 127.0.0.1 6999

crowd()	# NUMBER EACH: so many services of alice, each with that many clients from 127.0.2.N
{
	for i in $(seq "$1"); do
		start srv"$i" -l 3001 listen tcp 127.0.1."$i" 7001 || return 1
		start cli"$i" connect tcp 127.0.1."$i" 7001 from 127.0.2."$i" n "$2" || return 1
	done
	: >"$T/victims"
	for i in $(seq "$1"); do
		until_true 20 accepted_all "$i" "$2" || return 1
		ask srv"$i" cookies "$T/part" >/dev/null && cat "$T/part" >>"$T/victims"
	done
}
accepted_all() { ask srv"$1" stat | grep -q "live=$2 "; }
still() { "$PEER" alive "$T/victims"; }
reset_all() { [ "$(ask cli"$1" ends)" = "ECONNRESET=$2" ]; }

# --- WTS-3: it returns when they are gone, and not before

ok "WTS-3 $M connections" crowd 1 "$M"
is "$(still)" "$M" "WTS-3 all there"
sever_kill --client 127.0.2.0/24 $PATIENT
left=$(still)
is "$RC:$left" 0:0 "WTS-3 $M by client: exit 0, and the dump right after it is clean"
is "$(summary matched):$(summary dead)" "$M:$M" "WTS-3 all counted"
ok "WTS-3 their clients are reset" until_true 10 reset_all 1 "$M"
stop srv1 cli1

# No time: what is said of each is true all the same. More than are cut between two looks at the clock.
[ "$M" -gt 3000 ] || M=3000
crowd 1 "$M"
sever_kill --client 127.0.2.0/24 --timeout 1ms
is "$RC:$(summary matched)" "3:$M" "WTS-3 --timeout 1ms: exit 3"
ok "WTS-3 section 9 item 1: --timeout 1ms: the survivors are listed" [ "$(count alive)" -gt 0 ]
is "$(count alive)" "$(still)" "WTS-3 --timeout 1ms: as many as there are"
sever_kill --client 127.0.2.0/24 $PATIENT
is "$RC:$(still)" 0:0 "WTS-3 the rest on the second try"
stop srv1 cli1

# Orders that are lost on their way to the kernel: its word counts, not that of the send.
crowd 1 300
for stage in dead verified; do
	sever_via "swallow all" kill --json --netns self --client 127.0.2.0/24 --wait $stage --timeout 500ms
	[ $RC != 126 ] || break
	like "$RC:$(still):$(summary dead)" '^[35]:300:0$' "orders that never arrive, --wait $stage: no success, none called dead"
	is $(($(count alive) + $(count unsupported))) 300 "orders that never arrive, --wait $stage: the survivors are listed"
done
if [ $RC = 126 ]; then
	skip "orders that never arrive" "only on x86-64"
else
	sever_via "swallow orders" kill --json --netns self --client 127.0.2.0/24 $PATIENT
	is "$RC:$(still):$(summary dead)" 0:0:300 "orders that never arrive: found out, and done in another way"
	is "$(flow_lines | grep -c '"engine": *"diag"')" 0 "orders that never arrive: which is named"
fi
stop srv1 cli1

# --- X-11: the connections of one user

ok "X-11 $N connections" crowd 4 "$EACH"
is "$(still)" "$N" "X-11 all there"
tell bystander latency 4000
if [ -x /usr/bin/time ]; then
	/usr/bin/time -o "$T/time" -f '%M %U %S' "$SEVER" kill --json --netns self --user alice $PATIENT >"$OUT" 2>"$ERR"
	RC=$?
	read -r memory user system <"$T/time"
	diag "$N of one user: $user + $system s of CPU, $memory kB at most; $(summary elapsed_ms) ms from list to proof"
	# The square of their number in the cheapest of steps would take fifteen seconds of our own.
	ok "X-11 in seconds of CPU, not minutes" awk -v u="$user" -v s="$system" -v slow=$SEVER_TEST_SLOW \
		'BEGIN { exit !(u < 4 * slow && u + s < 20 * slow) }'
	ok "X-11 in less than 200 MB" [ "$memory" -lt 200000 ]
else
	sever_kill --user alice $PATIENT
	skip "X-11 memory" "no /usr/bin/time"
fi
is "$RC:$(still)" 0:0 "X-11 exit 0, all gone"
is "$(summary matched):$(summary dead)" "$N:$N" "X-11 all counted"
is "$(grep -c '"outcome"' "$OUT")" "$N" "X-11 one line each"
for i in 1 2 3 4; do
	ok "X-11 clients $i: all reset" until_true 20 reset_all $i "$EACH"
	ok "X-11 service $i accepts" accepts 7001 127.0.1.$i
done
until_true 10 heard bystander p99_us
latency=$(answer bystander)
diag "bystander meanwhile: $latency"
ok "X-11 the bystander is answered within 100 ms" [ "$(echo "$latency" | sed 's/.*p99_us=\([-0-9]*\).*/\1/')" -lt $((100000 * SEVER_TEST_SLOW)) ]
is "$(ask bystander echo)" "ok=1 bad=0" "X-11 the bystander lives"

done_testing
