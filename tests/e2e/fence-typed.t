#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fence-typed.t - fences as they are typed: put up, seen at work, listed, watched and lifted; who is not kept out; what is refused.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/resident.sh"

ALICE=$((300000 + $$ * 2)) BOB=$((300001 + $$ * 2))
fake_user alice $ALICE && fake_user bob $BOB || exit 1
start srv listen tcp 127.0.0.1 7001
printf '%s\n' '# the console' '--protect 127.0.9.0/24' >"$T/severd.conf"
mkdir -m 700 "$STATE" && mount -t tmpfs -o size=64k,mode=700 none "$STATE" || exit 1
severd_up --config "$T/severd.conf" || exit 1
spawn watch "$SEVER" watch --socket "$SOCKET"
watched() { accepts 7001 && [ -s "$T/watch.out" ]; }
until_true 10 watched

fence()		# WHAT ARGS...: of this namespace where something is put up
{
	_what=$1
	shift
	[ "$_what" != add ] || set -- --netns self "$@"
	sever_run fence "$_what" --socket "$SOCKET" "$@"
}
id() { sed -n 's/^fence \(f[0-9]*\) up .*/\1/p' "$OUT"; }
enter() { "$PEER" try 127.0.0.1 7001 "$1"; }	# FROM
leaves() { "$PEER" as -u "$1" "$PEER" try 127.0.0.1 7001 127.0.0.1; }	# UID
row() { sed -n "s/^$1  *//p" "$OUT" | tr -s ' '; }	# ID
happened() { grep -Eq "$1" "$T/watch.out"; }
note_like() { grep -Eq "^note: .*$1" "$ERR"; }

fence list
is "$RC:$(cat "$OUT" "$ERR")" "0:no fence stands" "at first there is none"

# --- a client
start old connect tcp 127.0.0.1 7001 from 127.0.0.2
fence add --client 127.0.0.2 --for 10m --reason 'ticket 4711'
like "$RC:$(cat "$OUT")" '^0:fence f1 up until 20[0-9-]+ [0-9:]+ \(10m\): (--netns [0-9]+ )?--client 127\.0\.0\.2( --netns [0-9]+)?$' \
	"it is up, until when and for whom"
is "$(enter 127.0.0.2):$(enter 127.0.0.3)" ECONNREFUSED:ok "it keeps out whom it is for, and nobody else"
is "$(ask old echo)" "ok=1 bad=0" "what is established lives"
fence list
like "$(row f1)" '^20[0-9-]+ [0-9:]+ 9m5[0-9]s 1 127\.0\.0\.2:[0-9]+ .*--client 127\.0\.0\.2.* ticket 4711$' "it is listed, with what it refused"
ok "fence.add is watched" until_true 5 happened ' fence\.add .* f1 .*--client 127\.0\.0\.2'
ok "fence.hit is watched" until_true 5 happened ' fence\.hit .* 127\.0\.0\.2:[0-9]+ .*, 1 refused$'
fence list --json
is "$(sed -n 's/^{"fence":"\(f[0-9]*\)".*"reason":"ticket 4711".*/\1/p' "$OUT"):$(summary listed)" f1:1 "list --json"
fence lift f1
like "$RC:$(cat "$OUT")" '^0:fence f1 lifted: .*--client 127\.0\.0\.2.*, 1 refused$' "lifted"
is "$(enter 127.0.0.2)" ok "it is down"
ok "fence.lift is watched" until_true 5 happened ' fence\.lift '
fence lift f1
is "$RC:$(cat "$ERR")" "1:sever: no such fence: f1" "there is no such fence any more: exit 1"
fence lift --client 127.0.0.2
is "$RC:$(cat "$ERR")" "1:sever: no fence was put up with just these selectors" "nor with these selectors"

