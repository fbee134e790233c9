#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# jobs.t - who asks severd: jobs without a terminal, callers who cut themselves, callers who are refused.
. "$(dirname "$0")/../services.sh"
. "$TESTS/resident.sh"
needs socat
services_up && sshd_up || exit 1
severd_up || exit 1
spawn watch "$SEVER" watch --json --socket "$SOCKET"
start srv -l "$ALICE" listen tcp 127.0.0.1 7001
start other -l "$BOB" listen tcp 127.0.0.1 7002
start bystander connect tcp 127.0.0.1 7002 from 127.0.0.9
is_done() { outcome "$1" | grep -q '"state":"done"'; }	# REQUEST

# --- WTS-4: a job of cron or at: no session, no terminal, its parent gone

start night connect tcp 127.0.0.1 7001 from 127.0.0.2 n 20
cat >"$T/job" <<-EOF
	read -r _ _ _ parent _ _ tty _ </proc/\$\$/stat
	echo "\$parent \$tty" >"$T/job.who"
	"$SEVER" kill --json --socket "$SOCKET" --netns self --client 127.0.0.2 --no-wait >"$T/job.said" 2>&1
	echo \$? >"$T/job.rc.new"
	mv "$T/job.rc.new" "$T/job.rc"
EOF
sh -c 'setsid sh "$1" </dev/null >/dev/null 2>&1 & exit 0' sh "$T/job"
ok "WTS-4 a job without a caller is accepted" until_true 10 [ -s "$T/job.rc" ]
is "$(cat "$T/job.rc"):$(cut -d ' ' -f 2 "$T/job.who")" 0:0 "WTS-4 it has no terminal, and ends well"
ok "WTS-4 its parent is gone" not grep -q "^$$ " "$T/job.who"
id=$(sed -n 's/.*"accepted":{"request":"\([^"]*\)".*/\1/p' "$T/job.said")
ok "WTS-4 its request is done later" until_true 10 is_done "$id"
like "$(outcome "$id")" '"status":0.*"dead":20,' "WTS-4 all are dead, it says"
is "$(from 127.0.0.2 | wc -l)" 0 "WTS-4 and they are"
stop night

# --- WTS-4: who cuts the branch he sits on

for_anyone
login desk alice $A
login phone alice $B
itself() { echo "'$SEVER_ANYONE' disconnect --json --socket '$SOCKET' --session self $1 >/home/alice/$2 2>&1"; }
shell()		# NAME: a log-in of alice that runs what it is told, and that severd knows of
{
	talk "$1" ssh_to alice $A "$HOST" "$GREETING; exec sh"
	greeted "$1" && until_true 5 told session.open "audit:$(session "$1")"
}
shell own
say own "$(itself '' spared); exit \$?"
is "$(rc_of own):$(grep -c '"dead":0,' /home/alice/spared)" 6:1 "WTS-4 not without --include-self"
shell own
say own "$(itself --include-self cut)"
is "$(rc_of own)" 255 "WTS-4 with it the caller's own connection is cut"
newest() { events request.accept | sed -n 's/.*"request":"\([^"]*\)".*/\1/p' | tail -n 1; }
another() { [ "$(newest)" != "$1" ]; }
ok "WTS-4 it was accepted" until_true 5 another "$id"
id=$(newest)
ok "WTS-4 and is done although the caller is gone" until_true 10 is_done "$id"
like "$(outcome "$id")" '"uid":'"$ALICE"',.*"status":0.*"dead":1,' "WTS-4 its outcome is known by its id"
ok "WTS-4 its end is told: by himself" until_true 5 told flow.close "\"reason\":\"admin_self\".*$id"
ok "WTS-4 her other sessions live" echoes desk
ok "WTS-4 all of them" echoes phone

# --- a service's child cuts its own client and another one

start admin listen tcp 127.0.0.1 7004
start me connect tcp 127.0.0.1 7004 from 127.0.0.8
start them connect tcp 127.0.0.1 7002 from 127.0.0.8
printf '#!/bin/sh\nexec "%s" kill --socket "%s" --netns self --client 127.0.0.8 >"%s" 2>"%s"\n' "$SEVER" "$SOCKET" "$OUT" "$ERR" >"$T/inside"
chmod +x "$T/inside"
is "$(ask admin run "$T/inside"):$(cat "$ERR")" \
	"exit 6:sever: spared: 1 of the connections carries your own session; --include-self cuts that too" "X-8 it is told why one is left"
is "$(ask me echo):$(ask them ends)" "ok=1 bad=0:ECONNRESET=1" "X-8 its own lives, the other is cut"
stop admin me them

# --- who is refused is not shown what he may not see

start idle -l "$ALICE" listen tcp 127.0.0.1 7005
as bob disconnect --session "audit:$(session_of idle)"
is "$RC:$(grep -c 'no such session' "$ERR")" 1:1 "WTS-7 of her session that nothing carries he is not told"
as alice disconnect --session "audit:$(session_of idle)"
is "$RC:$(grep -c 'nothing matched' "$ERR")" 1:1 "WTS-7 she is that it has nothing here"
sever_via "as -u $ALICE" disconnect --socket "$SOCKET" --session "audit:$(session_of idle)"
is "$RC:$(grep -c 'has no connection to cut' "$ERR")" 1:1 "WTS-7 nor anywhere"
stop idle

