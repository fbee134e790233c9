#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# protocols.t - TCP over IPv4, IPv6 and both at once, UDP, MPTCP, Unix sockets, sockets bound to a device: each is
# cut, or the answer says why not.
. "$(dirname "$0")/../lib.sh"

start tcp listen tcp :: 7001
start udp listen udp :: 7002
start bystander connect tcp 127.0.0.1 7001 from 127.0.0.9
start talker connect udp 127.0.0.1 7002 from 127.0.0.9
unharmed()
{
	accepts 7001 && accepts 7001 ::1 && [ "$(ask bystander echo)$(ask talker echo)" = "ok=1 bad=0ok=1 bad=0" ]
}

# --- families

for from in 127.0.0.2 fd00::2; do
	case $from in fd*) to=fd00::1 ;; *) to=127.0.0.1 ;; esac
	start cli connect tcp $to 7001 from $from n 2
	sever_kill --client $from
	is "$RC:$(summary matched):$(summary dead)" 0:2:2 "TCP from $from: both cut"
	ok "TCP from $from: reset" until_true 1 heard cli ECONNRESET
	ok "TCP from $from: the others live" unharmed
	stop cli
done
start cli connect tcp fd00::1 7001 from fd00::2
for form in FD00::2 fd00:0:0::2 '[fd00::2]' fd00::2/128 fd00::/16; do
	sever_kill --dry-run --client "$form"
	is "$RC:$(summary matched)" 0:1 "IPv6 spelled $form"
done
stop cli

# --- zones of link-local addresses

if ip link add v0 type veth peer name v1 2>/dev/null && ip link set v0 up && ip link set v1 up; then
	ip -6 addr add fe80::10/64 dev v0 nodad
	ip -6 addr add fe80::20/64 dev v0 nodad
	index=$(ip -o link show v0 | cut -d : -f 1)
	start zoned connect tcp fe80::10 7001 from fe80::20 dev v0
	for form in "fe80::20%v0 0:1" "fe80::20%$index 0:1" "fe80::20 0:1" "fe80::20%lo 1:0"; do
		sever_kill --dry-run --local-port 7001 --client "${form% *}"
		is "$RC:$(summary matched)" "${form#* }" "link-local ${form% *}"
	done
	sever_kill --client fe80::20%v0
	is "$RC:$(summary dead)" 0:1 "link-local with a zone: cut"
else
	skip "link-local" "no veth"
fi

# --- sockets bound to a device

start onlo listen tcp 127.0.0.1 7003 dev lo
start locli connect tcp 127.0.0.1 7003 from 127.0.0.2 dev lo
sever_kill --local-port 7003
is "$RC:$(summary dead)" 0:1 "SO_BINDTODEVICE, accepted: cut"
start locli2 connect tcp 127.0.0.1 7003 from 127.0.0.2 dev lo
sever_kill --remote-port 7003
is "$RC:$(summary dead):$(ask locli2 ends)" 0:1:ECONNABORTED=1 "SO_BINDTODEVICE, opened: cut"
ok "SO_BINDTODEVICE: the listener lives" listening 7003

# --- UDP (X-10, K2)

start conn connect udp 127.0.0.1 7002 from 127.0.0.2
victim=$(cookies conn)
sever_kill --proto udp --remote-port 7002 --peer 127.0.0.1 --flow "$victim"
is "$RC:$(flow_field "$victim" outcome)" 0:dead "X-10 connected UDP: dead"
like "$(flow_field "$victim" note)" . "X-10 connected UDP: with a note that it may come back"
ok "X-10 connected UDP: the program is told" until_true 1 heard conn ECONNABORTED
ok "X-10 connected UDP: the server and its other client live" unharmed
server=$(ask udp listeners)
for by in "--local-port 7002 --proto udp" "--pid $(pid_of udp)" "--flow $server"; do
	# shellcheck disable=SC2086
	sever_kill $by
	is "$RC:$(flow_field "$server" outcome)" 3:unsupported "X-10 K2 unconnected UDP by ${by%% *}: unsupported, exit 3"
	like "$(flow_field "$server" note)" . "X-10 K2 unconnected UDP by ${by%% *}: with the reason"
