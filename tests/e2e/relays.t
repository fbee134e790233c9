#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# relays.t - which connection leads where: said where a process has one client and one backend, never guessed elsewhere.
. "$(dirname "$0")/../services.sh"
needs socat nginx
services_up || exit 1

leads() { echo "$(flow_field "$1" backend_addr):$(flow_field "$1" backend_port)"; }	# COOKIE: as it was shown
shown() { sever_list "$@" && leads "$FLOW"; }						# SELECTORS...
# CLIENT PORT: sets FLOW, what was accepted from there
find_flow() { FLOW=$(dump | awk -v r="$1:" -v l=":$2\$" '$3 == "established" && index($6, r) == 1 && $5 ~ l { print $4 }'); }
found() { find_flow "$@" && [ -n "$FLOW" ]; }
took_two() { [ "$(grep -c took "$T/$1.out")" = 2 ]; }		# NAME: of a peer that takes
legs() { to_port "$1" | grep -c .; }	# BACKEND: how many connections lead to it
has_legs() { [ "$(legs "$1")" = "$2" ]; }

start near listen tcp 127.0.0.1 7101
start far listen tcp fd00::1 7102

# --- a process for each connection -----------------------------------------------------------------

spawn one socat TCP-LISTEN:7001,bind=127.0.0.1,reuseaddr,fork TCP:127.0.0.1:7101
spawn two socat TCP-LISTEN:7002,bind=127.0.0.1,reuseaddr,fork "TCP6:[fd00::1]:7102"
until_true 10 listening 7001 && until_true 10 listening 7002
start a connect tcp 127.0.0.1 7001 from 127.0.0.11
start b connect tcp 127.0.0.1 7002 from 127.0.0.12
start c connect tcp 127.0.0.1 7001 from 127.0.0.13
for name in a b c; do ask $name echo >/dev/null; done
find_flow 127.0.0.11 7001
is "$(shown)" 127.0.0.1:7101 "TSG-5: where the client's connection leads"
is "$(shown --client 127.0.0.11)" 127.0.0.1:7101 "TSG-5: the other leg need not be asked for"
is "$(handles)" "$FLOW" "TSG-5: nor is it shown then"
by_handle=127.0.0.1:7101
[ -z "${SEVER_RESIDENT-}" ] || by_handle=null:null # severd looks for it in its tags alone, see sever(8)
is "$(shown --flow "$FLOW")" $by_handle "TSG-5: by its handle"
sever_run list flows --json
is "$(leads "$FLOW")" 127.0.0.1:7101 "TSG-5: in the list of the whole host"
find_flow 127.0.0.13 7001
is "$(leads "$FLOW")" 127.0.0.1:7101 "TSG-5: another client of the same relay"
find_flow 127.0.0.12 7002
is "$(leads "$FLOW")" fd00::1:7102 "TSG-5: another relay, from IPv4 to IPv6"
is "$(dump | awk '$6 ~ /:7101$/ && $3 == "established" { print $4 }' | while read -r cookie; do leads "$cookie"; done | sort -u)" \
	null:null "TSG-5: the legs to the backend lead nowhere else"
sever_kill --dry-run --client 127.0.0.11
find_flow 127.0.0.11 7001
is "$(leads "$FLOW")" null:null "a kill does not ask for what it does not need"

# --- a reconnect is another connection -------------------------------------------------------------

first=$FLOW
sever_kill --client 127.0.0.11
is "$RC" 0 "TSG-5: the client is cut"
start a2 connect tcp 127.0.0.1 7001 from 127.0.0.11
ask a2 echo >/dev/null
find_flow 127.0.0.11 7001
ok "TSG-5: it comes back by another one" [ "$FLOW" != "$first" ]
is "$(shown --client 127.0.0.11)" 127.0.0.1:7101 "TSG-5: which leads there, too"

# --- what must not be guessed ----------------------------------------------------------------------

