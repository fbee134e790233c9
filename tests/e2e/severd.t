#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# severd.t - the resident half: completion events, requests that outlive their callers, rights, and what is left of it.
. "$(dirname "$0")/../services.sh"
. "$TESTS/resident.sh"

services_up && sshd_up || exit 1
login older alice $A || exit 1
old=$(transport older)
severd_up || exit 1
spawn watch "$SEVER" watch --json --socket "$SOCKET"
until_true 10 grep -qs . "$T/severd.out"

# --- X-12: what is older than it

by list --json sessions --user alice
is "$RC:$(grep -c '"session":"audit:' "$OUT")" 0:1 "X-12 a session that is older than severd is listed"
by list flows --json --user alice --client $A
is "$RC:$(sed -n 's/.*"flow":"\([^"]*\)".*/\1/p' "$OUT")" "0:$old" "X-12 and so is its flow"
ways() { sed -n 's/^{"flow":"\([^"]*\)",.*"direction":"*\([a-z]*\).*/\1 \2/p' "$OUT" | sort; }
older()	# WHEN: what was opened here is nobody's who was accepted from there
{
	sever_list --client $A --client "$HOST"
	direct=$(ways)
	by list flows --json --client $A --client "$HOST"
	is "$(ways):$(ways | grep -c "^$old in\$")" "$direct:1" "X-12 $1: which way it came, as without severd"
	by kill --client "$HOST"
	is "$RC" 1 "X-12 $1: where it was opened to is no client"
	ok "X-12 $1: it lives" echoes older
}
older "older than severd"

by list --user alice --older-than 2h
is "$RC:$(grep -c '^note: 1 connection may be old enough' "$ERR")" 1:1 "--older-than: how long it has been there nobody can say"

# --- late attribution: a session that begins

spawn fromb "$SEVER" watch --json --socket "$SOCKET" --client $B --netns "$(netns_inode)" --after 0
until_true 10 grep -qs '"event":"lost"' "$T/fromb.out"
like "$(head -n 1 "$T/fromb.out")" '"event":"lost","count":null' "WTS-12 how many a severd before it has told, nobody knows"
login phone alice $B
flow=$(transport phone)
ok "WTS-12 the session's beginning is told" until_true 2 told session.open "audit:$(session phone)"
by list flows --json --user alice --older-than 2h
is "$RC:$(summary age_unknown)" 1:1 "--older-than: of what came later it is known, and bob's is no matter"
cut_by by disconnect --json --session "audit:$(session phone)"
is "$RC:$(handles)" "0:$flow" "WTS-1 it is cut by its id"
ok "the client is told within a second" ended_in_time phone
like "$(events flow.open "\"local_addr\":\"$B\"")" '"pid":[0-9]+,"comm":null,' "RDP-8 who opened it is told, and what that runs is null: it is not kept"
ok "RDP-2 the end of the flow is told, with its reason" until_true 2 told flow.close "\"reason\":\"admin\".*${flow%@*}@"
request=$(summary request)
is "$(json_field "$(events flow.close "${flow%@*}@")" request)" "$request" "section 9 item 11: and the request that did it"
is "$(events flow.close "${flow%@*}@" | wc -l)" 1 "RDP-2 once"
ok "WTS-12 session.disconnected, once" [ "$(events session.disconnected "audit:$(session phone)" | wc -l)" = 1 ]
ok "WTS-12 the session's end is told" until_true 20 told session.close "audit:$(session phone)"
is "$(json_field "$(events session.open "audit:$(session phone)")" user):$(json_field "$(events session.disconnected "audit:$(session phone)")" user)" \
	alice:alice "WTS-12 and whose it was"
life()	# NAME: what that watcher has heard of the session
{
	sed -n 's/.*"event":"\(session[^"]*\)".*"session":"'"audit:$(session phone)"'".*/\1/p' "$T/$1.out" | tr '\n' ' '
}
whole_life() { [ "$(life "$1")" = "session.open session.disconnected session.close " ]; }
ok "WTS-12 who asked for that client is told of the session that it carried" until_true 5 whole_life fromb
spawn hers "$SEVER" watch --json --socket "$SOCKET" --session "audit:$(session phone)" --after 0
ok "WTS-12 who asks for the session is told of its end, too" until_true 5 whole_life hers
stop hers
ok "accepted and done are told" [ "$(events request.accept "$request" | wc -l):$(events request.done "$request" | wc -l)" = 1:1 ]
seqs=$(watched | sed -n 's/.*"seq":\([0-9]*\),.*/\1/p')
is "$(echo "$seqs" | sort -n | uniq | wc -l)" "$(echo "$seqs" | wc -l)" "WTS-12 no number comes twice"
numbers() { echo "$seqs" | sed "1,/^$(echo "$seqs" | sed -n 3p)\$/d"; } # behind the third
spawn resumed "$SEVER" watch --json --socket "$SOCKET" --after "$(echo "$seqs" | sed -n 3p)"
resumes() { [ "$(sed -n 's/.*"seq":\([0-9]*\),.*/\1/p' "$T/resumed.out" | head -n "$(numbers | wc -l)")" = "$(numbers)" ]; }
ok "WTS-12 who watches from a number on is told what came behind it, and from there" until_true 5 resumes
stop resumed
spawn future "$SEVER" watch --json --socket "$SOCKET" --after 9007199254740991
all_again() { grep -q '"event":"lost"' "$T/future.out" && grep -q "\"request\":\"$request\"" "$T/future.out"; }
ok "WTS-12 who watches from a number that is yet to come is told all there is" until_true 5 all_again
stop future

# --- section 9 item 13: who comes back

was="audit:$(session phone)"
login again alice $B
back() { events session.open "\"session\":\"audit:$(session again)\"" | grep -F "\"returns\":\"$was\"" | grep -qF "\"request\":\"$request\""; }
ok "section 9 item 13: she is back: with the session that was cut, and by which request" until_true 5 back
ok "section 9 item 13: and the connection it came by" until_true 5 told flow.open "\"request\":\"$request\",\"returns\":\"$flow\".*${B}"
login other bob $A
ok "section 9 item 13: who was not cut does not come back" until_true 5 told session.open "audit:$(session other)"
is "$(events session.open "audit:$(session other)" | grep -c returns)" 0 "section 9 item 13: and nothing is said of that"
is "$(grep -c "\"audit:$(session other)\"" "$T/fromb.out"):$(grep -c '"event":"request' "$T/fromb.out")" 0:0 \
	"WTS-12 who asked for a client is told of nobody from elsewhere, and of no request"