done
sever_kill --local-port 7001-7002 --peer 127.0.0.9 --dry-run
is "$RC:$(summary planned)" 0:1 "X-10 a dry run: what can be cut"
sever_kill --local-port 7002 --dry-run
is "$RC:$(flow_field "$server" outcome):$(summary planned)" 3:unsupported:0 "X-10 K2 a dry run promises no more than that"
like "$(flow_field "$server" note)" unconnected "X-10 K2 and says why"
sever_kill --peer 127.0.0.9 --proto udp
is "$RC" 1 "X-10 K2 a peer it never connected to does not lead to it"
ok "X-10 K2 it serves on" unharmed

# --- MPTCP (X-10, K5)

mptcp_states() { dump | awk '$1 == "mptcp" && $3 == "established" { n++ } END { print n + 0 }'; }
if start mp listen mptcp 127.0.0.1 7004; then
	start mcli connect mptcp 127.0.0.1 7004 from 127.0.0.2
	start mcli3 connect mptcp 127.0.0.1 7004 from 127.0.0.3
	is "$(ask mcli echo)" "ok=1 bad=0" "X-10 MPTCP: talks"
	is "$(mptcp_states)" 4 "X-10 MPTCP: both ends of two connections"
	sever_kill --proto mptcp --peer 127.0.0.0/8 --dry-run
	is "$RC:$(summary planned)" 0:4 "X-10 MPTCP: --proto mptcp selects it alone"
	sever_kill --proto tcp --client 127.0.0.3 --client 127.0.0.9 --dry-run
	is "$RC:$(summary planned)" 0:2 "X-10 MPTCP: --proto tcp selects it, too"
	ask mcli3 echo >/dev/null && sever_run kill --json --pid "$(pid_of mp)" --dry-run
	is "$RC:$(summary matched)" 0:2 "X-10 MPTCP: found by who holds them"
	sever_kill --client 127.0.0.2
	is "$RC:$(summary matched):$(summary dead)" 0:1:1 "X-10 K5 MPTCP: one connection, dead"
	is "$(json_field "$(flow_lines)" proto):$(json_field "$(flow_lines)" engine)" mptcp:pidfd \
		"X-10 K5 MPTCP: through its owner"
	ok "X-10 K5 MPTCP: the client hears the end" until_true 2 heard mcli "end [0-9a-f]* (ECONNRESET|EOF)"
	ok "X-10 K5 MPTCP: and so does the server" until_true 2 heard mp "end [0-9a-f]* "
	is "$(ask mcli3 echo)" "ok=1 bad=0" "X-10 K5 MPTCP: the other client of the same server lives"
	ok "X-10 K5 MPTCP: its listener lives" accepts 7004
	start mcli4 connect mptcp 127.0.0.1 7004 from 127.0.0.4 n 3
	sever_kill --client 127.0.0.4
	is "$RC:$(summary matched):$(summary dead)" 0:3:3 "X-10 K5 MPTCP: three connections that share a client"
	is "$(ask mcli3 echo)" "ok=1 bad=0" "X-10 K5 MPTCP: the bystander lives"
	sever_flow "$(cookies mcli3)"
	is "$RC:$(summary dead)" 0:1 "X-10 K5 MPTCP: the opened end, by handle"
	none_left() { [ "$(mptcp_states)" = 0 ]; }
	ok "X-10 K5 MPTCP: gone on both sides" until_true 2 none_left
	ok "X-10 K5 MPTCP: its listener lives still" accepts 7004
	ok "X-10 K5 MPTCP: TCP and UDP untouched" unharmed
else
	skip "X-10 K5 MPTCP" "this kernel has no MPTCP"
fi

# --- Unix sockets (X-10, K7)

start ux listen unix @sever-test 0
start uxc connect unix @sever-test 0
sever_flow "$(cookies uxc)"
is "$RC:$(count unsupported):$(summary unsupported)" 3:1:1 "X-10 K7 a Unix socket: unsupported, exit 3"
is "$(ask uxc echo)" "ok=1 bad=0" "X-10 K7 a Unix socket: lives"
sever_kill --pid "$(pid_of uxc)"
is "$RC" 1 "X-10 K7 Unix sockets are no victims of other selectors"

done_testing
