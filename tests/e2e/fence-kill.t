#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fence-kill.t - kill --fence: cut now, and kept out. The client comes back every ten milliseconds.
. "$(dirname "$0")/../services.sh"
. "$TESTS/resident.sh"

fence() { _verb=$1; shift; sever_run fence "$_verb" --socket "$SOCKET" --json "$@"; }
fences() { fence list; sed -n 's/^{"fence":"\([^"]*\)".*/\1/p' "$OUT"; }
field_of() { answer "$1" | tr ' ' '\n' | sed -n "s/^$2=//p"; }	# NAME KEY: of its last answer
connects() { ask "$1" connect tcp 127.0.0.1 "$2" from "$3"; }	# NAME PORT ADDR
opened() { events flow.open "\"direction\":\"in\"" | grep "@$(netns_inode)\"" | grep -c "\"remote_addr\":\"$1\""; }

severd_up || exit 1
spawn watch "$SEVER" watch --json --socket "$SOCKET"
start srv listen tcp 0.0.0.0 7001
start other listen tcp 127.0.0.1 7002
start bystander connect tcp 127.0.0.1 7001 from 127.0.0.3
start client stat
hears() { accepts 7002 && [ -n "$(events flow.open '"local_port":7002')" ]; }
ok "who watches is told" until_true 10 hears

# --- RDP-6

start knocker stat
_n=$(replies knocker)
tell knocker knock 10 $((3000 + 2500 * SEVER_TEST_SLOW)) tcp 127.0.0.1 7001 from 127.0.0.2
in_now() { [ "$(from 127.0.0.2 | wc -l)" = 1 ]; }
until_true 5 in_now
begun=$(now_ms)
by kill --json --client 127.0.0.2 --fence $((1 + SEVER_TEST_SLOW))s
id=$(summary fence)
is "$RC:$(summary dead)" 0:1 "RDP-6 fence and kill in one request"
like "$id" '^f[0-9]+$' "RDP-6 the answer names the fence"
is "$(from 127.0.0.2 | wc -l)" 0 "RDP-6 it is out"
ok "RDP-6 others come in" accepts 7001
is "$(ask bystander echo)" "ok=1 bad=0" "RDP-6 the bystander talks on"
is "$(fences)" "$id" "RDP-6 the fence is listed"
until_true 20 replied knocker "$_n"
is "$(field_of knocker in)" 2 "RDP-6 section 9 item 4: let in before, and when it was over: never between"
ok "RDP-6 X-2 not before its time" [ "$(field_of knocker last)" -ge $((begun + 1000 + 1000 * SEVER_TEST_SLOW)) ]
ok "RDP-6 refused again and again" [ "$(field_of knocker ECONNREFUSED)" -ge 20 ]
twice() { [ "$(opened 127.0.0.2)" = 2 ]; }
ok "RDP-6 no connection of theirs was made in between" until_true 5 twice
ok "fence.add is told" until_true 5 told fence.add "\"$id\""
ok "fence.hit is told" until_true 5 told fence.hit "\"$id\""
ok "fence.expire is told" until_true 5 told fence.expire "\"$id\""
is "$(fences)" "" "it is listed no more"

# Ten milliseconds are longer than the cut takes: one who does not pause would be in again if the fence came second.
start eager stat
_n=$(replies eager)
tell eager knock 0 $((3000 + 1500 * SEVER_TEST_SLOW)) tcp 127.0.0.1 7001 from 127.0.0.18
is_in() { [ "$(from 127.0.0.18 | wc -l)" = 1 ]; }
until_true 5 is_in
by kill --json --client 127.0.0.18 --fence 10m
id=$(summary fence)
is "$RC:$(summary dead)" 0:1 "RDP-6 who knocks without a pause is cut"
until_true 20 replied eager "$_n"
is "$(field_of eager in)" 1 "RDP-6 and is not in again for a moment"
stop eager
fence lift "$id"

# --- never a fence without the kill, nor a kill without the fence

