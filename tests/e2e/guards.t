#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# guards.t - what must not happen by mistake: everyone, too many, a bystander's share, oneself, a typing error.
. "$(dirname "$0")/../lib.sh"

A=127.0.0.2
fake_user alice 3001
fake_user bob 3002
start srv -l 3001 listen tcp 127.0.0.1 7001
start other -l 3002 listen tcp 127.0.0.1 7002
start cli connect tcp 127.0.0.1 7001 from $A n 3
start bystander connect tcp 127.0.0.1 7002 from 127.0.0.9
ask cli echo >/dev/null # all are accepted
ask bystander echo >/dev/null
sleep 0.1 # and nothing is unacknowledged
BEFORE=$(dump | sort)
untouched() { [ "$(dump | sort)" = "$BEFORE" ] && [ "$(ask bystander echo)$(ask cli echo)" = "ok=1 bad=0ok=3 bad=0" ]; }
all_spared() { [ "$(count spared)" = "$(flow_lines | wc -l)" ] && [ "$(count spared)" -gt 0 ]; }

# --- a dry run

sever_kill --client $A --dry-run
planned=$(handles)
is "$RC:$(count planned):$(summary dead)" 0:3:0 "dry run: three planned, none dead, exit 0"
is "$planned" "$(at_port 7001)" "dry run: those that a kill would take"
ok "dry run: nothing touched" untouched
sever_kill --client 192.0.2.1 --dry-run
is "$RC" 1 "dry run of nothing: exit 1"

# --- --max

sever_kill --client $A --max 2
is "$RC" 6 "--max: three are more than two, exit 6"
ok "--max: all spared" all_spared
ok "--max: the sentence has both numbers" said '3.*2'
ok "--max: refused whole" untouched
sever_kill --client $A --max 3 --dry-run
is "$RC:$(count planned)" 0:3 "--max: three are not more than three"
for bad in 0 -1 x '' 1.5 99999999999999999999; do
	sever_kill --client $A --max "$bad"
	is "$RC" 2 "--max: not a number: '$bad'"
done

# --- everyone

sever_kill --all
is "$RC" 6 "--all without --yes: exit 6"
ok "--all without --yes: said so" said yes
is "$(summary matched):$(summary dead):$(wc -l <"$OUT")" 0:0:1 "--all without --yes: nobody was looked for, and a program is told so"
for by in --peer --client; do
	sever_kill $by 0.0.0.0/0
	is "$RC" 6 "$by 0.0.0.0/0 is everyone too: exit 6"
done
ok "--all without --yes: nothing touched" untouched
sever_kill --all --dry-run --yes
is "$RC:$(count planned)" 0:8 "--all --dry-run --yes: shows them all"
ok "--all --dry-run: nothing touched" untouched

# --- typing errors: one line, exit 2, nothing touched

wrong()	# NAME ARGS...
{
	_what=$1
	shift
	sever_run "$@"
	is "$RC" 2 "nonsense, $_what: exit 2"
	ok "nonsense, $_what: one line says why" one_line
	ok "nonsense, $_what: no answer" not test -s "$OUT"
}
wrong "nothing" 
wrong "a verb" kil --client $A
wrong "an empty verb" ''
ok "nonsense, an empty verb: it is shown" grep -q "unknown verb ''" "$ERR"
wrong "an option" kill --cleint $A
wrong "an option that is not of this verb" list --dry-run
wrong "no value" kill --client
wrong "a word" kill $A
wrong "a word after" kill --client $A everyone
wrong "a stage" kill --client $A --wait gone
wrong "a duration" kill --client $A --drain 5
wrong "no time" kill --client $A --timeout 0s
wrong "a value for a flag" kill --client $A --dry-run=no
wrong "a session that cannot be" kill --session audit:x
wrong "an abbreviation" kill --cli $A
wrong "a single dash" kill -client $A
wrong "terminal codes" kill --user "$(printf 'x\033[2Jy')"
ok "nonsense: terminal codes do not reach the terminal" not grep -q "$(printf '\033')" "$ERR"
wrong "kinds of lists" list sockets
wrong "a repeated option" kill --client $A --max 1 --max 2
ok "nonsense: nothing touched" untouched
"$SEVER" list --direct --netns self >/dev/full 2>"$ERR"
is "$?:$(cat "$ERR")" "3:sever: the answer could not be written in full" "a full disk: nobody takes that for an answer"

