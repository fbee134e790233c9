#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# privileges.t - with too few rights nothing dies, and what could not be seen or done is said.
. "$(dirname "$0")/../lib.sh"

A=127.0.0.2
fake_user alice 3001
fake_user bob 3002
fake_user eve 3003
fake_user admin 3004
start srv -l 3001 listen tcp 127.0.0.1 7001
start cli connect tcp 127.0.0.1 7001 from $A n 3
start own -u 3001 -l 3001 connect tcp 127.0.0.1 7001 from 127.0.0.3
start eve -u 3003 -l 3003 connect tcp 127.0.0.1 7001 from 127.0.0.8
start bob -u 3002 -l 3002 connect tcp 127.0.0.1 7001 from 127.0.0.9
victims=$(from $A)
unharmed() { [ "$(ask bob echo)" = "ok=1 bad=0" ] && accepts 7001; }
everyone_lives() { [ "$(ask cli echo)$(ask own echo)" = "ok=3 bad=0ok=1 bad=0" ] && unharmed; }

# --- nobody in particular

sever_as "-u 3001" list flows --json --netns self --client $A
is "$RC:$(grep -c '"flow"' "$OUT")" 0:3 "an ordinary user may list"
for by in "--client $A" "--user alice" "--pid $(pid_of own)" "--flow $(cookies own)" "--local-port 7001"; do
	# shellcheck disable=SC2086
	sever_as "-u 3001" kill --json --netns self $by
	is "$RC" 4 "an ordinary user may not kill $by: exit 4"
	is "$(count dead):$(count alive)" 0:0 "an ordinary user may not kill $by: denied before the first"
	ok "an ordinary user may not kill $by: a sentence" one_line
done
ok "nobody died" everyone_lives
sever_as "-u 3001" kill --json --netns self --client 192.0.2.1
like "$RC" '^[14]$' "an ordinary user and nobody there: no success"

# --- CAP_NET_ADMIN and nothing else

sever_as "-u 3004 -c" kill --json --netns self --client $A
is "$RC:$(handles)" "0:$victims" "CAP_NET_ADMIN alone, own namespace, by client: all, exit 0"
ok "CAP_NET_ADMIN alone: the rest live" unharmed
start cli2 connect tcp 127.0.0.1 7001 from $A n 2
start hidden -n "/proc/$$/ns/net" -l 3001 connect tcp 127.0.0.1 7001
new_netns away
start there -n /run/netns/away listen tcp 127.0.0.1 7001
sever_as "-u 3004 -c" kill --json --client $A --local-port 7001 --remote-port 1-65535
is "$RC:$(summary dead)" 3:2 "CAP_NET_ADMIN alone, every namespace: those in reach die, exit 3"
like "$(cat "$OUT" "$ERR")" 'namespace|/proc' "CAP_NET_ADMIN alone: says what it could not see"
sever_as "-u 3004 -c" kill --json --netns self --user eve
is "$RC" 3 "CAP_NET_ADMIN alone, by user: exit 3"
like "$(grep '"summary"' "$OUT")" '"notes": *\["' "CAP_NET_ADMIN alone, by user: says that owners are hidden"
sever_as "-u 3004 -c" list flows --json --netns self
is "$RC" 0 "CAP_NET_ADMIN alone: may list"

# --- rights that go in the middle of the work (X-15)

start crowd connect tcp 127.0.0.1 7001 from 127.0.0.4 n 3000
served=$(dump | awk '$6 ~ /^127.0.0.4:/ { print $4 }' | wc -l)
sever_via "demote 3001 2" kill --json --netns self --client 127.0.0.4
if [ $RC = 126 ]; then
	skip "X-15" "only on x86-64"
else
	is "$RC:$(summary matched)" "3:$served" "X-15 rights lost midway: exit 3"
	ok "X-15 some died, some were refused" [ "$(summary dead)" -gt 0 -a "$(summary denied)" -gt 0 ]
	flow_lines | grep '"outcome": *"dead"' | sed 's/.*"flow": *"\([^"]*\)".*/\1/' >"$T/dead"
	flow_lines | grep '"outcome": *"denied"' | sed 's/.*"flow": *"\([^"]*\)".*/\1/' >"$T/denied"
	is "$("$PEER" alive "$T/dead")" 0 "X-15 the dead are dead"
	is "$("$PEER" alive "$T/denied")" "$(wc -l <"$T/denied")" "X-15 the refused live"
	is "$(cat "$T/dead" "$T/denied" | wc -l)" "$served" "X-15 every victim is accounted for"
fi
ok "bystanders and listener live" unharmed

done_testing
