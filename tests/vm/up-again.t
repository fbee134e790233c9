#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# up-again.t - a reboot with fences standing: run a second time in a machine that has booted again. The first half leaves
# them, so it is the last of the tests here; of it only /keeps survives.
. "$(dirname "$0")/../guest.sh"

severd_unit || exit 1
mkdir -p /var/lib/sever /keeps/sever && chmod 700 /keeps/sever && mount --bind /keeps/sever /var/lib/sever || exit 1
fence() { _verb=$1; shift; sever_run fence "$_verb" --json "$@"; }
left() { sed -n 's/^{"fence":"f1".*"remaining_ms":\([0-9]*\).*/\1/p' "$OUT"; }
refused() { ! ssh_to "$1" "$2" "$HOST" true >/dev/null 2>&1 </dev/null; }
stays() { login "$1" "$2" "$3" && echoes "$1"; }
boot=$(cat /proc/sys/kernel/random/boot_id)

if [ ! -s /keeps/before ]; then
	systemctl start severd.service || exit 1
	fence add --client $A --for 1h --reason "ticket 4711"
	is "$RC" 0 "RDP-6 a client is fenced for an hour"
	fence add --user bob --for 1h
	is "$RC" 0 "RDP-6 a user, too"
	fence add --client $B --for 2s
	is "$RC" 0 "RDP-6 another client, for two seconds"
	ok "RDP-6 she cannot come in from there" refused alice $A
	sleep 20 # so that it is seen if the hour began anew
	fence list
	left >/keeps/left
	echo "$boot" >/keeps/before
	sync
	echo "# guest: again vm/up-again.t"
	done_testing
	exit
fi

ok "this is another boot" [ "$boot" != "$(cat /keeps/before)" ]
ok "no fence stands before severd is up" logs_in alice $A
systemctl start severd.service || exit 1
fence list
is "$RC:$(sed -n 's/^{"fence":"\([^"]*\)".*/\1/p' "$OUT" | tr '\n' ' ')" "0:f1 f2 " "RDP-6 after a reboot: the two that have not ended"
lost=$(($(cat /keeps/left) - $(left)))
ok "RDP-6 with the time that it had left" [ $lost -ge -10000 -a $lost -le 60000 ]
diag "which is $lost ms less"
like "$(cat "$OUT")" '"reason": *"ticket 4711"' "RDP-6 and is there for the same reason"
ok "RDP-6 nobody comes in from there" refused alice $A
ssh_to bob 127.0.0.5 $HOST 'sleep 60' >/dev/null 2>&1 </dev/null
is $? 255 "RDP-6 the user does not stay"
ok "RDP-6 the one that ended meanwhile keeps nobody out" stays her alice $B
fence lift f1
ok "RDP-6 lifted: she is let in" stays again alice $A
systemctl stop severd.socket severd.service
ok "--detach-all" "$TESTS/bin/severd" --detach-all
done_testing
