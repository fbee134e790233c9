#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# layers.t - scripts/layers sees each breach that it is there for, and no other.
LAYERS=$(dirname "$0")/../../scripts
[ -x "$LAYERS/layers" ] || { echo "1..0 # SKIP the sources are not here"; exit 4; }
LAYERS=$(cd "$LAYERS" && pwd)/layers
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
n=0 bad=0

tree()		# a tree without a breach
{
	rm -rf "$T/tree"
	mkdir -p "$T/tree/include/sever" "$T/tree/bpf" && cd "$T/tree" || exit 1
	for file in include/sever/abi.h user/model/flow.h user/names/users.h user/kernel/nl.c user/report/text.c \
		user/varlink/frame.h user/pipeline/scan.c user/cli/main.c user/daemon/bus.c; do
		mkdir -p "${file%/*}"
		echo '/* SPDX-License-Identifier: LGPL-2.1-or-later */' >$file
	done
	echo '/* SPDX-License-Identifier: GPL-2.0-only */' >bpf/track.bpf.c
}

tap()		# RESULT NAME
{
	n=$((n + 1))
	echo "$1 $n - $2"
	[ "$1" = ok ] || { bad=1; sed 's/^/# /' "$T/out"; }
}

may()		# FILE LINE
{
	tree
	printf '%s\n' "$2" >>"$1"
	if "$LAYERS" . >"$T/out"; then tap ok "$1 may: $2"; else tap "not ok" "$1 may: $2"; fi
}

may_not()	# FILE LINE WORD-IN-THE-ANSWER
{
	tree
	printf '%s\n' "$2" >>"$1"
	"$LAYERS" . >"$T/out"
	if [ $? = 1 ] && grep -q "^$1:.*$3" "$T/out" && [ "$(grep -c . "$T/out")" = 1 ]; then
		tap ok "$1 may not: $3"
	else
		tap "not ok" "$1 may not: $3"
	fi
}

may user/model/flow.h '#include <sever/abi.h>'
may user/names/users.h '#include "model/flow.h"'
may user/pipeline/scan.c '#include "kernel/nl.h"'
may user/cli/main.c '#include "pipeline/scan.h"'
may user/cli/main.c '#include "varlink/frame.h"'
may user/daemon/bus.c '#include "varlink/frame.h"'
may user/kernel/nl.c '#include <libmnl/libmnl.h>'
may user/kernel/nl.c '#include "owner.lskel.h"'
may bpf/track.bpf.c '#include "kernel.h"'
may user/report/text.c 'fprintf(f, "goto");'
may user/model/flow.h 'snprintf(buf, n, "%s", "printf(");	/* no goto, no INET_DIAG_NOCOOKIE */'
may user/cli/main.c 'exit(status);'

may_not user/model/flow.h '#include "names/users.h"' 'may not include names'
may_not user/names/users.h '#include "kernel/nl.h"' 'may not include kernel'
may_not user/kernel/nl.c '#include "report/report.h"' 'may not include report'
may_not user/report/text.c '#include "pipeline/scan.h"' 'may not include pipeline'
may_not user/daemon/bus.c '#include "cli/cli.h"' 'may not include cli'
may_not user/varlink/frame.h '#include "report/report.h"' 'may not include report'
may_not user/cli/main.c '#include "flow.h"' 'by its path'
may_not bpf/track.bpf.c '#include "model/flow.h"' 'may not include model'
may_not user/pipeline/scan.c '#include <libmnl/libmnl.h>' 'libmnl only'
may_not user/pipeline/scan.c 'mnl_socket_open(0);' 'libmnl only'
may_not user/pipeline/scan.c '#include "owner.lskel.h"' 'skeletons only'
may_not user/pipeline/scan.c 'printf("x");' 'only report/ and cli/ print'
may_not user/pipeline/scan.c 'perror("x");' 'only report/ and cli/ print'
may_not user/pipeline/scan.c 'exit(1);' 'only cli/ ends'
may_not user/cli/main.c 'system("ss -K");' 'no other program'
may_not user/cli/main.c 'execvp(argv[0], argv);' 'no other program'
may_not user/kernel/nl.c 'goto out;' 'no goto'
may_not user/kernel/nl.c 'id.cookie[0] = INET_DIAG_NOCOOKIE;' 'without its cookie'
may_not user/model/flow.h "$(printf '{\n'; seq 61; echo '}')" 'function of 61 lines'
may_not user/model/flow.h "$(seq 300)" 'more than 300 lines'

tree
echo 'int x;' >user/model/flow.h
"$LAYERS" . >"$T/out"
if grep -q '^user/model/flow.h:1:.*SPDX' "$T/out"; then tap ok "a licence on the first line"; else tap "not ok" "a licence"; fi
mkdir user/attic && echo '/* SPDX-License-Identifier: LGPL-2.1-or-later */' >user/attic/a.c
"$LAYERS" . >"$T/out"
if grep -q 'attic has no level' "$T/out"; then tap ok "a new folder needs a level"; else tap "not ok" "a new folder"; fi

echo "1..$n"
exit $bad
