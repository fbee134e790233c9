#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# endurance.t - severd killed in the middle of its work, over and over; and connections that come and go by the hundred thousand.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/resident.sh"

held()		# NAME: the BPF objects that the process holds; cat, because awk ends where a file has gone meanwhile
{
	cat "/proc/$(pid_of "$1")/fdinfo/"* 2>/dev/null | awk '/^(prog|map|link)_id:/ { sub(/_id:/, ""); print $1, $2 }' | sort -u
}
bpf_of()	# NAME: those it keeps, and not only for as long as a look at the host takes
{
	held "$1" >"$T/held" && sleep 1 && held "$1" | comm -12 "$T/held" -
}
there()		# FILE: those of its BPF objects that still are
{
	"$PEER" bpf | sort >"$T/bpf.now" && comm -12 "$1" "$T/bpf.now"
}
kinds() { cut -d ' ' -f 1 | sort -u | wc -l; }	# programs, maps, links
only() { there "$1" >"$T/left" && cmp -s "$T/left" "$2"; }	# FILE WHAT: that is what still is of FILE
none_left() { [ -z "$(there "$1")" ]; }

lists_all()	# [PORT]: what severd lists, at that local port, is what the kernel has, each once
{
	by list flows --json ${1:+--local-port $1}
	listed >"$T/listed"
	dump | awk -v p=":$1\$" '$1 == "tcp" && $3 != "listen" && $3 != "time-wait" && (p == ":$" || $5 ~ p) { print $4 }' |
		sort >"$T/kernel"
	[ "$RC" = 0 ] && [ -s "$T/kernel" ] && cmp -s "$T/listed" "$T/kernel" && return
	diag "exit $RC: $(wc -l <"$T/listed") listed, $(sort -u "$T/listed" | wc -l) different, $(wc -l <"$T/kernel") there"
	return 1
}

command -v socat >/dev/null || skip_all "no socat: run scripts/deps check"
severd_up || exit 1
start steady listen tcp 127.0.0.1 6999
start bystander connect tcp 127.0.0.1 6999 from 127.0.0.2

# --- kill -9 severd in the middle of ten thousand kills

M=$(many 10000)
[ "$M" -ge 4000 ] || M=4000 # fewer are dead before anybody can interfere
start srv listen tcp 127.0.0.1 7001
start cli connect tcp 127.0.0.1 7001 from 127.0.2.1 n "$M"
crowded() { [ "$(from 127.0.2.1 | wc -l)" = "$M" ]; }
ok "$M connections" until_true 20 crowded
ok "each is listed, once" lists_all 7001

crash()		# ROUND: killed as soon as some victims have seen their end, and started again; LEFT live
{
	_before=$(from 127.0.2.1 | wc -l)
	id=0000000$1-89ab-4cde-8f01-23456789abcd
	bpf_of severd >"$T/bpf.$1"
	ask cli trip 10 "$(pid_of severd)" >/dev/null
	call Kill "$(kill_of $id 127.0.2.1)" >"$T/answer"
	ok "round $1: killed in the middle" until_true 20 not alive severd
	is "$(cat "$T/answer")" "" "round $1: its caller has no answer"
	LEFT=$(from 127.0.2.1 | wc -l)
	diag "$((_before - LEFT)) of $_before were dead"
	ok "round $1: some are dead, some live" [ "$LEFT" -gt 0 -a "$LEFT" -lt "$_before" ]
	start born"$1" connect tcp 127.0.0.1 6999 from 127.0.3."$1" n 50
	[ "$1" = 1 ] || stop born$(($1 - 1))
	ok "round $1: back" severd_up
	ok "round $1: what lives is listed, once" lists_all 7001
	by list flows --json --client 127.0.3."$1" --older-than 1ms
	is "$(listed | wc -l)" 50 "round $1: tags were written meanwhile: their age is known"
	like "$(outcome $id)" '"state":"done".*"status":3' "round $1: the outcome is known: in part"
	is "$(outcome $id | grep -c '"dead"')" 0 "round $1: and no more is said than is known"
	like "$(call Kill "$(kill_of $id 127.0.2.1)")" 'io.sever.Partial.*interrupted' "round $1: the same request again: the same answer"
	is "$(from 127.0.2.1 | wc -l)" "$LEFT" "round $1: and nobody else is dead"
}

ROUNDS="1 2 3"
[ "$SEVER_TEST_SLOW" = 1 ] || ROUNDS=1
for round in $ROUNDS; do
	crash $round
	bpf_of severd >"$T/bpf.next"
	[ $round != 1 ] || comm -12 "$T/bpf.1" "$T/bpf.next" >"$T/pinned"
	is "$(comm -12 "$T/bpf.$round" "$T/bpf.next")" "$(cat "$T/pinned")" "round $round: it took over what is pinned"
	is "$(kinds <"$T/pinned"):$(wc -l <"$T/bpf.next")" "3:$(wc -l <"$T/bpf.1")" "round $round: and has no more than at first"
	ok "round $round: nothing of the one before is left" until_true 10 only "$T/bpf.$round" "$T/pinned"