start hers connect tcp 127.0.0.1 7001 from 127.0.0.4 n 2
start his connect tcp 127.0.0.1 7002 from 127.0.0.4 n 3
as alice kill --json --client 127.0.0.4
is "$RC:$(from 127.0.0.4 | wc -l)" 4:5 "WTS-7 hers and his: refused as a whole"
is "$(handles)" "$(dump | awk '$3 == "established" && $5 ~ /:7001$/ && index($6, "127.0.0.4:") == 1 { print $4 }' | sort)" \
	"WTS-7 she is shown hers"
is "$(summary matched):$(summary denied):$(summary dead)" 5:5:0 "WTS-7 and how many there are"
as alice kill --json --local-port 7002
is "$RC:$(handles | wc -l)" 4:0 "WTS-7 all his: she is shown none"
as alice kill --local-port 7002
is "$RC:$(cat "$OUT" "$ERR" | grep -c 127.0.0)" 4:0 "WTS-7 nor in words"
as alice kill --json --client 127.0.0.4 --dry-run
is "$RC:$(handles | wc -l)" 4:2 "WTS-7 nor in a dry run"
as bob kill --json --client 127.0.0.4 --local-port 7002 --dry-run
is "$RC:$(handles | wc -l)" 0:3 "WTS-7 bob is shown his"
as alice kill --client 127.0.0.4 --local-port 7001 --fence 10m
is "$RC:$(from 127.0.0.4 | wc -l)" 4:5 "a fence is not for everybody: nobody is cut"
sever_run fence list --json --socket "$SOCKET"
is "$(summary listed)" 0 "and none stands"

start giver -l "$ALICE" connect tcp 127.0.0.1 7002 from 127.0.0.6
start second -l "$BOB" take @shared
ask giver give @shared >/dev/null
until_true 5 heard second took
both=$(dump | awk '$3 == "established" && index($5, "127.0.0.6:") == 1 { print $4 }')
as alice kill --json --flow "$both"
is "$RC:$(summary denied):$(from 127.0.0.6 | wc -l)" 4:1:1 "WTS-7 what she shares with bob is not hers to cut"

# --- the group sever may do what root may

fake_user sever $((ALICE + 200000))
for_anyone
member() { setpriv --reuid 65534 --regid 65534 --groups "$1" "$SEVER_ANYONE" kill --socket "$SOCKET" --flow "$both"; }
member 65534 >"$OUT" 2>"$ERR"
is "$?:$(from 127.0.0.6 | wc -l)" 4:1 "NET-6 nobody may not cut it"
member $((ALICE + 200000)) >"$OUT" 2>"$ERR"
is "$?:$(from 127.0.0.6 | wc -l)" 0:0 "NET-6 who is in the group sever may"
stop giver second

# --- who watches hears of his own

spawn bobs setpriv --reuid "$BOB" --regid "$BOB" --clear-groups "$SEVER_ANYONE" watch --json --socket "$SOCKET"
start its -l "$BOB" stat
hears() { ask its connect tcp 127.0.0.1 7001 from 127.0.0.11 >/dev/null; grep -q '"event":"flow.open".*"local_addr":"127.0.0.11"' "$T/bobs.out"; }
ok "WTS-7 bob is told of what he opens" until_true 10 hears
start hers2 -l "$ALICE" connect tcp 127.0.0.1 7002 from 127.0.0.12
ask its connect tcp 127.0.0.1 7001 from 127.0.0.13 >/dev/null
ok "WTS-7 again" until_true 10 grep -q '"local_addr":"127.0.0.13"' "$T/bobs.out"
ok "and root of what alice opens" until_true 10 told flow.open '"local_addr":"127.0.0.12"'
is "$(grep -c '127.0.0.12' "$T/bobs.out")" 0 "WTS-7 of which bob is not"
stop bobs its hers2

# --- accepted and done come in pairs

pairs()		# every request that was accepted is done, and the other way round
{
	for _event in "accept" "done"; do
		events request.$_event | sed 's/.*"request":"\([^"]*\)".*/\1/' | sort >"$T/$_event"
	done
	[ -s "$T/accept" ] && cmp -s "$T/accept" "$T/done"
}
by kill --json --client 127.0.0.77
is "$RC" 1 "a request that nothing matches"
by kill --json --client 127.0.0.4 --max 1
is "$RC" 6 "a request that a guard refuses"
by kill --json --client 127.0.0.4 --dry-run
is "$RC" 0 "a dry run"
by kill --json --client 127.0.0.4 --local-port 7001
is "$RC:$(summary dead)" 0:2 "and one that is carried out"
ok "its end is told" until_true 5 told request.done "$(summary request)"
ok "accepted and done come in pairs" pairs
diag "$(wc -l <"$T/accept") accepted, $(wc -l <"$T/done") done"

# --- somebody who takes his time holds up nobody

stop srv
start srv -l "$ALICE" listen tcp 127.0.0.1 7001 hold
start held connect tcp 127.0.0.1 7001 from 127.0.0.5
(OUT=$T/patient.out ERR=$T/patient.out && as alice kill --json --client 127.0.0.5 --wait released --timeout 300s) &
remember patient $!
nobody_from() { [ "$(from "$1" | wc -l)" = 0 ]; }
ok "she cuts, and waits until her service lets go" until_true 5 nobody_from 127.0.0.5
start next connect tcp 127.0.0.1 7002 from 127.0.0.5
by kill --json --client 127.0.0.5
is "$RC:$(summary dead)" 0:1 "root asks for the same meanwhile, and is served"
ok "she still waits" alive patient
is "$(ask bystander echo)" "ok=1 bad=0" "the bystander lives"
done_testing
