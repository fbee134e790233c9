#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fence-late.t - fences for users, and connections that wait at sshd's door when they go up: whose they are shows afterwards.
. "$(dirname "$0")/../services.sh"
. "$TESTS/resident.sh"
needs socat
services_up && sshd_up && severd_up || exit 1

fence() { _verb=$1; shift; sever_run fence "$_verb" --socket "$SOCKET" --json "$@"; }
waits()	# NAME: a log-in of alice that is connected and has said nothing; enters NAME lets it go on
{
	mkfifo "$T/gate.$1"
	printf '#!/bin/sh\n(read -r _ <"%s"; exec cat) | exec socat - TCP:%s:22,bind=%s\n' "$T/gate.$1" "$HOST" "$A" >"$T/proxy.$1"
	chmod 755 "$T/proxy.$1"
	talk "$1" ssh -F "$T/ssh_config" -i "$T/id" -o ConnectTimeout=100 -o ProxyCommand="$T/proxy.$1" -l alice $HOST "$GREETING; exec cat"
	until_true 10 eval '[ -n "$(from "$A")" ]'
}
enters() { echo >"$T/gate.$1"; }
nobody_in() { [ -z "$(from "$A")" ]; }
is_out() { until_true 10 nobody_in; }

login desk bob $B

waits early
by kill --json --user alice --fence 10m
is "$RC:$(summary matched)" 0:0 "RDP-6 nobody is alice yet"
enters early
ok "RDP-6 who waited at the door then is cut when she is alice" is_out
fence lift --user alice --netns self
is "$RC" 0 "lifted"

fence add --user alice --netns self --for 10m
waits between
fence add --user alice --netns self --for 1h
is "$RC" 0 "a second fence, for longer"
enters between
ok "who came between the two falls under the first" is_out
fence lift --user alice --netns self
ok "the bystander lives" echoes desk

# Nobody looks whose it is while severd is dead: he is told from who was in before by the number of his session.
login stays alice 127.0.0.5
waits asleep
fence add --user alice --netns self --for 10m
stop severd
enters asleep
greeted asleep
severd_up || exit 1
ok "who waited then, and logged in while severd was dead, is cut" is_out
ok "who had logged in before is not" echoes stays
fence lift --user alice --netns self
ok "the bystander lives" echoes desk

# Before log-in all that sshd talks to is root's.
fence add --user root --netns self --for 10m
is "$RC" 0 "a fence for root"
"$PEER" as -u 65534 socat -u TCP:$HOST:22,bind=127.0.0.4 - >/dev/null &
until_true 10 eval '[ -n "$(from 127.0.0.4)" ]'
sleep 3
ok "who has not logged in is not root" [ -n "$(from 127.0.0.4)" ]
kill $!
done_testing
