#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# doctor.t - what `sever doctor` says of the hooks is what others say too; it says why not; and nothing of it stays.
. "$(dirname "$0")/../lib.sh"

HOOKS="hook-tp-btf hook-cgroup hook-sk-lookup hook-iterators hook-sk-storage hook-ringbuf hook-fentry hook-lsm"
root=$(cgroup_root) || { mount -t cgroup2 none /sys/fs/cgroup && root=$(cgroup_root); } || root=

probe() { json_field "$(grep "\"probe\": *\"$1\"" "$OUT")" "$2"; }	# NAME KEY
every()	# KEY: its values over the hooks
{
	for _hook in $HOOKS; do probe "$_hook" "$1"; done | sort -u | tr '\n' ' '
}
without()	# CAPABILITIES: doctor as root, but for those
{
	SEVER_ARGS="(without $1) doctor --json"
	setpriv --bounding-set "$1" "$SEVER" doctor --json >"$OUT" 2>"$ERR" </dev/null
	RC=$?
}
no_cgroups() { set -- "$root"/sever-doctor-* && [ ! -d "$1" ]; }
no_programs() { ! bpftool prog list | grep -q 'name doctor_'; }

# --- root

sever_run doctor --json
status=$RC
is "$(every needed)$(every used)" "false false " "hooks are neither needed nor used"
is "$(grep -c '"works": *false' "$OUT")" "$(summary refused)" "the summary counts what is refused"
is "$(grep '"works": *false' "$OUT" | grep -Ecv '"errno": *"E[A-Z0-9]+", *"detail": *"[^"]')" 0 "each refusal has errno and advice"
tp_btf=$(probe hook-tp-btf works) cgroup=$(probe hook-cgroup works) iterators=$(probe hook-iterators works)

agrees()	# HOOK ERE...: bpftool finds each of these in this kernel if, and only if, the hook works
{
	_hook=$1 _has=true
	shift
	for _ere; do grep -Eq "$_ere is available" "$T/features" || _has=false; done
	is "$(probe "$_hook" works)" "$_has" "$_hook: bpftool agrees"
}
if bpftool feature probe kernel >"$T/features" 2>/dev/null; then
	[ -z "$root" ] || agrees hook-cgroup 'program_type cgroup_sock' 'program_type cgroup_sock_addr' 'program_type cgroup_sockopt'
	agrees hook-sk-lookup 'program_type sk_lookup'
	agrees hook-sk-storage 'map_type sk_storage'
	agrees hook-ringbuf 'map_type ringbuf'
else
	skip "bpftool agrees" "no bpftool"
fi
if grep -q btf_trace_inet_sk_error_report /sys/kernel/btf/vmlinux 2>/dev/null; then
	is "$tp_btf:$iterators" true:true "hook-tp-btf, hook-iterators: BTF has what they hang on"
else
	is "$tp_btf" false "hook-tp-btf: BTF lacks what it hangs on"
fi

sever_run doctor
is "$RC" "$status" "text and JSON exit alike"
like "$(tail -n 1 "$OUT")" '^sever can' "the verdict comes last"
is "$(grep -Ec '^hook-[a-z-]+ +(works  |refused)  ' "$OUT")" 8 "a line for each hook"
is "$(grep "refused  " "$OUT" | grep -Evc ': E[A-Z0-9]+, ')" 0 "each refusal names the errno"
like "$(sed -n '/^hook-fentry/p;/^hook-lsm/p' "$OUT")" 'works|can do without' "extras: one can do without"

# --- with less

sever_as "-u 65534" doctor --json
is "$RC:$(every errno)" "4:EPERM " "an ordinary user: every hook refused with EPERM, exit 4"
if setpriv --bounding-set -sys_admin true 2>/dev/null; then
	without -sys_admin
	is "$RC:$(probe hook-sk-lookup errno)" "$status:EPERM" "without CAP_SYS_ADMIN: no namespace to refuse in, so not tried"
	is "$(probe hook-tp-btf works):$(probe hook-cgroup works)" "$tp_btf:$cgroup" \
		"without CAP_SYS_ADMIN: the others as before"
	without -sys_admin,-net_admin
	is "$(probe hook-cgroup errno):$(probe hook-tp-btf works)" "EPERM:$tp_btf" \
		"without CAP_NET_ADMIN: hook-cgroup refused with EPERM"
	without -sys_admin,-bpf
	is "$RC:$(every errno)" "$status:EPERM " "without CAP_BPF: every hook refused with EPERM, exit as before"
else
	skip "fewer capabilities" "this setpriv cannot drop them"
fi

# --- where cgroup v2 is not to be had; other mounts of it may lie below the first

if [ "$cgroup" = true ]; then
	unshare -m sh -c 'while read -r _ dir type _; do [ "$type" != cgroup2 ] || umount -l "$dir"; done </proc/self/mounts
		exec "$SEVER" doctor --json' >"$OUT" 2>"$ERR"
	is "$(probe hook-cgroup errno):$(probe hook-cgroup detail)" "ENOENT:cgroup v2 is not mounted" "no cgroup v2: it says so"
	is "$(probe hook-tp-btf works)" "$tp_btf" "no cgroup v2: the others as before"
	root=$root unshare -m sh -c 'mount --bind "$root" "$root" && mount -o remount,bind,ro "$root" &&
		exec "$SEVER" doctor --json' >"$OUT" 2>"$ERR"
	is "$(probe hook-cgroup errno)" EROFS "cgroup v2 read-only: EROFS"
else
	skip "cgroup v2 missing" "hook-cgroup does not work here anyway"
fi

# --- nothing stays, even when it is killed

ok "its programs are called doctor_*" grep -q doctor_state "$SEVER"
strike()	# SIGNAL [-]: doctor (with "-" its children, too) is sent it while its cgroup is there; 1: was too late
{
	for _i in 1 2 3 4 5 6 7 8 9 10; do
		: >"$OUT"
		setsid "$SEVER" doctor >"$OUT" 2>&1 </dev/null &
		_pid=$!
		_end=$(($(date +%s) + 20 * SEVER_TEST_SLOW))
		while no_cgroups && [ ! -s "$OUT" ] && [ "$(date +%s)" -lt $_end ]; do :; done
		no_cgroups || kill -s "$1" -- "${2-}$_pid"
		wait "$_pid"
		RC=$?
		[ "$RC" -le 128 ] || return 0
	done 2>/dev/null
	return 1
}
clean()		# NAME
{
	ok "$1: no cgroup left" until_true 10 no_cgroups
	if bpftool prog list >/dev/null 2>&1; then
		ok "$1: no program left" until_true 10 no_programs
	else
		skip "$1: no program left" "no bpftool"
	fi
}
clean "after all that"
if [ "$cgroup" = true ]; then
	ok "killed in the middle" strike KILL
	clean "killed in the middle"
	ok "TERM to all of it" strike TERM -
	is "$RC" 143 "TERM to all of it: that is how it ends"
	clean "TERM to all of it"
else
	skip "killed in the middle" "hook-cgroup does not work here"
fi

done_testing
