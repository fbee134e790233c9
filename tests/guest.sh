# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# guest.sh - what the tests of a whole system start with, instead of lib.sh or services.sh, whose words it uses: real log-ins
# through the machine's own sshd, PAM and logind. alice, bob and carol exist; the machine is the test's alone and will be
# thrown away.
#
#	. "$(dirname "$0")/../guest.sh"
#	login phone alice $A		as in services.sh; the audit session of a log-in is also logind's id of it
#	ok "logind has it" in_logind "$(session phone)"
#	done_testing
#
# Each test leaves nobody logged in; the next finds the machine as it booted.

if [ "${SEVER_GUEST-}" != system ]; then
	echo "1..0 # SKIP needs a machine of its own with systemd: scripts/vm"
	exit 4
fi
export SEVER_TEST_NS=guest
. "$(dirname "$0")/../services.sh"
ALICE=$(id -u alice) BOB=$(id -u bob) CAROL=$(id -u carol) A=127.0.0.2 B=127.0.0.3 HOST=127.0.0.1

guest_up()	# keys for alice and bob; sshd, logind and PAM are as Debian sets them up
{
	ssh-keygen -q -t ed25519 -N '' -f "$T/id" || return 1
	for _user in alice bob carol; do
		install -d -m 700 -o "$_user" -g "$_user" "/home/$_user/.ssh"
		install -m 600 -o "$_user" -g "$_user" "$T/id.pub" "/home/$_user/.ssh/authorized_keys"
	done
	client_config
	until_true 20 listening 22
}

sessions() { loginctl --no-legend list-sessions | awk '{ print $1 }' | sort; }
in_logind() { sessions | grep -qx -- "$1"; }		# ID
logind_knows() { loginctl show-session --property "$2" --value "$1"; }	# ID PROPERTY
nobody_there() { [ -z "$(sessions)" ]; }
all_listed() { sed -n 's/.*"session": *"\([^"]*\)".*/\1/p' "$OUT" | sort; }

severd_unit()	# severd as it is installed, with a watchdog that bites sooner
{
	for _unit in severd.service severd.socket; do
		sed "s|@SBINDIR@|$TESTS/bin|; s/^WatchdogSec=.*/WatchdogSec=15/" "$TESTS/systemd/$_unit" >"/etc/systemd/system/$_unit"
	done
	systemd-sysusers "$TESTS/systemd/sever.sysusers" && systemd-tmpfiles --create "$TESTS/systemd/sever.tmpfiles" &&
		systemctl daemon-reload
}

guest_down()
{
	for _user in alice bob carol; do
		loginctl disable-linger "$_user"
		loginctl terminate-user "$_user"
	done 2>/dev/null
	cleanup
	until_true 5 nobody_there || loginctl --no-legend list-sessions | sed 's/^/# left behind: /'
}
trap guest_down EXIT
guest_up || { echo "Bail out! no log-in is possible on this machine"; exit 1; }
