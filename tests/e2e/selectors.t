#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# selectors.t - who is meant: every selector hits its flows, all of them, and no other.
. "$(dirname "$0")/../lib.sh"

# Two accounts and a service for each of them; their clients sit at A and B. Victims are the accepted ends.
A=127.0.0.2 B=127.0.0.3
fake_user alice 3001
fake_user bob 3002
fake_user carol 3003
start alice -l 3001 listen tcp 0.0.0.0 7001
start bob -l 3002 listen tcp 0.0.0.0 7002
start bystander connect tcp 127.0.0.1 7002 from 127.0.0.9

survivors() { at_port "700[12]"; }
three_in()	# alice from A and B, bob from A; $aA $aB $bA are the accepted ends
{
	stop cA cB cC 2>/dev/null
	start cA connect tcp 127.0.0.1 7001 from $A && aA=$(at_port 7001)
	start cB connect tcp 127.0.0.1 7001 from $B && aB=$(at_port 7001 | grep -v "$aA")
	start cC connect tcp 127.0.0.1 7002 from $A && bA=$(at_port 7002 | grep -v "$by")
}
unharmed()
{
	[ "$(ask bystander echo)" = "ok=1 bad=0" ] && accepts 7001 && accepts 7002
}
by=$(at_port 7002)

# --- NET-1: the truth table

three_in
sever_kill --client $A --user alice
is "$RC:$(handles)" "0:$aA" "NET-1 client and user: one flow, alice's from A"
is "$(survivors)" "$(sorted "$aB" "$bA" "$by")" "NET-1 client and user: the others live"
ok "NET-1 client and user: its peer is reset" until_true 1 heard cA ECONNRESET
is "$(ask cB echo)$(ask cC echo)" "ok=1 bad=0ok=1 bad=0" "NET-1 client and user: the others echo"
three_in
sever_kill --client $A
is "$RC:$(handles)" "0:$(sorted "$aA" "$bA")" "NET-1 client: all from A, both users"
is "$(survivors)" "$(sorted "$aB" "$by")" "NET-1 client: alice at B lives"
three_in
sever_kill --user alice
is "$RC:$(handles)" "0:$(sorted "$aA" "$aB")" "NET-1 user: every flow of alice"
is "$(survivors)" "$(sorted "$bA" "$by")" "NET-1 user: bob's live"
is "$(summary matched):$(summary dead):$(summary stage)" 2:2:verified "NET-1 user: all counted, verified"
ok "NET-1: bystander and listeners unharmed" unharmed

# --- NET-2: nobody named is nobody, never everybody

three_in
sever_run kill --json
is "$RC" 2 "NET-2 no selector: exit 2"
sever_run kill --json --user "" --client ""
is "$RC" 2 "NET-2 empty selectors: exit 2"
sever_run kill --json --client '\\'
is "$RC" 2 "NET-2 nothing behind the backslashes: exit 2"
sever_run kill --json --dry-run
is "$RC" 2 "NET-2 no selector, dry run: exit 2"
is "$(survivors)" "$(sorted "$aA" "$aB" "$bA" "$by")" "NET-2: everyone lives"

# --- NET-3: nobody there

sever_kill --user carol
is "$RC:$(summary matched)" "1:0" "NET-3 a user without connections: exit 1"
sever_kill --user nobody-by-this-name
is "$RC" 1 "NET-3 unknown user: exit 1"
ok "NET-3 unknown user: is named" said nobody-by-this-name
sever_kill --client 192.0.2.77
is "$RC" 1 "NET-3 an address never seen: exit 1"
sever_kill --client no-such-host.invalid
is "$RC" 1 "NET-3 unknown host: exit 1"
ok "NET-3 unknown host: is named" said no-such-host.invalid
sever_kill --user carol --ignore-none
is "$RC" 0 "NET-3 --ignore-none: exit 0"

# --- NET-4: names of clients

fake_host $A HostA
fake_host 127.0.0.4 manyaddr
fake_host $B manyaddr
found() { sever_kill --dry-run --client "$1"; echo "$RC:$(handles)"; }
both=0:$(sorted "$aA" "$bA")
for form in "\\\\$A" $A "::ffff:$A" '\\HostA' HostA hosta 127.0.0.2/32 "[::ffff:$A]" ::ffff:127.0.0.2/128; do
	is "$(found "$form")" "$both" "NET-4 $form"
done
is "$(found manyaddr)" "0:$aB" "NET-4 a name with several addresses means each of them"
is "$(found 127.0.0.0/29)" "0:$(sorted "$aA" "$aB" "$bA")" "NET-4 a prefix"
for bad in 'a\b' '\\a\b' '127.0.0.1/33' '127.0.0.5/29' '127.0.0.2/' '1.2.3' "$(printf 'a\nb')" "$(printf 'a\033b')" \
	"$(printf '%01024d' 0)" ::1%; do
	sever_kill --dry-run --client "$bad"
	is "$RC" 2 "NET-4 not a client: $(printf %.20s "$bad" | tr -c '[:print:]' '?')"
done

# --- NET-5: names of users

fake_user 'CORP\alice' 3001
fake_user 3002 3003
found() { sever_kill --dry-run --user "$1"; echo "$RC:$(handles)"; }
hers=0:$(sorted "$aA" "$aB")
is "$(found alice)" "$hers" "NET-5 plain name"
is "$(found 'CORP\alice')" "$hers" "NET-5 DOMAIN\\NAME"
is "$(found uid:3001)" "$hers" "NET-5 uid:N"
is "$(found alice@CORP)" "$hers" "NET-5 NAME@REALM, known to NSS in its other spelling"
is "$(found Alice)" "1:" "NET-5 case matters"
is "$(found 3002)" "1:" "NET-5 a name of digits is a name, not bob's uid"
fake_user 'EAST\dave' 3005
fake_user dave@EAST 3006
sever_kill --dry-run --user 'EAST\dave'
is "$RC:$(handles)" "2:" "NET-5 two uids for one name: refused"
ok "NET-5 ambiguous: both uids are named" eval 'said 3005 && said 3006'
for bad in uid: uid:-1 uid:x uid:4294967295 uid:4294967296 "$(printf 'a\tb')"; do
	is "$(found "$bad")" "2:" "NET-5 not a user: $bad"
done
forget_user bob
sever_kill --user uid:3002 --client $A
is "$RC:$(handles)" "0:$bA" "NET-5 the account is gone, its uid still finds the flow"
ok "NET-5: bystander and listeners unharmed" unharmed

# --- NET-7: done means done, and one may come back

three_in
cookies cB >/dev/null
sever_kill --user alice
printf '%s\n' "$aA" "$aB" >"$T/victims"
is "$RC:$("$PEER" alive "$T/victims")" 0:0 "NET-7 exit 0: a dump right after it has no victim"
ok "NET-7 the client hears ECONNRESET within a second" until_true 1 heard cB ECONNRESET
ok "NET-7 the server hears ECONNABORTED" until_true 1 heard alice "${aB%@*} ECONNABORTED"
ok "NET-7 a new connection at once" start again connect tcp 127.0.0.1 7001 from $B
ok "NET-7 which is another flow" [ "$(at_port 7001)" != "$aB" ]

done_testing
