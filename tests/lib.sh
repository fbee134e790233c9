# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# lib.sh - what every end-to-end test starts with. POSIX sh; runs under dash and busybox ash.
#
#	#!/bin/sh
#	# one line: what this file shows
#	. "$(dirname "$0")/../lib.sh"
#	fake_user alice 3001
#	start srv -u 0 -l 3001 listen tcp 0.0.0.0 7000
#	start cli connect tcp 127.0.0.1 7000 from 127.0.0.2
#	sever_kill --client 127.0.0.2
#	is "$RC" 0 "NET-1 client: exit 0"
#	is "$(ask cli ends)" "ECONNRESET=1" "NET-1 client: reset seen"
#	done_testing
#
# The test finds itself in network and mount namespaces of its own: lo is up with 127.0.0.0/8 and fd00::1
# to fd00::9, /run is empty, nothing it mounts is seen outside. All that it started ends with it.
# Other tests may run beside it, and sever looks into every network namespace: say --netns self (sever_kill
# does) or use addresses nobody else has.

TESTS=$(cd "$(dirname "$0")/.." && pwd)
_bin=$TESTS/bin # where `make -C tests install` puts them
[ -d "$_bin" ] || _bin=$TESTS/../build
: "${SEVER:=$_bin/sever}" "${PEER:=$_bin/peer}"
: "${SEVER_TEST_SLOW:=1}" # how many times slower than a real one this machine is: all deadlines are that much longer
if [ -z "${SEVER_TEST_NS-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "1..0 # SKIP needs root"; exit 4; }
	SEVER_TEST_NS=1 SEVER=$SEVER PEER=$PEER exec unshare -m -n sh "$0" "$@"
	exit 1
fi

T=$(mktemp -d) && chmod 755 "$T" || exit 1
OUT=$T/sever.out ERR=$T/sever.err RC=
TAP_N=0 TAP_BAD=0 TAP_PAUSE=0.02
[ "$SEVER_TEST_SLOW" = 1 ] || TAP_PAUSE=0.2 # what is polled would take from what is waited for
export SEVER PEER T SEVER_TEST_SLOW

# --- TAP -------------------------------------------------------------------------------------------

tap()	# RESULT NAME
{
	TAP_N=$((TAP_N + 1))
	echo "$1 $TAP_N - $2"
	[ "$1" = ok ] || TAP_BAD=$((TAP_BAD + 1))
	[ "$1" = ok ]
}

diag()	# TEXT...: for people, below a failed point
{
	printf '%s\n' "$*" | head -n "${DIAG_LINES:-12}" | cut -c 1-300 | sed 's/^/# /'
}

tell_sever()	# what sever said last
{
	[ -n "$RC" ] || return 0
	diag "sever $SEVER_ARGS: exit $RC"
	diag "$(tail -n 6 "$OUT")"
	diag "$(head -n 6 "$ERR")"
}

ok()	# NAME CMD...: passes when CMD succeeds
{
	_point=$1
	shift
	if "$@"; then
		tap ok "$_point"
	else
		tap "not ok" "$_point"
		diag "failed: $*"
		tell_sever
	fi
}

is()	# GOT WANT NAME
{
	if [ "$1" = "$2" ]; then
		tap ok "$3"
	else
		tap "not ok" "$3"
		diag "got:  $1"
		diag "want: $2"
		tell_sever
	fi
}

like()	# GOT ERE NAME
{
	if grep -Eq -- "$2" <<-EOF
		$1
	EOF
	then
		tap ok "$3"
	else
		tap "not ok" "$3"
		diag "got:  $1"
		diag "like: $2"
		tell_sever
	fi
}

skip()	# NAME WHY
{
	TAP_N=$((TAP_N + 1))
	echo "ok $TAP_N - $1 # SKIP $2"
}

skip_all()	# WHY: nothing in this file can run here
{
	echo "1..0 # SKIP $1"
	exit 4
}

done_testing()
{
	echo "1..$TAP_N"
	[ "$TAP_BAD" = 0 ]
	exit
}

many() { echo $(($1 / SEVER_TEST_SLOW)); }	# a crowd is as much smaller as the machine is slower
not() { ! "$@"; }	# ok "lives" not gone $cookie

until_true()	# SECONDS CMD...: polls until CMD succeeds; its last status
{
	now && _end=$((NOW + $1 * SEVER_TEST_SLOW + 1))
	shift
	until "$@"; do
		now && [ $NOW -lt $_end ] || { echo "# in vain: $*" >&2; return 1; }
		sleep $TAP_PAUSE
	done
}

# Sets NOW, in seconds. It starts no program: on a slow machine that is what waiting costs.
now() { read -r NOW _ </proc/uptime && NOW=${NOW%%.*}; }

now_ms() { "$PEER" now; }	# monotonic clock

# --- processes -------------------------------------------------------------------------------------

remember()	# NAME PID
{
	echo "$2" >"$T/$1.pid"
	echo "$2" >>"$T/pids"
}

pid_of() { read -r _of <"$T/$1.pid" && echo "$_of"; }

spawn()	# NAME CMD...: in the background, output to $T/NAME.out; ended with the test
{
	_name=$1
	shift
	"$@" >"$T/$_name.out" 2>&1 </dev/null &
	remember "$_name" $!
}

replies() { grep -c '^= ' "$T/$1.out"; }
replied() { [ "$(replies "$1")" -gt "$2" ] || not alive "$1"; }
alive() { read -r _of <"$T/$1.pid" && kill -0 "$_of" 2>/dev/null; }
ANSWER_MS=$((20000 * SEVER_TEST_SLOW))

# start NAME [-u UID] [-l LOGINUID] [-c] [-n NETNS-FILE] [-g CGROUP-DIR] COMMAND...: a peer that has done its
# first command (peer_run.c lists them); with $PIN_PID set, if need be with that pid. Its events are lines of $T/NAME.out, its answers the lines with "= ".
start()
{
	_name=$1
	shift
	mkfifo "$T/$_name.ctl" || return 1
	: >"$T/$_name.out"
	[ -z "${PIN_PID-}" ] || echo $((PIN_PID - 1)) >/proc/sys/kernel/ns_last_pid
	"$PEER" run "$T/$_name.ctl" "$@" >"$T/$_name.out" 2>&1 </dev/null &
	remember "$_name" $!
	case $("$PEER" await "$T/$_name" $! $ANSWER_MS) in
	'' | error*) diag "start $_name $*: $(cat "$T/$_name.out")"; return 1 ;;
	esac
}

