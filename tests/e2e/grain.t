#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# grain.t - naming flows by what they are instead of whose: one handle, ports, protocol, process, cgroup, age,
# direction, and several of these at once.
. "$(dirname "$0")/../lib.sh"

A=127.0.0.2 B=127.0.0.3
fake_user alice 3001
start srv listen tcp 0.0.0.0 7001
start web listen tcp 0.0.0.0 7002
start dns listen udp 127.0.0.1 7001
start cA connect tcp 127.0.0.1 7001 from $A n 2
start cB connect tcp 127.0.0.1 7001 from $B
start cW connect tcp 127.0.0.1 7002 from $B
start cU connect udp 127.0.0.1 7001
one=$(from $A | head -n 1) two=$(from $A | tail -n 1) three=$(from $B | grep -vx "$(at_port 7002)")
unharmed() { accepts 7001 && accepts 7002 && [ "$(ask cW echo)" = "ok=1 bad=0" ]; }
plan() { sever_kill --dry-run "$@"; echo "$RC:$(handles)"; }
matched() { sever_kill --dry-run "$@"; summary matched; }

# --- TSG-3: one of several that look alike

sever_flow "$one"
is "$RC:$(handles):$(flow_field "$one" outcome)" "0:$one:dead" "TSG-3 a handle: that flow"
is "$(at_port 7001)" "$(sorted "$two" "$three")" "TSG-3 a handle: its twins live"
sever_flow "$one"
is "$RC:$(flow_field "$one" outcome)" "1:stale" "TSG-3 a dead handle: stale, exit 1"
sever_flow "$one" --flow "$two" --dry-run
is "$(flow_field "$one" outcome):$(flow_field "$two" outcome)" stale:planned "TSG-3 a dead and a live handle"
sever_run kill --flow "$one" --dry-run
is "$RC:$(tail -n 1 "$OUT")" "1:0 connections would be cut, 1 would not (1 stale); nothing was touched" "TSG-3 a dry run of a dead handle"
is "$(grep -c "^- *$one " "$OUT")" 1 "TSG-3 which it shows"
for bad in x x@y "$two@1" "${two%@*}" "@${two#*@}" "${two%@*}@" 0@1 1@0 -1@1 ffffffffffffffff@1 all everyone \
	"0x${two}" "${two%@*}g@${two#*@}" "$two " 11112222333344445@1; do
	sever_flow "$bad"
	is "$RC" 2 "TSG-3 RDP-5 not a handle: '$bad'"
done
sever_run kill --json --flow "${two%@*}@1"
is "$RC" 1 "TSG-3 the right cookie in another namespace: not found"
ok "TSG-3 the flow lives" not gone "$two"

# --- RDP-5: the handle of a connection whose addresses and ports are in use again

start old connect tcp 127.0.0.1 7001 from $A sport 40001
old=$(cookies old)
served=$(dump | awk '$6 == "127.0.0.2:40001" { print $4 }')
ask old abort >/dev/null
until_true 5 gone "$served"
start new connect tcp 127.0.0.1 7001 from $A sport 40001
again=$(dump | awk '$6 == "127.0.0.2:40001" { print $4 }')
ok "RDP-5 the same addresses and ports, another cookie" [ -n "$again" -a "$again" != "$served" ]
for stale in $old $served; do
	sever_flow "$stale"
	is "$RC:$(count stale):$(count dead)" 1:1:0 "RDP-5 the old handle is stale"
done
is "$(ask new echo)" "ok=1 bad=0" "RDP-5 the new connection lives"
ok "RDP-5 the listener lives" listening 7001
stop new

# --- TSG-4, NET-13: a service, by port and protocol

is "$(plan --proto udp --remote-port 7001)" "0:$(cookies cU)" "TSG-4 the same port in UDP"
is "$(plan --proto tcp --local-port 7001)" "0:$(sorted "$two" "$three")" "TSG-4 and in TCP"
is "$(plan --local-port 7002)" "0:$(at_port 7002)" "TSG-4 another service"
is "$(matched --local-port 7001-7002 --proto tcp)" 3 "a range of ports"
is "$(matched --local-port 7001 --local-port 7002 --proto tcp)" 3 "a port repeated is one or the other"
is "$(matched --remote-port 7001-7002 --proto tcp)" 3 "the same flows, seen from their clients"
for bad in 0 65536 7001- -7001 7002-7001 x 7001,7002 +7001 '' ' 7001' no-such-service; do
	sever_kill --dry-run --local-port "$bad"
	is "$RC" 2 "TSG-4 not a port: '$bad'"
done
for bad in icmp TPC '' tcp,udp; do
	sever_kill --dry-run --proto "$bad"
	is "$RC" 2 "TSG-4 not a protocol: '$bad'"
done

# --- different selectors are all to hold, repeats of one are alternatives

is "$(plan --client $A --client $B --local-port 7001)" "0:$(sorted "$two" "$three")" "two clients and a port"
is "$(plan --client $A --local-port 7002)" "1:" "a client and a port that do not meet"
mixed=$(plan --client $B --flow "$three")
is "$mixed" "0:$three" "a client and a handle"

# --- --client means who came here, --peer whoever is at the other end

