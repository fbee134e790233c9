#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# columns.t - what a listing says of each flow and session: since when, how idle, how many bytes. Held against ss(8), the
# clock, and what the programs themselves have counted. With severd it knows more; what it cannot know is null.
. "$(dirname "$0")/../lib.sh"
for tool in ss socat; do
	command -v $tool >/dev/null || skip_all "no $tool: run scripts/deps check"
done

knows() { [ -n "${SEVER_RESIDENT-}" ]; }	# births, and what has ended
ALICE=$((200000 + $$ * 2)) BOB=$((200001 + $$ * 2))
clock() { date -u +%Y-%m-%dT%H:%M:%S; }
# BEFORE TIME AFTER: TIME, cut to seconds, is neither earlier nor later.
in_order() { printf '%s\n' "$1" "${2%.*}" "$3" | LC_ALL=C sort -c 2>/dev/null; }
field() { sever_list && flow_field "$1" "$2"; }			# COOKIE KEY, as of now
is_now() { [ "$(field "$1" "$2")" = "$3" ]; }			# COOKIE KEY VALUE

# Of a flow, by ss: COOKIE sets SS, its line.
ss_line() { SS=$(ss -HtinO state established | grep "$1"); }
ss_count() { printf '%s\n' "$SS" | sed -n "s/.* $1:\\([0-9]*\\).*/\\1/p"; }

idle_fits()	# IDLE FROM TO: at least FROM ms, at most TO, but for the ticks of the kernel
{
	[ -n "$1" ] && [ "$1" != null ] && [ "$1" -ge $(($2 - 50)) ] && [ "$1" -le $(($3 + 50)) ] && return
	diag "idle $1, should be $2 to $3"
	return 1
}

# --- RDP-8: a flow, v4 and v6 ----------------------------------------------------------------------

for what in inet inet6; do
	[ $what = inet ] && at=127.0.0.1 by=127.0.0.2 || at=fd00::1 by=fd00::2
	before=$(clock)
	start "srv$what" listen tcp $at 7001
	start "cli$what" connect tcp $at 7001 from $by
	after=$(clock)
	ask "cli$what" echo >/dev/null
	mine=$(cookies "cli$what")
	port=$(dump | awk -v c="$mine" '$4 == c { sub(/.*:/, "", $5); print $5 }')
	far=$(dump | awk -v c="$mine" '$4 != c' | awk -v p=":$port\$" '$3 == "established" && $6 ~ p { print $4 }')
	[ $what = inet ] && shown=$by || shown="\\[$by\\]"
	ss_line " $shown:$port  *[^ ]*:7001[[:space:]]"
	sever_list
	is "$RC:$(flow_field "$mine" family):$(flow_field "$mine" local_addr):$(flow_field "$mine" local_port):$(flow_field "$mine" remote_addr):$(flow_field "$mine" remote_port)" \
		"0:$what:$by:$port:$at:7001" "RDP-8 $what: addresses and ports"
	is "$(flow_field "$mine" sent):$(flow_field "$mine" received)" "$(ss_count bytes_sent):$(ss_count bytes_received)" \
		"RDP-8 $what: bytes are those of ss"
	is "$(flow_field "$mine" sent):$(flow_field "$mine" received)" "8:8" "RDP-8 $what: and what was said"
	is "$(flow_field "$far" sent):$(flow_field "$far" received):$(flow_field "$far" state)" "8:8:established" "RDP-8 $what: the other end's"
	since=$(flow_field "$mine" since) other=$(flow_field "$far" since)
	if knows; then
		ok "RDP-8 $what: since it was opened" in_order "$before" "$since" "$after"
		ok "RDP-8 $what: since it was accepted" in_order "$before" "$other" "$after"
		like "$since" '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$' "RDP-8 $what: to the microsecond"
		sever_list
		is "$(flow_field "$mine" since)" "$since" "RDP-8 $what: said again, it is the same"
	else
		is "$since:$other" null:null "RDP-8 $what: nobody saw its birth"
	fi
done

# --- idle: payload counts, keepalive does not ------------------------------------------------------