stop fromb
sever_run disconnect --socket "$SOCKET" --session "audit:$(session again)" --session "audit:$(session other)"

# --- RDP-2: three ends, three reasons

start srv listen tcp 127.0.0.1 7001
start polite connect tcp 127.0.0.1 7001 from 127.0.0.2
polite=$(from 127.0.0.2)
ask polite close >/dev/null
ok "RDP-2 the client closes: client" until_true 5 told flow.close "\"reason\":\"client\".*${polite%@*}@"
start brutal connect tcp 127.0.0.1 7001 from 127.0.0.3
brutal=$(from 127.0.0.3)
stop srv
ok "RDP-2 the server is killed: error" until_true 5 told flow.close "\"reason\":\"error\".*${brutal%@*}@"
stop polite brutal

# --- WTS-3: not waiting

start srv listen tcp 127.0.0.1 7001
start crowd connect tcp 127.0.0.1 7001 from 127.0.0.4 n 500
by kill --json --client 127.0.0.4 --no-wait
request=$(sed -n 's/.*"accepted":{"request":"\([^"]*\)".*/\1/p' "$OUT")
is "$RC:$(json_field "$(cat "$OUT")" matched)" 0:500 "WTS-3 --no-wait: accepted, with the number of victims"
ok "WTS-3 RDP-1 and done later, under the same id" until_true 10 told request.done "$request"
is "$(from 127.0.0.4 | wc -l)" 0 "WTS-3 they are dead"
is "$(events flow.close "$request" | grep -c '"reason":"admin"')" 500 "WTS-3 an event for each"
like "$(call GetRequest "{\"request\":\"$request\"}")" '"state":"done".*"status":0.*"dead":500' "WTS-4 its outcome is known by its id"
stop crowd

# --- section 9 item 15: twice is once

