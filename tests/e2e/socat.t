#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# socat.t - a service without log-ins, and a relay: both ends are told, and both legs end.
. "$(dirname "$0")/../services.sh"
needs socat
services_up || exit 1

# --- one service -----------------------------------------------------------------------------------

spawn server socat -d -d TCP-LISTEN:7001,bind=$HOST,reuseaddr,fork EXEC:cat
until_true 10 listening 7001
client() { talk "$1" socat -d -d - "TCP:$HOST:$3,bind=$2" && echoes "$1"; }	# NAME CLIENT PORT
client one $A 7001
client two $B 7001
cut_by sever_run disconnect --json --netns self --client $A
is "$RC:$(summary matched):$(summary dead)" 0:1:1 "TSG-7: where there are no sessions, what was accepted is transport"
ok "TSG-7: the client ends within a second" ended_in_time one
ok "TSG-7: it saw ECONNRESET" grep -q 'Connection reset by peer' "$T/one.err"
ok "TSG-7: the server saw ECONNABORTED" until_true 10 grep -q 'Software caused connection abort' "$T/server.out"
ok "TSG-7: the client beside it works" echoes two
ok "TSG-7: the service takes new ones" client three $A 7001

# --- a relay ---------------------------------------------------------------------------------------

spawn relay socat TCP-LISTEN:7002,bind=$HOST,reuseaddr,fork TCP:$HOST:7003
until_true 10 listening 7002
talk backend socat -u TCP-LISTEN:7003,bind=$HOST,reuseaddr -
until_true 10 listening 7003
talk front socat - TCP:$HOST:7002,bind=$A
say front "through the relay"
ok "TSG-10: the backend hears the client" until_true 10 grep -q through "$T/backend.out"
leg=$(at_port 7002)
cut_by sever_run disconnect --json --netns self --client $A --local-port 7002
is "$RC:$(handles)" "0:$leg" "TSG-10: the front leg is cut"
ok "TSG-10: the backend's end ends within a second" ended_in_time backend
ok "TSG-10: the client's too" ended_in_time front
is "$(at_port 7003)$(to_port 7003)" "" "TSG-10: neither leg is left"
ok "TSG-10: others are untouched" eval 'echoes two && echoes three'
ok "TSG-10: the relay listens" listening 7002

done_testing
