#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# untracked.t - severd where the hooks that track connected UDP cannot be had: no cgroup v2 is mounted.
. "$(dirname "$0")/../lib.sh"
. "$TESTS/resident.sh"

cat >"$T/blind" <<-EOF
	#!/bin/sh
	awk '\$0 ~ / - cgroup2 / { print \$5 }' /proc/self/mountinfo | xargs -r -n 1 umount -l || exit 1
	exec "$SEVERD" "\$@"
EOF
chmod 755 "$T/blind"
SEVERD="$T/blind"
cat >"$T/apart" <<-EOF
	#!/bin/sh
	exec unshare -m --propagation private "$T/blind" "\$@"
EOF
chmod 755 "$T/apart"
SEVERD=$T/apart
severd_up || exit 1

start srv listen udp 127.0.0.1 7002
start victim connect udp 127.0.0.1 7002 from 127.0.0.6
start bystander connect udp 127.0.0.1 7002 from 127.0.0.7
start tcp listen tcp 127.0.0.1 7001
start stream connect tcp 127.0.0.1 7001 from 127.0.0.6
is "$(ask victim echo)" "ok=1 bad=0" "connected UDP talks"
by list flows --json --peer 127.0.0.1 --proto udp --remote-port 7002
is "$RC:$(listed | wc -l)" 0:2 "connected UDP is listed though it is not tracked"
victim=$(cookies victim)
by kill --json --peer 127.0.0.1 --flow "$victim"
is "$RC:$(flow_field "$victim" outcome)" 0:dead "and cut"
ok "which its owner is told" until_true 1 heard victim ECONNABORTED
is "$(ask bystander echo)" "ok=1 bad=0" "the bystander talks on"
by kill --json --client 127.0.0.6
is "$RC:$(summary dead)" 0:1 "what is tracked is cut as ever"
like "$(cat "$T/severd.out")" "connected UDP is not tracked" "severd says what it lacks"
done_testing
