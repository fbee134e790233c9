#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# install.t - what `make -C tests install` makes runs by itself: in a root where there is busybox and nothing else.
. "$(dirname "$0")/../lib.sh"

BUSYBOX=$(command -v busybox) && command -v patchelf make >/dev/null || skip_all "no busybox, patchelf or make here"
[ -e "$TESTS/Makefile" ] || skip_all "the sources are not here"
case $(LC_ALL=C ldd "$BUSYBOX" 2>&1) in *"not a dynamic"*) ;; *) skip_all "busybox is not static" ;; esac

ROOT=$T/root CHROOT=$(command -v chroot)
mkdir "$ROOT" && mount -t tmpfs none "$ROOT" && cd "$ROOT" &&
	mkdir bin proc sys dev etc home mnt run tmp && cd / || exit 1
cp "$BUSYBOX" "$ROOT/bin/busybox" && chroot "$ROOT" /bin/busybox --install -s /bin
# Instances of its own: nothing in here leads to a file of the host's.
mount -t proc proc "$ROOT/proc" && mount -t sysfs sysfs "$ROOT/sys" && mount -t tmpfs none "$ROOT/dev" &&
	mount -t tmpfs none "$ROOT/tmp" || exit 1
mknod "$ROOT/dev/null" c 1 3 && chmod 666 "$ROOT/dev/null" && mknod "$ROOT/dev/urandom" c 1 9 || exit 1
in_root()	# ARGS...: of run
{
	env -i "$CHROOT" "$ROOT" /bin/sh /tests/run "$@" >"$OUT" 2>"$ERR" </dev/null
	RC=$?
}

unset SEVER PEER
make -C "$TESTS" install INSTALL_PATH="$ROOT/tests" >"$OUT" 2>&1
is $? 0 "it is made"
is "$(find "$ROOT/tests/lib" -name 'libc.so*' -o -name 'ld-*')" "" "the C library is not among its libraries"

mount -o remount,ro "$ROOT"
in_root unit/test_word
is "$RC:$(cat "$OUT")" 2: "a read-only root without a C library: no"
ok "and the reason" said "none can be put there"
mount -o remount,rw "$ROOT"

in_root unit/test_opts unit/test_users e2e/privileges.t
is "$RC:$(sed -n 's/^# totals: //p' "$OUT")" "0:pass:3 fail:0 skip:0" "it runs in a root without a C library"
like "$(cat "$OUT")" '^# no C library here' "and says what it lent"
[ $RC = 0 ] || DIAG_LINES=60 diag "$(cat "$OUT" "$ERR")"
in_root e2e/nginx.t
is "$RC:$(grep -c '^ok 1 e2e/nginx.t # SKIP no nginx' "$OUT")" 4:1 "what it cannot test it skips"

done_testing
