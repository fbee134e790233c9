#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fence-cgroup.t - fences of control groups and units: what comes in for whoever is in there, wherever in it, and however he was given
# his connections. A kill finds the same.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/resident.sh"

fence() { _verb=$1; shift; sever_run fence "$_verb" --socket "$SOCKET" --json "$@"; }
below() { mkdir "$TOP/$1" && sed -i "1i $TOP/$1" "$T/cgroups"; }	# NAME: removed before what it is in
enters() { pid_of "$1" >"$TOP/$2/cgroup.procs"; }			# NAME CGROUP
calls() { start "$1" connect "${4-tcp}" 127.0.0.1 "$2" from "$3"; }	# NAME PORT ADDR [PROTO]
is_cut() { ok "$2" until_true 10 heard "$1" "end .*(ECONNRESET|EOF)"; }
lives() { is "$(ask "$1" echo)" "ok=1 bad=0" "$2"; }

severd_up || exit 1
new_cgroup web || exit 1
TOP=$CGROUP_DIR
below old && below mover || exit 1
start inside -g "$TOP/old" listen tcp 127.0.0.1 7001
start handed listen tcp 127.0.0.1 7002 # as a service that systemd listened for
enters handed mover
start outside listen tcp 127.0.0.1 7003
calls before1 7001 127.0.0.3
calls before2 7002 127.0.0.3
calls joins 7003 127.0.0.2
start beside listen tcp 127.0.0.1 7004
calls bystander 7004 127.0.0.2

fence add --cgroup "$CGROUP" --netns self --for 10m
is "$RC" 0 "a cgroup is fenced"
below new && below session-2.scope || exit 1
start later -g "$TOP/new" listen tcp 127.0.0.1 7005
start hers -l $((100000 + $$ * 2)) -g "$TOP/session-2.scope" listen tcp 127.0.0.1 7006
calls c1 7001 127.0.0.2
calls c2 7002 127.0.0.2
calls c5 7005 127.0.0.2
calls c6 7006 127.0.0.2
is_cut c1 "who is let in there is cut"
is_cut c2 "also by who has got his listener from elsewhere"
is_cut c5 "and in one below it that was made later"
is_cut c6 "even if that is the scope of a log-in"
enters outside new
is_cut joins "who was connected to somebody who has come in there since"
if start multi listen mptcp 127.0.0.1 7007; then
	enters multi new
	calls c7 7007 127.0.0.2 mptcp
	is_cut c7 "MPTCP"
else
	skip "MPTCP" "this kernel has none"
fi
lives before1 "who was connected before lives"
lives before2 "in either way"
by kill --json --cgroup "$CGROUP" --dry-run
is "$RC:$(summary matched)" 0:2 "nobody else is left that a kill would find"

stop severd
calls d2 7002 127.0.0.2
calls d5 7005 127.0.0.2
severd_up || exit 1
is_cut d2 "who came while severd was dead is cut"
is_cut d5 "in either way"
lives before1 "who was connected before lives on"
lives before2 "in either way"
fence lift --cgroup "$CGROUP" --netns self
calls c8 7005 127.0.0.2

# --- a unit, which is a name

new_cgroup shop.service || exit 1
TOP=$CGROUP_DIR
start clerk listen tcp 127.0.0.1 7008
pid_of clerk >"$TOP/cgroup.procs"
calls before3 7008 127.0.0.3
fence add --unit "${CGROUP#/}" --netns self --for 10m
is "$RC" 0 "a unit is fenced"
calls c9 7008 127.0.0.2
is_cut c9 "who is let in there is cut"
lives before3 "who was connected before lives"
lives c8 "and who came when the other fence was lifted"
lives bystander "the bystander lives"
done_testing
