#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# callers.t - severd and callers who mean harm, or read nothing: whoever does wrong, others are served, and see only what is theirs.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/resident.sh"
command -v socat >/dev/null || skip_all "no socat: run scripts/deps check"

fake_user alice 3001
fake_user bob 3002
here=$(readlink /proc/self/ns/net | tr -dc 0-9)
mine='{"kind":"netns","value":"'$here'"}'
id=01234567-89ab-4cde-8f01-2345678900

message() { printf '{"method":"io.sever.%s","parameters":%s%s}\0' "$1" "$2" "${3-}"; }	# METHOD PARAMETERS [MEMBERS]
talk() { timeout $((20 * SEVER_TEST_SLOW)) socat -t $((10 * SEVER_TEST_SLOW)) - UNIX:"$SOCKET" | tr '\0' '\n'; }
call() { message "$@" | talk; }
call_as()	# UID METHOD PARAMETERS [MEMBERS]
{
	_uid=$1
	shift
	message "$@" | timeout $((20 * SEVER_TEST_SLOW)) setpriv --reuid "$_uid" --regid "$_uid" --clear-groups \
		socat -t $((10 * SEVER_TEST_SLOW)) - UNIX:"$SOCKET" | tr '\0' '\n'
}
state_of() { call GetRequest "{\"request\":\"$1\"}" | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p'; }
is_done() { [ "$(state_of "$1")" = "done" ]; }
is_accepted() { [ "$(state_of "$1")" = accepted ]; }
grep_in() { printf '%s' "$1" | grep -q -- "$2"; }	# TEXT PATTERN
many_selectors()	# NUMBER KIND VALUE
{
	awk -v n="$1" -v s="{\"kind\":\"$2\",\"value\":\"$3\"}" 'BEGIN { for (i = 1; i <= n; i++) printf("%s%s", i > 1 ? "," : "", s) }'
}

severd_up || exit 1
start srv listen tcp 127.0.0.1 7001

# --- one that lets everybody in and says nothing: what came of asking it is looked at last

spawn mute socat UNIX-LISTEN:"$T/mute",fork SYSTEM:"cat >>$T/heard"
until_true 10 [ -S "$T/mute" ]
start deaf connect tcp 127.0.0.1 7001 from 127.0.0.3
asks_mute() { spawn "$@" --socket "$T/mute"; }
asks_mute mute_kill timeout $((60 * SEVER_TEST_SLOW)) "$SEVER" kill --netns self --client 127.0.0.3 --timeout 1s
asks_mute mute_list timeout $((60 * SEVER_TEST_SLOW)) "$SEVER" list
asks_mute mute_fence timeout $((60 * SEVER_TEST_SLOW)) "$SEVER" fence list
asks_mute mute_watch timeout $((60 * SEVER_TEST_SLOW)) "$SEVER" watch
left()	# NAME TEXT: with 7, and that in one line
{
	wait "$(pid_of "$1")"
	is "$?:$(cat "$T/$1.out")" "7:sever: $T/mute: severd does not answer in time$2" "who says nothing: $1, exit 7"
}

# --- who asks for all and reads nothing

N=$(many 4000)
start crowd connect tcp 127.0.0.1 7001 from 127.0.0.4 n "$N"
{ message Kill '{"verb":"kill","selectors":[{"kind":"client","value":"127.0.0.4"},'"$mine"'],"request":"'${id}01'"}' ',"more":true'; sleep 2; } |
	socat -u - UNIX:"$SOCKET"
ok "who hung up without reading a word: his request is done all the same" until_true 10 is_done ${id}01
like "$(call GetRequest "{\"request\":\"${id}01\"}")" "\"dead\":$N" "and was carried out"
stop crowd

# --- who is in the way

start keeper -l 3001 listen tcp 127.0.0.1 7008 hold
start caller -l 3001 connect tcp 127.0.0.1 7008 from 127.0.0.5
user='[{"kind":"user","value":"uid:3001"},'$mine']'
wish='"verb":"kill","selectors":'$user',"options":{"wait":"released","timeout_ms":'$((20000 * SEVER_TEST_SLOW))'}'
hers='{'$wish',"request":"'${id}02'"}'
(call_as 3001 Kill "$hers" ',"more":true' >"$T/first") &
first=$!
ok "alice cuts what is hers, and waits until it is released" until_true 10 is_accepted ${id}02
like "$(call GetRequest "{\"request\":\"${id}02\"}")" '"state":"accepted"' "that takes its time"
like "$(call_as 3001 Kill "{$wish}")" "io.sever.Busy.*request ${id}02 is doing the same; nothing was touched" \
	"she who asks for the same once more is told who is at it"
out=$(call_as 3001 Kill "{${wish%,\"options\"*}}")
ok "but not if she does not wait for the same" not grep_in "$out" Busy
(call_as 3001 Kill "$hers" >"$T/second") &
second=$!
start late -l 3001 connect tcp 127.0.0.1 7001 from 127.0.0.5
like "$(call Kill "{$wish}")" '"dead":1' "root is not refused because she is doing the same"
stop keeper caller late
wait "$first" "$second"
is "$(sed -n 's/^{"parameters": *{"\([a-z]*\)".*/\1/p' "$T/first" | uniq | tr '\n' ' ')" "cut accepted flow summary " \
	"she was told what loses its transport, that she is heard, what ended, and how it went"

dead() { sed -n '$s/.*"dead":\([0-9]*\).*/\1/p'; }
of_first=$(dead <"$T/first")
is "$(dead <"$T/second"):$(call_as 3001 Kill "$hers" | dead)" "${of_first:-none}:$of_first" \
	"with the same id she is told the same, meanwhile and afterwards"

out=$(call_as 3002 Kill "$hers")$(call_as 3002 GetRequest "{\"request\":\"${id}02\"}")
ok "bob is told nothing of her request: not by its id, nor by asking for the same with it" not grep_in "$out" '"dead"\|3001\|"state"'

# --- who wants to know

start hers -l 3001 connect tcp 127.0.0.1 7001 from 127.0.0.6
like "$(call_as 3001 List '{}')" '"uid":3001' "alice sees her sessions"
out=$(call_as 3002 List '{}')
like "$out" '"sessions":' "bob is answered"
ok "and does not see hers" not grep_in "$out" '"uid":3001'
out=$(call_as 3002 Kill '{"verb":"kill","selectors":[{"kind":"client","value":"127.0.0.6"},'"$mine"'],"options":{"dry_run":true}}' ',"more":true')
like "$out" 'PermissionDenied' "bob may not cut what is hers"
ok "nor does that show it to him" not grep_in "$out" '"flow":'
out=$(call Kill '{"verb":"kill","selectors":[{"kind":"client","value":"127.0.0.6"},'"$mine"'],"options":{"dry_run":true}}' ',"more":true')
ok "root is shown it" grep_in "$out" '"flow":'
stop hers

like "$(call_as 3001 Doctor '{}')" 'PermissionDenied.*sever doctor asks nobody' "what the kernel can is not for everybody: it takes time"

# --- who asks for too much

like "$(call_as 3002 List '{"what":"flows","selectors":['"$(many_selectors 257 pid 1)"']}')" 'InvalidParameter' "257 selectors: refused"
like "$(call_as 3002 List '{"what":"flows","selectors":['"$(many_selectors 256 pid 1)"']}')" '"flows"' "256: answered"
like "$(call List '{"what":"flows","selectors":['"$(many_selectors 2000 pid 1)"']}')" '"flows"' "root: any number"
like "$(call_as 3002 Watch '{"selectors":['"$(many_selectors 1000 unit ssh)"']}' ',"more":true')" 'InvalidParameter' \
	"Watch: the same"
# What takes long for one, here a walk through all control groups for each of many names, holds up nobody else.
for i in $(seq 100); do
	new_cgroup crowd."$i" || break
done
long=$(many_selectors 10000 unit "${CGROUP#/}")
({ message Watch '{"selectors":['"$long"']}' ',"more":true'; sleep 30; } | socat - UNIX:"$SOCKET" >"$T/watch.out" 2>&1) &
watching=$!
slowest() # of 20 answers, ms
{
	_most=0
	for _i in $(seq 20); do
		now && _begun=$NOW
		call GetRequest '{"request":"'${id}01'"}' >/dev/null
		now && [ $((NOW - _begun)) -le "$_most" ] || _most=$((NOW - _begun))
	done
	echo "$_most"
}
most=$(slowest)
diag "the slowest of 20 answers beside a Watch of 10000 units: $most s"
ok "others are served meanwhile" [ "$most" -le $((3 * SEVER_TEST_SLOW)) ]
kill "$watching"

# --- what came of asking one that says nothing

here=" (--direct does the work here)"
left mute_kill "; nothing was touched$here"
left mute_list "$here"
left mute_fence ""
left mute_watch ""
is "$(tr '\0' '\n' <"$T/heard" | sort -u)" '{"method":"org.varlink.service.GetInfo"}' "he was asked for nothing that he might do yet"
is "$(ask deaf echo)" "ok=1 bad=0" "and nobody was cut"
done_testing