done
id=00000004-89ab-4cde-8f01-23456789abcd
left=$(from 127.0.2.1 | wc -l)
like "$(call Kill "$(kill_of $id 127.0.2.1)")" "\"dead\":$left,.*\"status\":0" "a new request ends the rest"
is "$(from 127.0.2.1 | wc -l)" 0 "they are dead"
kill -9 "$(pid_of severd)"
until_true 10 not alive severd
ok "killed when it was done, and back" severd_up
like "$(outcome $id)" "\"state\":\"done\".*\"status\":0.*\"dead\":$left," "what is done stays known"
is "$(grep -c '"done' "$STATE/requests")" $((round + 1)) "one record for each"
second() { "$SEVERD" --socket "$T/other" --state-dir "$T/state2" --pin-dir "$PINS" >"$T/second" 2>&1; }
second
is $? 1 "a second one refuses to start"
is "$(ask bystander echo)" "ok=1 bad=0" "the bystander lives"
stop srv cli born$round

# --- a day's connections in small

# Only the bystander. If an end was missed that nobody counted, it is found within a minute (AUDIT_US in attend.c).
settled() { by list flows --json && [ "$(listed | wc -l)" = 2 ]; }
N=$(many 200000)
[ "$SEVER_TEST_SLOW" = 1 ] || N=3000
[ -z "${SEVER_TEST_LONG-}" ] || N=2000000
start storm listen tcp 127.0.0.1 7003
storm()		# NUMBER
{
	_n=$(replies storm)
	tell storm storm "$1" 127.0.0.1 7002
	until_true 600 replied storm "$_n" && answer storm
}
# The log of events has to be full (LOG_EVENTS in log.h; four each) before its size is one to compare with.
first=$((N / 10)) room=1024
if [ "$SEVER_TEST_SLOW" -gt 1 ]; then
	room=28672 # it fills while they come and go: more of them would take minutes
elif [ $first -lt 35000 ]; then
	first=35000
fi
rest=$((N - first))
[ $rest -gt 0 ] || rest=$N
diag "$(storm $first)"
ok "$first connections have come and gone: none is listed" until_true 70 settled
early=$(rss_of severd)
diag "$(storm $rest)"
ok "$((first + rest)) connections have come and gone: none is listed" until_true 70 settled
late=$(rss_of severd)
diag "memory of severd after the first: $early kB, at the end: $late kB"
# It sees the whole host: where there were more connections at once than ever before, it has grown, but not again and again.
is_flat() { [ "$late" -lt $((early + early / 10 + room)) ]; }
for _ in 1 2 3; do
	! is_flat || break
	early=$late
	diag "$(storm $rest)"
	late=$(rss_of severd)
	diag "and now $late kB"
done
ok "its memory is flat" is_flat
ok "what lives is listed, once" lists_all

# --- more at once than the ring buffer holds (23,000 events), while nobody reads it

spawn watch "$SEVER" watch --json --socket "$SOCKET"
watches() { "$PEER" try 127.0.0.1 6999 >/dev/null && heard watch '"event"'; }
until_true 5 watches
kill -STOP "$(pid_of severd)"
most=8000 more=8000 # four events each
[ "$SEVER_TEST_SLOW" = 1 ] || most=6000 more=1000
diag "$(storm $most)"
start late connect tcp 127.0.0.1 6999 from 127.0.0.4
n=$(replies storm)
tell storm storm $more 127.0.0.1 7002
kill -CONT "$(pid_of severd)"
until_true 60 replied storm "$n"
ok "none of those that have gone is listed" until_true 70 lists_all
by list flows --json --client 127.0.0.4
is "$(listed | wc -l)" 1 "and each that lives is"
closes()
{
	watched | awk -F '"' '$10 == "flow.close" { for (i = 12; i < 24; i += 2) if ($i == "flow" && $(i + 2) == "flow") print $(i + 4) }' |
		grep "@$(netns_inode)\$" | sort >"$T/closes"
	[ "$(wc -l <"$T/closes")" -gt 8000 ]
}
ok "ends are told" until_true 10 closes
is "$(uniq -d "$T/closes" | wc -l)" 0 "none of them twice"

# --- nothing stays

bpf_of severd >"$T/bpf.last"
severd_down
ok "--detach-all" "$SEVERD" --detach-all --pin-dir "$PINS"
ok "nothing is pinned any more" [ ! -e "$PINS" ]
ok "no program, map or link of them is left" until_true 10 none_left "$T/bpf.1"
ok "nor of the last" until_true 10 none_left "$T/bpf.last"
done_testing