tell() { _name=$1; shift; alive "$_name" && printf '%s\n' "$*" 1<>"$T/$_name.ctl"; }
answer() { sed -n 's/^= //p' "$T/$1.out" | tail -n 1; }

ask()	# NAME COMMAND...: prints the peer's answer
{
	read -r _of <"$T/$1.pid" && _name=$1 && shift && "$PEER" ask "$T/$_name" "$_of" $ANSWER_MS "$@"
}

heard()	# NAME ERE: has the peer said so (yet)?
{
	grep -Eq -- "$2" "$T/$1.out"
}

stop()	# NAME...: ends it and waits
{
	for _name; do
		read -r _of <"$T/$_name.pid" || continue
		kill -9 "$_of" 2>/dev/null
		wait "$_of" 2>/dev/null
		rm -f "$T/$_name.ctl"
	done
}

# What is mounted below $T may lead to what is not ours to remove, the host's /dev for one.
unmount_below()
{
	awk -v t="$T/" 'index($2, t) == 1 { print $2 }' /proc/self/mounts | sort -r >"$T/mounts"
	while read -r _dir; do umount -l "$_dir"; done <"$T/mounts"
	[ "$(grep -cF " $T/" /proc/self/mounts)" = 0 ] && return
	echo "# $T stays: something is still mounted below it" >&2
	return 1
}

