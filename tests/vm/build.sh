# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# build.sh - what a guest is made of, each made once: kernels, a root file system, the tests. Sourced by scripts/vm.
#
#	$CACHE/kernel-SUITES/{vmlinuz,base.cpio}	the kernel, and an initramfs with its modules
#	$CACHE/root.img			Debian 12, read only; guests write to memory
#	$CACHE/tests.cpio		make -C tests install; made anew each time

# What the guests' userland needs beyond a minimal Debian: the services that tests log in to and talk to, and the
# programs that tests are written with.
ROOT_PACKAGES=systemd,systemd-sysv,libpam-systemd,dbus,openssh-server,openssh-client,sudo,tmux,nginx-light
ROOT_PACKAGES+=,libnginx-mod-stream,socat,netcat-openbsd,curl,jq,strace,valgrind,libc6-dbg,iproute2,netbase,kmod,udev
ROOT_PACKAGES+=,procps,time,bpftool,libmnl0,libjansson4,libsystemd0,libbpf1,libcmocka0
# Drivers of the guest's disk and root, then what the kernel would otherwise load by itself when the tests ask for it.
MODULES="virtio_pci virtio_blk ext4 overlay tcp_diag udp_diag raw_diag mptcp_diag unix_diag netlink_diag veth dummy tun
	vrf sch_netem autofs4 nfsv4"

note() { printf '# %s\n' "$*" >&2; }

mirror()	# SUITE: where this machine gets it from
{
	local security=0
	case $1 in *-security) security=1 ;; esac
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Origin: Debian' |
		awk -v s="$security" '($2 ~ /-security$/) == s { print $1; exit }'
}

# apt of its own, which knows all suites and touches nothing of the machine's.
vm_apt()	# apt-get|apt-cache ARGS...
{
	local tool=$1 d=$CACHE/apt
	shift
	"$tool" -o Dir::State="$d/state" -o Dir::Cache="$d/cache" -o Dir::Etc::SourceList="$d/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null -o Dir::State::status=/dev/null -o APT::Sandbox::User=root "$@"
}

