#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# crowds.t - fifty thousand kills at once, told to a watcher who reads and to one who does not; callers by the hundred who say
# nothing, half of something, or nonsense.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/resident.sh"
command -v socat >/dev/null || skip_all "no socat: run scripts/deps check"
severd_up || exit 1
start steady listen tcp 127.0.0.1 6999
start bystander connect tcp 127.0.0.1 6999 from 127.0.0.2

# --- a burst (X-11, RDP-3), with two who watch

EACH=12500
[ "$SEVER_TEST_SLOW" = 1 ] || EACH=250 # their ends are read by awk, which takes longer than all else
N=$((EACH * 4))
crowd()
{
	for i in 1 2 3 4; do
		start srv$i listen tcp 127.0.1.$i 7001 || return 1
		start cli$i connect tcp 127.0.1.$i 7001 from 127.0.2.$i n "$EACH" || return 1
	done
}
all_there() { [ "$(dump | awk '$3 == "established" && index($6, "127.0.2.") == 1' | wc -l)" = "$N" ]; }
# Of what a watcher has heard, which is a lot, a line each: NUMBER EVENT COUNT REQUEST FLOW; "-": not there.
digest()	# WATCHER
{
	awk -F '"' '{
		count = request = flow = "-"
		for (i = 12; i < NF && flow == "-"; i += 4) {
			if ($i == "request") request = $(i + 2)
			else if ($i == "count") count = substr($(i + 1), 2) + 0
			else if ($i == "flow") flow = $(i + 4)
		}
		printf "%.0f %s %s %s %s\n", substr($3, 2), $10, count, request, flow
	}' "$T/$1.out" >"$T/$1.short"
}
# Numbers follow each other, and where they do not, "lost" says exactly how many are missing.
accounts()	# WATCHER
{
	digest "$1"
	awk '	$2 == "lost" { lost += $3 }
		NR > 1 && ($2 == "lost" ? $1 - $3 != last : $1 != last + 1) { bad++ }
		{ last = $1 }
		END { print NR " events, " lost + 0 " lost, " bad + 0 " gaps"; exit !(NR && !bad) }' "$T/$1.short" >"$T/account"
	_bad=$?
	diag "$1: $(cat "$T/account")"
	return $_bad
}
rises() { awk '$1 <= last { bad++ } { last = $1 } END { exit bad > 0 }' "$T/$1.short"; }	# WATCHER
lost_by() { grep -c ' lost ' "$T/$1.short"; }
# Again and again: what the rest of the host does may be more than a slow one can hear.
hears()		# WATCHER ADDR: that there is a connection from there
{
	"$PEER" try 127.0.0.1 6999 "$2" >/dev/null
	tail -c 5000000 "$T/$1.out" | grep -qF "\"remote_addr\":\"$2\""
}
both_hear() { until_true 30 hears fast "$1" && until_true 30 hears slow "$1"; }

ok "$N connections" crowd
ok "all are there" until_true 20 all_there
one=$(from 127.0.2.3 | head -n 1)
by list flows --json --flow "$one"
is "$RC:$(listed)" "0:$one" "RDP-9 one of them by its handle"
by list flows --json --client 127.0.2.0/24
is "$RC:$(listed | sort -u | wc -l):$(listed | wc -l)" "0:$N:$N" "RDP-9 all of them, each once"
spawn fast "$SEVER" watch --json --socket "$SOCKET" --netns self --client 127.0.2.0/24
spawn slow "$SEVER" watch --json --socket "$SOCKET"
ok "both watchers hear" both_hear 127.0.2.200
kill -STOP "$(pid_of slow)"
stopped=$(now_ms)
by kill --json --local-port 7001 --timeout $((10 * SEVER_TEST_SLOW))s
end=$(now_ms)
request=$(summary request)
is "$RC:$(summary dead)" "0:$N" "$N are cut"
told_all() { [ "$(grep -cF '"event":"flow.close"' "$T/fast.out")" -ge "$N" ]; }
ok "who reads is told within seconds" until_true 20 told_all
diag "$N in $(summary elapsed_ms) ms; all ends told to who reads $(($(now_ms) - end)) ms after the answer"
digest fast
awk -v r="$request" '$2 == "flow.close" && $4 == r { print $5 }' "$T/fast.short" | sort >"$T/ends"
handles | cmp -s - "$T/ends"
is $? 0 "of every end, once"
ok "in order" rises fast
is "$(lost_by fast)" 0 "nothing was lost on the way to who reads"
ok "the bystander lives" [ "$(ask bystander echo)" = "ok=1 bad=0" ]
stop srv1 srv2 srv3 srv4 cli1 cli2 cli3 cli4

# --- a flood of callers

