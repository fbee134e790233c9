#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# distribution.t - what `make install` leaves: files where they belong, units that systemd takes and that start what was installed,
# a group and directories that can be made, a manual that says what the journal is told.
. "$(dirname "$0")/../lib.sh"

TOP=$TESTS/..
command -v make >/dev/null || skip_all "no make here"
[ -e "$TOP/scripts/systemd/severd.service" ] || skip_all "the sources are not here"
ROOT=$T/root UNITS=$T/root/opt/x/lib/systemd/system

mode_of() { stat -c %a "$ROOT/$1" 2>/dev/null; }

make -C "$TOP" --no-print-directory install DESTDIR="$ROOT" PREFIX=/opt/x >"$OUT" 2>"$ERR"
is $? 0 "make install"
installed=$(cd "$ROOT" && find . ! -type d -printf '%m %P\n' | LC_ALL=C sort -k 2)
daemon=
[ ! -e "$TOP/user/daemon/main.c" ] || daemon="
755 opt/x/sbin/severd"
is "$installed" "644 opt/x/lib/systemd/system/severd.service
644 opt/x/lib/systemd/system/severd.socket
644 opt/x/lib/sysusers.d/sever.conf
644 opt/x/lib/tmpfiles.d/sever.conf
755 opt/x/sbin/sever$daemon
644 opt/x/share/bash-completion/completions/sever
644 opt/x/share/man/man5/severd.conf.5
644 opt/x/share/man/man8/sever.8
644 opt/x/share/man/man8/severd.8" "these files, and no other"
make -C "$TOP" --no-print-directory install DESTDIR="$ROOT/2" PREFIX=/usr UNITDIR=/u SYSUSERSDIR=/s TMPFILESDIR=/t >"$OUT" 2>"$ERR"
is "$(cd "$ROOT/2" && find u s t -type f | sort | tr '\n' ' ')" \
	"s/sever.conf t/sever.conf u/severd.service u/severd.socket " "UNITDIR, SYSUSERSDIR, TMPFILESDIR"

is "$(sed -n 's/^ExecStart=//p' "$UNITS/severd.service")" /opt/x/sbin/severd "the unit starts what was installed"
is "$(grep -c '@[A-Z]*@' "$UNITS/severd.service")" 0 "and nothing else was to be filled in"
is "$(sed -n 's/^SocketMode=//p' "$UNITS/severd.socket")" 0666 "everybody may connect"
is "$(sed -n 's/^ListenStream=//p' "$UNITS/severd.socket")" \
	"$(sed -n 's/^\.It Pa \(\/run\/sever\/[^ ]*\)$/\1/p' "$TOP/man/severd.8")" "where the manual says"

# A program of that name and what the units hang on, so that nothing but what is wrong with them is said.
verify()	# [SED-SCRIPT]: systemd-analyze of the installed units, in $ERR
{
	rm -rf "$T/verify" && mkdir -p "$T/verify/units" "$T/verify/bin" &&
		cp /bin/true "$T/verify/bin/severd" || return 1
	sed -e "s|^ExecStart=.*|ExecStart=$T/verify/bin/severd|" -e "${1-}" "$UNITS/severd.service" >"$T/verify/units/severd.service"
	cp "$UNITS/severd.socket" "$T/verify/units"
	SYSTEMD_UNIT_PATH=$T/verify/units: systemd-analyze verify --man=no --recursive-errors=no \
		"$T/verify/units/severd.service" "$T/verify/units/severd.socket" >"$OUT" 2>"$ERR" </dev/null
	RC=$?
	grep -F "$T/verify/units" "$ERR" >"$T/verify/said"
	[ $RC = 0 ] && [ ! -s "$T/verify/said" ]
}
if ! command -v systemd-analyze >/dev/null; then
	skip "systemd-analyze verify" "no systemd-analyze here"
elif verify 's/^Type=.*/Type=notifying/'; then
	tap "not ok" "systemd-analyze sees what is wrong with a unit"
else
	ok "systemd-analyze sees what is wrong with a unit" grep -q "notifying" "$ERR"
	ok "systemd-analyze verify" verify
	[ ! -s "$T/verify/said" ] || diag "$(cat "$T/verify/said")"
fi

if command -v systemd-sysusers >/dev/null && command -v systemd-tmpfiles >/dev/null; then
	mkdir -p "$ROOT/etc" && echo root:x:0:0::/:/bin/sh >"$ROOT/etc/passwd" && echo root:x:0: >"$ROOT/etc/group"
	systemd-sysusers --root="$ROOT" "$ROOT/opt/x/lib/sysusers.d/sever.conf" >"$OUT" 2>"$ERR"
	ok "a group is made" grep -q '^sever:' "$ROOT/etc/group"
	is "$(grep -c sever "$ROOT/etc/passwd")" 0 "and no user"
	systemd-tmpfiles --root="$ROOT" --create "$ROOT/opt/x/lib/tmpfiles.d/sever.conf" >"$OUT" 2>"$ERR"
	is "$(mode_of run/sever) $(mode_of var/lib/sever)" "755 700" "so are the directories, and nobody else looks into the second"
else
	skip "sysusers, tmpfiles" "no systemd-sysusers, systemd-tmpfiles here"
