# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# boot.sh - boots a row and brings its TAP back. Sourced by scripts/vm.
#
# The kernel and the programs talk to the first serial line, $OUT/console; the tests' TAP alone comes over the second,
# $OUT/tap. What the guest does not say in time it does not say: the machine is ended, and the run has failed.

# Everything of a guest but where its serial lines go.
qemu()		# ACTION ARGS...
{
	local kernel accel cpu slow action=$1
	kernel=$(kernel_of "$SUITES") accel=${VM_ACCEL:-$(cat "$CACHE/accel")}
	shift
	cat "$kernel/base.cpio" "$CACHE/tests.cpio" >"$OUT/initrd" || return 1
	cpu=$CPU slow=10
	[ "$accel" = tcg ] || cpu=host slow=1
	[ "$GUEST" != system ] || set -- -drive "file=$CACHE/root-$(root_id)/img,if=virtio,format=raw,readonly=on" \
		-drive "file=$OUT/keeps,if=virtio,format=raw,cache=unsafe" "$@"
	# A guest that panics ends (panic=-1, -no-reboot). What makes an emulated CPU several times faster: no look at the hpet,
	# and programs at the same addresses each time they start, which need not be translated again.
	set -- -accel "$accel" -cpu "$cpu" -smp 2 -m 3072 -nodefaults -display none -no-reboot \
		-kernel "$kernel/vmlinuz" -initrd "$OUT/initrd" \
		-append "console=ttyS0 panic=-1 oops=panic mitigations=off norandmaps clocksource=tsc tsc=reliable \
guest=$GUEST action=$action tests=${TESTS_NAMED-} slow=$slow systemd.log_color=0 systemd.show_status=0 TERM=dumb" "$@"
	exec timeout --foreground -k 5 "$LIMIT" qemu-system-x86_64 "$@"
}

plain() { tr -cd '\11\12\40-\176' <"$1"; }	# FILE

# What a kernel says when it is ill. Programs that quote it do not start a line with the clock. That a CPU stalled is no
# illness where it is emulated.
illness()	# CONSOLE
{
	grep -v 'Command line: ' "$1" | grep -E '^(\[ *[0-9]+\.[0-9]+\] *)?(\[[^]]*\] *)?(BUG|WARNING|UBSAN|Oops)\b|KASAN|Kernel panic'\
'|kernel BUG at|blocked for more than|unregister_netdevice: waiting' | head -n 5
}

boot()		# [TEST...]: what it says is added to $OUT/console and $OUT/guest
{
	TESTS_NAMED=$(IFS=,; echo "$*")
	rm -f "$OUT"/*.raw
	( qemu run -serial file:"$OUT/console.raw" -serial file:"$OUT/tap.raw" -monitor none ) >>"$OUT/qemu" 2>&1
	plain "$OUT/console.raw" >>"$OUT/console"
	plain "$OUT/tap.raw" >"$OUT/guest.new"
}

points() { grep -cE '^(not )?ok ' "$1"; }	# FILE

# What the guest itself says of how it went must be what its points say; else its word that it is done does not count.
believe()	# FILE
{
	local plan failed
	plan=$(sed -n 's/^1\.\.//p' "$1" | head -n 1)
	failed=$(grep -c '^not ok ' "$1")
	[ "${plan:-none}" = "$(points "$1")" ] &&
		grep -q "^# guest: done, status $([ "$failed" = 0 ] && echo '[04]' || echo 1)\$" "$1" || sed -i '/^# guest: done/d' "$1"
}

# A test that ends with "# guest: again NAME" is run a second time, after a reboot: a new kernel, and of the first life
# only what is on the disk that keeps what was written.
run_row()	# [TEST...]
{
	local start=$SECONDS again
	OUT=$CACHE/out/$NAME
	rm -rf "$OUT" && mkdir -p "$OUT" && truncate -s 16M "$OUT/keeps" && mke2fs -q -t ext4 "$OUT/keeps" || return 1
	boot "$@"
	mv "$OUT/guest.new" "$OUT/guest"
	again=$(sed -n 's/^ *# guest: again //p' "$OUT/guest")
	believe "$OUT/guest"
	if [ -n "$again" ] && grep -q '^# guest: done' "$OUT/guest"; then
		sed -i '/^# guest: done/d' "$OUT/guest"
		boot "$again"
		believe "$OUT/guest.new"
		grep -q '^ *# guest: again ' "$OUT/guest.new" && sed -i '/^# guest: done/d' "$OUT/guest.new" # it has kept nothing
		sed -e '/^1\.\./d; /^# doctor:/d' -e "s/^\(not \)\{0,1\}ok 1 /\1ok $(($(points "$OUT/guest") + 1)) /" "$OUT/guest.new" >>"$OUT/guest"
	fi
	rm -f "$OUT/initrd" "$OUT/keeps" "$OUT/guest.new"
	judge $((SECONDS - start)) | tee "$OUT/tap"
	judged "$NAME"
}

# The guest's own TAP, with two points of ours after its own: that it came to its end, and that its kernel is well.
judge()		# SECONDS
{
	local n ill
	n=$(points "$OUT/guest")
	ill=$(illness "$OUT/console")
	sed '/^1\.\./d' "$OUT/guest"
	if grep -q '^# guest: done, status [014]$' "$OUT/guest"; then # 2: it did not know the tests
		echo "ok $((n + 1)) - the guest came to its end, in $1 s"
	else
		echo "not ok $((n + 1)) - the guest came to its end, in $1 s"
		tail -n 15 "$OUT/qemu" "$OUT/console" | sed 's/^/# /'
	fi
	echo "${ill:+not }ok $((n + 2)) - its kernel has nothing to complain of"
	[ -z "$ill" ] || printf '%s\n' "$ill" | sed 's/^/# /'
	echo "1..$((n + 2))"
}

judged() { grep -q '^1\.\.' "$CACHE/out/$1/tap" && ! grep -q '^not ok' "$CACHE/out/$1/tap"; }	# ROW: passed?

shell_row()
{
	OUT=$CACHE/out/$NAME.shell
	LIMIT=0
	mkdir -p "$OUT" && truncate -s 16M "$OUT/keeps" && mke2fs -q -F -t ext4 "$OUT/keeps" && ( qemu shell -serial mon:stdio -serial null )
	rm -rf "$OUT"
}