fds() { find "/proc/$(pid_of severd)/fd" -mindepth 1 | wc -l; }
has_fds() { [ "$(fds)" -le "$1" ]; }
repeated() { head -c "$1" /dev/zero | tr '\0' "$2"; }	# N CHARACTER
in_time()	# SECONDS CMD...
{
	_began=$(now_ms) _limit=$1
	shift
	"$@" && [ $(($(now_ms) - _began)) -lt $((_limit * 1000 * SEVER_TEST_SLOW)) ]
}
list_one() { by list flows --json --client 127.0.0.2 && [ "$RC:$(listed | wc -l)" = 0:1 ]; }
kill_one() { by kill --json --client 127.0.0.4 && [ "$RC:$(summary dead)" = 0:1 ]; }

rss=$(rss_of severd) open=$(fds)
start quiet connect unix "$SOCKET" 0 n 300
start half connect unix "$SOCKET" 0 n 50
is "$(ask half say '{"method":"io.sever.Li')" "said 50" "half a message, fifty times"
halved=$(now_ms)
start noise connect unix "$SOCKET" 0 n 50
is "$(ask noise say '}{<?xml' nul)" "said 50" "nonsense, fifty times"
over() { [ "$(ask "$1" ends)" = "EOF=$2" ]; }
ok "who talks nonsense is hung up on" until_true 5 over noise 50
like "$(raw '}{<?xml')" '^[{]"error":"io.sever.Malformed"' "and told why"
uid=$((100000 + $$ * 2))
start pushy -u "$uid" connect unix "$SOCKET" 0 n 70
ok "one user who is not root has 64 connections at most" until_true 5 over pushy 6
like "$(raw '{"method":5}')" '^[{]"error":"io.sever.Malformed"' "a method that is a number: Malformed"
like "$(raw '["io.sever.List"]')" '^[{]"error":"io.sever.Malformed"' "an array: Malformed"
like "$(raw "{\"method\":\"io.sever.List\",\"parameters\":$(repeated 10000 '[')$(repeated 10000 ']')}")" \
	'^[{]"error":"io.sever.Malformed".*deeper' "10,000 levels: Malformed"
like "$(call List '{"what":5}')" '^[{]"error":"org.varlink.service.InvalidParameter","parameters":[{]"parameter":"what"[}][}]' "a number for a word: InvalidParameter"
like "$(call Kill '{"verb":"kill","selectors":{"kind":"all"}}')" 'InvalidParameter.*selectors' "an object for an array: InvalidParameter"
like "$(call Kill '{"verb":"kill","selectors":[{"kind":"client","value":["127.0.0.2"]}]}')" 'InvalidParameter.*value' "an array for a text: InvalidParameter"
like "$(call Kill '{"verb":"kill","selectors":[]}')" 'io.sever.InvalidParameter.*selectors' "no selector: InvalidParameter"
{
	printf '{"method":"io.sever.List","parameters":{"cursor":"'
	repeated 1000000 x
	printf '"}}\0'
} >"$T/large"
like "$(timeout 30 socat -t 30 - UNIX:"$SOCKET" <"$T/large" | tr '\0' '\n')" '^[{]"error":"org.varlink.service.InvalidParameter"' "a text of 1 MB: InvalidParameter"
{
	printf '{"method":"'
	repeated 1048576 x
	printf '"}\0'
} >"$T/large"
like "$(timeout 30 socat -t 30 - UNIX:"$SOCKET" <"$T/large" 2>/dev/null | tr '\0' '\n')" '^[{]"error":"io.sever.TooLarge","parameters":[{]"limit":1048576[}][}]' "more than 1 MiB: TooLarge"
is "$(ask quiet stat | cut -d ' ' -f 1)" live=300 "who says nothing is let be"
ok "meanwhile others list within seconds" in_time 3 list_one
start victim connect tcp 127.0.0.1 6999 from 127.0.0.4
ok "and cut" in_time 3 kill_one
ok "who does not finish a message is hung up on" until_true $((15 / SEVER_TEST_SLOW + 1)) over half 50
diag "after $(($(now_ms) - halved)) ms"
grown=$(($(rss_of severd) - rss))
diag "memory of severd: $rss kB before, $grown kB more with 420 callers"
ok "memory is bounded" [ $grown -lt 32768 ]
stop quiet half noise pushy victim
ok "all their descriptors are closed" until_true 5 has_fds "$open"
ok "the bystander lives through it" [ "$(ask bystander echo)" = "ok=1 bad=0" ]

# --- who did not read goes on

start storm listen tcp 127.0.0.1 7003
ask storm storm "$(many 12000)" 127.0.0.1 7002 >/dev/null # so that more has happened than is kept, LOG_EVENTS in log.h

diag "stopped for $(($(now_ms) - stopped)) ms"
kill -CONT "$(pid_of slow)"
ok "who did not read goes on" both_hear 127.0.2.201
ok "every end was told, or counted as lost" accounts slow
[ "$SEVER_TEST_SLOW" != 1 ] || ok "not all could be kept for him" [ "$(lost_by slow)" -gt 0 ]
done_testing
