#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# unseen.t - what cannot be seen, or is not what it looks like, is never called done: processes of another pid
# namespace, flows kept by a thread, listeners that closed, cookies that are not unique, words that mean everyone.
. "$(dirname "$0")/../lib.sh"

C=127.$(($$ / 256 % 256)).$(($$ % 256)).78 # this test's alone, in every namespace
fake_user alice 3001
for_anyone
lives() { [ "$(ask "$1" echo)" = "ok=${2:-1} bad=0" ]; }	# NAME [N]
noted() { grep '"summary"' "$OUT" | grep -Eq '"notes": *\["'; }
in_pidns()	# ARGS...
{
	SEVER_ARGS="(in a pid namespace) $*"
	unshare -p -f --mount-proc "$SEVER_ANYONE" "$@" >"$OUT" 2>"$ERR" </dev/null
	RC=$?
}
under_hidepid()	# ARGS...: and without CAP_SYS_PTRACE
{
	SEVER_ARGS="(under hidepid=2) $*"
	unshare -m sh -c 'mount -t proc -o hidepid=2 proc /proc && exec "$@"' sh \
		"$PEER" as -u 3004 -c "$SEVER_ANYONE" "$@" >"$OUT" 2>"$ERR" </dev/null
	RC=$?
}

# --- the caller is in a session, but not below the process that holds its connection: as in a multiplexer

cat >"$T/detached" <<'EOF'
while kill -0 "$1" 2>/dev/null; do sleep 0.01; done
shift
"$SEVER_ANYONE" kill --netns self --client 127.0.0.5 "$@" >"$T/detached.out" 2>"$T/detached.err"
echo $? >"$T/detached.new" && mv "$T/detached.new" "$T/detached.rc"
EOF
# shellcheck disable=SC2016
printf '#!/bin/sh\nsetsid sh "$T/detached" $$ "$@" >/dev/null 2>&1 </dev/null &\n' >"$T/detach"
chmod +x "$T/detach"
start other listen tcp 127.0.0.1 7001
start leader -l 3001 listen tcp 127.0.0.1 7002
start own connect tcp 127.0.0.1 7002 from 127.0.0.5
for how in --json --quiet; do
	start them connect tcp 127.0.0.1 7001 from 127.0.0.5
	rm -f "$T/detached.rc"
	ask leader run "$T/detach" $how >/dev/null
	until_true 10 test -e "$T/detached.rc"
	is "$(cat "$T/detached.rc")" 6 "X-8 WTS-4 $how: its session's own connection and another: exit 6"
	ok "X-8 WTS-4 $how: its own lives" lives own
	ok "X-8 WTS-4 $how: the other is cut" until_true 1 heard them ECONNRESET
	stop them
done
stop own leader

# --- its own connection is held by a process that it cannot see

for way in in_pidns under_hidepid; do
	start own connect tcp 127.0.0.1 7001 from 127.0.0.5
	$way kill --json --netns self --client 127.0.0.5
	is "$RC:$(count spared):$(flow_lines | wc -l)" 6:1:1 "X-8 $way: refused"
	ok "X-8 $way: it lives" lives own
	$way kill --json --netns self --client 127.0.0.5 --include-self
	is "$RC:$(summary dead):$(summary stage)" 3:1:dead "X-8 $way, --include-self: cut, not verified"
	ok "X-8 $way, --include-self: says what was not seen" noted
	ok "X-8 $way, --include-self: its peer is told" until_true 1 heard own ECONNRESET
	stop own
done

# --- so is one of a user's two, which only its holder makes hers

start hers -l 3001 listen tcp 127.0.0.1 7003
start mine -u 3001 -l 3001 listen tcp 127.0.0.1 7004
start unseen connect tcp 127.0.0.1 7003 from 127.0.0.6
for way in in_pidns under_hidepid; do
	start seen connect tcp 127.0.0.1 7004 from 127.0.0.6
	$way kill --json --netns self --user alice --local-port 7003-7004 --include-self
	is "$RC:$(handles | wc -l):$(summary dead)" 3:1:1 "NET-1 $way: half of a user's flows is no success"
	ok "NET-1 $way: says so" noted
	ok "NET-1 $way: the one that was not seen lives" lives unseen
	stop seen
