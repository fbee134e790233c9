#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fence-words.t - from the words that are typed to what severd is asked, and from its answer to what is read and exited with. The
# severd here is of paper: it says what it was given, whatever it is asked.
. "$(dirname "$0")/../lib.sh"
command -v socat >/dev/null || skip_all "no socat: run scripts/deps check"

SOCKET=$T/paper
spawn paper socat UNIX-LISTEN:"$SOCKET",fork SYSTEM:"cat $T/reply; cat >>$T/asked"
until_true 10 [ -S "$SOCKET" ]

told()		# REPLY... -- ARGS...: sever, and what it asked in $ASKED
{
	printf '{}\0' >"$T/reply" # is anybody there?
	: >"$T/asked"
	while [ "$1" != -- ]; do
		printf '%s\0' "$1" >>"$T/reply"
		shift
	done
	shift
	sever_run "$@" --socket "$SOCKET"
	until_true 5 asked_all
	ASKED=$(tr '\0' '\n' <"$T/asked" | tail -n +2)
}
asked_all() { [ "$(tr -cd '\0' <"$T/asked" | wc -c)" -ge 2 ]; }
asked()		# METHOD PARAMETERS NAME [MEMBERS]
{
	is "$(echo "$ASKED" | head -n 1)" "{\"method\":\"io.sever.$1\",\"parameters\":$2${4-}}" "$3"
}

f12='{"fence":"f12","selectors":["--client 127.0.0.2"],"reason":"why","uid":0,"login_uid":null,"pid":7,"request":null,'
f12=$f12'"since":"2026-11-21T03:02:07.000000Z","until":"2026-11-21T03:12:07.000000Z","remaining_ms":59000,"refused":5,'
f12=$f12'"last":"2026-11-21T03:02:08.000000Z","last_addr":"127.0.0.2","last_port":4711,"notes":["not quite"],"lifted_by":null}'
client='"selectors":[{"kind":"client","value":"127.0.0.2"}]'
export TZ=UTC

told "{\"parameters\":{\"fence\":$f12}}" -- fence add --client 127.0.0.2 --for 10m --reason why --include-self
asked FenceAdd "{$client,\"for_ms\":600000,\"reason\":\"why\",\"include_self\":true}" "add: what severd is asked"
is "$RC:$(cat "$OUT")" "0:fence f12 up until 2026-11-21 03:12:07 (10m): --client 127.0.0.2" "add: one line"
is "$(cat "$ERR")" "note: f12: not quite" "add: what it cannot do"
told "{\"parameters\":{\"fence\":$f12}}" -- fence add --all --yes --for 1d --json
asked FenceAdd '{"selectors":[{"kind":"all"}],"for_ms":86400000,"yes":true}' "add: everyone, said twice"
is "$RC:$(cat "$OUT")" "0:$f12" "add --json: the fence"

told "{\"parameters\":{\"fences\":[$f12]}}" -- fence list
asked FenceList '{}' "list: what severd is asked" ',"more":true'
is "$RC:$(sed -n 2p "$OUT" | tr -s ' ')" "0:f12 2026-11-21 03:12:07 59s 5 127.0.0.2:4711 --client 127.0.0.2 why" "list: a line for it"
told "{\"parameters\":{\"fences\":[]}}" -- fence list --client 127.0.0.2
is "$RC:$(cat "$OUT")" 1: "list: none with these selectors"
told "{\"parameters\":{\"fences\":[]}}" -- fence list
is "$RC:$(cat "$OUT" "$ERR")" "0:no fence stands" "list: none"

told "{\"parameters\":{\"fences\":[$f12]}}" -- fence lift f12
asked FenceLift '{"fence":"f12"}' "lift: by the id" ',"more":true'
is "$RC:$(cat "$OUT")" "0:fence f12 lifted: --client 127.0.0.2, 5 refused" "lift: one line"
told "{\"parameters\":{\"fences\":[$f12]}}" -- fence lift --client 127.0.0.2 --json
asked FenceLift "{$client}" "lift: by the selectors" ',"more":true'
is "$RC:$(cat "$OUT")" "0:$f12" "lift --json: the fence"

refusal()	# ERROR STATUS
{
	told "{\"error\":\"io.sever.$1\",\"parameters\":{\"message\":\"so it is\"}}" -- fence add --client 127.0.0.2 --for 10m
	is "$RC:$(cat "$OUT" "$ERR")" "$2:sever: so it is" "add: $1, exit $2"
}
refusal NotFound 1
refusal InvalidParameter 2
refusal PermissionDenied 4
refusal KernelCannot 5
refusal Guard 6
told '{"error":"io.sever.NotFound","parameters":{"what":"fence","message":"no fence f9"}}' -- fence lift f9
is "$RC:$(cat "$OUT" "$ERR")" "1:sever: no fence f9" "lift: no such fence, exit 1"

# --- a kill with a fence
summary='{"request":"x","matched":1,"dead":1,"alive":0,"stale":0,"denied":0,"unsupported":0,"spared":0,"reconnected":0,'
summary=$summary'"stage":"verified","elapsed_ms":3.1,"planned":0,"unattributed":0,"age_unknown":0,"discarded":0,"owners":null,'
summary=$summary'"interrupted":false,"reason":null,"selectors":[],"notes":[],"fence":"f12"}'
told "{\"parameters\":{\"summary\":$summary,\"status\":0}}" "{\"parameters\":{\"fences\":[$f12]}}" -- kill --client 127.0.0.2 --fence 10m
like "$(echo "$ASKED" | head -n 1)" '^\{"method":"io.sever.Kill",.*"fence_ms":600000' "kill --fence: what severd is asked"
is "$RC:$(tail -n 1 "$OUT")" "0:fence f12 stands until 2026-11-21 03:12:07" "kill --fence: what stands"
told "{\"parameters\":{\"summary\":$summary,\"status\":0}}" -- disconnect --client 127.0.0.2 --fence 10m --json
is "$RC:$(json_field "$(tail -n 1 "$OUT")" fence)" "0:f12" "disconnect --fence --json: its id"

# --- what happens to it
event='{"seq":1,"time":"2026-11-21T03:02:08.000000Z","event":"fence.hit","fence":'$f12'}'
told "{\"parameters\":{\"event\":$event},\"continues\":true}" '{"error":"io.sever.Busy","parameters":{"message":"bye"}}' -- watch
is "$(cat "$OUT")" "2026-11-21T03:02:08.000000Z  fence.hit  -  -  -  127.0.0.2:4711  -  f12 --client 127.0.0.2, 5 refused" "watch: a hit"
told "{\"parameters\":{\"event\":$event},\"continues\":true}" '{"error":"io.sever.Busy","parameters":{"message":"bye"}}' -- watch --json
is "$(cat "$OUT")" "$event" "watch --json: the event as it came"

done_testing
