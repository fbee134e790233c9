#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fence-alone.t - fences where no severd runs: refused in one line, with status 7, and nobody is cut without the fence that was asked for.
. "$(dirname "$0")/../lib.sh"

one_line() { [ "$(wc -l <"$ERR")" = 1 ] && [ ! -s "$OUT" ]; }
refused()	# STATUS TEXT ARGS...: one line that says so, and nothing on stdout
{
	_status=$1 _text=$2
	shift 2
	sever_run "$@"
	is "$RC" "$_status" "$*: exit $_status"
	ok "$*: one line says why" one_line
	ok "$*: \"$_text\"" grep -qF -- "$_text" "$ERR"
}

start srv listen tcp 127.0.0.1 7000
start bob connect tcp 127.0.0.1 7000 from 127.0.0.3
start alice connect tcp 127.0.0.1 7000 from 127.0.0.2

# --- a kill is not done without the fence that it came with
for verb in kill disconnect; do
	refused 7 "needs severd, which is not running; nothing was touched" "$verb" --netns self --client 127.0.0.2 --fence 10m
	refused 7 "needs severd, which --direct does not ask; nothing was touched" \
		"$verb" --netns self --client 127.0.0.2 --fence 10m --direct
	refused 7 "$T/none: no severd answers there; nothing was touched" \
		"$verb" --netns self --client 127.0.0.2 --fence 10m --socket "$T/none"
done
refused 7 "needs severd" kill --netns self --client 127.0.0.2 --fence 10m --dry-run
refused 7 "needs severd" kill --netns self --client 127.0.0.2 --fence 10m --no-wait
refused 7 "needs severd" kill --netns self --client 127.0.0.2 --fence 10m --quiet
refused 2 "longer than nothing" kill --netns self --client 127.0.0.2 --fence 0s
is "$(ask alice echo)" "ok=1 bad=0" "nobody was cut"
sever_kill --client 127.0.0.2
is "$RC" 0 "without --fence she can be"
is "$(ask bob echo)" "ok=1 bad=0" "bob lives"

# --- the verbs
refused 7 "fences need severd, which is not running; nothing was touched" fence add --client 127.0.0.2 --for 10m
refused 7 "fences need severd, which is not running" fence list
refused 7 "fences need severd, which is not running" fence list --json
refused 7 "fences need severd, which is not running; nothing was touched" fence lift f12
refused 7 "fences need severd, which is not running; nothing was touched" fence lift --client 127.0.0.2
refused 7 "$T/none: no severd answers there" fence list --socket "$T/none"
start cli connect tcp 127.0.0.1 7000 from 127.0.0.2
is "$(ask cli echo)" "ok=1 bad=0" "nobody is kept out"

# --- what is wrong whether or not there is one
refused 2 "one of add, list, lift" fence
refused 2 "fence up: not one of add, list, lift" fence up
refused 2 "did you mean fence?" fense
refused 2 "needs a selector" fence add --for 10m
refused 2 "needs --for" fence add --client 127.0.0.2
refused 2 "--for must be longer than nothing" fence add --client 127.0.0.2 --for 0s
refused 2 "--for 10" fence add --client 127.0.0.2 --for 10
refused 2 "does not take --wait" fence add --client 127.0.0.2 --for 10m --wait dead
refused 2 "does not take --direct" fence add --client 127.0.0.2 --for 10m --direct
refused 2 "--client" fence add --client 127.0.0.0/33 --for 10m
refused 2 "the id of a fence" fence lift
refused 2 "12: not the id of a fence" fence lift 12
refused 2 "not both" fence lift f12 --client 127.0.0.2
refused 6 "--yes" fence add --all --for 10m
refused 7 "fences need severd" fence add --all --yes --for 10m

# --- the help
sever_run fence --help
is "$RC:$(grep -c '^usage: sever fence ' "$OUT")" 0:3 "fence --help: the three of them"
for what in add list lift; do
	sever_run fence $what --help
	like "$RC:$(head -n 1 "$OUT")" "^0:usage: sever fence $what " "fence $what --help"
done
sever_run --help
is "$(grep -c '^  fence ' "$OUT")" 3 "sever --help has them"
ok "and says what status 7 is" said "^  7  .*severd, which is not there or not ready"

done_testing
