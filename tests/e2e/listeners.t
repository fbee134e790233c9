#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# listeners.t - listening sockets and UDP servers survive whatever is cut around them, and nothing can select them.
. "$(dirname "$0")/../lib.sh"

A=127.0.0.2
fake_user alice 3001
start srv -l 3001 listen tcp 127.0.0.1 7001
start dual -l 3001 listen tcp :: 7002
start waiting -l 3001 listen tcp 127.0.0.1 7003 later
start udp -l 3001 listen udp 127.0.0.1 7004
start mp -l 3001 listen mptcp 127.0.0.1 7005
start shared1 -l 3001 listen tcp 127.0.0.1 7006 shared
start shared2 -l 3001 listen tcp 127.0.0.1 7006 shared
start udpc connect udp 127.0.0.1 7004
ends() { dump | awk '$3 == "listen" || $5 ~ /:7004$/ { print $1, $4, $5 }' | sort; }
BEFORE=$(ends)
unharmed()
{
	[ "$(ends)" = "$BEFORE" ] && accepts 7001 && accepts 7002 && accepts 7002 ::1 && accepts 7005 &&
		accepts 7006 && [ "$(ask udpc echo)" = "ok=1 bad=0" ]
}
never_listed() { ! grep -Eq '"state": *"(listen|unconnected|close)"' "$OUT"; }
ok "here they all are" unharmed

# --- no selector reaches a listener (WTS-5)

for p in srv dual waiting mp shared1; do
	sever_flow "$(ask $p listeners)"
	is "$RC:$(summary dead)" 1:0 "WTS-5 the handle of a listener ($p): nothing of the kind"
done
sever_flow "$(ask udp listeners)"
is "$RC:$(count unsupported):$(count dead)" 3:1:0 "K2 the handle of a UDP server: unsupported"
for state in listen LISTEN listening close unconn; do
	sever_kill --state $state
	is "$RC" 2 "WTS-5 --state $state is refused"
done
ok "WTS-5 with the reason" said "never selected"
for by in "--user alice" "--local-port 7001-7006" "--pid $(pid_of srv)" "--peer 0.0.0.0/0" "--peer ::/0" \
	"--client 0.0.0.0" "--client ::"; do
	# shellcheck disable=SC2086
	sever_kill --dry-run --proto tcp $by
	ok "WTS-5 $by: no listener among the victims" never_listed
done
sever_kill --all --yes --proto tcp
ok "WTS-5 --all: no listener among the victims" never_listed
ok "WTS-5 --all: they live" unharmed
# shellcheck disable=SC2046
sever_kill $(dump | awk '$1 == "tcp" { print "--flow", $4 }') --dry-run
ok "WTS-5 every cookie there is: no listener among the victims" never_listed

# --- a tuple without its socket leads to the listener: the cookie must keep it safe (K1, K4)

for to in "127.0.0.1 7001" "127.0.0.1 7002" "::1 7002"; do
	case $to in ::1*) from=fd00::2 ;; *) from=$A ;; esac
	# shellcheck disable=SC2086
	start gone connect tcp $to from $from
	victim=$(dump | awk -v r="$from:" '$3 == "established" && index($6, r) { print $4 }')
	sever_flow "$victim"
	is "$RC" 0 "K1 K4 $to: cut"
	sever_flow "$victim"
	is "$RC:$(count stale)" 1:1 "K1 K4 $to: once more, stale"
	stop gone
done
ok "K1 K4: listeners live" unharmed

start mapped connect tcp 127.0.0.1 7002 from $A
sever_kill --client $A
is "$RC:$(summary matched):$(summary dead)" 0:1:1 "K4 v4-mapped: one flow, counted once"
line=$(flow_lines)
is "$(json_field "$line" family):$(json_field "$line" remote_addr)" "inet6:$A" "K4 v4-mapped: shown as IPv4"
ok "K4: listeners live" unharmed

# --- each end is a flow of its own (K3)

start both connect tcp 127.0.0.1 7001 from $A
client=$(cookies both) server=$(at_port 7001)
sever_kill --client $A
is "$(handles)" "$server" "K3 --client means the accepted end"
ok "K3 the other end hears of it instead of being cut" until_true 1 heard both "${client%@*} ECONNRESET"
start both2 connect tcp 127.0.0.1 7001 from $A
client=$(cookies both2)
sever_kill --remote-port 7001
is "$(handles)" "$client" "K3 --remote-port means the client's end"
ok "K3 and the server's hears of it" until_true 1 heard both2 ECONNABORTED
start both3 connect tcp 127.0.0.1 7001 from $A
sever_flow "$(cookies both3)" --flow "$(ask srv listeners)"
is "$RC:$(summary dead):$(summary spared)" 6:1:1 "WTS-5 the handles of a connection and of a listener: one cut, one spared"
ok "WTS-5 it is said which" grep -q "^sever: flow $(ask srv listeners) is a listening socket" "$ERR"
ok "K3: listeners live" unharmed

# --- a listener's backlog goes only by its own flows (K11)

ask waiting accept >/dev/null
start waiter connect tcp 127.0.0.1 7003 from 127.0.0.9
start b1 connect tcp 127.0.0.1 7003 from $A
sever_kill --client $A
is "$RC:$(summary dead)" 0:1 "K11 one waiting client is cut"
is "$(ask waiter stat | cut -d ' ' -f 1):$(ask waiting accept)" "live=1:accepted 2" "K11 the other one still waits"

# --- servers that share a port (SO_REUSEPORT)

start crowd connect tcp 127.0.0.1 7006 from $A n 40
sever_kill --client $A
is "$RC:$(summary dead)" 0:40 "a shared port: all its clients are cut"
ok "a shared port: its servers live" unharmed

done_testing
