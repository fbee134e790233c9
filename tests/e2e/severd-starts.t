#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# severd-starts.t - how severd begins, on a host where nothing is prepared for it, and how it ends.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/resident.sh"

ends()	# SIGNAL: sets RC, what it exits with
{
	kill "-$1" "$(pid_of severd)"
	wait "$(pid_of severd)"
	RC=$?
}

# --- nothing is there: no directory in /run, no standard descriptors

is "$(ls /run)" "" "a host that knows nothing of it"
(umask 077 && exec "$SEVERD" --no-pins --state-dir "$STATE" <&- >&- 2>&-) &
remember severd $!
answers() { "$SEVER" fence list >"$OUT" 2>"$ERR"; } # nobody else does
ok "it serves at the usual place, with nothing to read from or write to" until_true 20 answers
is "$(stat -c %a:%F /run/sever)" 755:directory "where everybody may come"
ends TERM
is "$RC" 0 "told to stop: exit 0"
is "$(ls /run/sever)" "" "the socket is gone"

# --- as in a terminal

severd_up || exit 1
ends INT
is "$RC:$(cat "$T/severd.out")" "0:severd: ready" "interrupted: exit 0, and nothing is said"
ok "nothing of it stays" "$SEVERD" --detach-all --pin-dir "$PINS"

# --- what it is told does not do

"$SEVERD" --socket io.sever >"$OUT" 2>"$ERR"
is "$?:$(cat "$ERR")" "2:severd: --socket: not an absolute path of less than 108 bytes: io.sever" "bad usage: exit 2, and what is wrong"
"$SEVERD" --socket "$SOCKET" --state-dir "$STATE" --pin-dir "$T/pins" >"$OUT" 2>"$ERR"
is "$?:$(cat "$ERR")" "2:severd: $T/pins is not in a bpffs" "a place where nothing can be pinned: exit 2"
done_testing
