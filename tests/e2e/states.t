#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# states.t - connections that are not plainly established: half open, half closed, in the backlog, full, orphaned.
. "$(dirname "$0")/../lib.sh"

A=127.0.0.2
N=7000
fresh()	# [MODE...]: a listener on a new port $N, and a client of it from A
{
	N=$((N + 1))
	stop srv cli 2>/dev/null
	start srv listen tcp 127.0.0.1 $N "$@"
}
client() { start cli connect tcp 127.0.0.1 $N from $A "$@"; }
in_state() { dump | awk -v p=":$N\$" -v s="$1" '$3 == s && ($5 ~ p || $6 ~ p) { print $4 }'; }	# STATE
seen() { [ -n "$(in_state "$1")" ]; }
reaches() { until_true 5 seen "$1"; }
start steady listen tcp 127.0.0.1 6999
start bystander connect tcp 127.0.0.1 6999
unharmed() { [ "$(ask bystander echo)" = "ok=1 bad=0" ] && accepts 6999 && listening $N; }

killed_in()	# ROW STATE PORT-OPTION: the flow in that state is found by it, cut and gone, once
{
	ok "$1 $2: reached" reaches "$2"
	victim=$(in_state "$2")
	sever_kill --state "$2" "$3" $N
	is "$RC:$(handles)" "0:$victim" "$1 $2: it alone is cut"
	ok "$1 $2: gone" gone "$victim"
	sever_flow "$victim"
	is "$RC:$(count stale)" 1:1 "$1 $2: a repeat by its cookie is stale"
	ok "$1 $2: bystander and listeners unharmed" unharmed
}

# --- opening

fresh
client deaf later
killed_in opening syn-recv --local-port
fresh
client deaf later
killed_in opening syn-sent --remote-port
is "$(ask cli ends)" ECONNABORTED=1 "syn-sent: connect() fails"

fresh later backlog 5
client n 3
victims=$(at_port $N)
sever_kill --client $A --local-port $N
is "$RC:$(handles)" "0:$victims" "K10 in the backlog, not yet accepted: cut"
ask srv accept >/dev/null
nobody_lives() { [ "$(ask srv stat)" = "live=0 read=0 sent=0" ]; }
ok "K10 the server accepts dead sockets" until_true 2 nobody_lives
is "$(ask cli ends)" ECONNRESET=3 "K10 their clients are reset"
ask cli connect tcp 127.0.0.1 $N >/dev/null
is "$(ask srv accept)" "accepted 1" "K10 the listener still takes new ones"

# --- closing (X-3, K9)

fresh hold
client
ask cli close >/dev/null
killed_in X-3 close-wait --local-port
ok "X-3 close-wait: who held it is told" until_true 5 heard srv ECONNABORTED
fresh hold
client
ask cli close >/dev/null
killed_in "X-3 K9 orphan" fin-wait-2 --remote-port
fresh
client
ask cli close >/dev/null
ok "X-3 time-wait: reached" reaches time-wait
sever_kill --peer 127.0.0.1 --remote-port $N
is "$RC" 1 "X-3 time-wait: carries nothing, so it is no victim unless named"
killed_in "X-3 K9" time-wait --remote-port
fresh hold
client
ask cli deaf >/dev/null
ask srv close >/dev/null
killed_in "X-3 orphan" fin-wait-1 --local-port
fresh hold
client
ask cli shut >/dev/null
ok "X-3: half closed" reaches close-wait
ask cli deaf >/dev/null
ask srv close >/dev/null
killed_in X-3 last-ack --local-port
fresh hold
client hold
ask cli deaf >/dev/null
ask srv deaf >/dev/null
ask cli shut >/dev/null
ask srv shut >/dev/null
ok "X-3: both closed at once" reaches fin-wait-1
ask cli hear >/dev/null
killed_in X-3 closing --remote-port

# A listing without --state shows what may still carry data, and whose it was where that can be known.
fresh hold
client
ask cli close >/dev/null
ok "X-3: an orphan" reaches fin-wait-2
sever_list --remote-port $N
is "$(json_field "$(grep fin-wait-2 "$OUT")" uid)" null "X-3 an orphan's owner is unknown, not root"
sever_kill --user root --remote-port $N
is "$RC" 1 "X-3 and so --user root does not match it"

# --- full (K8, RDP-4)

full()	# BYTES RATE: the server blocks in send(), or has all of it queued; the client reads RATE bytes a second
{
	fresh flood "$1"
	client slow "$2"
	victim=$(at_port $N)
	until_true 5 filled
}
filled() { [ "$(sendq)" -gt 500000 ]; }
has_all() { [ "$(got)" = 2000000 ]; }
sendq() { dump | awk -v c="$victim" '$4 == c { print $10 }'; }
got() { ask cli stat | sed 's/.*read=\([0-9]*\).*/\1/'; }

ok "K8 the buffer is full" full 100000000 100000
queued=$(sendq)
sever_flow "$victim"
is "$RC:$(summary dead)" 0:1 "K8 blocked in send(): cut"
is "$(summary elapsed_ms | awk -v slow=$SEVER_TEST_SLOW '{ print ($1 < 1000 * slow) }')" 1 "K8 RDP-4 at once, although nobody reads what is queued"
ok "K8 send() fails" until_true 1 heard srv ECONNABORTED
ok "K8 RDP-4 what was queued is reported as lost: about $queued" awk -v q="$queued" \
	-v d="$(summary discarded)" 'BEGIN { exit !(d > q * 0.9 && d < q * 1.1) }'

ok "RDP-4 two million bytes are on their way" full 2000000 500000
sever_flow "$victim" --drain $((10 * SEVER_TEST_SLOW))s
is "$RC:$(summary dead):$(summary discarded)" 0:1:0 "RDP-4 --drain 10s: cut, nothing lost"
ok "RDP-4 the client has it all" until_true 5 has_all
ok "RDP-4 and then a reset" until_true 2 heard cli ECONNRESET

ok "RDP-4 the buffer is full again" full 100000000 100000
before=$(now_ms)
sever_flow "$victim" --drain 1s
took=$(($(now_ms) - before))
is "$RC:$(summary dead)" 0:1 "RDP-4 --drain 1s on an endless stream: cut"
ok "RDP-4 after one second ($took ms)" [ $took -ge 1000 -a $took -lt $((1000 + 500 * SEVER_TEST_SLOW)) ]
ok "RDP-4 the rest counted" [ "$(summary discarded)" -gt 100000 ]

# --- K12: dead is not closed

fresh hold
client
victim=$(at_port $N)
sever_flow "$victim"
ok "K12 poll() says in, out, error and hang-up" until_true 1 heard srv "poll ${victim%@*} IN,OUT,ERR,HUP"
is "$RC:$(state_of "$victim")" "0:" "K12 it has left the dump while its descriptor is open"

done_testing