start both listen tcp 127.0.0.1 7003
start own connect tcp 127.0.0.1 7003 from 127.0.0.14
find_flow 127.0.0.14 7003
is "$(shown)" null:null "a server that opened nothing"
ask both connect tcp 127.0.0.1 7101 >/dev/null
is "$(shown)" null:null "one that listens still: the next client may be the one"
start mirror listen tcp 127.0.0.1 7004 shared
start self take "@self-$$"
ask mirror connect tcp 127.0.0.1 7004 from 127.0.0.15 >/dev/null
until_true 10 found 127.0.0.15 7004
ask mirror give "@self-$$" >/dev/null
until_true 10 took_two self
start mirror2 listen tcp 127.0.0.1 7004 shared
stop mirror
is "$(shown)" null:null "a program that talks to itself"

# Two processes have the connection; one of them listens, and has others.
start giver listen tcp 127.0.0.1 7005 shared
start held connect tcp 127.0.0.1 7005 from 127.0.0.16
find_flow 127.0.0.16 7005
start taker take "@relays-$$"
ask giver give "@relays-$$" >/dev/null
until_true 10 heard taker took
ask taker connect tcp 127.0.0.1 7101 >/dev/null
is "$(shown)" null:null "a connection that two have, and the other one listens"
start keeper listen tcp 127.0.0.1 7005 shared
stop giver
is "$(shown)" 127.0.0.1:7101 "until the other one has gone"
ask taker connect tcp 127.0.0.1 7101 >/dev/null
is "$(shown)" null:null "a second backend: one of two, so neither"

start giver3 listen tcp 127.0.0.1 7008
start many take "@many-$$"
start h1 connect tcp 127.0.0.1 7008 from 127.0.0.19
ask giver3 give "@many-$$" >/dev/null
until_true 10 heard many took
stop giver3
start giver3 listen tcp 127.0.0.1 7008
ask many connect tcp 127.0.0.1 7101 >/dev/null
find_flow 127.0.0.19 7008
is "$(shown)" 127.0.0.1:7101 "one client, one backend"
start h2 connect tcp 127.0.0.1 7008 from 127.0.0.20
ask giver3 give "@many-$$" >/dev/null
until_true 10 took_two many
stop giver3
start giver3 listen tcp 127.0.0.1 7008
is "$(shown)" null:null "a second client: the backend may be either's"

# Opened before there was a client, and others have it as well: a connection of the service's own.
start opener connect tcp 127.0.0.1 7101
start worker take "@worker-$$"
ask opener give "@worker-$$" >/dev/null
until_true 10 heard worker took
start giver4 listen tcp 127.0.0.1 7009 shared
start w1 connect tcp 127.0.0.1 7009 from 127.0.0.21
ask giver4 give "@worker-$$" >/dev/null
until_true 10 took_two worker
start keeper4 listen tcp 127.0.0.1 7009 shared
stop giver4
find_flow 127.0.0.21 7009
is "$(shown)" null:null "a backend connection that others have, too"
stop opener
is "$(shown)" 127.0.0.1:7101 "and that they have no more"

nginx_up 7006 <<EOF
stream { server { listen 127.0.0.1:7006; proxy_pass 127.0.0.1:7101; } }
EOF
before=$(legs 7101)
start n1 connect tcp 127.0.0.1 7006 from 127.0.0.17
ask n1 echo >/dev/null
until_true 10 has_legs 7101 $((before + 1))
find_flow 127.0.0.17 7006
is "$(shown)" null:null "nginx with one client: its next backend connection may be anyone's"
start n2 connect tcp 127.0.0.1 7006 from 127.0.0.18
ask n2 echo >/dev/null
is "$(shown)" null:null "nginx with two"

# --- a session is no relay -------------------------------------------------------------------------

sshd_up
login shell alice "$A" -L 9001:127.0.0.1:7101
talk through socat - TCP:127.0.0.1:9001,retry=20,interval=0.1
echoes through
FLOW=$(transport shell)
is "$(shown)" null:null "what carries a session, although it forwards one connection"
is "$(flow_field "$FLOW" user)" alice "and is alice's"

done_testing