# --- K13: whatever became of it, the exit code says so

sever_kill --client 192.0.2.1
none=$RC
sever_as "-u 3001" kill --json --netns self --client $A
denied=$RC
sever_flow "$(at_port 7001 | head -n 1)"
is "$RC:$none:$denied" 0:1:4 "K13 killed, nothing there, not allowed: three exit codes"
stop cli
start cli connect tcp 127.0.0.1 7001 from $A n 3

# --- one connection held for two users (NET-8)

start second -l 3002 take @shared
start giver -l 3001 listen tcp 127.0.0.1 7003
start guest connect tcp 127.0.0.1 7003 from $A
ask giver give @shared >/dev/null
until_true 5 heard second took
shared=$(at_port 7003)
sever_kill --user alice
is "$RC" 6 "NET-8 shared with bob: exit 6"
ok "NET-8 bob is named" said bob
ok "NET-8 all spared, hers alone too" all_spared
is "$(sorted "$(flow_field "$shared" user)" "$(flow_field "$shared" shared_with)")" "$(sorted alice bob)" \
	"NET-8 the flow says whose it is, and with whom"
is "$(ask guest echo):$(ask cli echo)" "ok=1 bad=0:ok=3 bad=0" "NET-8 nothing died"
sever_kill --user bob --local-port 7003
is "$RC" 6 "NET-8 the same from bob's side"
ok "NET-8 alice is named" said alice
sever_kill --user alice --user bob --local-port 7003 --dry-run
is "$RC:$(count planned)" 0:1 "NET-8 both named: nobody else's"
sever_kill --user alice --local-port 7003 --collateral
is "$RC:$(flow_field "$shared" outcome)" 0:dead "NET-8 --collateral: dead"
ok "NET-8 --collateral: both holders lost it" until_true 1 heard second "poll.*HUP"
is "$(ask bystander echo)" "ok=1 bad=0" "NET-8 bob's own lives"

# --- oneself (X-8): a connection that carries the caller is spared

printf '#!/bin/sh\n"%s" kill --json --netns self "$@" >"%s" 2>"%s"\n' "$SEVER" "$OUT" "$ERR" >"$T/inside"
chmod +x "$T/inside"
start admin listen tcp 127.0.0.1 7004
start me connect tcp 127.0.0.1 7004 from 127.0.0.5
start them connect tcp 127.0.0.1 7002 from 127.0.0.5
mine=$(at_port 7004) theirs=$(from 127.0.0.5 | grep -vx "$mine")
RC=$(ask admin run "$T/inside" --client 127.0.0.5)
is "$RC" "exit 6" "X-8 a service's child, asked for its own client and another: exit 6"
is "$(flow_field "$mine" outcome):$(flow_field "$theirs" outcome)" spared:dead "X-8 its own is spared, the other dead"
is "$(ask me echo)" "ok=1 bad=0" "X-8 its own lives"
RC=$(ask admin run "$T/inside" --client 127.0.0.5)
is "$RC:$(count spared)" "exit 6:1" "X-8 its own alone: refused"
RC=$(ask admin run "$T/inside" --client 127.0.0.5 --include-self)
is "$RC:$(flow_field "$mine" outcome)" "exit 0:dead" "X-8 --include-self: dead"
ok "X-8 --include-self: its client is told" until_true 1 heard me ECONNRESET
start inetd listen tcp 127.0.0.1 7005
start me2 connect tcp 127.0.0.1 7005 from 127.0.0.6
start them2 connect tcp 127.0.0.1 7002 from 127.0.0.6
mine=$(at_port 7005)
tell inetd become "$SEVER" kill --json --netns self --client 127.0.0.6
until_true 5 heard inetd summary
cp "$T/inetd.out" "$OUT"
is "$(flow_field "$mine" outcome):$(summary dead)" spared:1 "X-8 a connection that is its stdin is spared"
for port in 7001 7002 7004; do
	ok "X-8 the listener at $port lives" accepts $port
done

done_testing
