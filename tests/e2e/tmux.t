#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tmux.t - a session that outlives its connection and two that do not quite; sever says which is which before it cuts.
. "$(dirname "$0")/../services.sh"
needs tmux
services_up && sshd_up || exit 1
export TERM=xterm

alice_can_count
survives() { session_cut "audit:$1" survives; }	# SESSION
what_survives() { echo "$(survives "$mux") $(survives "$plain") $(survives "$nohup")"; }

# tmux discards what its terminal has not shown yet: it may start when we have read the greeting.
AFTER="$GREETING; read -r go; exec tmux -L t"
talk tmux ssh_to alice $A -tt $HOST "$AFTER new sh count tmux"
talk plain ssh_to alice $A -tt $HOST "$GREETING; sh count plain; echo never"
talk nohup ssh_to alice $B $HOST "setsid nohup sh count nohup >/dev/null 2>&1 </dev/null & $GREETING; exec cat"
greeted tmux plain nohup && say tmux go
mux=$(session tmux) plain=$(session plain) nohup=$(session nohup)
for file in tmux plain nohup; do
	ok "WTS-1: a counter runs: $file" counts $file
done

# --- said before, true after -----------------------------------------------------------------------

WANT="multiplexer nothing detached-only"
sever_run disconnect --json --user alice --dry-run
is "$RC:$(what_survives)" "0:$WANT" "WTS-1: what will survive is known from a dry run"
ok "WTS-1: which cuts nothing" echoes nohup
server=$(session_cut "audit:$mux" survivor)
is "$(cat "/proc/$server/comm")" "tmux: server" "WTS-1: and which process will"

was=$(counter tmux)
cut_by sever_run disconnect --json --user alice
is "$RC:$(summary dead):$(summary stage)" 0:3:verified "WTS-1: her three transports are gone"
is "$(what_survives)" "$WANT" "WTS-1: the same is said with the cut"
is "$(grep -n '"flow"' "$OUT" | head -n 1 | cut -d : -f 1)" 4 "WTS-1: before it, for each session"
for name in tmux plain nohup; do
	ok "WTS-1: the client ends within a second: $name" ended_in_time $name
	is "$(rc_of $name)" 255 "WTS-1: as ssh does when cut: $name"
done
ok "WTS-1: plain: nothing survives" until_true 10 session_over "$plain"
ok "WTS-1: nohup: the counter goes on" counts nohup
ok "WTS-1: tmux: the counter goes on" counts tmux
sever_run list sessions --json --user alice
is "$RC:$(listed "audit:$mux" transports):$(listed "audit:$mux" client)" 0:0:null "WTS-1: it is listed, with no transport"
unlisted() { sever_run list sessions --json --user alice; [ -z "$(listed "audit:$1" session)" ]; }
ok "WTS-1: the plain one is not, once its last process is gone" until_true 10 unlisted "$plain"
sever_run disconnect --json --session "audit:$mux"
if [ -n "${SEVER_RESIDENT-}" ]; then # who saw it end
	is "$RC:$(summary already):$(summary dead)" 0:true:0 "WTS-6: disconnected again: it was already, and that is no error"
	sever_run disconnect --session "audit:$mux"
	is "$RC:$(cat "$OUT" "$ERR")" "0:nothing was cut; session audit:$mux was disconnected already" "WTS-6: in words"
	sever_run disconnect --json --session "audit:$mux" --session audit:4294967294
	is "$RC:$(summary already)" 1:false "WTS-6: not beside one that there is not"
	sever_run kill --json --session "audit:$mux"
	is "$RC:$(summary already)" 1:false "WTS-6: nor for a kill"
else
	is "$RC:$(summary already)" 1:false "WTS-6: nobody knows that it was ever connected"
fi
sever_run disconnect --json --user alice
is "$RC" 1 "WTS-6: there is nothing of hers left to disconnect"
ok "WTS-6: which does it no harm" counts tmux

# --- back to it ------------------------------------------------------------------------------------

talk again ssh_to alice $B -tt $HOST "$AFTER attach"
greeted again && say again go
ok "WTS-2: back from another address: the same counter, not begun anew" until_true 10 shows again "$was"
is "$(cat "/proc/$server/comm")" "tmux: server" "WTS-2: kept by the same process"
sever_run list sessions --json --user alice
new=$(session again)
is "$RC:$(listed "audit:$new" transports):$(listed "audit:$new" client)" "0:1:$B" "WTS-2: the new transport is listed"
is "$(listed "audit:$mux" session)" "audit:$mux" "WTS-2: and the old session under its old name"
sever_run disconnect --json --user alice
is "$RC:$(summary dead)" 0:1 "WTS-2: cut again"
ok "WTS-2: the counter goes on again" counts tmux

done_testing