is "$(plan --client 127.0.0.1)" "1:" "--client: nobody came from 127.0.0.1"
is "$(matched --peer 127.0.0.1 --proto tcp)" 3 "--peer: but three flows lead there"
is "$(matched --peer $B)" 2 "--peer: accepted from B"
is "$(matched --client $B)" 2 "--client: the same two"
sever_kill --client $A --local-port 7001
is "$(flow_field "$two" direction)" in "an accepted flow says in"
sever_kill --dry-run --remote-port 7002
is "$(json_field "$(flow_lines)" direction)" out "an opened flow says out"

# --- --pid, --cgroup, --unit

is "$(plan --pid "$(pid_of cW)")" "0:$(cookies cW)" "--pid: what that process holds"
sever_kill --pid 1 --dry-run
is "$RC" 1 "--pid: a process without flows"
sever_kill --pid 4194305 --dry-run
is "$RC" 1 "--pid: no such process"
for bad in 0 -1 x '' 1x 99999999999; do
	sever_kill --dry-run --pid "$bad"
	is "$RC" 2 "--pid: not a pid: '$bad'"
done
if new_cgroup web && mkdir "$CGROUP_DIR/inner"; then
	start boxed -g "$CGROUP_DIR" listen tcp 127.0.0.1 7003
	start inner -g "$CGROUP_DIR/inner" connect tcp 127.0.0.1 7003
	is "$(plan --cgroup "$CGROUP")" "0:$(sorted "$(cookies boxed)" "$(cookies inner)")" "--cgroup: and all below it"
	is "$(plan --cgroup "$CGROUP/inner")" "0:$(cookies inner)" "--cgroup: the inner one"
	is "$(plan --cgroup "$CGROUP_DIR/inner")" "0:$(cookies inner)" "--cgroup: by its directory"
	is "$(flow_field "$(cookies inner)" cgroup)" "$CGROUP/inner" "--cgroup: it is in the answer"
	sever_kill --cgroup "$CGROUP/none" --dry-run
	is "$RC" 1 "--cgroup: no such cgroup"
	sever_kill --cgroup "$CGROUP"
	is "$RC:$(count dead)" 0:2 "--cgroup: killed"
	ok "--cgroup: its listener is left" accepts 7003

	new_cgroup mall.service && unit=${CGROUP#/}
	start mall -g "$CGROUP_DIR" connect tcp 127.0.0.1 7001 from 127.0.0.20
	new_cgroup bob && chown 3002 "$CGROUP_DIR" && "$PEER" as -u 3002 mkdir "$CGROUP_DIR/$unit"
	start squat -g "$CGROUP_DIR/$unit" connect tcp 127.0.0.1 7001 from 127.0.0.21
	is "$(plan --unit "$unit")" "0:$(cookies mall)" "--unit: the system's, and nothing that a user has named so"
	is "$(plan --unit "${unit%.service}")" "0:$(cookies mall)" "--unit: without .service"
	is "$(plan --cgroup "$CGROUP/$unit")" "0:$(cookies squat)" "--unit: the user's has a path"
	sever_kill --unit "$unit"
	is "$RC:$(count dead):$(ask squat echo)" "0:1:ok=1 bad=0" "--unit: killed, and the user's lives"
	stop mall && rmdir "${CGROUP_DIR%/*}/$unit"
	sever_kill --unit "$unit"
	is "$RC:$(ask squat echo)" "1:ok=1 bad=0" "--unit: when it is gone the user's does not become it"
	ok "--unit: and how to name that is said" said "--cgroup"
else
	skip "--cgroup" "no cgroup v2 here"
fi

# --- --older-than: only what is certainly older

start hers -l 3001 listen tcp 127.0.0.1 7009
start his -l 3002 connect tcp 127.0.0.1 7009 from 127.0.0.7
sever_list --user alice --older-than 1h
is "$RC:$(summary age_unknown)" 1:1 "--older-than: counted is what matches otherwise, and not bob's"
sever_run disconnect --json --netns self --user alice --older-than 1h
is "$RC:$(summary age_unknown)" 1:1 "--older-than: and what a cut would take"
stop his hers
start quiet connect tcp 127.0.0.1 7002 from 127.0.0.7
start talker connect tcp 127.0.0.1 7002 from 127.0.0.8
quiet=$(from 127.0.0.7) talker=$(from 127.0.0.8)
selects() { sever_kill --dry-run --older-than $((500 * SEVER_TEST_SLOW))ms --local-port 7002; handles | grep -qx "$1"; }
is "$(matched --older-than 1h --local-port 7002)" 0 "--older-than: nobody is that old"
ok "--older-than: silence proves age" until_true 3 selects "$quiet"
ask talker echo >/dev/null
ok "--older-than: who just spoke may be young, and is not selected" not selects "$talker"
ok "--older-than: the silent one is" selects "$quiet"
ok "--older-than: the answer counts who could not be judged" [ "$(summary age_unknown)" -ge 1 ]
for bad in 5 5x '' -1s 1e3s 99999999999999999999s; do
	sever_kill --dry-run --older-than "$bad" --local-port 7002
	is "$RC" 2 "--older-than: not a duration: '$bad'"
done
ok "bystanders and listeners unharmed" unharmed

done_testing
