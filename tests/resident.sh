# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# resident.sh - a severd of the test's own, beside whatever else runs here. To be sourced after lib.sh.
#
#	severd_up		$SOCKET, $STATE and $PINS are its places; ready when this returns
#	sever_by kill ...	sever_run, asking it
#	call List '{"what":"users"}'	a method of io.sever, its parameters; prints the first reply. Needs socat
#	severd_down		ends it, the tags stay; severd_up takes them over

: "${SEVERD:=$_bin/severd}"
SOCKET=$T/io.sever STATE=$T/state PINS=$T/bpf/sever

severd_up()	# ARGS...
{
	mkdir -p "$T/bpf" && { mountpoint -q "$T/bpf" || mount -t bpf bpf "$T/bpf"; } || return 1
	spawn severd "$SEVERD" --socket "$SOCKET" --state-dir "$STATE" --pin-dir "$PINS" "$@"
	until_true 20 severd_settled
	grep -qs ready "$T/severd.out" && return
	diag "severd: $(cat "$T/severd.out")"
	return 1
}
severd_settled() { grep -qs ready "$T/severd.out" || ! alive severd; }

severd_down() { kill "$(pid_of severd)"; wait "$(pid_of severd)"; }

call()	# METHOD PARAMETERS: the first reply
{
	printf '{"method":"io.sever.%s","parameters":%s}\0' "$1" "$2" | timeout 10 socat -t 5 - UNIX:"$SOCKET" | tr '\0' '\n' | head -n 1
}

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
