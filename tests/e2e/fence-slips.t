#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fence-slips.t - who slips past a fence: by MPTCP, half open, into a network namespace that severd has not seen yet, while it is dead,
# while the host boots. He is cut when it sees him.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/resident.sh"

fence() { _verb=$1; shift; sever_run fence "$_verb" --socket "$SOCKET" --json "$@"; }
late=127.$((64 + $$ / 65536 % 64)).$(($$ / 256 % 256)).$(($$ % 256)) # it is kept out of all of the host
comes()	# NAME NETNS PORT FROM [PROTO] [WORD...]
{
	_who=$1 _where=$2 _port=$3 _from=$4 _proto=${5-tcp}
	shift 4
	[ $# = 0 ] || shift
	start "$_who" -n "/run/netns/$_where" connect "$_proto" 127.0.0.1 "$_port" from "$_from" "$@"
}
is_cut() { ok "$2" until_true 10 heard "$1" "end .*(ECONNRESET|EOF)"; }
lives() { is "$(ask "$1" echo)" "ok=1 bad=0" "$2"; }
young() { "$PEER" as -n "/run/netns/$1" "$PEER" try 127.0.0.1 7001 "$2"; }	# NETNS FROM

severd_up || exit 1
start srv listen tcp 127.0.0.1 7001
start before connect tcp 127.0.0.1 7001 from $late
fence add --client $late --for 10m
is "$RC" 0 "a client is kept out everywhere"

# --- a namespace that severd has not seen yet

kill -STOP "$(pid_of severd)"
new_netns young
start inn -n /run/netns/young listen tcp 127.0.0.1 7001
comes whole young 7001 $late
comes beside young 7001 127.0.0.3
# The answer to his first packet is lost, and comes again a second later. He would be let in then.
comes half young 7001 $late tcp deaf later
comes half2 young 7001 127.0.0.3 tcp deaf later
mptcp=
start multi -n /run/netns/young listen mptcp 127.0.0.1 7002 && mptcp=1
[ -z "$mptcp" ] || comes two young 7002 $late mptcp
kill -CONT "$(pid_of severd)"
is_cut whole "X-7 who came into a new namespace is cut when it is seen"
if [ -n "$mptcp" ]; then
	is_cut two "X-7 MPTCP as well"
else
	skip "X-7 MPTCP as well" "this kernel has no MPTCP"
fi
ask half hear >/dev/null
ok "X-7 who was half open is not let in" until_true 20 heard half "end .*E"
is "$(young young $late)" ECONNREFUSED "X-7 nor is anybody else from there"
ask half2 hear >/dev/null
lets_in() { [ "$(ask half2 echo)" = "ok=1 bad=0" ]; }
ok "X-7 another one who was half open is" until_true 20 lets_in
lives beside "X-7 who else is there talks on"

# --- and one that came while it was dead

stop severd
new_netns orphan
start inn2 -n /run/netns/orphan listen tcp 127.0.0.1 7001
comes slips orphan 7001 $late
comes beside2 orphan 7001 127.0.0.3
severd_up || exit 1
is_cut slips "X-7 who came into one that came while severd was dead is cut"
is "$(young orphan $late)" ECONNREFUSED "X-7 nobody else comes in from there"
lives beside2 "X-7 who else is there talks on"
lives before "who was connected before the fence talks on"

# --- a user, by MPTCP

fake_user alice $((200000 + $$ * 2))
if start hers -l $((200000 + $$ * 2)) listen mptcp 127.0.0.1 7005; then
	start first connect mptcp 127.0.0.1 7005 from 127.0.0.4
	fence add --user alice --netns self --for 10m
	is "$RC" 0 "a user is fenced"
	start second connect mptcp 127.0.0.1 7005 from 127.0.0.5
	is_cut second "MPTCP: who comes to her is cut"
	lives first "MPTCP: who was there before is not"
else
	skip "MPTCP" "this kernel has none"
fi

# --- another boot, which this one is to its file: whoever is here came after the fence

severd_down
sed -i '1s/"boot":"[^"]*"/"boot":"01234567-89ab-4cde-8f01-23456789abcd"/' "$STATE/fences"
"$SEVERD" --detach-all --pin-dir "$PINS"
start bystander connect tcp 127.0.0.1 7001 from 127.0.0.3
severd_up || exit 1
is_cut before "who came while the host booted is cut"
lives bystander "the bystander lives"
done_testing
