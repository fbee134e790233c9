#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# paging.t - a list in pages, while flows come and go: who is there from the first page to the last is shown once (NET-10).
. "$(dirname "$0")/../lib.sh"
. "$TESTS/resident.sh"
command -v socat >/dev/null || skip_all "no socat: run scripts/deps check"
severd_up || exit 1

here=$(readlink /proc/self/ns/net | tr -dc 0-9)
N=$(many 1000) SOME=$(many 200)
start srv listen tcp 127.0.0.1 7001
start old connect tcp 127.0.0.1 7001 from 127.0.0.2 n "$N"
from 127.0.0.2 >"$T/before"

ask_page()	# [CURSOR]: sets PAGE; false after the last one
{
	PAGE=$(call List '{"what":"flows","limit":7,"selectors":[{"kind":"netns","value":"'"$here"'"},{"kind":"local_port","value":"7001"}]'"${1:+,\"cursor\":\"$1\"}}")
	printf '%s\n' "$PAGE" | grep -o '"flow":"[^"]*"' | cut -d '"' -f 4 >"$T/page"
	cat "$T/page" >>"$T/shown"
	pages=$((pages + 1))
	[ "$(wc -l <"$T/page")" -le 7 ] || big=$((big + 1))
	next=$(json_field "$PAGE" next)
	[ -n "$next" ] && [ "$next" != null ]
}

# A fifth of them die, every fifth one, wherever the pages are; and as many come, from the same place.
come_and_go()
{
	awk 'NR % 5 == 0' "$T/before" | sed 's/^/--flow /' | head -n "$SOME" >"$T/victims"
	# shellcheck disable=SC2046
	sever_run kill --json --socket "$SOCKET" $(cat "$T/victims")
	start new connect tcp 127.0.0.1 7001 from 127.0.0.3 n "$SOME"
}

: >"$T/shown"
pages=0 big=0 next=
while ask_page "$next"; do
	[ $pages != $((N / 7 / 3)) ] || come_and_go
done
is "$RC:$(summary dead)" "0:$SOME" "NET-10 $SOME of $N were killed between two pages"
is "$big" 0 "NET-10 no page is longer than asked for"
ok "NET-10 there were many" [ $pages -gt $((N / 10)) ]
from 127.0.0.2 >"$T/after"
is "$(sort "$T/shown" | uniq -d | wc -l)" 0 "NET-10 nobody is shown twice"
is "$(wc -l <"$T/after"):$(sort "$T/shown" | comm -13 - "$T/after" | wc -l)" "$((N - SOME)):0" "NET-10 no survivor is left out"
awk '{ print $2 }' "$T/victims" | sort >"$T/dead"
from 127.0.0.3 >"$T/new"
ok "NET-10 and nobody is shown who never was" eval 'sort "$T/shown" | comm -23 - "$T/before" | comm -23 - "$T/new" >"$T/odd"; [ ! -s "$T/odd" ]'
ok "NET-10 who died before his page came is not shown" [ "$(sort "$T/shown" | comm -12 - "$T/dead" | wc -l)" -lt "$SOME" ]

# Longer than anybody waits for half a message (wire.c), and more than the pipe and the socket hold.
if [ "$SEVER_TEST_SLOW" = 1 ]; then
	start many connect tcp 127.0.0.1 7001 from 127.0.0.4 n 8000
	"$SEVER" list flows --json --socket "$SOCKET" --netns self --client 127.0.0.4 2>"$ERR" |
		(head -n 1 >/dev/null; sleep 12; cat) >"$T/paged"
	ok "who reads with a pager gets to the end" grep -q '"listed":8000' "$T/paged"
	stop many
fi

# A cursor that is behind everybody, and a limit that is none.
ask_page ffffffffffffffff@4294967295
is "$(wc -l <"$T/page"):$next" 0:null "NET-10 behind the end there is nothing: no error"
like "$(call List '{"what":"flows","limit":0}')" InvalidParameter "NET-10 a page of none is refused"
like "$(call List '{"what":"flows","limit":1001}')" InvalidParameter "NET-10 and one that is too long"
done_testing
