#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# ssh-self.t - an administrator who works over ssh does not cut the branch that he sits on, unless he says so.
. "$(dirname "$0")/../services.sh"
needs sudo strace
services_up && sshd_up || exit 1

shell_of()	# NAME USER CLIENT: a session that runs what we say
{
	talk "$1" ssh_to "$2" "$3" $HOST "$GREETING; exec sh" && greeted "$1"
}

does()		# NAME COMMAND: the same as if NAME had typed it; sets RC as sever_run does
{
	SEVER_ARGS="(in the session of $1) $2"
	: >"$T/rc"
	say "$1" "$2 >$OUT 2>$ERR; echo \$? >$T/rc"
	until_true 20 [ -s "$T/rc" ] && RC=$(cat "$T/rc")
}

for file in "$OUT" "$ERR" "$T/rc"; do
	: >"$file" && chmod 666 "$file"
done
KILL="$SEVER kill --json --netns self"
shell_of admin root $B
admin=$(transport admin)

# --- spared ----------------------------------------------------------------------------------------

spares_admin()	# NAME COMMAND: bob's transport dies of it, the administrator's does not
{
	login_start bob bob $A && login_start alice alice $A && greeted alice bob || return 1
	others=$(sorted "$(transport bob)" "$(transport alice)")
	does admin "$2"
	is "$RC:$(summary dead):$(summary spared)" 6:2:1 "WTS-4: $1: the others die, one is spared"
	is "$(flow_field "$admin" outcome)" spared "WTS-4: $1: it is his own"
	is "$(at_port 22)" "$admin" "WTS-4: $1: nobody else is left"
	ok "WTS-4: $1: both are told" eval 'ends_within 10 alice && ends_within 10 bob'
}

spares_admin "by port" "$KILL --local-port 22"
forged="SSH_CONNECTION='$A 1 $HOST 22' SSH_CLIENT='$A 1 22' XDG_SESSION_ID=1 SUDO_USER=bob"
spares_admin "no environment" "env -i $KILL --local-port 22"
spares_admin "a forged one" "env $forged $KILL --local-port 22"
spares_admin "without the terminal" "setsid -w $KILL --local-port 22"
does admin "$KILL --session self"
is "$RC:$(summary dead):$(flow_field "$admin" outcome)" 6:0:spared "WTS-4: his own session by its name: refused"
does admin "$KILL --client $B"
is "$RC:$(summary dead):$(flow_field "$admin" outcome)" 6:0:spared "WTS-4: by his address: refused"
does admin "$KILL --flow $admin"
is "$RC:$(flow_field "$admin" outcome)" 6:spared "WTS-4: by its handle: refused"
does admin "echo still here"
is "$(cat "$OUT")" "still here" "WTS-4: he works on"
ok "WTS-4: and sshd lets others in" logs_in bob $A

# --- a user with sudo ------------------------------------------------------------------------------

shell_of first alice $A
login second alice $B
login bob bob $A
first=$(transport first) second=$(transport second)
does first "sudo -n $KILL --user alice"
is "$RC:$(flow_field "$first" outcome):$(flow_field "$second" outcome)" 6:spared:dead \
	"WTS-4: alice by sudo: her other log-in dies, the one she works in is spared"
ok "WTS-4: the other one ends" ends_within 10 second
does first "sudo -n $KILL --user alice --dry-run"
is "$RC:$(flow_field "$first" outcome)" 6:spared "WTS-4: a dry run says so too"
ok "WTS-4: bob has nothing to do with it" echoes bob

# --- from outside there is no self -----------------------------------------------------------------

sever_kill --session self
is "$RC" 1 "WTS-4: who is in no session has none to kill"
sever_kill --user alice
is "$RC:$(flow_field "$first" outcome)" 0:dead "WTS-4: and nothing is spared"

# --- unless he says so -----------------------------------------------------------------------------

login alice alice $A
for i in 1 2 3 4 5 6; do # who is among so many is not the last by chance
	start knocks$i connect tcp $HOST 22 from "$A"
done
all=$(at_port 22)
ordered()	# the cookies in the order in which the kernel was told
{
	sed 's/SOCK_DESTROY/\n&/g' "$T/trace" |
		sed -n 's/^SOCK_DESTROY.*idiag_cookie=\[\([0-9]*\), \([0-9]*\)\].*/\1 \2/p' |
		while read -r low high; do printf '%x\n' $((high << 32 | low)); done
}
strace="strace -o $T/trace -e trace=sendto,sendmsg -s 1000000"
: >"$T/rc"
say admin "$strace $KILL --local-port 22 --include-self >$OUT 2>$ERR; echo \$? >$T/rc"
ok "WTS-4: --include-self: his client is cut" ends_within 10 admin
ok "WTS-4: the command reaches its end all the same" until_true 10 [ -s "$T/rc" ]
RC=$(cat "$T/rc")
is "$RC:$(at_port 22)" 0: "WTS-4: all of them are gone"
is "$(count dead):$(handles)" "9:$all" "WTS-4: his among them"
is "$(ordered | grep -c .):$(ordered | tail -n 1)" "9:${admin%@*}" "WTS-4: and his was the last to be cut"
ok "WTS-4: a new log-in works" logs_in alice $A

done_testing
