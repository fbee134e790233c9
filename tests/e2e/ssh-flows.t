#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# ssh-flows.t - what else a log-in brings with it: forwardings, sudo, multiplexing, a jump to the next host.
. "$(dirname "$0")/../services.sh"
needs socat sudo nsenter
services_up && sshd_up || exit 1
spawn backend socat TCP-LISTEN:7001,bind=$HOST,reuseaddr,fork EXEC:cat
until_true 10 listening 7001

# --- forwardings -----------------------------------------------------------------------------------

forwarding() { talk "$1" socat - "TCP:127.0.0.1:$2,retry=20,interval=0.1"; }
login shell alice $A -L 9001:$HOST:7001 -L 9002:$HOST:7001
login bob bob $A -L 9003:$HOST:7001
forwarding one 9001; echoes one; first=$(to_port 7001)
forwarding two 9002; echoes two; forwarding his 9003; echoes his
sever_list --user alice --remote-port 7001
is "$RC:$(handles | grep -c .)" 0:2 "NET-13: her two forwarded flows are hers"
is "$(flow_field "$first" via):$(flow_field "$first" session):$(flow_field "$first" direction)" \
	"session:audit:$(session shell):out" "NET-13: through her session, outward"

cut_by sever_kill --flow "$first"
is "$RC:$(handles)" "0:$first" "NET-13: one forwarded flow cut"
ok "NET-13: whoever used it is told within a second" ended_in_time one
ok "NET-13: her shell stays usable" echoes shell
ok "NET-13: the other forwarding stays up" echoes two
ok "NET-13: a new connection through the same -L works" eval 'forwarding third 9001 && echoes third'
sever_kill --user alice --remote-port 7001
is "$RC:$(summary dead)" 0:2 "NET-13: both that she has now, by port"
ok "NET-13: her shell stays usable" echoes shell
ok "NET-13: bob's forwarding stays up" echoes his

# --- one session of two ----------------------------------------------------------------------------

login more alice $B
shell=$(transport shell) more=$(transport more)
sever_kill --session "audit:$(session shell)"
is "$RC:$(handles)" "0:$shell" "WTS-1: a session by its id is that session"
ok "WTS-1: her other session works" echoes more

# --- sudo ------------------------------------------------------------------------------------------

talk sudo ssh_to alice $A $HOST "sudo -n socat - TCP:$HOST:7001"
echoes sudo
mine=$(to_port 7001 | grep -vFx "$(sever_list --user bob --remote-port 7001; handles)")
sever_list --remote-port 7001
is "$(flow_field "$mine" uid):$(flow_field "$mine" user):$(flow_field "$mine" login_uid)" "0:alice:$ALICE" \
	"X-4: a flow of sudo in her session is hers, its uid root's"
sever_kill --user root --remote-port 7001
is "$RC" 1 "X-4: --user root does not match it"
ok "X-4: nor touch it" echoes sudo
sever_kill --user alice --remote-port 7001
is "$RC:$(handles)" "0:$mine" "X-4: --user alice does"
ok "X-4: the command under sudo ends" ends_within 10 sudo
ok "X-4: bob's flow to the same port lives" echoes his
sever_kill --user alice
is "$RC:$(handles)" "0:$more" "X-4: what is left of her is her other log-in"

# --- many sessions in one transport ----------------------------------------------------------------

login mux1 alice $A -M -S "$T/mux"
login mux2 alice $A -S "$T/mux"
login mux3 alice $A -S "$T/mux"
carrier=$(transport mux1)
is "$(transport mux2) $(transport mux3)" "$carrier $carrier" "X-5: three sessions in one transport"
cut_by sever_run disconnect --json --user alice
is "$RC:$(summary matched):$(handles)" "0:1:$carrier" "X-5: one flow is cut"
for name in mux1 mux2 mux3; do
	ok "X-5: $name ends with it" ended_in_time $name
done
ok "X-5: bob works" echoes bob

# --- the next host ---------------------------------------------------------------------------------

jump()
{
	talk jump ssh_to alice $A $HOST \
		"$GREETING; exec ssh -F $T/ssh_config -i .ssh/id -b $B -l bob $HOST 'exec cat'"
	greeted jump && echoes jump || return 1
	onward=$(dump | awk -v l="^$B:" '$3 == "established" && $5 ~ l && $6 ~ /:22$/ { print $4 }')
}
jump
carrier=$(transport jump)
sever_run disconnect --json --user alice
is "$RC:$(handles)" "0:$carrier" "X-6: disconnect takes the transport only"
ok "X-6: the onward flow dies with its process" until_true 10 finished "$onward"
ok "X-6: and her client with it" ends_within 10 jump
jump
carrier=$(transport jump)
sever_run kill --json --user alice
is "$RC:$(handles)" "0:$(sorted "$carrier" "$onward")" "X-6: kill takes the onward flow as well"
is "$(state_of "$carrier")$(state_of "$onward")" "" "X-6: both are gone when it returns"
ok "X-6: her client ends" ends_within 10 jump

# --- a session without a transport -----------------------------------------------------------------

# As cron makes one: a login uid and an audit session, nobody connected.
talk cron sh -c "echo $ALICE >/proc/self/loginuid && cat /proc/self/sessionid && echo &&
	exec setpriv --reuid $ALICE --clear-groups --inh-caps=-all cat"
until_true 10 grep -q . "$T/cron.out"
cron=audit:$(head -n 1 "$T/cron.out")
sever_run disconnect --session "$cron"
is "$RC" 1 "WTS-5: a session that nothing carries cannot be disconnected"
ok "WTS-5: and the answer says so" said 'transport|connect|carries'
ok "WTS-5: it goes on" echoes cron
for unknown in 4294967294 4294967295; do
	sever_run kill --session audit:$unknown
	is "$RC" 1 "WTS-5: an unknown session: $unknown"
done
ok "WTS-5: listed all the same" eval 'sever_run list sessions --json --user alice; said "\"$cron\""'

# --- the same addresses twice ----------------------------------------------------------------------

new_netns other && spawn sshd2 nsenter --net=/run/netns/other /usr/sbin/sshd -D -e -f "$T/sshd_config"
until_true 20 grep -q 'Server listening' "$T/sshd2.out"
talk there nsenter --net=/run/netns/other ssh -F "$T/ssh_config" -i "$T/id" -b $A -l alice $HOST "$GREETING; exec cat"
login here alice $A
greeted there
sever_run kill --json --netns other --client $A
is "$RC:$(summary dead):$(flow_lines | grep -c "@$(netns_inode /run/netns/other)\"")" 0:1:1 \
	"X-7: the same address elsewhere: only the named namespace"
ok "X-7: the session there ends" ends_within 10 there
ok "X-7: the one here works" echoes here

done_testing