mine=$(cookies cliinet)
m1=$(now_ms)
ask cliinet echo >/dev/null
m2=$(now_ms)
spawn kept socat PIPE TCP:127.0.0.1:7001,bind=127.0.0.3,keepalive,keepidle=1,keepintvl=1
until_true 10 eval '[ -n "$(from 127.0.0.3)" ]'
kept=$(dump | awk '$5 ~ /^127\.0\.0\.3:/ { print $4 }')
m3=$(now_ms)
sleep 3
m4=$(now_ms)
sever_list
m5=$(now_ms)
ok "NET-9 idle: since the last byte" idle_fits "$(flow_field "$mine" idle_ms)" $((m4 - m2)) $((m5 - m1))
ok "NET-9 idle: from the beginning, where there never was one" idle_fits "$(flow_field "$kept" idle_ms)" $((m4 - m3)) $((m5 - m2))
ss_line " 127\\.0\\.0\\.3:[0-9]*  *127\\.0\\.0\\.1:7001[[:space:]]"
answered=$(ss_count lastack)
ok "NET-9 idle: keepalives were answered meanwhile" [ -n "$SS" -a "${answered:-0}" -lt $((m4 - m3)) ]
m1=$(now_ms)
ask cliinet echo >/dev/null
sever_list
ok "NET-9 idle: a byte ends it" idle_fits "$(flow_field "$mine" idle_ms)" 0 $(($(now_ms) - m1))
ok "NET-9 idle: of that one alone" [ "$(flow_field "$kept" idle_ms)" -ge $((m4 - m3 - 50)) ]

# --- bytes, each way -------------------------------------------------------------------------------

start sink listen tcp 127.0.0.1 7002 sink
start up connect tcp 127.0.0.1 7002 from 127.0.0.4 flood 10000000
start source listen tcp 127.0.0.1 7003 flood 10000000
start down connect tcp 127.0.0.1 7003 from 127.0.0.5
up=$(from 127.0.0.4) down=$(from 127.0.0.5)
until_true 20 eval 'ask sink stat | grep -q read=10000000'
sever_list
is "$(ask sink stat | cut -d ' ' -f 2):$(flow_field "$up" received):$(flow_field "$up" sent)" "read=10000000:10000000:0" "WTS-10 10 MB in"
until_true 20 eval 'ask down stat | grep -q read=10000000'
sever_list
is "$(ask down stat | cut -d ' ' -f 2):$(flow_field "$down" sent):$(flow_field "$down" received)" "read=10000000:10000000:0" "WTS-10 10 MB out"
start keeper listen tcp 127.0.0.1 7005 hold
start half connect tcp 127.0.0.1 7005 from 127.0.0.9 flood 1000
half=$(from 127.0.0.9)
until_true 10 is_now "$half" received 1000
ask half shut >/dev/null
until_true 10 is_now "$half" state close-wait
is "$(flow_field "$half" received):$(flow_field "$half" state)" 1000:close-wait "WTS-10 a FIN is no byte"

# --- what UDP and a connection in the making cannot say --------------------------------------------

start udp listen udp 127.0.0.1 7004
start caller connect udp 127.0.0.1 7004 from 127.0.0.6
ask caller echo >/dev/null
call=$(cookies caller)
sever_list
is "$(flow_field "$call" sent):$(flow_field "$call" received):$(flow_field "$call" idle_ms)" null:null:null "UDP counts nothing"
knows && like "$(flow_field "$call" since)" '^20' "UDP: but its birth was seen"
sever_kill --dry-run --client 127.0.0.4
is "$(flow_field "$up" sent):$(flow_field "$up" idle_ms)" null:null "a kill does not ask for what it does not need"

# --- TSG-5: a relay --------------------------------------------------------------------------------

spawn relay socat TCP-LISTEN:7006,bind=127.0.0.1,reuseaddr,fork TCP:127.0.0.1:7002,bind=127.0.0.8
until_true 10 listening 7006
start through connect tcp 127.0.0.1 7006 from 127.0.0.7 flood 1000000
until_true 10 eval '[ -n "$(from 127.0.0.8)" ]'
front=$(from 127.0.0.7) back=$(dump | awk '$3 == "established" && $5 ~ /^127\.0\.0\.8:/ { print $4 }')
until_true 20 is_now "$back" sent 1000000
is "$(flow_field "$front" remote_addr):$(flow_field "$front" received):$(flow_field "$front" sent)" 127.0.0.7:1000000:0 "TSG-5 its client, and the bytes"
is "$(flow_field "$back" remote_addr):$(flow_field "$back" remote_port):$(flow_field "$back" received)" 127.0.0.1:7002:0 "TSG-5 its backend, and the bytes"
is "$(flow_field "$back" pid):$(flow_field "$back" comm)" "$(flow_field "$front" pid):socat" "TSG-5 both are one process's"
is "$(flow_field "$front" backend_addr):$(flow_field "$front" backend_port)" 127.0.0.1:7002 "TSG-5 the row of the client shows the backend"
is "$(flow_field "$back" backend_addr):$(flow_field "$back" backend_port)" null:null "TSG-5 that of the backend does not"

# --- sessions --------------------------------------------------------------------------------------

sessions() { sever_run list sessions --json --user "uid:$ALICE" "$@"; }
said_of() { json_field "$(grep '"session":' "$OUT" | grep -v '"summary"')" "$1"; }	# KEY
session_is() { sessions && [ "$(said_of "$1")" = "$2" ]; }
before=$(clock)
start alice -l $ALICE listen tcp 127.0.0.1 7010
start bob -l $BOB listen tcp 127.0.0.1 7011
after=$(clock)
sessions
is "$RC:$(said_of session):$(said_of state):$(said_of proto):$(said_of connected):$(said_of disconnected)" \
	"0:audit:$(session_of alice):disconnected:null:null:null" "WTS-9 a session that nothing carries"
