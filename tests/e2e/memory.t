#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# memory.t - valgrind watches each verb: nothing read before it is written, nothing lost, no descriptor left open.
. "$(dirname "$0")/../lib.sh"
[ "$SEVER_TEST_SLOW" = 1 ] || skip_all "valgrind on an emulated CPU would take half an hour; memory is no matter of the kernel"
command -v valgrind >/dev/null || skip_all "no valgrind: run scripts/deps check"
! grep -q __asan_init "$SEVER" || skip_all "$SEVER has a sanitizer of its own"
uid=$((100000 + $$ * 2))
fake_user alice $uid
start srv -u $uid -l $uid listen tcp 127.0.0.1 7000
start cli connect tcp 127.0.0.1 7000 n 20 from 127.0.0.2

# Descriptors that the shell or valgrind itself had open are "inherited from parent".
all_closed() { [ "$(grep -c 'Open file descriptor' "$T/valgrind")" = "$(grep -c '<inherited from parent>' "$T/valgrind")" ]; }

clean()		# STATUS ARGS...
{
	_want=$1
	shift
	SEVER_ARGS=$*
	valgrind -q --error-exitcode=99 --leak-check=full --track-fds=yes \
		--suppressions="$TESTS/valgrind.supp" --log-file="$T/valgrind" \
		"$SEVER" "$@" >"$OUT" 2>"$ERR" </dev/null
	RC=$?
	is "$RC" "$_want" "valgrind: sever $*"
	[ "$RC" = "$_want" ] || diag "$(grep '^==' "$T/valgrind")"
	ok "no descriptor left: sever $*" all_closed
	all_closed || diag "$(grep -A 3 'Open file' "$T/valgrind")"
}

for what in sessions flows users clients; do
	clean 0 list $what --netns self
	clean 0 list $what --netns self --json --user alice
done
clean 0 list sessions --netns self --client 127.0.0.2
clean 0 kill --netns self --user alice --local-port 7000 --dry-run
clean 6 kill --netns self --user alice --max 3
clean 0 kill --netns self --flow "$(cookies cli | cut -d ' ' -f 1)"
clean 0 disconnect --netns self --user alice --json --reason "memory.t"
clean 1 kill --netns self --user alice
clean 1 kill --user nobody-of-this-name
clean 2 kill --client 127.0.0.2/8
clean 6 kill --all
clean 0 doctor
clean 0 --help

done_testing