done
stop unseen hers mine

# --- a namespace that only a held socket leads to

hold_only()	# NAME: in a namespace of its own that is then left; sets HELD
{
	new_netns "$1" && start "$1" -n "/run/netns/$1" listen tcp 127.0.0.1 7005
	HELD=$(netns_inode "/run/netns/$1")
	ask "$1" connect tcp 127.0.0.1 7005 from "$C" hold >/dev/null
	ask "$1" netns "/proc/$$/ns/net" >/dev/null
	umount "/run/netns/$1" && rm "/run/netns/$1"
}
since_6_9() { uname -r | awk -F '[.-]' '{ exit !($1 > 6 || ($1 == 6 && $2 >= 9)) }'; }

hold_only headless
is "$(ask headless unlead)$(readlink "/proc/$(pid_of headless)/ns/net")" "first thread ended" \
	"X-7 the first thread has ended"
start near connect tcp 127.0.0.1 7001 from "$C"
sever_run kill --json --client "$C" --netns self --netns "$HELD"
if since_6_9; then
	is "$RC:$(summary dead)" 0:2 "X-7 held by a thread: found and cut"
	is "$(handles | cut -d @ -f 2 | sort)" "$(sorted "$HELD" "$(netns_inode)")" "X-7 held by a thread: there and here"
	ok "X-7 held by a thread: it is told" until_true 1 heard headless "poll|end"
else
	is "$RC:$(summary dead)" 3:1 "X-7 held by a thread: not reached, so no success"
	ok "X-7 held by a thread: says so" noted
fi
stop headless near

hold_only kept
start near connect tcp 127.0.0.1 7001 from "$C"
sever_as -p kill --json --client "$C" --netns self --netns "$HELD"
is "$RC:$(summary dead)" 3:1 "X-7 without CAP_SYS_PTRACE: what is held elsewhere is not reached: exit 3"
like "$(grep '"summary"' "$OUT")" '"notes": *\[".*namespace' "X-7 without CAP_SYS_PTRACE: says so"
ok "X-7 without CAP_SYS_PTRACE: it lives" not heard kept "poll|end"
stop kept near

# --- accepted at a high port, and the listener has closed (FTP's data connection)

start ftp listen tcp 127.0.0.1 40022
start data connect tcp 127.0.0.1 40022 from 127.0.0.6
start control connect tcp 127.0.0.1 7001 from 127.0.0.6
high=$(at_port 40022) low=$(from 127.0.0.6 | grep -vx "$high")
ask ftp close "$(ask ftp listeners)" >/dev/null
ok "K3 the listener has closed" not listening 40022
sever_kill --client 127.0.0.6
is "$RC:$(handles)" "0:$(sorted "$high" "$low")" "K3 accepted at a high port: counts as accepted"
is "$(flow_field "$high" direction):$(flow_field "$low" direction)" null:in "K3 its direction is not guessed"
ok "K3 it is cut" until_true 1 heard data ECONNRESET

# --- MPTCP: the kernel gives all that one listener accepted the listener's cookie

mptcp_listed() { sever_list --local-port 7061 && grep -c '"flow"' "$OUT"; }
has_listed() { [ "$(mptcp_listed)" = "$1" ]; }
if [ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ]; then
	start mptcp listen mptcp 127.0.0.1 7061
	start first connect mptcp 127.0.0.1 7061 from 127.0.0.5
	ok "X-14 MPTCP: listed" until_true 5 has_listed 1
	old=$(json_field "$(grep '"flow"' "$OUT")" flow)
	ask first close >/dev/null
	ok "X-14 MPTCP: closed" until_true 5 has_listed 0
	start second connect mptcp 127.0.0.1 7061 from 127.0.0.5
	ok "X-14 MPTCP: the next one is listed" until_true 5 has_listed 1
	is "$(dump | awk '$1 == "mptcp" && $5 == "127.0.0.1:7061" { print $4 }' | sort -u | wc -l)" 1 \
		"X-14 MPTCP: with the listener's cookie"
	sever_flow "$old"
	is "$(summary dead):$(flow_lines | grep -vc '"outcome": *"stale"')" 0:0 \
		"X-14 MPTCP: the handle of the old one does not name the new one"
	ok "X-14 MPTCP: which lives" lives second
	start backlog listen mptcp 127.0.0.1 7062 later
	start waiting connect mptcp 127.0.0.1 7062 from 127.0.0.6 n 5
	handles_listed() { sed -n 's/.*"flow": *"\([^"]*\)".*/\1/p' "$OUT" | sort -u | wc -l; }
	five() { sever_list --local-port 7062 && [ "$(handles_listed)" = 5 ]; }
	ok "X-14 MPTCP in the backlog: five, each with a handle" until_true 5 five
	stop second waiting backlog