start twice connect tcp 127.0.0.1 7001 from 127.0.0.5 n 3
here=$(readlink /proc/self/ns/net | tr -dc 0-9)
id=01234567-89ab-4cde-8f01-23456789abcd
kill_twice='{"verb":"kill","selectors":[{"kind":"client","value":"127.0.0.5"},{"kind":"netns","value":"'$here'"}],"request":"'$id'"}'
like "$(call Kill "$kill_twice")" '"dead":3,.*"status":0' "section 9 item 15: a request with an id"
start again connect tcp 127.0.0.1 7001 from 127.0.0.5
like "$(call Kill "$kill_twice")" '"dead":3,.*"status":0' "section 9 item 15: retried, the same answer"
is "$(ask again echo)" "ok=1 bad=0" "section 9 item 15: and it did not act again"
stop twice again

# --- S3 (X-9)

none_from() { [ -z "$(from "$1")" ]; }
dies_after() { (until_true 5 none_from "$2"; kill -9 "$(pid_of "$1")") & }	# NAME ADDR: once what comes from there is cut
stop srv
start srv listen tcp 127.0.0.1 7001 hold
start handed connect tcp 127.0.0.1 7001 from 127.0.0.6
start keeper listen tcp 127.0.0.1 7008 hold
start caller connect tcp 127.0.0.1 7008 from 127.0.0.7
by kill --json --client 127.0.0.7 --wait released --timeout $((300 * SEVER_TEST_SLOW))ms
is "$RC:$(summary dead):$(summary stage)" 3:1:dead "X-9 --wait released: dead, and still held: exit 3"
is "$(json_field "$(flow_lines)" pid)" "$(pid_of keeper)" "X-9 it says by whom"
dies_after srv 127.0.0.6
by kill --json --client 127.0.0.6 --wait released --timeout $((5 * SEVER_TEST_SLOW))s
is "$RC:$(summary dead):$(summary stage)" 0:1:released "X-9 section 9 item 12: released once the holder is gone"
stop handed keeper caller srv
start work -l "$ALICE" listen tcp 127.0.0.1 7009
start boss connect tcp 127.0.0.1 7009 from 127.0.0.16
by kill --json --client 127.0.0.16 --wait ended --timeout $((300 * SEVER_TEST_SLOW))ms
is "$RC:$(summary dead):$(summary stage)" 3:1:dead "X-9 --wait ended: dead and let go, and her session goes on: exit 3"
ok "X-9 it says so" said "1 of the sessions has not ended"
start boss2 connect tcp 127.0.0.1 7009 from 127.0.0.17
dies_after work 127.0.0.17
by kill --json --client 127.0.0.17 --wait ended --timeout $((5 * SEVER_TEST_SLOW))s
is "$RC:$(summary dead):$(summary stage)" 0:1:ended "X-9 section 9 item 12: ended once its leader is gone"
stop boss boss2 work

# --- WTS-7, NET-6: rights

start srv listen tcp 127.0.0.1 7001
login phone alice $B
login desk bob $B
as alice kill --json --user alice --client $B
is "$RC:$(handles | wc -l)" 0:1 "NET-6 alice cuts what is hers"
past=$(handles)
ok "NET-6 bob's lives" echoes desk
login phone alice $B
as alice kill --json --flow "$past" --flow "$(transport phone)" --dry-run
is "$RC:$(summary stale):$(summary planned)" 0:1:1 "NET-6 a handle of the past is nobody's: stale, not refused"
as alice kill --json --client $B
is "$RC" 4 "NET-6 WTS-7 what is also bob's is refused"
ok "NET-6 it names the session" said "audit:$(session desk)"
ok "NET-6 as a whole" echoes phone
denied=$(RAW_AS="setpriv --reuid alice --regid alice --clear-groups" call Kill "$(kill_of 01234567-89ab-4cde-8f01-23456789abce $B)")
like "$denied" '"error": *"io.sever.PermissionDenied".*"session": *"audit:'"$(session desk)"'"' "NET-6 a program is told which"
as alice list --json flows
ok "WTS-7 she sees hers" grep -q "${old%@*}@" "$OUT"
ok "WTS-7 and not his" not grep -q "$(transport desk | cut -d @ -f 1)@" "$OUT"
as bob disconnect --json --session "audit:$(session phone)"
is "$RC" 4 "WTS-7 bob may not cut her session"
ok "WTS-7 it lives" echoes phone