is "$(said_of sent):$(said_of received):$(said_of idle_ms)" 0:0:null "WTS-10 it has sent nothing, and who is not there is not idle"
ok "NET-9 it has been there since it began" in_order "$before" "$(said_of since)" "$after"
since=$(said_of since)

before=$(clock)
start first connect tcp 127.0.0.1 7010 from 127.0.1.1
after=$(clock)
ask first echo >/dev/null
start second connect tcp 127.0.0.1 7010 from 127.0.1.2
ask second echo >/dev/null
sessions
is "$RC:$(said_of state):$(said_of proto):$(said_of transports):$(said_of flows)" 0:active:tcp:2:2 "WTS-9 active: it has transports"
is "$(said_of since)" "$since" "NET-9 the log-in is what it was"
is "$(said_of sent):$(said_of received)" 16:16 "WTS-10 the bytes of both"
knows && ok "TSG-5 connected: when the first one came" in_order "$before" "$(said_of connected)" "$after"
knows || is "$(said_of connected)" null "TSG-5 connected: nobody saw it"
m1=$(now_ms)
ask second echo >/dev/null
m2=$(now_ms)
sleep 2
m3=$(now_ms)
sessions
ok "NET-9 idle: of whichever was used last" idle_fits "$(said_of idle_ms)" $((m3 - m2)) $(($(now_ms) - m1))

# NET-11: one by client and user, and it is the line of the enumeration.
but_idle() { grep '"session":' "$OUT" | grep -v '"summary"' | sed 's/"idle_ms":[0-9]*/"idle_ms":N/'; }
whole=$(but_idle)
sessions --client 127.0.1.2
is "$RC:$(but_idle)" "0:$whole" "NET-11 found by client and user: the same values"
sever_run list sessions --json --client 127.0.1.2 --user "uid:$BOB"
is "$RC" 1 "NET-11 her client and his name: no such session, exit 1"
sessions --client 127.0.1.3
is "$RC" 1 "NET-11 her name and nobody's client: exit 1"

sever_run list users --json --user "uid:$ALICE"
is "$(json_field "$(head -n 1 "$OUT")" sent):$(json_field "$(head -n 1 "$OUT")" received)" 24:24 "a user's flows, added up"
sever_run list clients --json --user "uid:$ALICE" --client 127.0.1.2
is "$(json_field "$(head -n 1 "$OUT")" sent):$(json_field "$(head -n 1 "$OUT")" client)" 16:127.0.1.2 "and a client's"
sever_run list sessions --user "uid:$ALICE"
like "$(head -n 2 "$OUT" | tail -n 1)" " 20[0-9-]+ [0-9:]+ +[0-9]+[sm] +2 +2\$" "for people: since when, and how idle"

# --- what is over ----------------------------------------------------------------------------------

one=$(from 127.0.1.1)
ask first close >/dev/null
until_true 10 gone "$one"
sessions
is "$(said_of transports):$(said_of state)" 1:active "WTS-9 one of two has gone"
if knows; then
	is "$(said_of sent):$(said_of received)" 24:24 "WTS-10 its bytes still count"
else
	is "$(said_of sent):$(said_of received)" 16:16 "WTS-10 the bytes of what there is"
fi
two=$(from 127.0.1.2)
before=$(clock)
ask second close >/dev/null
until_true 10 gone "$two"
until_true 10 session_is state disconnected
after=$(clock)
is "$(said_of transports):$(said_of connected):$(said_of idle_ms)" 0:null:null "WTS-9 disconnected, and goes on"
if knows; then
	is "$(said_of sent):$(said_of received)" 24:24 "WTS-10 totals do not drop"
	ok "WTS-10 it is known when" in_order "$before" "$(said_of disconnected)" "$after"
else
	is "$(said_of disconnected)" null "WTS-10 nobody saw when"
fi
before=$(clock)
start third connect tcp 127.0.0.1 7010 from 127.0.1.1
ask alice listen tcp fd00::1 7010 >/dev/null
after=$(clock)
sessions
is "$(said_of state):$(said_of disconnected)" active:null "WTS-9 back again"
knows && ok "TSG-5 a reconnect restarts connected" in_order "$before" "$(said_of connected)" "$after"
three=$(from 127.0.1.1)
ask third close >/dev/null
until_true 10 gone "$three"
start fourth connect tcp fd00::1 7010 from fd00::3
sessions
is "$(said_of proto):$(said_of client)" tcp6:fd00::3 "NET-9 transport: tcp6"
done_testing