build_apt()	# SUITES, with commas
{
	local suite d=$CACHE/apt
	mkdir -p "$d/state/lists/partial" "$d/cache/archives/partial" || return 1
	for suite in ${1//,/ }; do
		local uri
		uri=$(mirror "$suite")
		[ -n "$uri" ] || die "this machine's apt knows no Debian mirror (suite $suite)"
		echo "deb $uri $suite main"
	done >"$d/sources.list"
	vm_apt apt-get -qq update || die "cannot read the package lists of $1"
}

decompressed()	# DIR: busybox reads no compressed modules
{
	find "$1" -name '*.ko.xz' -exec xz -d {} + && find "$1" -name '*.ko.zst' -exec zstd -q -d --rm {} +
}

unpack_kernel()	# DIR: the newest kernel of the suites, unpacked there; prints its release
{
	local version release package
	version=$(vm_apt apt-cache madison linux-image-cloud-amd64 | awk '{ print $3 }' | sort -V | tail -n 1)
	[ -n "$version" ] || return 1
	release=$(vm_apt apt-cache show "linux-image-cloud-amd64=$version" |
		sed -n 's/^Depends:.* linux-image-\([0-9][^ ]*\) .*/\1/p' | head -n 1)
	[ -n "$release" ] || return 1
	# From 6.19 on the image is an empty package beside the binary, the modules and what both are listed in.
	for package in linux-image linux-base linux-binary linux-modules; do
		vm_apt apt-cache show "$package-$release=$version" >/dev/null 2>&1 || continue
		(cd "$1" && vm_apt apt-get -qq download "$package-$release=$version" && dpkg-deb -x "$package-$release"_*.deb root) ||
			return 1
	done
	echo "$release"
}

build_kernel()	# SUITES DIR
{
	local dir=$2 release base modules module
	mkdir -p "$dir/root" && build_apt "$1" && release=$(unpack_kernel "$dir") || return 1
	[ -d "$dir/root/lib" ] || ln -s usr/lib "$dir/root/lib"
	cp "$(find "$dir/root" -name 'vmlinuz*' | head -n 1)" "$dir/vmlinuz" || return 1
	base=$dir/base
	modules=lib/modules/$release
	mkdir -p "$base/$modules" "$base/bin" "$base/sbin" "$base/dev" && cp /bin/busybox "$base/bin/" || return 1
	ln -s busybox "$base/bin/sh" && ln -s ../bin/busybox "$base/sbin/modprobe"
	cp "$dir/root/$modules"/modules.{order,builtin,builtin.modinfo} "$base/$modules/" || return 1
	depmod -b "$dir/root" "$release" || return 1
	for module in $MODULES; do
		modprobe -d "$dir/root" -S "$release" --show-depends "$module" || echo "none $module"
	done 2>/dev/null | awk '{ print $1, $2 }' | sort -u | while read -r kind file; do
		case $kind in
		insmod) file=${file#"$dir/root/"} && mkdir -p "$base/${file%/*}" && cp "$dir/root/$file" "$base/$file" ;;
		none) note "kernel $release has no module $file" ;;
		esac
	done
	decompressed "$base" && depmod -b "$base" "$release" && cpio_of "$base" "$dir/base.cpio" && rm -rf "$dir/root" "$base" "$dir"/*.deb
}

cpio_of()	# DIR FILE
{
	(cd "$1" && find . | cpio --quiet -o -H newc -R 0:0) >"$2.new" && mv "$2.new" "$2"
}

build_root()	# DIR
{
	local uri
	uri=$(mirror bookworm)
	[ -n "$uri" ] || die "this machine's apt knows no Debian mirror"
	mmdebstrap --quiet --variant=minbase --include="$ROOT_PACKAGES" \
		--customize-hook='sh tests/vm/guest/customize "$1"' bookworm "$1/root" "$uri" &&
		truncate -s 2G "$1/img" && mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$1/root" "$1/img" && rm -rf "$1/root"
}

# Made beside its place and moved there when complete: what is interrupted is made again.
once()		# PLACE CMD...: CMD gets the directory to work in as its last argument
{
	local place=$1 start=$SECONDS
	shift
	[ ! -e "$place" ] || return 0
	note "building ${place##*/}"
	rm -rf --one-file-system "$place.new" && mkdir -p "$place.new" && "$@" "$place.new" && mv "$place.new" "$place" ||
		die "cannot build ${place##*/}"
	note "built ${place##*/} in $((SECONDS - start)) s"
}

build_tests()
{
	local dir
	dir=$(mktemp -d "$CACHE/tests.XXXXXX") && chmod 755 "$dir" || return 1
	make --no-print-directory -s -C tests install INSTALL_PATH="$dir/sever" >"$CACHE/tests.log" 2>&1 ||
		die "make -C tests install failed: $(tail -n 3 "$CACHE/tests.log")"
	install -m 755 tests/vm/guest/init "$dir/init" && install -m 755 tests/vm/guest/report "$dir/sever/report" &&
		cpio_of "$dir" "$CACHE/tests.cpio" || return 1
	rm -rf "$dir"
}

# An accelerator that qemu offers may still not run a kernel: the first words of this one tell.
accelerator()	# KERNEL
{
	local log=$CACHE/accel.log
	rm -f "$log"
	[ -w /dev/kvm ] && timeout 5 qemu-system-x86_64 -accel kvm -m 256 -display none -no-reboot -kernel "$1" \
		-append "console=ttyS0 panic=-1" -serial file:"$log" -monitor none >/dev/null 2>&1
	if grep -qs 'Linux version' "$log"; then echo kvm; else echo tcg; fi
}

kernel_of() { echo "$CACHE/kernel-${1//,/+}"; }	# SUITES

build()		# [ROW...]
{
	local r
	scripts/deps vm || return 1
	umask 022
	mkdir -p "$CACHE/out" || die "cannot write to $CACHE"
	# shellcheck disable=SC2046
	[ $# -gt 0 ] || set -- $(rows)
	for r; do
		row "$r"
		once "$(kernel_of "$SUITES")" build_kernel "$SUITES"
		[ "$GUEST" != system ] || once "$CACHE/root-$(root_id)" build_root
	done
	[ -e "$CACHE/accel" ] || accelerator "$(kernel_of "$SUITES")/vmlinuz" >"$CACHE/accel"
	build_tests
}

root_id() { { echo "$ROOT_PACKAGES"; cat tests/vm/guest/customize; } | sha256sum | cut -c 1-12; }
