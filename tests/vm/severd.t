#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# severd.t - the resident half as a unit: activated by its socket, hardened, crashed and back; real log-ins attributed at once; what the
# journal says of it.
. "$(dirname "$0")/../guest.sh"

severd_unit || exit 1

is_up() { systemctl is-active --quiet severd.service; }
main_pid() { systemctl show -P MainPID severd.service; }
events() { grep "\"event\":\"$1\"" "$T/watch.out" | grep -- "${2-}"; }
told() { [ "$(events "$@" | wc -l)" -ge 1 ]; }
entries() { journalctl -o json --no-pager "$@" | wc -l; }
again() { [ "$(main_pid)" != "$was" ] && is_up; }

ok "socket activation: the socket" systemctl start severd.socket
ok "not up yet" not is_up
sever_run list --json sessions
is "$RC" 0 "socket activation: the first call"
ok "started it" until_true 20 is_up
spawn watch "$SEVER" watch --json
first=$(main_pid)
login phone alice $A
login desk bob $B
id=$(session phone)
ok "WTS-12 a real log-in is told of" until_true 5 told session.open "\"session\":\"$id\""
cut_by sever_run disconnect --json --session "$id" --reason 'ticket 4711'
is "$RC:$(summary dead)" 0:1 "WTS-1 her session's connection is cut"
request=$(summary request)
ok "bob's lives" echoes desk
ok "WTS-12 session.disconnected" until_true 5 told session.disconnected "\"session\":\"$id\""
ok "WTS-12 session.close: logind has ended it" until_true 30 told session.close "\"session\":\"$id\""
journalctl --sync
ok "TSG-6 the journal: accepted, done and the connection, by the request's id" [ "$(entries "SEVER_REQUEST=$request")" = 3 ]
ok "the reason stands in it" [ "$(entries SEVER_REASON='ticket 4711')" -ge 1 ]

sleep 17 # longer than its watchdog waits
is "$(main_pid)" "$first" "it tells its watchdog that it is alive"

# --- rights

for_anyone
setpriv --reuid alice --regid alice --init-groups "$SEVER_ANYONE" kill --json --user bob >"$OUT" 2>"$ERR" </dev/null
RC=$? SEVER_ARGS="kill --user bob, as alice"
is "$RC" 4 "NET-6 alice may not cut bob"
ok "NET-6 he lives" echoes desk

# --- restart, crash, watchdog

was=$(main_pid)
ok "restart" systemctl restart severd.service
ok "another process" again
sever_run list --json sessions --user bob
is "$RC:$(grep -c '"session":' "$OUT")" 0:1 "the session is known"
was=$(main_pid)
kill -9 "$was"
ok "killed: it comes back" until_true 20 again
was=$(main_pid)
kill -STOP "$was"
ok "hung: the watchdog ends it, and it comes back" until_true 15 again
sever_run kill --json --user bob
is "$RC:$(summary dead)" 0:1 "and works"
diag "$(systemd-analyze security --no-pager severd.service | tail -n 1)"
systemctl stop severd.socket severd.service
ok "--detach-all" "$TESTS/bin/severd" --detach-all
done_testing