else
	skip "X-14 MPTCP" "this kernel has none"
fi

# --- a listener's handle beside a good one

start cli connect tcp 127.0.0.1 7001 from 127.0.0.7
flow=$(from 127.0.0.7) listener=$(ask other listeners)
sever_flow "$flow" --flow "$listener"
is "$RC:$(flow_field "$flow" outcome):$(flow_field "$listener" outcome)" 6:dead:spared \
	"WTS-5 a flow and a listener: exit 6, the flow dead, the listener spared"
ok "WTS-5 the listener lives" accepts 7001

# --- numbers that wrap around, and everyone in other words

stop cli
start cli connect tcp 127.0.0.1 7001 from 127.0.0.7
for by in --timeout --drain; do
	for long in 18446744073709551s 18446744073709551614ms 18446744073709551616s; do
		sever_kill --client 127.0.0.7 $by $long
		is "$RC" 2 "K13 $by $long: exit 2"
	done
done
for words in "--netns self --local-port 1-65535" "--netns self --older-than 0s" "--netns self --client 0.0.0.0/0" \
	"--netns self --client 0.0.0.0/0 --proto tcp" "--proto tcp" "--netns self --client 128.0.0.0/1 --client 0.0.0.0/1" \
	"--netns self --peer 0.0.0.0/1 --peer 128.0.0.0/2 --peer 192.0.0.0/2" "--netns self --remote-port 30001-65535 --remote-port 1-30000" \
	"--netns self --cgroup /"; do
	# shellcheck disable=SC2086
	sever_run kill --json $words --dry-run
	is "$RC:$(count planned)" 6:0 "NET-2 $words is everyone: exit 6"
done
sever_kill --user uid:0 --client 0.0.0.0/0 --dry-run --include-self
like "$RC:$(count planned)" '^0:[1-9]' "NET-2 a user from everywhere is not"
sever_kill --client 0.0.0.0/1 --client 192.0.0.0/2 --dry-run --include-self
like "$RC:$(count planned)" '^0:[1-9]' "NET-2 three quarters of all addresses are not"
ok "NET-2 K13 nobody died" lives cli

# --- thousands of holders of a socket

start heirs -l 3001 connect udp 127.0.0.1 9 n 600
heirs=$(many 2500)
ask heirs fork "$heirs" >/dev/null
timeout $((10 * SEVER_TEST_SLOW)) "$SEVER" kill --json --include-self --netns self --user uid:4242 >"$OUT" 2>"$ERR" </dev/null
is $? 1 "X-11 600 sockets with $heirs heirs stall nobody"
stop heirs

# --- orders that do not arrive, while the victim changes its state

stop cli
start holder listen tcp 127.0.0.1 7006 hold
start cli connect tcp 127.0.0.1 7006 from 127.0.0.7
flow=$(at_port 7006)
export SWALLOWED="$T/swallowed"
if [ "$(uname -m)" = x86_64 ]; then
	spawn lost "$PEER" swallow all "$SEVER_ANYONE" kill --json --netns self --local-port 7006 --state established \
		--timeout 1s
	ok "NET-7 orders lost: the list of victims is settled" until_true 10 test -e "$SWALLOWED"
	ask cli shut >/dev/null
	wait "$(pid_of lost)"
	RC=$?
	cp "$T/lost.out" "$OUT" && : >"$ERR"
	is "$(state_of "$flow")" close-wait "NET-7 orders lost: the victim lives, in another state by now"
	like "$RC:$(summary matched):$(summary dead)" '^[35]:1:0$' "NET-7 orders lost: no success, and not called dead"
else
	skip "NET-7 orders lost" "only on x86-64"
fi

done_testing
