#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fences.t - fences through severd's socket: whom they keep out and whom not, guards, ends, restarts, and what is told of them.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/resident.sh"
command -v socat >/dev/null || skip_all "no socat"

A=127.0.0.2 B=127.0.0.3
ALICE=$((200000 + $$ * 2)) BOB=$((200001 + $$ * 2))
fake_user alice $ALICE && fake_user bob $BOB || exit 1
here=$(netns_inode)
start srv listen tcp 127.0.0.1 7001
start other listen tcp 127.0.0.1 7002
printf '%s\n' '# who must always get in' '' ' --protect 127.0.9.0/24' >"$T/severd.conf"
severd_up --config "$T/severd.conf" || exit 1
printf '{"method":"io.sever.Watch","parameters":{},"more":true}\0' >"$T/watch.msg"
watch() { spawn watch socat -t 600 "OPEN:$T/watch.msg,ignoreeof!!STDOUT" UNIX:"$SOCKET"; }
watched() { tr '\0' '\n' <"$T/watch.out"; }
watch

# All are about this namespace alone: other tests use the same addresses.
only='{"kind":"netns","value":"'$here'"}'
kinds()	# KIND VALUE...
{
	_all=$only
	while [ $# -gt 1 ]; do
		_all='{"kind":"'$1'","value":"'$2'"},'$_all
		shift 2
	done
	echo "[$_all]"
}
add() { _ms=$1 _more=$2; shift 2; call FenceAdd '{"selectors":'"$(kinds "$@")"',"for_ms":'"$_ms$_more}"; }	# MS MORE KIND VALUE...
lift() { call FenceLift "{\"fence\":\"$1\"}"; }
stands() { call FenceList '{}'; }
id_of() { printf '%s\n' "$1" | sed -n 's/.*"fence": *"\(f[0-9]*\)".*/\1/p'; }
enter() { "$PEER" try 127.0.0.1 "${2-7001}" "$1"; }	# FROM [PORT]
leaves() { "$PEER" as -u "$1" "$PEER" try 127.0.0.1 "${2-7001}" "${3-127.0.0.1}"; }	# UID [PORT FROM]
error_of() { printf '%s\n' "$1" | sed -n 's/.*"error": *"io\.sever\.\([A-Za-z]*\)".*/\1/p'; }

hears() { enter 127.0.0.99 7002 >/dev/null; told flow.open 127.0.0.99; }
ok "who watches is told" until_true 10 hears

# --- a client

is "$(enter $A):$(enter $B)" ok:ok "without a fence both come in"
start old connect tcp 127.0.0.1 7001 from $A
got=$(add 600000 ',"reason":"noisy"' client $A)
f1=$(id_of "$got")
like "$got" '"selectors": *\["--client 127.0.0.2", *"--netns [0-9]+"\], *"reason": *"noisy", *"uid": *0' "FenceAdd: the fence as it stands"
is "$f1" f1 "the first is f1"
is "$(enter $A)" ECONNREFUSED "its client is refused"
is "$(enter $B):$(enter 127.0.0.4)" ok:ok "its neighbours are not"
is "$(ask old echo)" "ok=1 bad=0" "what is established lives"
stop old
like "$(stands)" '"fence": *"f1".*"refused": *1, *"last": *"[^"]*", *"last_addr": *"127.0.0.2"' "FenceList: it counts, and knows the last one"
ok "fence.add is told" until_true 5 told fence.add '"fence": *"f1"'
ok "fence.hit is told" until_true 5 told fence.hit '"refused": *1'

# --- one more, with a port, and the longer one

f2=$(id_of "$(add 600000 '' client 127.0.0.0/30 local_port 7002)")
is "$f2" f2 "the next is f2"
is "$(enter $B 7002):$(enter $B 7001):$(enter 127.0.0.4 7002)" ECONNREFUSED:ok:ok "a prefix and a port: both must match"
lift f1 >"$T/lifted"
is "$(id_of "$(cat "$T/lifted")"):$(enter $A)" f1:ok "lifted: its client comes in"
is "$(enter $A 7002)" ECONNREFUSED "and the other one still keeps it from its port"
ok "fence.lift is told, and who did it" until_true 5 told fence.lift '"fence": *"f1".*"lifted_by": *{"uid": *0,.*"pid": *[1-9]'
is "$(error_of "$(lift f1)")" NotFound "it cannot be lifted twice"
like "$(call FenceLift '{"selectors":'"$(kinds local_port 7002 client 127.0.0.0/30)"'}')" '"fence": *"f2"' "lifted by its selectors, in any order"
is "$(enter $A 7002)" ok "and down"
like "$(stands)" '"fences": *\[\]' "none stands"

# --- users

add 600000 '' user alice >/dev/null
is "$(leaves $ALICE):$(leaves $BOB)" EPERM:ok "a user: what alice opens is refused, what bob opens is not"
like "$(stands)" '"notes": *\["inbound connections are not refused before log-in' "and it says what it cannot do"
lift f3 >/dev/null
is "$(leaves $ALICE)" ok "lifted"
add 600000 '' user alice client 127.0.0.1 >/dev/null
is "$(leaves $ALICE 7001):$(enter 127.0.0.1)" EPERM:ok "a user and an address: she to there, others come from there"
lift f4 >/dev/null
ok "a cgroup of the test's own" new_cgroup fenced
add 600000 '' cgroup "$CGROUP" >/dev/null
is "$("$PEER" as -g "$CGROUP_DIR" "$PEER" try 127.0.0.1 7001 $A):$(enter $A)" EPERM:ok "a cgroup"
lapsed() { stands | grep -q 'what it names is gone'; }
ok "when it goes" until_true 5 rmdir "$CGROUP_DIR"
ok "the fence says so" until_true 10 lapsed
mkdir "$CGROUP_DIR"
anew() { [ "$("$PEER" as -g "$CGROUP_DIR" "$PEER" try 127.0.0.1 7001 $A)" = EPERM ]; }
ok "and a new one of its name is fenced again" until_true 10 anew
like "$(stands)" '"notes": *\["[^"]*cgroup[^"]*"\]' "which it says"
lift f5 >/dev/null

ok "a unit" new_cgroup mall.service
unit=${CGROUP#/} mall=$CGROUP_DIR
ok "and a cgroup that is a user's" new_cgroup bob
made=
for i in $(seq 70); do made="$made $CGROUP_DIR/$i $CGROUP_DIR/$i/$unit"; done
chown $BOB "$CGROUP_DIR"
# shellcheck disable=SC2086
ok "who makes many of the unit's name" "$PEER" as -u $BOB mkdir $made
of() { "$PEER" as -g "$1" "$PEER" try 127.0.0.1 7001 $A; }	# DIRECTORY
id_of "$(add 600000 '' unit "$unit" remote_port 7000-7063)" >"$T/id"
is "$(of "$mall"):$(of "$CGROUP_DIR/7/$unit")" EPERM:ok "the unit is fenced, and not what the user has named so"
ok "it goes" until_true 5 rmdir "$mall"
mkdir "$mall"
anew() { [ "$(of "$mall")" = EPERM ]; }
ok "and a new one is fenced again" until_true 10 anew
lift "$(cat "$T/id")" >/dev/null

start hers -l $ALICE listen tcp 127.0.0.1 7004
start his -l $BOB listen tcp 127.0.0.1 7005
add 600000 '' session "audit:$(session_of hers)" >/dev/null
is "$(ask hers connect tcp 127.0.0.1 7001):$(ask his connect tcp 127.0.0.1 7001)" "error EPERM after 0:connected 1" "a session"
lift f7 >/dev/null
stop hers his
add 600000 '' remote_port 7001 >/dev/null
is "$(enter $A 7001):$(enter $A 7002)" EPERM:ok "a port that is gone out to"
lift f8 >/dev/null
add 600000 '' peer $A proto tcp >/dev/null
is "$(enter $A):$("$PEER" try 127.0.0.2 7001 $B)" ECONNREFUSED:EPERM "a peer: neither from there nor to there"
lift f9 >/dev/null

# --- a namespace that comes later

ok "a namespace comes" new_netns later
start away -n /run/netns/later listen tcp 127.0.0.1 7001
later=$(stat -L -c %i /run/netns/later)
f=$(id_of "$(call FenceAdd '{"selectors":[{"kind":"client","value":"'$A'"},{"kind":"netns","value":"'"$later"'"}],"for_ms":600000}')")
shut() { [ "$("$PEER" as -n /run/netns/later "$PEER" try 127.0.0.1 7001 $A)" = ECONNREFUSED ]; }
ok "it is shut, too, as soon as it was seen" until_true 10 shut
is "$("$PEER" as -n /run/netns/later "$PEER" try 127.0.0.1 7001 $B):$(enter $A)" ok:ok "to that client, and nothing else is"
stop away
umount /run/netns/later
ok "when it is gone the fence says so" until_true 10 lapsed
lift "$f" >/dev/null

# --- what is refused

is "$(error_of "$(call FenceAdd '{"selectors":[{"kind":"all"}],"for_ms":1000}')")" Guard "everyone: not without yes"
got=$(call FenceAdd '{"selectors":[{"kind":"client","value":"0.0.0.0/0"}],"for_ms":1000}')
like "$got" '"guard": *"all"' "0.0.0.0/0 is everyone"
like "$(call FenceAdd '{"selectors":[{"kind":"peer","value":"::/0"}],"for_ms":1000}')" '"guard": *"all"' "so is ::/0"
like "$(add 1000 '' client 127.0.0.0/16)" '"guard": *"protect".*127.0.9.0/24' "what severd.conf protects"
like "$(add 1000 '' client 127.0.9.7)" '"guard": *"protect"' "and part of it"
printf -- '--protect 127.0.8.0/24\n--nonsense\n' >"$T/severd.conf"
kill -HUP "$(pid_of severd)"
complained() { grep -q 'severd.conf:2' "$T/severd.out"; }
ok "SIGHUP: a bad file is told" until_true 5 complained
is "$(error_of "$(add 1 '' client 127.0.8.1)"):$(error_of "$(add 1 '' client 127.0.9.1)")" :Guard "and changes nothing"
echo '--protect 127.0.8.0/24' >"$T/severd.conf"
kill -HUP "$(pid_of severd)"
protected() { [ "$(error_of "$(add 1 '' client 127.0.8.1)")" = Guard ]; }
ok "SIGHUP: a good one counts" until_true 5 protected
like "$(add 1000 '' local_port 7001)" '"guard": *"protect"' "a port for everybody covers it, too"
got=$(add 1000 '' pid 1)
like "$(error_of "$got"):$got" 'InvalidParameter:.*--pid' "a kind that means nothing for a fence, by its name"
like "$(add 1000 '' session 999999999)" 'NotFound".*"what": *"session"' "a session that is not there"
like "$(call FenceAdd '{"selectors":[{"kind":"netns","value":"7"}],"for_ms":1000}')" 'NotFound".*"what": *"netns"' "nor such a network namespace"
like "$(add 1000 '' user nobody-of-that-name)" 'NotFound".*"what": *"user"' "nor such a user"
like "$(add 1000 '' client $A local_port 1-100)" 'InvalidParameter.*64 ports' "too many ports"
is "$(error_of "$(call FenceAdd '{"selectors":[],"for_ms":1000}')")" InvalidParameter "nobody"
like "$(stands)" '"fences": *\[\]' "nothing of all that stands"
as_bob() { printf '%s\0' "{\"method\":\"io.sever.$1\",\"parameters\":$2}" | "$PEER" as -u $BOB timeout 10 socat -t 10 - UNIX:"$SOCKET" | tr '\0' '\n' | head -n 1; }
for method in 'FenceAdd {"selectors":[{"kind":"user","value":"no-such"}],"for_ms":1000}' 'FenceList {}' 'FenceLift {"fence":"f1"}'; do
	is "$(error_of "$(as_bob "${method%% *}" "${method#* }")")" PermissionDenied "${method%% *}: not for everybody"
done

# --- oneself

start mine listen tcp 127.0.0.1 7003
start far connect tcp 127.0.0.1 7003 from $B
by_mine()	# MORE [KIND VALUE]: asked by a child of the process that has accepted a connection from $B
{
	printf '{"method":"io.sever.FenceAdd","parameters":{"selectors":%s,"for_ms":600000%s}}\0' "$(_more=$1; shift; kinds client $B "$@")" "$1" >"$T/self"
	rm -f "$T/got"
	printf '#!/bin/sh\nsocat -t 10 - UNIX:%s <%s >%s.new && mv %s.new %s\n' "$SOCKET" "$T/self" "$T/got" "$T/got" "$T/got" >"$T/ask"
	chmod 755 "$T/ask"
	ask mine run "$T/ask" >/dev/null
	until_true 10 [ -e "$T/got" ]
	tr '\0' '\n' <"$T/got"
}
got=$(by_mine '')
like "$got" '"guard": *"self".*127.0.0.3' "who would keep out himself is asked"
is "$(enter $B)" ok "and is not kept out"
like "$(by_mine '' local_port 9)" '"guard": *"self"' "whatever the port"
like "$(by_mine '' proto udp)" '"guard": *"self"' "and whatever the protocol"
got=$(by_mine '' user alice)
is "$(error_of "$got")" "" "but not for what is somebody else's"
lift "$(id_of "$got")" >/dev/null
got=$(by_mine ',"include_self":true')
is "$(error_of "$got"):$(enter $B)" :ECONNREFUSED "with include_self he is"
lift "$(id_of "$got")" >/dev/null
stop mine far

# --- its end

f=$(id_of "$(add $((400 + 300 * SEVER_TEST_SLOW)) '' client $A)")
is "$(enter $A)" ECONNREFUSED "a short one stands"
again() { [ "$(enter $A)" = ok ]; }
ok "and ends by itself" until_true 3 again
ok "fence.expire is told, with what it refused" until_true 3 told fence.expire "\"fence\": *\"$f\".*\"refused\": *[1-9]"
like "$(stands)" '"fences": *\[\]' "it is not listed any more"

# --- severd is killed, and comes back

f=$(id_of "$(add 600000 '' client $A)")
short=$(id_of "$(add $((1500 + 500 * SEVER_TEST_SLOW)) '' client $B)")
is "$(enter $A):$(enter $B)" ECONNREFUSED:ECONNREFUSED "two stand"
stop severd
is "$(enter $A)" ECONNREFUSED "severd is killed: it stands"
open_again() { [ "$(enter $B)" = ok ]; }
ok "and the other ends on time without it" until_true 4 open_again
severd_up --config "$T/severd.conf" || exit 1
got=$(stands)
like "$got" "\"fence\": *\"$f\".*\"refused\": *2," "back: it stands, and counts on"
is "$(printf '%s\n' "$got" | grep -c "\"fence\": *\"$short\"")" 0 "the other is gone"
is "$(enter $A)" ECONNREFUSED "and refuses"
next=$(id_of "$(add 1000 '' client 127.0.0.5)")
is "$next" "f$((${short#f} + 1))" "numbers go on"

# --- another boot

severd_down
ok "--detach-all" "$SEVERD" --detach-all --pin-dir "$PINS"
ok "takes the fences down" until_true 5 again
ok "and leaves nothing pinned" [ ! -e "$PINS" ]
is "$(stat -c %a "$STATE/fences")" 600 "the file is ours alone"
left() { printf '%s\n' "$1" | sed -n 's/.*"remaining_ms": *\([0-9]*\).*/\1/p'; }
sed -i '1s/"boot":"[^"]*"/"boot":"01234567-89ab-4cde-8f01-23456789abcd"/; 1s/"saved": *[0-9]*/"saved":1000000000000/' "$STATE/fences"
sed -i "2,\$s/\"until\":[0-9]*/\"until\":1090000000000/" "$STATE/fences"
severd_up --config "$T/severd.conf" || exit 1
got=$(stands)
ms=$(left "$got")
ok "after another boot as much remains as was left" [ "${ms:-0}" -gt 60000 ] && [ "${ms:-0}" -le 90000 ]
like "$got" 'of an earlier boot' "and what it named by a number it names no more"
severd_down

# --- what is not the file of the fences

printf 'nonsense\n{"fence":1}\n' >"$STATE/fences"
severd_up --config "$T/severd.conf" || exit 1
like "$(stands)" '"fences": *\[\]' "a damaged file: none stands"
ok "and it is kept" [ -e "$STATE/fences.bad" ]
severd_down

# --- severd.conf

refused()	# TEXT ERE
{
	printf '%s\n' "$1" >"$T/bad.conf"
	"$SEVERD" --socket "$T/no" --state-dir "$T/no-state" --pin-dir "$T/bpf/no" --config "$T/bad.conf" >"$T/bad.out" 2>&1
	[ $? = 2 ] && grep -Eq -- "$2" "$T/bad.out" && [ "$(wc -l <"$T/bad.out")" = 1 ]
}
ok "an unknown option: exit 2, with file and line" refused '# x
--portect 10.0.0.0/8' 'bad.conf:2: .*--portect'
ok "no prefix" refused '--protect' 'bad.conf:1: '
ok "not a prefix" refused '--protect 10.0.0.1/8' 'bad.conf:1: .*10.0.0.0/8'
"$SEVERD" --socket "$T/no" --state-dir "$T/no-state" --pin-dir "$T/bpf/no" --config "$T/none.conf" 2>"$T/bad.out"
is "$?" 2 "a file that is not there: exit 2"
ok "and nothing was made" [ ! -e "$T/no-state" ]
done_testing
