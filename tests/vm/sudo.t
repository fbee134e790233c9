#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# sudo.t - who became root inside of a session is still who logged in.
. "$(dirname "$0")/../guest.sh"
echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alice

start srv listen tcp 0.0.0.0 7000
login phone alice $A
login work bob $B
talk up ssh_to alice $A $HOST "$GREETING; exec sudo nc 127.0.0.1 7000"
greeted up
there() { [ -n "$(to_port 7000)" ]; }
ok "X-4: a connection made by root inside of her session" until_true 20 there
flow=$(to_port 7000)
is "$(dump | awk -v c="$flow" '$4 == c { print $7 }')" 0 "X-4: the socket is root's"
sever_run list flows --json --user alice
is "$(flow_field "$flow" user):$(flow_field "$flow" session):$(flow_field "$flow" via)" "alice:$(session up):session" \
	"X-4: the flow is alice's"
sever_run list flows --json --user root
is "$(flow_line "$flow")" "" "X-4: and not root's"
is "$(sessions)" "$(sorted "$(session phone)" "$(session up)" "$(session work)")" "X-4: sudo opened no session of its own"

cut_by sever_run kill --json --user alice
is "$RC:$(summary dead)" 0:3 "X-4: she is cut, and what root did for her"
ok "X-4: the connection is gone" gone "$flow"
# Her shell dies with its transport, and nc with the shell: on a slow machine even before its turn comes.
like "$(ask srv ends)" "^(ECONNRESET|EOF)=1$" "X-4: its other end has seen the end"
ok "X-4: her clients end: the shell" ended_in_time phone
ok "X-4: her clients end: the one with sudo" ended_in_time up
ok "X-4: bob works" echoes work
rm -f /etc/sudoers.d/alice

done_testing