start four connect tcp 127.0.0.1 7001 from 127.0.0.4 n 4
by kill --json --client 127.0.0.4 --max 3 --fence 10m
is "$RC:$(fences)" "6:" "refused by a guard: no fence stays"
ok "and they may come" [ "$(connects client 7001 127.0.0.4)" = "connected 1" ]
by kill --json --client 127.0.0.4 --dry-run --fence 10m
is "$RC:$(fences)" "0:" "a dry run puts up none"
by kill --json --client 0.0.0.0/0 --fence 10m --dry-run
is "$RC:$(fences)" "6:" "nor is one of what is not allowed in earnest"
by kill --client 127.0.0.4 --fence 10m --max 3 --dry-run
is "$RC:$(grep -c "would go up" "$OUT")" 6:0 "nor does it say that one would go up"
by kill --client 127.0.0.4 --fence 10m --dry-run
is "$RC:$(grep -c "would go up" "$OUT")" 0:1 "where one would it does"
by kill --json --pid "$(pid_of four)" --fence 10m --dry-run
is "$RC:$(fences)" "2:" "or means nothing"
by kill --client 127.0.0.5 --fence 1ms
like "$RC:$(cat "$OUT")" '^0:.*fence f[0-9]* has ended already' "one that is over is not said to stand"
by kill --json --client 0.0.0.0/0 --fence 10m
is "$RC:$(fences)" "6:" "not everybody"
by kill --json --pid "$(pid_of four)" --fence 10m
is "$RC:$(fences)" "2:" "what no fence can mean is refused"
is "$(ask four echo)" "ok=4 bad=0" "and nobody was cut"
stop four

# --- whom it means need not be there

by kill --json --client 127.0.0.5 --fence 10m
fence=$(summary fence)
is "$RC:$(summary matched):$(fences)" "0:0:$fence" "nobody to cut: the fence stands"
like "$(connects client 7001 127.0.0.5)" ECONNREFUSED "and keeps him out"

# --- what waits in a backlog, and what is half open

start tardy listen tcp 127.0.0.1 7003 later
start early connect tcp 127.0.0.1 7003 from 127.0.0.6 n 5
by kill --json --client 127.0.0.6 --fence 10m
is "$RC:$(summary dead)" 0:5 "in the backlog: cut"
like "$(ask early ends)" ECONNRESET=5 "which they are told"
stop tardy early
# The answer to its first packet is lost, and comes again a second later. It would be let in then.
start half connect tcp 127.0.0.1 7001 from 127.0.0.14 deaf later
half() { dump | awk '$3 == "syn-recv" && index($6, "127.0.0.14:") == 1 { print $4 }'; }
is_half() { [ -n "$(half)" ]; }
ok "half open" until_true 5 is_half
by kill --json --client 127.0.0.14 --fence 10m
is "$RC:$(summary dead):$(half)" 0:1: "half open: cut"
ask half hear >/dev/null
ok "half open: its end is told" until_true 20 heard half "end .*E"
is "$(opened 127.0.0.14)" 0 "half open: it has not come in"

# --- RDP-6: revoked, and not cut

start live connect tcp 127.0.0.1 7001 from 127.0.0.7
fence add --client 127.0.0.7 --netns self --for 10m
is "$RC" 0 "RDP-6 revoke without kill"
is "$(ask live echo)" "ok=1 bad=0" "RDP-6 leaves the live session up"
like "$(connects client 7001 127.0.0.7)" ECONNREFUSED "RDP-6 and lets no new one in"

# --- RDP-6: SIGKILL of severd

stop severd
like "$(connects client 7001 127.0.0.7)" ECONNREFUSED "RDP-6 severd is killed: it stands"
severd_up || exit 1
is "$(fences | wc -l)" 4 "RDP-6 and is known when severd is back"
like "$(connects client 7001 127.0.0.7)" ECONNREFUSED "RDP-6 and stands"
fence lift --client 127.0.0.7 --netns self
is "$RC" 0 "lifted"
is "$(connects client 7001 127.0.0.7)" "connected 1" "he is let in"

# --- RDP-10: a service is drained

start users connect tcp 127.0.0.1 7001 from 127.0.0.8 n 100
start neighbour connect tcp 127.0.0.1 7002 from 127.0.0.8
by kill --json --local-port 7001 --fence 10m
fence=$(summary fence)
ok "RDP-10 its connections are cut" [ "$RC" = 0 -a "$(summary dead)" -ge 100 ]
is "$(at_port 7001 | wc -l)" 0 "RDP-10 none is left"
is "$(ask neighbour echo)" "ok=1 bad=0" "RDP-10 the neighbour's live"
ok "RDP-10 and come in" accepts 7002
ok "RDP-10 nobody else comes in" not accepts 7001
ok "RDP-10 the listener is there" listening 7001
fence lift "$fence"
ok "RDP-10 lifted: it serves" accepts 7001

