# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# services.sh - real servers and real log-ins of two users, for tests and for the demonstration. To be sourced
# instead of lib.sh, whose words it uses. Users, sshd and what they write live in the test's own
# namespaces; alice and bob have uids, and the clients $A and $B addresses, that nobody else on the host has.
#
#	services_up				alice ($ALICE), bob ($BOB), their homes and one key for all
#	sshd_up					a real sshd on port 22
#	login phone alice $A			a session that sends back each line; ready when this returns
#	ok "still there" echoes phone
#	cookie=$(transport phone)
#	done_testing

# What lives in our network namespace is ended with the test: let it be really ours.
if [ "${SEVER_TEST_NS-guest}" != guest ] && [ "$(readlink /proc/self/ns/net)" = "$(readlink "/proc/$PPID/ns/net")" ]; then
	echo "Bail out! SEVER_TEST_NS is set, yet this is no namespace of the test's own"
	exit 1
fi
. "${LIB:-$(dirname "$0")/../lib.sh}"

PATH=$PATH:/usr/sbin:/sbin
case $SEVER in /*) ;; *) SEVER=$PWD/$SEVER ;; esac	# it is also run from inside of sessions
ALICE=$((100000 + $$ * 2)) BOB=$((100001 + $$ * 2))
_low=$(($$ / 65536)).$(($$ / 256 % 256)).$(($$ % 256))	# fits: a pid has at most 22 bits
A=127.$((64 + ${_low%%.*})).${_low#*.} B=127.$((128 + ${_low%%.*})).${_low#*.} HOST=127.0.0.1

needs()		# PROGRAM...: without them nothing in this file can run
{
	for _program; do
		command -v "$_program" >/dev/null || skip_all "no $_program: run scripts/deps check"
	done
}

services_up()
{
	needs sshd ssh setpriv
	fake_user alice "$ALICE" && fake_user bob "$BOB" || return 1
	sed -i "s,^alice:.*,alice:x:$ALICE:$ALICE:Alice:/home/alice:/bin/sh,
		s,^bob:.*,bob:x:$BOB:$BOB:Bob:/home/bob:/bin/sh," /etc/passwd
	mount -t tmpfs none /home && mkdir /home/alice /home/bob || return 1
	# sshd asks PAM for what it wants here: a login uid, and with it an audit session.
	printf 'account required pam_permit.so\nsession required pam_loginuid.so\n' >/etc/pam.d/sshd
	printf 'account required pam_permit.so\nsession required pam_permit.so\n' >/etc/pam.d/sudo
	echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers && rm -rf /etc/sudoers.d
	ssh-keygen -q -t ed25519 -N '' -f "$T/id" && ssh-keygen -q -t ed25519 -N '' -f "$T/hostkey" || return 1
	for _user in alice bob; do
		install -D -m 600 -o "$_user" "$T/id" "/home/$_user/.ssh/id"
		chown -R "$_user:$_user" "/home/$_user"
	done
	client_config
}

client_config()
{
	cat >"$T/ssh_config" <<-EOF
		StrictHostKeyChecking no
		UserKnownHostsFile /dev/null
		LogLevel ERROR
		BatchMode yes
		ConnectTimeout $((20 * SEVER_TEST_SLOW))
		KexAlgorithms curve25519-sha256
	EOF
	chmod 644 "$T/ssh_config"
}

# --- sshd ------------------------------------------------------------------------------------------

sshd_up()
{
	mkdir -p /run/sshd && cat >"$T/sshd_config" <<-EOF || return 1
		Port 22
		ListenAddress 127.0.0.1
		HostKey $T/hostkey
		AuthorizedKeysFile $T/id.pub
		StrictModes no
		UsePAM yes
		PermitRootLogin yes
		PidFile none
		UseDNS no
		PrintMotd no
		MaxStartups 100
	EOF
	spawn sshd /usr/sbin/sshd -D -e -f "$T/sshd_config"
	until_true 20 grep -qs 'Server listening' "$T/sshd.out"
}

ssh_to()	# USER CLIENT [ARG...]: the client, in the foreground
{
	_user=$1 _from=$2
	shift 2
	ssh -F "$T/ssh_config" -i "$T/id" -b "$_from" -l "$_user" "$@"
}

logs_in() { ssh_to "$1" "$2" "$HOST" true; }	# USER CLIENT

# What a session does when it is asked for nothing else: say who it is, then send back each line.
# shellcheck disable=SC2016
GREETING='read -r id </proc/self/sessionid; echo "at $SSH_CONNECTION session $id pid $$"'

login()		# NAME USER CLIENT [SSH-OPTION...]
{
	login_start "$@" && greeted "$1"
}

login_start()	# the same, not waiting: several can log in at once
{
	_talk=$1
	shift
	talk "$_talk" ssh_to "$@" "$HOST" "$GREETING; exec cat"
}

greeted()	# NAME...
{
	for _talk; do
		until_true 20 grep -q '^at ' "$T/$_talk.out" && continue
		diag "no log-in of $_talk: $(cat "$T/$_talk.err" "$T/sshd.out")"
		return 1
	done
}

greeting() { sed -n 's/^at \(.* session .*\)/\1/p' "$T/$1.out" | tr -d '\r' | head -n 1; }
session() { greeting "$1" | cut -d ' ' -f 6; }		# NAME: its audit session on the server
remote_pid() { greeting "$1" | cut -d ' ' -f 8; }	# NAME: the process that it talks to
transport()	# NAME: COOKIE@NETNS of the server's end, while it lives
{
	greeting "$1" | { read -r _ca _cp _sa _sp _rest && between "$_sa:$_sp" "$_ca:$_cp"; }
}

between()	# LOCAL REMOTE: COOKIE@NETNS of the flow
{
	dump | awk -v l="$1" -v r="$2" '$3 != "listen" && $5 == l && $6 == r { print $4 }'
}

owned_by()	# UID: the flows whose sockets are the user's
{
	dump | awk -v u="$1" '$3 == "established" && $7 == u { print $4 }'
}

to_port()	# PORT: the flows whose other end is there
{
	dump | awk -v p=":$1\$" '$3 == "established" && $6 ~ p { print $4 }' | sort
}

# The processes of an audit session, those apart that have ended and wait for their parent.
members()	# SESSION
{
	for _file in $(grep -lxs "$1" /proc/[0-9]*/sessionid); do
		grep -qs '^State:[[:space:]]*[^ZX]' "${_file%/*}/status" && echo "${_file%/*}" | cut -d / -f 3
	done
}
session_over() { [ -z "$(members "$1")" ]; }	# SESSION

