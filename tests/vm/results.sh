# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# results.sh - what the rows have found out, as a table: RESULTS.md is written by the run, not by people. Sourced by scripts/vm.
#
# A guest says it in comments of its TAP: "# guest: kernel RELEASE", "# doctor: JSON", "# list: JSON" (tests/vm/guest/report).

field() { sed -n "s/^# $2: //p" "$1/tap"; }	# DIR NAME

# For each probe what doctor said, in its order: NAME<tab>what it is<tab>"works" or the kernel's errno<tab>why
probes()	# DIR
{
	field "$1" doctor | jq -r 'select(.probe) | [.probe, .what, (if .works then "works" else .errno end), .detail // ""] | @tsv'
}

tested()	# DIR: programs that passed, of those that ran
{
	awk '/^ok .*# SKIP/ { next } /^(not )?ok [0-9]+ (unit|e2e|vm)\// { n++; good += $1 == "ok" }
		END { print (n ? good " of " n : "did not run") }' "$1/tap"
}

cells()		# TITLE FUNCTION-OF-DIR ARGS...: a line of the table
{
	local title=$1 f=$2 r
	shift 2
	printf '| %s |' "$title"
	for r in $ROWS; do
		printf ' %s |' "$("$f" "$OUTS/$r" "$@" | head -n 1)"
	done
	echo
}

release() { field "$1" guest | sed -n 's/^kernel //p'; }
guest() { awk -v n="${1##*/}" '$1 == n { print $3 == "bare" ? "initramfs alone" : "Debian 12, systemd" }' tests/vm/matrix; }
verdict() { field "$1" doctor | jq -r 'select(.summary) | .summary | if .able then "able, \(.refused) of \(.probes) refused" else "not able" end'; }
owners() { field "$1" list | jq -r '.summary.owners'; }
of_probe() { probes "$1" | awk -F '\t' -v p="$2" '$1 == p { print $3 }'; }
failed() { grep -c '^not ok' "$1/tap"; }

reasons()	# what is refused or fails somewhere, with the kernel's reason
{
	local r
	for r in $ROWS; do
		probes "$OUTS/$r" | awk -F '\t' -v r="$r" '$3 != "works" { print "* " r ": `" $1 "` (" $2 "): " $3 ", " $4 }'
		sed -n "s/^not ok [0-9]* -\\{0,1\\} *\\(.*\\)/* $r: **failed**: \\1/p" "$OUTS/$r/tap"
	done
}

skips()		# programs, and points of those that ran
{
	local r
	for r in $ROWS; do
		sed -n "s/^\(  \)\{0,1\}ok [0-9]* \(- \)\{0,1\}\(.*\) # SKIP \(.*\)/* $r: \3: \4/p" "$OUTS/$r/tap"
	done
}

results()	# DIR ROW...
{
	local probe what
	OUTS=$1
	shift
	ROWS=$*
	cat <<-'END'
		# What works on which kernel

		Written by `make check-vm`, which boots each of these kernels of Debian's and runs the tests there; not by hand.
		A cell says what `sever doctor` found on that kernel by trying it: works, or the kernel's own reason.

	END
	cells "" basename
	printf '|---|'
	for _ in "$@"; do printf -- '---|'; done
	echo
	cells kernel release
	cells guest guest
	cells "\`sever doctor\`" verdict
	cells "owners are read by" owners
	while IFS=$'\t' read -r probe what _; do
		cells "\`$probe\`: $what" of_probe "$probe"
	done < <(for r in "$@"; do probes "$OUTS/$r"; done | awk -F '\t' '!seen[$1]++')
	cells "test programs passed" tested
	cells "failed" failed
	printf '\n## Refused or failing, and why\n\n'
	reasons
	printf '\n## Not run there, and why\n\n'
	skips
}