# --- X-7: another namespace, one that comes later; and whom a user's fence did not know

new_netns far
start there -n /run/netns/far listen tcp 127.0.0.1 7001
start guest -n /run/netns/far connect tcp 127.0.0.1 7001 from 127.0.0.9
by kill --json --client 127.0.0.9 --ignore-none --fence 10m
is "$RC:$(summary matched)" 0:0 "X-7 the same address elsewhere is nobody's business"
is "$(ask guest connect tcp 127.0.0.1 7001 from 127.0.0.9)" "connected 1" "X-7 and comes in there"
like "$(connects client 7001 127.0.0.9)" ECONNREFUSED "X-7 but not here"

spawn watch "$SEVER" watch --json --socket "$SOCKET"
start witness connect tcp 127.0.0.1 7002 from 127.0.0.11
told_of() { "$PEER" try 127.0.0.1 7002 127.0.0.12 >/dev/null; told flow.open 127.0.0.12; }
until_true 5 told_of
fake_user alice $ALICE
sever_run kill --json --socket "$SOCKET" --user alice --fence 10m
is "$RC" 0 "a fence for a user who is not there"
id=$(summary fence) by=$(summary request)
start hers -l $ALICE listen tcp 127.0.0.1 7005
like "$(ask hers connect tcp 127.0.0.1 7002)" EPERM "what she does goes nowhere"
start visitor connect tcp 127.0.0.1 7005 from 127.0.0.10
ok "who comes to her is cut as soon as that is known" until_true 10 heard visitor ECONNRESET
ok "and the reason is told" until_true 2 told flow.close '"reason":"fence".*"remote_addr":"127.0.0.10"'
is "$(json_field "$(events flow.close '"reason":"fence".*"remote_addr":"127.0.0.10"')" request)" "$by" "and the request that put it up"
is "$(ask witness echo)" "ok=1 bad=0" "the bystander talks on"
fence lift "$id"
is "$(ask hers connect tcp 127.0.0.1 7002)" "connected 1" "lifted: she may again"

# --- a namespace that severd has not seen yet, and who comes in there meanwhile

late=127.$((64 + $$ / 65536 % 64)).$(($$ / 256 % 256)).$(($$ % 256)) # it is kept out of all of the host
fence add --client $late --for 10m
id=$(fences | tail -n 1)
kill -STOP "$(pid_of severd)"
new_netns young
start inn -n /run/netns/young listen tcp 127.0.0.1 7001
start slips -n /run/netns/young connect tcp 127.0.0.1 7001 from $late
start beside -n /run/netns/young connect tcp 127.0.0.1 7001 from 127.0.0.3
is "$(ask slips echo)" "ok=1 bad=0" "X-7 nobody keeps him out of a namespace that severd has not seen"
kill -CONT "$(pid_of severd)"
ok "X-7 he is cut when it has" until_true 10 heard slips ECONNRESET
ok "X-7 and the reason is told" until_true 5 told flow.close "\"reason\":\"fence\".*\"remote_addr\":\"$late\""
like "$(ask slips connect tcp 127.0.0.1 7001 from $late)" ECONNREFUSED "X-7 from now on he is kept out there, too"
is "$(ask beside echo)" "ok=1 bad=0" "X-7 who else is there talks on"
fence lift "$id"

# --- one that is newer than severd's last look, when the answer comes

tries() { "$PEER" as -n "/run/netns/$1" "$PEER" try 127.0.0.1 7001 "$2"; }	# NETNS ADDR
new_netns fresh
start inside -n /run/netns/fresh listen tcp 127.0.0.1 7001
start victim -n /run/netns/fresh connect tcp 127.0.0.1 7001 from 127.0.0.15
sever_run kill --json --socket "$SOCKET" --netns fresh --client 127.0.0.15 --fence 10m
got=$(tries fresh 127.0.0.15)
is "$RC:$(summary dead):$got" 0:1:ECONNREFUSED "X-7 RDP-6 it is named: he is cut, and kept out"
is "$(tries fresh 127.0.0.16)" ok "X-7 others come in"
new_netns newer
start within -n /run/netns/newer listen tcp 127.0.0.1 7001
fence add --client $late --for 10m
got=$(tries newer $late)
is "$RC:$got:$(tries newer 127.0.0.16)" 0:ECONNREFUSED:ok "X-7 none is named: he is kept out of it, too"
fence lift --client $late
done_testing
