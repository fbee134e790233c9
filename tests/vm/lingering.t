#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# lingering.t - what outlives a log-in where systemd keeps the user's processes: tmux under the lingering manager of the user, what
# sever says of it before, and the way back.
. "$(dirname "$0")/../guest.sh"
export TERM=xterm

loginctl enable-linger alice
alice_can_count
survives() { session_cut "$1" survives; }	# SESSION
plain_runs() { pgrep -u alice -f 'sh count plain' >/dev/null; }

# As the manual of loginctl has it. The session's own scope holds the shell and the client, not the server.
SCOPE="systemd-run --quiet --user --scope tmux -L t"
talk mux ssh_to alice $A -tt $HOST "$GREETING; read -r go; exec $SCOPE new sh count scope"
talk plain ssh_to alice $B -tt $HOST "$GREETING; sh count plain; echo never"
greeted mux plain && say mux go
mux=$(session mux) plain=$(session plain)
ok "WTS-1: the counter in tmux runs" counts scope
ok "WTS-1: the plain one runs" counts plain
server=$(pgrep -u alice -x 'tmux: server')
like "$(cat "/proc/$server/cgroup")" "/user@$ALICE\\.service/" "WTS-1: tmux is the user manager's"

sever_run disconnect --json --user alice --dry-run
is "$RC:$(survives "$mux"):$(survives "$plain")" 0:multiplexer:nothing "WTS-1: what will survive is known before"
was=$(counter scope)
cut_by sever_run disconnect --json --user alice
is "$RC:$(summary dead):$(summary stage)" 0:2:verified "WTS-1: both transports are gone"
is "$(survives "$mux"):$(survives "$plain")" multiplexer:nothing "WTS-1: the same is said with the cut"
ok "WTS-1: the client ends within a second: tmux" ended_in_time mux
ok "WTS-1: the client ends within a second: plain" ended_in_time plain
ok "WTS-1: logind ends both sessions" until_true 20 nobody_there
ok "WTS-1: the counter in tmux goes on" counts scope
ok "WTS-1: the plain one does not" until_true 10 not plain_runs
is "$(pgrep -u alice -x 'tmux: server')" "$server" "WTS-1: in the same server"

sever_run list sessions --json --user alice
is "$(all_listed):$(listed "audit:$mux" transports)" "audit:$mux:0" "WTS-2: it is listed, without a transport"
talk again ssh_to alice $B -tt $HOST "$GREETING; read -r go; exec tmux -L t attach"
greeted again && say again go
new=$(session again)
ok "WTS-2: back from another address: the same counter, not begun anew" until_true 20 shows again "$was"
sever_run list sessions --json --user alice
is "$(all_listed)" "$(sorted "$new" "audit:$mux")" "WTS-2: the session that was left, and the new log-in"
is "$(listed "$new" client):$(listed "$new" transports)" "$B:1" "WTS-2: which has the transport"
sever_run disconnect --json --session "$new"
is "$RC:$(summary dead)" 0:1 "WTS-2: and can be cut again"
ok "WTS-2: the counter goes on again" counts scope
ok "WTS-1: no session is left behind in loginctl" until_true 20 nobody_there
kill "$server"
gone_too() { sever_run list sessions --json; [ -z "$(all_listed)" ]; }
ok "WTS-9: once tmux has ended nothing is listed" until_true 10 gone_too

done_testing
