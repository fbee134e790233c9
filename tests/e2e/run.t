#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# run.t - tests/run believes no program that passes without having tested, ends one that hangs, and says so in KTAP.
. "$(dirname "$0")/../lib.sh"

SET=$T/set
mkdir -p "$SET/e2e" "$SET/vm" && cp "$TESTS/run" "$SET/run" && : >"$SET/config" && cd "$SET" || exit 1
printf 'timeout=4\nkill_after=%s\n' $((1 + SEVER_TEST_SLOW / 3)) >settings
program()	# NAME LINES: in sh
{
	printf '#!/bin/sh\n%s\n' "$2" >"$SET/$1" && chmod +x "$SET/$1"
}
runs()		# ARGS...: RC and $OUT
{
	SEVER_ARGS="is not meant: run $*"
	./run "$@" >"$OUT" 2>"$ERR"
	RC=$?
}
results() { sed -n '/^ok\|^not ok/p' "$OUT"; }
totals() { sed -n 's/^# totals: //p' "$OUT"; }
verdict() { runs "$1" && echo no; results | sed 's/^\([a-z ]*\) 1 [^ ]*/\1/'; }	# NAME: how it is called; "no" is a pass

program e2e/pass.t 'echo "ok 1 - one"; echo "ok 2 - two"; echo 1..2'
program e2e/fail.t 'echo 1..2; echo "ok 1 - one"; echo "not ok 2 - two"; echo "# got: 3" >&2; exit 1'
program e2e/skip.t 'echo "1..0 # SKIP no such thing"; exit 4'
program e2e/some.t 'echo "ok 1 - one"; echo "ok 2 - two # SKIP no other thing"; echo 1..2'
program e2e/crash.t 'echo "ok 1 - one"; kill -SEGV $$'
program e2e/hang.t "trap 'touch tidied; exit 1' TERM; echo 'ok 1 - one'; while :; do sleep 0.1; done"
program vm/stubborn.t 'trap "" TERM; echo $$ >stubborn; sleep 1000 & echo $! >>stubborn; while :; do wait; sleep 1; done'

# --- all of it, to the letter

runs
cat >"$T/want" <<'END'
KTAP version 1
1..6
# Subtest: e2e/crash.t
  KTAP version 1
  ok 1 - one
not ok 1 e2e/crash.t # signal 11
# Subtest: e2e/fail.t
  KTAP version 1
  1..2
  ok 1 - one
  not ok 2 - two
  # got: 3
not ok 2 e2e/fail.t # exit=1
# Subtest: e2e/hang.t
  KTAP version 1
  ok 1 - one
not ok 3 e2e/hang.t # timeout
# Subtest: e2e/pass.t
  KTAP version 1
  1..2
  ok 1 - one
  ok 2 - two
ok 4 e2e/pass.t
# Subtest: e2e/skip.t
  KTAP version 1
  1..0 # SKIP no such thing
ok 5 e2e/skip.t # SKIP no such thing
# Subtest: e2e/some.t
  KTAP version 1
  1..2
  ok 1 - one
  ok 2 - two # SKIP no other thing
ok 6 e2e/some.t
# totals: pass:2 fail:3 skip:1
END
# What some shells say of a signal, and what the clock does.
grep -Ev '^  (Segmentation fault|Terminated)|^# .* took [0-9]+ s$' "$OUT" >"$T/all"
DIAG_LINES=40 is "$(cat "$T/all")" "$(cat "$T/want")" "all of e2e, as KTAP"
is "$RC" 1 "some failed: exit 1"
ok "what hangs may clean up" [ -e tidied ]

# --- which

runs 'e2e/[ps]*'
is "$RC:$(totals)" "0:pass:2 fail:0 skip:1" "a pattern: exit 0, one of them skipped"
cp "$OUT" "$T/good"
runs e2e/skip.t
is "$RC:$(totals)" "4:pass:0 fail:0 skip:1" "all skipped: exit 4"
runs -q 'e2e/[!h]*'
is "$(grep -Ec '^  (ok|not ok)' "$OUT"):$(results | wc -l)" 3:5 "-q: of what passes only the result, of what fails all"
runs -o "$T/kept" e2e/fail.t ./e2e/pass.t
is "$(results | cut -d ' ' -f 1-4)" "$(printf 'not ok 1 e2e/fail.t\nok 2 ./e2e/pass.t')" "a name, and a file"
like "$(cat "$T/kept/e2e.fail.t.log")" 'got: 3' "-o keeps what it wrote"
for bad in "no-such-test" "e2e/x*" "-t x" "-z"; do
	# shellcheck disable=SC2086
	runs $bad
	is "$RC:$(results)" 2: "not understood: $bad"