cleanup()
{
	trap - EXIT
	for _pid in $(cat "$T/pids" 2>/dev/null); do
		grep -qs "^PPid:[[:space:]]*$$\$" "/proc/$_pid/status" && kill -9 "$_pid" 2>/dev/null
	done
	wait
	[ ! -e "$T/cgroups" ] || while read -r _dir; do until_true 5 remove_cgroup "$_dir"; done <"$T/cgroups"
	cd / && unmount_below && rm -rf "$T"
}
remove_cgroup() { find "$1" -depth -type d -exec rmdir {} + 2>/dev/null; [ ! -e "$1" ]; } # and all below it
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM HUP

# --- sever -----------------------------------------------------------------------------------------

sever_run()	# ARGS...: $RC, and the files $OUT and $ERR
{
	SEVER_ARGS=$* # for tell_sever
	"$SEVER" "$@" >"$OUT" 2>"$ERR" </dev/null
	RC=$?
}

sever_kill() { sever_run kill --json --netns self "$@"; }
sever_flow() { sever_run kill --json --flow "$@"; }	# COOKIE@NETNS: which says where, too
sever_list() { sever_run list flows --json --netns self "$@"; }

# Sets SEVER_ANYONE, a sever that another user can run: in its place if they can, or else copied with its libraries.
for_anyone()
{
	[ -z "${SEVER_ANYONE-}" ] || return 0
	export SEVER_ANYONE="$SEVER"
	"$PEER" as -u 65534 "$SEVER" --version >/dev/null 2>&1 && return
	mkdir "$T/bin" && cp "$SEVER" "$T/bin/sever" && SEVER_ANYONE=$T/bin/sever
	[ ! -d "${SEVER%/*}/../lib" ] || cp -R "${SEVER%/*}/../lib" "$T/lib"
}

sever_via()	# "PEER-WORDS" ARGS...: sever run by the peer
{
	SEVER_ARGS="(by peer $1) $*"
	_via=$1
	shift
	for_anyone
	# shellcheck disable=SC2086
	"$PEER" $_via "$SEVER_ANYONE" "$@" >"$OUT" 2>"$ERR" </dev/null
	RC=$?
}
sever_as() { _as="as $1" && shift && sever_via "$_as" "$@"; }	# "OPTIONS of peer as" ARGS...: "-u 3001 -c" kill ...

# KEY: sets FIELD, by which sed prints of a line the value without quotes; nothing where there is no such key.
read_field()
{
	FIELD="s/.*\"$1\": *\"\\([^\"]*\\)\".*/\\1/p;t
		s/.*\"$1\": *\\([^],}]*\\).*/\\1/p"
}
json_field()	# LINE KEY
{
	read_field "$2"
	sed -n "$FIELD" <<-EOF
		$1
	EOF
}

summary() { read_field "$1" && sed -n "/\"summary\"/!d;$FIELD" "$OUT"; }	# KEY: summary dead
flow_lines() { grep '"outcome"' "$OUT" | grep -v '"reconnected": *true'; }
count()		# OUTCOME
{
	awk -v o="\"outcome\": *\"$1\"" '$0 ~ o && !/"reconnected": *true/ { n++ } END { print n + 0 }' "$OUT"
}
# The flow's line, by cookie in hex or by COOKIE@NETNS.
flow_line() { flow_lines | grep "\"flow\": *\"${1%@*}@"; }
flow_field()	# COOKIE KEY
{
	read_field "$2" && sed -n "/\"outcome\"/!d;/\"reconnected\": *true/d;/\"flow\": *\"${1%@*}@/!d;$FIELD" "$OUT"
}
handles() { flow_lines | sed 's/.*"flow": *"\([^"]*\)".*/\1/' | sort; }
said() { grep -Eqi -- "$1" "$OUT" "$ERR"; }			# ERE, in what sever said
one_line() { [ "$(grep -c . "$ERR")" = 1 ]; }			# on stderr

# --- what the kernel says --------------------------------------------------------------------------
# "peer dump" prints a socket a line: proto family state cookie@netns local:port remote:port uid inode dev

