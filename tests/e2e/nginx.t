#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# nginx.t - services that know their users themselves, beside those of the users: who is cut with alice, and
# who is only counted.
. "$(dirname "$0")/../services.sh"
needs nginx socat
services_up && sshd_up || exit 1

nginx_up 8081 <<EOF
http {
	access_log off;
	keepalive_timeout 600s;
	client_body_temp_path $T/nginx/body;
	proxy_temp_path $T/nginx/proxy;
	fastcgi_temp_path $T/nginx/fastcgi;
	uwsgi_temp_path $T/nginx/uwsgi;
	scgi_temp_path $T/nginx/scgi;
	server {
		listen $HOST:8080;
		return 200 "hello\n";
	}
}
stream {
	server {
		listen $HOST:8081;
		proxy_pass $HOST:7003;
	}
}
EOF

answers() { grep -c '200 OK' "$T/$1.out"; }
answered() { [ "$(answers "$1")" -gt "$2" ]; }
gets()		# NAME: a page over the connection that it has
{
	_before=$(answers "$1")
	say "$1" "GET / HTTP/1.1
Host: test
" && until_true 10 answered "$1" "$_before"
}
browser() { talk "$1" socat -d -d - "TCP:$HOST:8080,bind=$2" && gets "$1"; }	# NAME CLIENT

# --- whom nobody registered ------------------------------------------------------------------------

login alice alice $A
browser web $A
sever_kill --user alice
is "$RC:$(handles | grep -c .):$(summary unattributed)" 0:1:1 "TSG-2: alice's log-in dies, nginx's flow is counted"
ok "TSG-2: and works" gets web
sever_kill --user bob
is "$RC:$(summary unattributed)" 1:1 "TSG-2: no match, and the count says why one may wonder"

# --- all that is hers ------------------------------------------------------------------------------

spawn backend socat TCP-LISTEN:7001,bind=$HOST,reuseaddr,fork EXEC:cat
relay()		# USER UID PORT: a relay that runs as the user, with a login uid
{
	spawn "relay-$1" sh -c "echo $2 >/proc/self/loginuid && exec setpriv --reuid $2 --clear-groups \
		socat TCP-LISTEN:$3,bind=$HOST,reuseaddr,fork TCP:$HOST:7001"
	until_true 10 listening "$3"
}
relay alice "$ALICE" 7011
relay bob "$BOB" 7012
for user in alice bob; do
	login_start $user-1 $user $A
	login_start $user-2 $user $B
done
greeted alice-1 alice-2 bob-1 bob-2
talk alice-relayed socat - TCP:$HOST:7011,bind=$A
talk bob-relayed socat - TCP:$HOST:7012,bind=$A
echoes alice-relayed && echoes bob-relayed
hers=$(sorted "$(transport alice-1)" "$(transport alice-2)" "$(owned_by "$ALICE")")
his=$(sorted "$(transport bob-1)" "$(transport bob-2)")
cut_by sever_run kill --json --user alice
# The relay itself closes its second leg when the first is cut, sometimes before its turn.
is "$RC:$(($(summary dead) + $(summary stale)))" 0:4 "TSG-1: two log-ins and both legs of a relay"
is "$(handles)" "$hers" "TSG-1: which are hers"
for name in alice-1 alice-2 alice-relayed; do
	ok "TSG-1: the client is told within a second: $name" ended_in_time $name
done
for name in bob-1 bob-2 bob-relayed; do
	ok "TSG-1: bob's works: $name" echoes $name
done
ok "TSG-1: nginx works" gets web
ok "TSG-1: her relay still listens, for others" listening 7011
sever_run kill --json --user alice
is "$RC" 1 "TSG-1: once more: nothing matches"

# --- a protocol ------------------------------------------------------------------------------------

sever_run disconnect --json --netns self --local-port ssh
is "$RC:$(handles)" "0:$his" "TSG-4: all of ssh, by its name in services(5)"
ok "TSG-4: they end" eval 'ends_within 10 bob-1 && ends_within 10 bob-2'
ok "TSG-4: the relay works" echoes bob-relayed
ok "TSG-4: nginx works" gets web
ok "TSG-4: sshd lets bob in" logs_in bob $A
sever_run disconnect --netns self --local-port no-such-protocol
is "$RC" 2 "TSG-4: an unknown protocol is a bad parameter, not nobody"

# --- a service by its own user, and its relay ------------------------------------------------------

browser web2 $B
talk upstream socat -u TCP-LISTEN:7003,bind=$HOST,reuseaddr -
until_true 10 listening 7003
talk front socat - TCP:$HOST:8081,bind=$A
say front "through the proxy"
ok "TSG-10: the backend hears the client" until_true 10 grep -q through "$T/upstream.out"
leg=$(at_port 8081)
cut_by sever_run disconnect --json --netns self --client $A --local-port 8081
is "$RC:$(handles)" "0:$leg" "TSG-10: the front leg of the proxy is cut"
ok "TSG-10: the backend's end ends within a second" ended_in_time upstream
ok "TSG-10: the client's too" ended_in_time front
is "$(to_port 7003)" "" "TSG-10: the proxy keeps no leg to the backend"
ok "TSG-10: its pages work" gets web

cut_by sever_run disconnect --json --netns self --user www-data --client $A
is "$RC:$(summary dead):$(json_field "$(flow_lines)" user)" 0:1:www-data "TSG-1: nginx's flow, by the user it runs as"
ok "TSG-7: the browser ends within a second" ended_in_time web
ok "TSG-7: it saw ECONNRESET" grep -q 'Connection reset by peer' "$T/web.err"
ok "TSG-1: the browser from elsewhere is served on" gets web2

done_testing
