#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fence-disk.t - fences and the disk that they are written to: it is full, or severd was killed before all was written.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/resident.sh"
command -v socat >/dev/null || skip_all "no socat"

fence() { _verb=$1; shift; sever_run fence "$_verb" --socket "$SOCKET" --json "$@"; }
fences() { fence list; sed -n 's/^{"fence":"\([^"]*\)".*/\1/p' "$OUT"; }
enter() { "$PEER" try 127.0.0.1 7001 "$1"; }	# FROM
# Of what outlives a boot none may be for this namespace alone: these are kept out of all of the host.
mine() { echo 127.$((128 + $$ / 65536 % 64)).$(($$ / 256 % 256)).$(($$ % 256)); }
other() { echo 127.$((192 + $$ / 65536 % 64)).$(($$ / 256 % 256)).$(($$ % 256)); }

mkdir -m 700 "$STATE" && mount -t tmpfs -o size=64k,mode=700 none "$STATE" || exit 1
severd_up || exit 1
start srv listen tcp 127.0.0.1 7001

fill()		# BYTES that stay free
{
	dd if=/dev/zero of="$STATE/fill" bs=4096 2>/dev/null
	truncate -s $(($(stat -c %s "$STATE/fill") - $1)) "$STATE/fill"
}
said_by_severd() { grep -c -- "$1" "$T/severd.out"; }
complained() { [ "$(said_by_severd "$1")" -gt 0 ]; }

# --- a full disk: there is room for the fence of a kill, and none for its request

start he connect tcp 127.0.0.1 7001 from 127.0.0.2
fill 4096
by kill --json --client 127.0.0.2 --fence 10m
is "$RC:$(summary dead)" 7:0 "a kill that could not be recorded: exit 7"
is "$(cat "$ERR")" "sever: nothing was touched: the request could not be recorded (No space left on device)" "which says that nothing was touched, and names no other way: there is none"
is "$(ask he echo)" "ok=1 bad=0" "nobody was cut"
is "$(fences):$(enter 127.0.0.2)" :ok "and no fence stays"
rm "$STATE/fill"
forgotten() { ! grep -q 127.0.0.2 "$STATE/fences"; }
ok "nor is it in the file when there is room" until_true 5 forgotten
severd_down
severd_up || exit 1
is "$(fences)" "" "nor does it come back"

# --- a full disk: time goes by, ends come, and whoever runs the host is told

fence add --client "$(mine)" --for $((2 + SEVER_TEST_SLOW))s
fence add --client "$(other)" --for 10m
keep=$(json_field "$(cat "$OUT")" fence)
is "$(enter "$(mine)"):$(enter "$(other)"):$(enter 127.0.0.3)" ECONNREFUSED:ECONNREFUSED:ok "two stand, and nobody else is kept out"
fill 0
fence lift "$keep"
is "$RC" 7 "a full disk: none can be lifted"
like "$(cat "$ERR")" 'cannot be written down: No space left on device' "which is said"
fence add --client 127.0.0.4 --netns self --for 10m
is "$RC:$(enter 127.0.0.4)" 7:ok "nor put up"
ended() { [ "$(fences)" = "$keep" ]; }
ok "one ends on time all the same" until_true 5 ended
ok "it is told that the disk is full" until_true 5 complained 'cannot be written down: No space left on device'
saved() { sed -n '1s/.*"saved": *\([0-9]*\).*/\1/p' "$STATE/fences"; }
past_its_end() { [ "$(saved)" -gt "$(sed -n '2s/.*"until":\([0-9]*\).*/\1/p' "$STATE/fences")" ]; }
ok "that time goes by is written down" until_true 5 past_its_end
severd_down
is "$(said_by_severd 'cannot be written down')" 1 "once"
"$SEVERD" --detach-all --pin-dir "$PINS"
sed '1s/"boot":"[^"]*"/"boot":"01234567-89ab-4cde-8f01-23456789abcd"/' "$STATE/fences" >"$T/fences"
cat "$T/fences" >"$STATE/fences" # there is room for no other
severd_up || exit 1
is "$(enter "$(mine)"):$(enter "$(other)")" ok:ECONNREFUSED "after another boot the one that had ended is not up again, and the other is"
is "$(fences)" "$keep" "nor is it listed"
rm "$STATE/fill"
ok "with room again that is told, too" until_true 5 complained 'written down again'
fence lift "$keep"
is "$RC:$(enter "$(other)")" 0:ok "and it can be lifted"

# --- severd is killed between the fence of a kill and its record: whatever the file says of the first, the second decides

put_up()	# ADDR: sets REQUEST and FENCE
{
	by kill --json --client "$1" --fence 10m
	REQUEST=$(summary request) FENCE=$(summary fence)
}
put_up 127.0.0.5; unrecorded=$REQUEST
put_up 127.0.0.6; recorded=$FENCE
put_up 127.0.0.7; past=$REQUEST known=$FENCE
is "$(fences)" "$(sed -n 's/^{"fence":\([0-9]*\).*/f\1/p' "$STATE/fences")" "three kills with a fence each"
settled() { ! grep -q '"pending":true' "$STATE/fences"; }
ok "it is written down that they have begun" until_true 5 settled
stop severd
sed '/127\.0\.0\.[56]"/s/"pending":false/"pending":true/' "$STATE/fences" >"$T/fences" && cat "$T/fences" >"$STATE/fences"
grep -v -e "$unrecorded" -e "$past" "$STATE/requests" >"$T/requests"
cat "$T/requests" >"$STATE/requests"
is "$(enter 127.0.0.5)" ECONNREFUSED "severd is killed before one of them was recorded: its fence stands"
severd_up || exit 1
is "$(fences)" "$(printf '%s\n' "$recorded" "$known")" "severd is back: it is gone; those of the one that was and of one forgotten since stand"
is "$(enter 127.0.0.5):$(enter 127.0.0.6):$(enter 127.0.0.7)" ok:ECONNREFUSED:ECONNREFUSED "nor in the kernel"
like "$(outcome "$unrecorded")" NotFound "there was no such request"
ok "its fence is told to be lifted" until_true 5 complained "was lifted.*$unrecorded"
ok "it is written down which have begun" settled

# --- the file is gone: what stands is down, as nobody could lift it, and its numbers are not given again

stop severd
rm "$STATE/fences"
severd_up || exit 1
is "$(fences):$(enter 127.0.0.6)" :ok "without the file none stands"
ok "and that is told" until_true 5 complained 'the file fences is missing'
fence add --client 127.0.0.8 --netns self --for 10m
anew=$(json_field "$(cat "$OUT")" fence)
ok "numbers are higher than any that was given" [ "${anew#f}" -gt 1000000000 ]
severd_down
"$SEVERD" --detach-all --pin-dir "$PINS"
rm "$STATE/fences"
severd_up || exit 1
fence add --client 127.0.0.8 --netns self --for 10m
is "$(json_field "$(cat "$OUT")" fence)$(said_by_severd missing)" f10 "where nothing was there before they begin with 1, and nothing is told"
is "$(ask he echo)" "ok=1 bad=0" "and who was there at the beginning talks on"
done_testing