finished() { [ "$(state_of "$1")" != established ]; }	# COOKIE: dead, or closed by its own program

# Of what sever last said as JSON: a session in the list, and one that is about to be cut.
listed() { json_field "$(grep "\"session\": *\"$1\"" "$OUT")" "$2"; }			# SESSION KEY
session_cut() { json_field "$(grep session_cut "$OUT" | grep "\"$1\"")" "$2"; }	# SESSION KEY

# --- two-way conversations -------------------------------------------------------------------------

# talk NAME CMD...: in the background, its stdin a pipe that we write to. What it printed is in $T/NAME.out and
# .err, how it ended in .rc, when in .ended.
talk()
{
	_talk=$1
	shift
	# He who had this name before him would write down his own end as this one's.
	[ ! -e "$T/$_talk.in" ] || until_true 10 ended "$_talk" || diag "the former $_talk has not ended"
	rm -f "$T/$_talk".*
	mkfifo "$T/$_talk.in" || return 1
	(
		trap - EXIT
		exec <>"$T/$_talk.in" 2>"$T/$_talk.err" && : >"$T/$_talk.out"
		"$@" >"$T/$_talk.out"
		_rc=$?
		now_ms >"$T/$_talk.ended"
		echo $_rc >"$T/$_talk.rc"
	) &
	remember "$_talk" $!
	until_true 10 [ -e "$T/$_talk.out" ]	# before that the pipe would lose what we say
}