dump() { "$PEER" dump; }
state_of() { dump | awk -v c="${1%@*}@" 'index($4, c) == 1 { print $3 }'; }	# COOKIE: its state; nothing: gone
gone() { [ -z "$(state_of "$1")" ]; }
listening() { dump | awk -v p=":$1\$" '$3 == "listen" && $5 ~ p { n++ } END { exit !n }'; }	# PORT
from()	# ADDR: the established flows whose other end is there
{
	dump | awk -v r="$1:" '$3 == "established" && index($6, r) == 1 { print $4 }' | sort
}
at_port()	# PORT: the established flows of that local port
{
	dump | awk -v p=":$1\$" '$3 == "established" && $5 ~ p { print $4 }' | sort
}
sorted() { printf '%s\n' "$@" | sort; }
session_of() { cat "/proc/$(pid_of "$1")/sessionid"; }		# NAME: its audit session
cookies() { ask "$1" cookies; }					# NAME: of its live connections, COOKIE@NETNS
accepts()	# PORT [ADDR]: a new client is accepted and gets its bytes back
{
	[ "$("$PEER" try "${2:-127.0.0.1}" "$1")" = ok ]
}

# --- a private host --------------------------------------------------------------------------------

private_etc()
{
	[ ! -d "$T/etc" ] || return 0
	cp -a /etc "$T/etc" && mount --bind "$T/etc" /etc || return 1
	printf '%s: files\n' passwd group shadow hosts services protocols >/etc/nsswitch.conf
	grep -qs '^root:' /etc/passwd || echo 'root:x:0:0:root:/root:/bin/sh' >>/etc/passwd # a bare guest has no users
	echo 'multi on' >/etc/host.conf
}

fake_user()	# NAME UID: a user that only this test knows, whoever else has that name
{
	private_etc && forget_user "$1"
	printf '%s:x:%s:%s:%s:/tmp:/bin/sh\n' "$1" "$2" "$2" "$1" >>/etc/passwd
	printf '%s:x:%s:\n' "$1" "$2" >>/etc/group
	printf '%s:*:19000:0:99999:7:::\n' "$1" >>/etc/shadow
}

forget_user() { sed -i "/^$1:/d" /etc/passwd /etc/group /etc/shadow; }

fake_host()	# ADDR NAME...
{
	private_etc
	echo "$*" >>/etc/hosts
}

new_netns()	# NAME: as `ip netns add` makes it, lo up
{
	mkdir -p /run/netns && "$PEER" netns "/run/netns/$1"
}

netns_inode() { stat -L -c %i "${1:-/proc/self/ns/net}"; }	# [FILE]

cgroup_root()	# where cgroup v2 is mounted, and not covered by another mount
{
	while read -r _ _dir _type _; do
		[ "$_type" = cgroup2 ] && [ -e "$_dir/cgroup.procs" ] && echo "$_dir" && return
	done </proc/self/mounts
	return 1
}

new_cgroup()	# NAME: sets CGROUP_DIR, and CGROUP as sever and /proc/PID/cgroup name it
{
	cgroup_root >/dev/null || umount -l /sys/fs 2>/dev/null
	cgroup_root >/dev/null || mount -t cgroup2 none /sys/fs/cgroup || return 1
	CGROUP=/sever-test-$$-$1
	CGROUP_DIR=$(cgroup_root)$CGROUP
	mkdir "$CGROUP_DIR" && echo "$CGROUP_DIR" >>"$T/cgroups"
}

if [ "$SEVER_TEST_NS" != guest ]; then # else the whole machine is the test's (tests/vm)
	mount -t tmpfs none /run && ip link set lo up || exit 1
	for _i in 1 2 3 4 5 6 7 8 9; do
		ip -6 addr add "fd00::$_i/128" dev lo || exit 1
	done
fi
[ -x "$PEER" ] || skip_all "no $PEER: run make tests"

# --- with SEVER_RESIDENT=1 the same tests ask a severd of their own

if [ -n "${SEVER_RESIDENT-}" ]; then
	. "$TESTS/resident.sh"
	resident || exit 1
fi
