# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# resident.sh - a severd of the test's own, beside whatever else runs here. To be sourced after lib.sh.
#
#	severd_up		$SOCKET, $STATE and $PINS are its places; ready when this returns
#	by kill --client ...	sever_run, asking it about this namespace
#	call List '{...}'	the first reply to that, as it came
#	severd_down		ends it, the tags stay; severd_up takes them over

: "${SEVERD:=$_bin/severd}"
SOCKET=$T/io.sever STATE=$T/state PINS=$T/bpf/sever

severd_up()	# ARGS...
{
	mkdir -p "$T/bpf" && { grep -q " $T/bpf bpf " /proc/mounts || mount -t bpf bpf "$T/bpf"; } || return 1
	: >"$T/severd.out" # the one before was ready, too
	spawn severd "$SEVERD" --socket "$SOCKET" --state-dir "$STATE" --pin-dir "$PINS" "$@"
	until_true 20 severd_settled
	grep -qs ready "$T/severd.out" && return
	diag "severd: $(cat "$T/severd.out")"
	return 1
}
severd_settled() { grep -qs ready "$T/severd.out" || ! alive severd; }

severd_down() { kill "$(pid_of severd)"; wait "$(pid_of severd)"; }

# It sees the whole host, on which other tests run: all that is asked of it is about this namespace.
by()	# VERB ARGS...
{
	_verb=$1
	shift
	sever_run "$_verb" --socket "$SOCKET" --netns self "$@"
}
as()	# USER VERB ARGS...: the same, as that user
{
	_who=$1 _verb=$2
	shift 2
	for_anyone
	SEVER_ARGS="$_verb $* (as $_who)"
	setpriv --reuid "$_who" --regid "$_who" --clear-groups "$SEVER_ANYONE" "$_verb" --socket "$SOCKET" --netns self "$@" \
		>"$OUT" 2>"$ERR" </dev/null
	RC=$?
}
# Of what `spawn watch "$SEVER" watch --json --socket "$SOCKET"` has heard.
# Up to now: while others make connections it grows as fast as anyone reads it.
watched() { head -c "$(wc -c <"$T/watch.out")" "$T/watch.out"; }
events() { watched | grep "\"event\":\"$1\"" | grep -- "${2-}"; }	# EVENT [TEXT]
told() { [ "$(events "$@" | wc -l)" -ge 1 ]; }

listed() { sed -n 's/^{"flow":"\([^"]*\)".*/\1/p' "$OUT" | sort; }	# the flows that sever has just shown

raw()	# MESSAGE: what comes back for it, a line each; RAW_AS: how another user asks
{
	# shellcheck disable=SC2086
	printf '%s\0' "$1" | ${RAW_AS-} timeout $((30 * SEVER_TEST_SLOW)) socat -t $((30 * SEVER_TEST_SLOW)) - UNIX:"$SOCKET" 2>/dev/null | tr '\0' '\n'
}
call() { raw "{\"method\":\"io.sever.$1\",\"parameters\":$2}" | head -n 1; }	# METHOD PARAMETERS
outcome() { call GetRequest "{\"request\":\"$1\"}"; }			# REQUEST
kill_of()	# REQUEST ADDR: the parameters of Kill, for what comes from there
{
	echo '{"verb":"kill","selectors":[{"kind":"client","value":"'"$2"'"},{"kind":"netns","value":"'"$(netns_inode)"'"}],"request":"'"$1"'","options":{"timeout_ms":'$((5000 * SEVER_TEST_SLOW))'}}'
}

rss_of() { awk '/^VmRSS:/ { print $2 }' "/proc/$(pid_of "$1")/status"; }	# NAME: in kB

# What every test says to sever is then said to severd.
resident()
{
	severd_up || return 1
	cat >"$T/sever" <<-EOF
		#!/bin/sh
		verb=\$1
		case \$verb in kill|disconnect|list|watch) shift && exec "$SEVER" "\$verb" --socket "$SOCKET" "\$@" ;; esac
		exec "$SEVER" "\$@"
	EOF
	chmod 755 "$T/sever"
	SEVER=$T/sever
}