say()		# NAME TEXT
{
	[ ! -e "$T/$1.rc" ] && printf '%s\n' "$2" 1<>"$T/$1.in"
}

echoes()	# NAME: what we say comes back
{
	SAID=$((${SAID-0} + 1))
	say "$1" "line $SAID." && until_true 10 grep -q "line $SAID\\." "$T/$1.out"
}

ended() { [ -s "$T/$1.rc" ]; }
ends_within() { until_true "$1" ended "$2"; }	# SECONDS NAME
rc_of() { until_true 10 ended "$1" && cat "$T/$1.rc"; }

ended_in_time()	# NAME: at most a second after CUT, the moment that sever returned (see cut_by), on a machine of usual speed
{
	until_true 10 ended "$1" && [ $(($(cat "$T/$1.ended") - CUT)) -le $((1000 * SEVER_TEST_SLOW)) ] && return
	diag "$1: ended at $(cat "$T/$1.ended" 2>&1), cut at $CUT"
	return 1
}

cut_by()	# CMD...: runs sever and keeps the time
{
	"$@"
	CUT=$(now_ms)
}

# --- a program that goes on, or does not -----------------------------------------------------------

alice_can_count()	# as `sh count FILE` in her home: it shows n=1. n=2. and so on, and keeps the number in FILE
{
	cat >/home/alice/count <<-'EOF'
		i=0
		while sleep 0.05; do
			i=$((i + 1))
			echo "n=$i."
			echo $i >"$1.new" && mv "$1.new" "$1"
		done
	EOF
}

counter() { cat "/home/alice/$1" 2>/dev/null || echo 0; }	# FILE
beyond() { [ "$(counter "$1")" -gt "$2" ]; }			# FILE NUMBER
counts() { until_true 10 beyond "$1" "$(counter "$1")"; }	# FILE: it goes up
shows()		# NAME NUMBER: who talks has seen more than that
{
	grep -ao 'n=[0-9]*\.' "$T/$1.out" | tr -cd '0-9\n' | awk -v n="$2" '$1 > n { m = 1 } END { exit !m }'
}

# --- the end ---------------------------------------------------------------------------------------

# The children of servers and sessions are not ours to wait for; but who lives in a namespace that this test
# made was started by it.
ours()	# the processes in our network namespaces, this one apart
{
	set --
	for _ns in $(stat -L -c %i /proc/self/ns/net /run/netns/* 2>/dev/null); do
		set -- "$@" -o -lname "net:\\[$_ns\\]"
	done
	shift
	find /proc/[0-9]*/ns/net -maxdepth 0 \( "$@" \) 2>/dev/null | cut -d / -f 3 | grep -vx $$
}

end_ours()
{
	_killed=0
	for _pid in $(ours); do
		kill -9 "$_pid" 2>/dev/null && _killed=1
	done
	[ $_killed = 0 ]
}

services_down()
{
	until_true 10 end_ours
	cleanup
}
trap services_down EXIT

nginx_up()	# PORT: a real nginx with one worker and, of its configuration, what stdin says; it listens at PORT
{
	mkdir "$T/nginx" || return 1
	_module=/usr/lib/nginx/modules/ngx_stream_module.so # else it is built in
	{
		[ ! -e $_module ] || echo "load_module $_module;"
		cat <<-EOF
			user www-data;
			worker_processes 1;
			daemon off;
			pid $T/nginx/pid;
			error_log stderr notice;
			events { worker_connections 64; }
		EOF
		cat
	} >"$T/nginx.conf"
	spawn nginx nginx -c "$T/nginx.conf" -p "$T/nginx" -e stderr
	until_true 10 listening "$1"
}