# --- by its selectors; its end
fence add --client 127.0.0.2 --for 10m
sever_run fence list --socket "$SOCKET" --client 127.0.0.99
is "$RC" 1 "none with these selectors: exit 1"
sever_run fence lift --socket "$SOCKET" --netns self --client 127.0.0.2 --json
is "$RC:$(grep -c '^{"fence":"f2",' "$OUT")" 0:1 "lifted by what it was put up with"
fence add --client 127.0.0.2 --for 500ms
opens() { [ "$(enter 127.0.0.2)" = ok ]; }
ok "it ends by itself" until_true 10 opens
ok "fence.expire is watched" until_true 10 happened ' fence\.expire '

# --- a user
fence add --user alice --for 10m
f=$(id)
is "$RC:$(leaves $ALICE):$(leaves $BOB)" 0:EPERM:ok "what alice opens is refused, what bob opens is not"
ok "what is not refused is said" note_like 'before log-in'
fence list
ok "and in the list as well" note_like 'before log-in'
fence lift "$f"
is "$RC:$(leaves $ALICE)" 0:ok "lifted"

# --- what is refused
refused()	# STATUS TEXT ARGS...
{
	_status=$1 _text=$2
	shift 2
	fence add "$@" --for 10m
	is "$RC:$(wc -l <"$ERR" | tr -d ' '):$(cat "$OUT")" "$_status:1:" "$*: exit $_status"
	ok "$*: \"$_text\"" grep -qF -- "$_text" "$ERR"
}
refused 6 127.0.9.0/24 --client 127.0.9.1
refused 6 127.0.9.0/24 --client 127.0.0.0/16
refused 6 everyone --client 0.0.0.0/0
refused 6 everyone --client 0.0.0.0/1 --client 128.0.0.0/1
refused 6 everyone --cgroup /
refused 6 everyone --cgroup "$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)"
refused 2 --pid --client 127.0.0.2 --pid 1
refused 2 --state --client 127.0.0.2 --state established
refused 2 --older-than --client 127.0.0.2 --older-than 5s
refused 2 --flow --client 127.0.0.2 --flow 1a@7
refused 1 nobody-of-that-name --user nobody-of-that-name
for_anyone
"$PEER" as -u $ALICE "$SEVER_ANYONE" fence list --socket "$SOCKET" >"$OUT" 2>"$ERR" </dev/null
is "$?:$(cat "$OUT")" 4: "who is neither root nor of the group sever is told nothing: exit 4"
fence list
is "$RC:$(cat "$OUT" "$ERR")" "0:no fence stands" "none of these stands"

# --- the disk is full
start met connect tcp 127.0.0.1 7001 from 127.0.0.7
fence add --client 127.0.0.8 --for 10m
f=$(id)
cat /dev/zero >"$STATE/full" 2>/dev/null
full='No space left on device'
fence add --client 127.0.0.7 --for 10m
is "$RC:$(cat "$OUT" "$ERR")" "7:sever: the fences cannot be written down: $full; no fence went up" "full: no fence goes up"
fence lift "$f"
is "$RC:$(cat "$OUT" "$ERR")" "7:sever: the fences cannot be written down: $full; what stood stands" "full: nor is one lifted"
by kill --client 127.0.0.7 --fence 10m
is "$RC:$(cat "$ERR")" "7:sever: the fences cannot be written down: $full; nothing was touched" "full: no kill without its fence"
by kill --client 127.0.0.7 --json
like "$RC:$(cat "$ERR")" "^7:sever: nothing was touched: the request could not be recorded \($full\); --direct " "full: nor without a record"
is "$(summary dead):$(ask met echo):$(enter 127.0.0.7)" "0:ok=1 bad=0:ok" "nothing was touched"
fence list
is "$RC:$(row "$f" | wc -l)" 0:1 "what stood stands"
rm "$STATE/full"
by kill --client 127.0.0.7
is "$RC:$(ask met ends)" 0:ECONNRESET=1 "when there is room again it is cut"
fence lift "$f"
is "$RC" 0 "and the fence lifted"

severd_down
ok "nothing stays" "$SEVERD" --detach-all --pin-dir "$PINS"
done_testing