fi

# --- the capabilities that the unit keeps are those that the work needs ---
confined()	# SEVER-ARGS...: as the unit would run it, as far as capabilities go
{
	_caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$UNITS/severd.service" | tr 'A-Z' 'a-z' | sed 's/cap_/+/g; s/ /,/g')
	setpriv --no-new-privs --inh-caps=-all --bounding-set="-all,$_caps" "$SEVER" "$@" >"$OUT" 2>"$ERR" </dev/null
	RC=$?
}
if command -v setpriv >/dev/null; then
	new_netns other
	start srv -u 3001 -l 3001 listen tcp 127.0.0.1 7000
	start cli -u 3002 connect tcp 127.0.0.1 7000 n 3 from 127.0.0.2
	start far -u 3003 -n /run/netns/other listen tcp 127.0.0.1 7001
	start near -u 3004 -n /run/netns/other connect tcp 127.0.0.1 7001
	timeless() { grep '"flow"' | sed 's/"idle_ms":[0-9]*/"idle_ms":0/' | sort; }
	"$SEVER" list flows --json --netns self --netns other | timeless >"$T/asroot"
	confined list flows --json --netns self --netns other
	timeless <"$OUT" >"$T/confined"
	is "$(grep -c '"pid":[0-9]' "$T/asroot")" 8 "root sees who holds each socket"
	is "$(cat "$T/confined")" "$(cat "$T/asroot")" "so do these capabilities"
	confined kill --json --netns self --netns other --user uid:3002 --user uid:3004
	is "$RC:$(summary dead)" 0:4 "and end them, in another namespace as well"
	confined doctor --json
	grep -v '"summary"' "$OUT" | grep -v hook-cgroup >"$T/confined"
	"$SEVER" doctor --json | grep -v '"summary"' | grep -v hook-cgroup >"$T/asroot"
	is "$(cat "$T/confined")" "$(cat "$T/asroot")" "the doctor finds nothing missing"
	ok "having tried" [ "$(wc -l <"$T/asroot")" -gt 10 ]
	for cap in $(sed -n 's/^CapabilityBoundingSet=//p' "$UNITS/severd.service"); do
		is "$(grep -c "^# .*$cap" "$UNITS/severd.service" | grep -vx 0 | wc -l)" 1 "the unit says what $cap is for"
	done
else
	skip "capabilities" "no setpriv here"
fi

# --- what is offered is what is taken ---
offered()	# WORD...: the last one is to be completed
{
	bash -c '. "$0" && COMP_WORDS=(sever "$@") && COMP_CWORD=$# && _sever && printf "%s\n" "${COMPREPLY[@]}"' \
		"$TOP/scripts/completion.bash" "$@" 2>/dev/null
}
if command -v bash >/dev/null; then
	is "$(offered kill --proto '' | tr '\n' ' ')" "tcp udp mptcp " "protocols are offered"
	if new_cgroup web.x && mkdir "$CGROUP_DIR/inner" && sed -i "1i $CGROUP_DIR/inner" "$T/cgroups"; then
		is "$(offered kill --cgroup "$CGROUP" | sort)" "$(sorted "$CGROUP" "$CGROUP/inner")" "control groups are, as /proc/PID/cgroup names them"
		sever_run list --cgroup "$(offered kill --cgroup "$CGROUP/i")"
		is "$RC:$(cat "$ERR")" "1:sever: nothing matched" "and taken"
	else
		skip "control groups are offered" "no cgroup v2 here"
	fi
else
	skip "completion" "no bash here"
fi

# --- the manual says what the code does ---
ok "the manual quotes one thing at a time" not grep -qE 'Dq .* Dq ' "$TOP/man/sever.8" "$TOP/man/severd.8" "$TOP/man/severd.conf.5"
ok "the manual names the protocols" grep -qx '.It Fl Fl proto Ar tcp | udp | mptcp' "$TOP/man/sever.8"
spelled=$(cat "$TOP"/user/daemon/journal_fields.c | grep -o '"SEVER_[A-Z_]*=\|"SEVER_PEER"\|"SEVER_CLIENT"\|put_number(f, "[A-Z_]*"\|{ "[A-Z_]*", "[a-z_]*" }' |
	sed -e 's/put_number(f, "/SEVER_/' -e 's/^{ "\([A-Z_]*\)".*/SEVER_\1/' -e 's/[="]//g' | sort -u)
told=$(grep '^\.It Ev SEVER_\|^\.Ev SEVER_' "$TOP/man/severd.8" | grep -o 'SEVER_[A-Z_]*' | sort -u)
ok "there are fields" [ "$(echo "$spelled" | wc -l)" -gt 20 ]
is "$told" "$spelled" "severd(8) has every field, and none that is not"
is "$(grep -o 'Li [0-9a-f]\{32\}' "$TOP/man/severd.8" | cut -c 4- | sort)" \
	"$(grep -o '"[0-9a-f]\{32\}"' "$TOP/include/sever/messages.h" | tr -d '"' | sort)" "and every MESSAGE_ID"
for key in RuntimeDirectory StateDirectory; do
	is "$(sed -n "s/^$key=//p" "$UNITS/severd.service")" sever "$key"
done

done_testing