# --- what there is not

what()	# SELECTORS: the kind of thing that is not there
{
	call Kill '{"verb":"kill","selectors":['"$1"']}' | sed -n 's/.*"error": *"io.sever.NotFound".*"what": *"\([^"]*\)".*/\1/p'
}
no_user='{"kind":"user","value":"no-such-name"}' bob='{"kind":"user","value":"bob"}'
from='{"kind":"client","value":"127.9.9.9"}'
start lone -l "$BOB" listen tcp 127.0.0.1 7010
lone='{"kind":"session","value":"audit:'$(session_of lone)'"}'
is "$(what "$no_user"):$(what '{"kind":"session","value":"audit:4294967294"}')" user:session "NET-3 no such user, no such session"
is "$(what "$lone"):$(what "$lone,$from")" transport:match "WTS-5 a session that nothing carries, or not from there"
stop lone
is "$(what "$bob,$from,$no_user"):$(what "$bob,$from")" user:match "NET-3 of several the one that is not there; none of his matches"
is "$(what '{"kind":"flow","value":"1@1"}'):$(what '{"kind":"unit","value":"no-such.service"}')" flow:unit "NET-3 no such flow, no such unit"
by list --user no-such-name --ignore-none
is "$RC:$(cat "$ERR")" "1:sever: no such user: no-such-name" "NET-3 nor is a mistyped name an empty list"
like "$(call List "{\"selectors\":[$no_user]}")" 'NotFound.*"what": *"user"' "NET-3 a program is told what it is"
like "$(call List "{\"selectors\":[$from]}")" '"sessions": *\[\]' "NET-3 an empty list is none of that"

# --- it is ended while a request runs

flooded() { [ "$(ask endless stat | sed 's/.*sent=//')" -gt 200000 ]; } # more than is read in three seconds
takes_its_time()	# sets running: a request that waits until more is read than ever will be
{
	start endless listen tcp 127.0.0.1 7009 flood 100000000
	start idler connect tcp 127.0.0.1 7009 from 127.0.0.9 slow 50000
	until_true 5 flooded
	by kill --json --client 127.0.0.9 --drain 20s --no-wait
	running=$(sed -n 's/.*"accepted":{"request":"\([^"]*\)".*/\1/p' "$OUT")
}
takes_its_time
like "$(outcome "$running")" '"state":"accepted"' "a request that takes its time"
ended=$(date +%s%N)
severd_down
ok "it ends soon all the same" [ $((($(date +%s%N) - ended) / 1000000)) -lt 5000 ]
severd_up || exit 1
like "$(outcome "$running")" '"state":"done".*"status":3.*"alive":1,.*"interrupted":true' "what became of the request is known"
is "$(from 127.0.0.9 | wc -l)" 1 "and true"
stop endless idler

# --- it dies, and comes back

second() { "$SEVERD" --socket "$T/other" --state-dir "$T/state2" --pin-dir "$PINS" >"$T/second" 2>&1; }
second
is $? 1 "a second one on the same pins refuses to start"
one_line_second() { [ "$(wc -l <"$T/second")" = 1 ]; }
ok "and says why in one line" one_line_second
takes_its_time
stop severd
start born connect tcp 127.0.0.1 7001 from 127.0.0.8
severd_up || exit 1
by list flows --json --client 127.0.0.8
is "$RC:$(grep -c '"flow":' "$OUT")" 0:1 "X-12 killed and back: tags were written meanwhile"
like "$(call GetRequest "{\"request\":\"$request\"}")" '"state":"done".*"dead":500' "and what was asked before is known"
like "$(outcome "$running")" '"state":"done".*"status":3' "and that a request which was under way came to nothing whole"
is "$(from 127.0.0.9 | wc -l)" 1 "and true"
stop endless idler
by kill --json --client 127.0.0.8
is "$RC:$(summary dead)" 0:1 "it is cut"
older "taken over"
severd_down
ok "tags stay when it ends" [ -e "$PINS/control" ]
ok "--detach-all" "$SEVERD" --detach-all --pin-dir "$PINS"
ok "nothing of them is left" [ ! -e "$PINS" ]
done_testing