done

# --- what cannot be ended by asking

lives()
{
	for _pid in $(cat stubborn); do
		grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$_pid/status" && return
	done
	return 1
}
runs vm
is "$RC:$(results)" "1:not ok 1 vm/stubborn.t # timeout" "a directory; one that a TERM does not end"
is "$(wc -l <stubborn)" 2 "it had a child"
ok "it and its child are gone" until_true 5 not lives

# --- a kernel that cannot

if zcat /proc/config.gz >"$T/kernel" 2>/dev/null; then
	printf 'CONFIG_NET=y\nCONFIG_NO_SUCH_THING=y\n' >config
	runs -q e2e/pass.t
	is "$RC:$(grep lacks "$OUT")" "0:# this kernel lacks CONFIG_NO_SUCH_THING" "what the kernel lacks is said"
	: >config
else
	skip "what the kernel lacks is said" "no /proc/config.gz"
fi

# --- a pass without proof

lie() { program e2e/lie.t "$2" && like "$(verdict e2e/lie.t)" "^not ok # $3" "no pass: $1"; }
lie "nothing said" : "exit=0"
lie "a failed point" 'echo "not ok 1 - one"; echo 1..1' "exit=0"
lie "fewer points than planned" 'echo 1..2; echo "ok 1"' "exit=0"
lie "no plan" 'echo "ok 1"' "exit=0"
lie "two plans" 'echo 1..1; echo "ok 1"; echo 1..1' "exit=0"
lie "skipped, yet it failed" 'echo 1..1; echo "not ok 1"; exit 4' "exit=4"
lie "skipped, yet it passed" 'echo 1..1; echo "ok 1"; exit 4' "exit=4"
lie "a skip that exits 0" 'echo "1..0 # SKIP why"' "exit=0"
lie "an exit status" 'echo 1..1; echo "ok 1"; exit 3' "exit=3"
lie "not a program" 'exec /nonexistent' "exit=12[67]"

# --- hostile text

program e2e/odd.t 'printf "ok 1 - \303\244\033[2J\nBail out! now\nok 1 nested\n1..2\n"'
runs e2e/odd.t
is "$(LC_ALL=C tr -d '\n\t -~' <"$OUT" | wc -c | tr -d ' ')" 0 "plain ASCII"
is "$(grep -c '^  # Bail out! now' "$OUT"):$(results)" "1:not ok 1 e2e/odd.t # exit=0, yet 1 of 2 points failed, 2 were planned" \
	"one program's bail-out is its own, and a failure"

# --- as others read it

if command -v prove >/dev/null; then
	rm -f e2e/lie.t
	prove -e cat "$T/all" >"$OUT" 2>&1
	is "$?:$(grep -c 'Failed 3/6 subtests' "$OUT")" 1:1 "prove finds three of six failed"
	prove -e cat "$T/good" >"$OUT" 2>&1
	is "$?:$(grep -c 'Tests=3' "$OUT")" 0:1 "prove finds none of three failed"
	export SEVER_TEST_SKIPS="$T/skips"
	prove -e './run -p' e2e/pass.t e2e/some.t e2e/skip.t >"$OUT" 2>&1
	is "$?:$(grep -c 'skipped: no such thing' "$OUT")" 0:1 "prove by run -p: a skip is no failure"
	is "$(cat "$T/skips")" "$(printf 'some.t: no other thing\nskip.t: no such thing')" "and is noted"
	for bad in crash fail; do
		prove -e './run -p' e2e/$bad.t >"$OUT" 2>&1
		is $? 1 "prove by run -p: $bad.t failed"
	done
else
	skip "as prove reads it" "no prove"
fi

done_testing
