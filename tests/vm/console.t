#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# console.t - sessions that no connection carries: one at the machine's own seat, and a job's.
. "$(dirname "$0")/../guest.sh"

on_seat() { [ "$(logind_knows "$1" Seat)" = seat0 ]; }
opened() { SEEN=$(loginctl --no-legend list-sessions | awk -v u="$1" '$3 == u { print $1 }') && [ -n "$SEEN" ]; }
runs() { [ "$(systemctl is-active "$1")" = active ]; }

# What getty does for who types a name and a password: PAM as `login` uses it, on a virtual terminal.
systemd-run --quiet --unit=seat -p PAMName=login -p TTYPath=/dev/tty9 -p StandardInput=tty -p User=carol sleep 1000
ok "WTS-5: carol is at the console" until_true 20 opened carol
seat=$SEEN
ok "WTS-5: that is a seat, says logind" on_seat "$seat"
# A job under cron's PAM: a session without terminal or seat.
systemd-run --quiet --unit=job -p PAMName=cron -p User=bob sleep 1000
ok "WTS-5: bob has a job" until_true 20 opened bob
job=$SEEN
login phone alice $A

sever_run list sessions --json
is "$(all_listed)" "$(sessions)" "WTS-9: list sessions agrees with loginctl on all of them"
is "$(listed "$seat" leader):$(listed "$job" leader)" "$(logind_knows "$seat" Leader):$(logind_knows "$job" Leader)" \
	"WTS-9: and on who leads those that no connection carries"
is "$(listed "$seat" tty):$(listed "$seat" transports):$(listed "$seat" client)" tty9:0:null "WTS-5: the console, and nobody's address"
for verb in kill disconnect; do
	sever_run $verb --json --session "$seat"
	is "$RC" 1 "WTS-5: $verb: nothing to cut at the console"
	like "$(cat "$ERR")" "session $seat has no connection to cut: it is on the console, tty9" "WTS-5: $verb: and why"
	ok "WTS-5: $verb: one line says so" one_line
	sever_run $verb --json --session "$job"
	is "$RC" 1 "WTS-5: $verb: nothing to cut of a job"
	like "$(cat "$ERR")" "session $job has no connection to cut: it was opened on this machine" "WTS-5: $verb: and why"
done
sever_run disconnect --json --user carol
is "$RC" 1 "WTS-5: by user neither"
ok "WTS-5: carol is still at the console" runs seat
ok "WTS-5: bob's job still runs" runs job
ok "WTS-5: alice works" echoes phone
is "$(sessions)" "$(sorted "$seat" "$job" "$(session phone)")" "WTS-5: logind has them all"
systemctl stop seat job

done_testing
