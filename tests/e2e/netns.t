#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# netns.t - several network namespaces: each is found, only the named one is hit, and the answer keeps them apart.
. "$(dirname "$0")/../lib.sh"

# The same addresses and ports in two namespaces and in ours. The client's address is this test's alone, so that a
# kill in every namespace of the host meets only these.
C=127.$(($$ / 256 % 256)).$(($$ % 256)).77
new_netns red
new_netns blue
RED=$(netns_inode /run/netns/red) BLUE=$(netns_inode /run/netns/blue) OWN=$(netns_inode)
for ns in red blue own; do
	case $ns in own) file=/proc/self/ns/net ;; *) file=/run/netns/$ns ;; esac
	start srv-$ns -n $file listen tcp 127.0.0.1 7001
	start cli-$ns -n $file connect tcp 127.0.0.1 7001 from "$C"
	start by-$ns -n $file connect tcp 127.0.0.1 7001 from 127.0.0.9
done
alive_in() { for ns; do ask cli-"$ns" echo; done | tr '\n' ' '; }
back()	# NAME...: their clients connect again
{
	for ns; do
		ask cli-"$ns" connect tcp 127.0.0.1 7001 from "$C" >/dev/null
	done
}
unharmed()
{
	for ns in red blue own; do
		[ "$(ask by-$ns echo)" = "ok=1 bad=0" ] || return 1
	done
	"$PEER" as -n /run/netns/red "$PEER" try 127.0.0.1 7001 | grep -qx ok && accepts 7001
}

sever_run kill --json --client "$C" --netns red
is "$RC:$(summary dead)" 0:1 "X-7 K6 by name: one flow"
is "$(handles | cut -d @ -f 2)" "$RED" "X-7 the handle says where"
ok "X-7 reset in red" until_true 1 heard cli-red ECONNRESET
is "$(alive_in blue own)" "ok=1 bad=0 ok=1 bad=0 " "X-7 K6 the same addresses elsewhere live"
back red
sever_run kill --json --client "$C" --netns /run/netns/red
is "$RC:$(handles | cut -d @ -f 2)" "0:$RED" "X-7 by path"
back red
sever_run kill --json --client "$C" --netns "/proc/$(pid_of srv-red)/ns/net"
is "$RC:$(handles | cut -d @ -f 2)" "0:$RED" "X-7 by a process's path"
back red
sever_run kill --json --client "$C" --netns "$RED"
is "$RC:$(handles | cut -d @ -f 2)" "0:$RED" "X-7 by inode"
sever_run kill --json --client "$C" --netns self
is "$RC:$(handles | cut -d @ -f 2)" "0:$OWN" "X-7 self"
is "$(alive_in blue)" "ok=1 bad=0 " "X-7 K6 blue has been left alone by all of these"
back red own
sever_run kill --json --client "$C" --netns red --netns blue
is "$RC:$(handles | cut -d @ -f 2 | sort)" "0:$(sorted "$RED" "$BLUE")" "X-7 two of them"
is "$(alive_in own)" "ok=1 bad=0 " "X-7 ours lives"
back red blue
sever_run kill --json --client "$C"
is "$RC:$(handles | cut -d @ -f 2 | sort)" "0:$(sorted "$RED" "$BLUE" "$OWN")" "X-7 none named: all, one line each"
like "$(flow_lines | grep "@$RED\"")" '"netns_name": *"red"' "X-7 a mounted one is shown by name"
ok "X-7 listeners and bystanders of all three live" unharmed

for bad in no-such-netns /no/such/path /etc/passwd 1 /proc/self/ns/mnt; do
	sever_run kill --json --client "$C" --netns $bad
	like "$RC" '^[12]$' "X-7 --netns $bad: nothing to cut (exit 1 or 2)"
	ok "X-7 --netns $bad: is named" said "$bad"
done
for bad in '' .. 4294967296 99999999999999999999; do
	sever_run kill --json --client "$C" --netns "$bad"
	is "$RC" 2 "X-7 --netns '$bad': exit 2"
done

# --- a namespace no process is in and no mount holds: only a socket keeps it

start left -n /run/netns/blue listen tcp 127.0.0.1 7002
"$PEER" netns /run/netns/green
start alone -n /run/netns/green listen tcp 127.0.0.1 7001
GREEN=$(netns_inode /run/netns/green)
ask alone connect tcp 127.0.0.1 7001 from "$C" hold >/dev/null
ask alone netns /proc/self/ns/net >/dev/null
ask alone netns "/proc/$$/ns/net" >/dev/null
umount /run/netns/green && rm /run/netns/green
is "$(netns_inode "/proc/$(pid_of alone)/ns/net")" "$OWN" "X-7 held only: its process is elsewhere"
sever_run list flows --json --peer "$C"
ok "X-7 held only: listed" grep -q "@$GREEN\"" "$OUT"
sever_run kill --json --client "$C" --netns "$GREEN"
is "$RC:$(handles | cut -d @ -f 2)" "0:$GREEN" "X-7 held only: cut"
ok "X-7 held only: its peer is told" until_true 1 heard alone "poll|end"

done_testing
