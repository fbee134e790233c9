#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fence.t - fences under systemd: a user and a client kept out of a real machine, by a unit that is hardened, restarted and killed.
. "$(dirname "$0")/../guest.sh"

severd_unit && systemctl start severd.socket || exit 1
fence() { _verb=$1; shift; sever_run fence "$_verb" --json "$@"; }
fences() { fence list; sed -n 's/^{"fence":"\([^"]*\)".*/\1/p' "$OUT"; }
main_pid() { systemctl show -P MainPID severd.service; }
again() { [ "$(main_pid)" != "$was" ] && systemctl is-active --quiet severd.service; }
connected_to() { ask "$1" stat | grep -q "live=1 "; }
refused() { ! ssh_to "$1" "$2" "$HOST" true >/dev/null 2>&1 </dev/null; }

# --- a client

login phone alice $A
login desk bob $B
cut_by sever_run kill --json --client $A --fence 1h
id=$(summary fence)
is "$RC:$(summary dead):$(fences)" "0:1:$id" "RDP-6 a client is cut and fenced"
ok "RDP-6 bob's lives" echoes desk
ok "RDP-6 nobody comes in from there" refused alice $A
ok "RDP-6 others do" logs_in alice $B
systemctl restart severd.service
is "$(fences)" "$id" "RDP-6 restarted: it is known"
was=$(main_pid)
kill -9 "$was"
ok "RDP-6 killed: nobody comes in" refused alice $A
ok "RDP-6 severd is back" until_true 20 again
is "$(fences)" "$id" "RDP-6 and knows it"
ok "RDP-6 and still nobody comes in" refused alice $A
fence lift "$id"
ok "RDP-6 lifted: she is let in" logs_in alice $A

# --- a clock that jumps

left() { fence list; json_field "$(head -n 1 "$OUT")" remaining_ms; }
fence add --client $A --for 1h
for jump in '+2 days' '-3 days' '+1 day'; do
	date -s "$jump" >/dev/null
	ok "the clock jumps, $jump: nobody comes in" refused alice $A
	systemctl restart severd.service
	ms=$(left)
	ok "and an hour it stays, since it went up" [ "${ms:-0}" -gt 3000000 -a "${ms:-0}" -le 3600000 ]
done
fence lift "$(fences)"

# --- a user, who is known when she has logged in

login phone alice $A
sever_run kill --json --user alice --fence 1h
id=$(summary fence)
is "$RC:$(summary dead)" 0:1 "RDP-6 a user is cut and fenced"
mkdir -m 777 "$T/stays"
for i in 1 2 3 4 5; do
	install -m 666 /dev/null "$T/stays/$i"
	ssh_to alice $A $HOST "for n in \$(seq 500); do date +%s%N >>$T/stays/$i && echo && sleep 0.01 || exit; done" >/dev/null 2>&1 </dev/null
	echo $? >>"$T/codes"
	awk 'NR == 1 { a = $1 } { b = $1 } END { printf "%.0f\n", NR ? (b - a) / 1000000 : 0 }' "$T/stays/$i" >>"$T/windows"
done
is "$(sort "$T/codes" | uniq -c | awk '{ print $1 ":" $2 }')" 5:255 "RDP-6 five log-ins, each cut"
diag "from the first command to the last: $(sort -n "$T/windows" | tr '\n' ' ')ms"
ok "RDP-6 another user logs in from the same address" logs_in bob $A
ok "bob's lives" echoes desk
fence lift "$id"
login phone alice $A
ok "RDP-6 lifted: she stays" echoes phone

# --- what cgroup v2 knows

printf '#!/bin/sh\nuntil [ -e %s/go ]; do sleep 0.1; done\n%s try 127.0.0.1 7001 >%s/new\nmv %s/new %s/said\nexec sleep 1000\n' \
	"$T" "$PEER" "$T" "$T" "$T" >"$T/out"
chmod 755 "$T/out"
start door listen tcp 127.0.0.1 7001
systemd-run --quiet --unit=out "$T/out"
fence add --unit out.service --for 1h
is "$RC" 0 "a unit is fenced"
touch "$T/go"
until_true 10 [ -e "$T/said" ]
is "$(cat "$T/said"):$("$PEER" try 127.0.0.1 7001)" EPERM:ok "it goes nowhere, and others do"
id=$(fences)
fence lift "$id"
is "$RC:$(fences)" "0:" "and lifted"
systemctl stop out
stop door

# --- the kernel's own threads are nobody's: one of them opens what NFS asks for

start nfsd listen tcp 127.0.0.77 2049
fence add --peer 127.0.0.77 --for 1h
id=$(fences)
is "$("$PEER" try 127.0.0.77 2049)" EPERM "a peer is fenced: nobody goes there"
mount -t nfs4 -o vers=4.2,addr=127.0.0.77,clientaddr=127.0.0.1 127.0.0.77:/ /mnt >"$T/mount" 2>&1 &
ok "but the kernel, who is asked to mount what is there" until_true 10 connected_to nfsd || diag "$(cat "$T/mount")"
kill -9 $!
stop nfsd
fence lift "$id"
systemctl stop severd.socket severd.service
ok "--detach-all" "$TESTS/bin/severd" --detach-all
done_testing
