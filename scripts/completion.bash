# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# completion.bash - completion of sever(8) for bash.

_sever_sessions()
{
	sever list sessions --json 2>/dev/null | sed -n 's/^{"session":"\([A-Za-z0-9:_-]*\)".*/\1/p'
}

_sever_fences()
{
	sever fence list --json 2>/dev/null | sed -n 's/^{"fence":"\(f[0-9]*\)".*/\1/p'
}

_sever_netns()
{
	[[ -d /run/netns ]] && find /run/netns -maxdepth 1 -mindepth 1 -printf '%f\n' 2>/dev/null
}

_sever_units()
{
	systemctl list-units --plain --no-legend --type=service,scope --state=active 2>/dev/null | cut -d' ' -f1
}

# As /proc/PID/cgroup names them.
_sever_cgroups()
{
	local root

	root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	[[ -n $root ]] && find "$root" -mindepth 1 -type d -printf '/%P\n' 2>/dev/null
}

# The values an option takes; nothing where only the user can know.
_sever_values()
{
	case $1 in
	--user) compgen -u ;;
	--session) printf '%s\n' self; _sever_sessions ;;
	--netns) printf '%s\n' self; _sever_netns ;;
	--cgroup) _sever_cgroups ;;
	--unit) _sever_units ;;
	--client | --peer) compgen -A hostname ;;
	--pid) ps -eo pid= | tr -d ' ' ;;
	--local-port | --remote-port) compgen -A service ;;
	--proto) printf '%s\n' tcp udp mptcp ;;
	--state)
		printf '%s\n' established syn-sent syn-recv fin-wait-1 fin-wait-2 time-wait close-wait last-ack closing
		;;
	lift) _sever_fences ;;
	--wait) printf '%s\n' dead verified released ended ;;
	esac
}

# Those values that begin as the word does. Not by `compgen -W`, which would run what a name has in $(...); a name with
# anything in it that the shell reads is left for the user to type.
_sever_offer()
{
	local value

	while IFS= read -r value; do
		[[ $value == "$cur"* && $value =~ ^[A-Za-z0-9@._:+/-]+$ ]] && COMPREPLY+=("$value")
	done < <(_sever_values "$1")
}

_sever_options()
{
	local selectors='--user --client --peer --session --cgroup --unit --pid --local-port --remote-port --proto
		--netns --flow --state --older-than --all'
	local both='--json --socket --help' host='--direct --ignore-none'
	local cut='--dry-run --wait --no-wait --timeout --fence --drain --max --collateral --include-self --reason
		--yes --quiet'

	case $1 in
	list) echo "$selectors $both $host" ;;
	kill | disconnect) echo "$selectors $both $host $cut" ;;
	watch) echo "$selectors $both --after" ;;
	'fence add') echo "$selectors $both --for --reason --include-self --yes" ;;
	'fence list' | 'fence lift') echo "$selectors $both" ;;
	doctor) echo --json --help ;;
	esac
}

_sever()
{
	local cur prev words cword verb

	COMPREPLY=()
	# Without ":" and "=" as breaks, so that audit:7 and --user=alice are one word each.
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n := cur prev words cword
	else
		cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} cword=$COMP_CWORD
		words=("${COMP_WORDS[@]}")
	fi
	verb=${words[1]}
	if ((cword == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'list kill disconnect watch fence doctor --help --version' -- "$cur")
		return
	fi
	if [[ $verb == fence ]]; then
		if ((cword == 2)); then
			mapfile -t COMPREPLY < <(compgen -W 'add list lift --help' -- "$cur")
			return
		fi
		verb="fence ${words[2]}"
	fi
	case $prev in
	--socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null
		return
		;;
	--user | --client | --peer | --session | --cgroup | --netns | --unit | --pid | --local-port | --remote-port | --proto | \
		--state | --wait)
		_sever_offer "$prev"
		;;
	--flow | --older-than | --timeout | --fence | --for | --drain | --max | --reason | --after)
		return
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W "$(_sever_options "$verb")" -- "$cur")
		if [[ $verb == list && $cur != -* ]]; then
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < \
				<(compgen -W 'sessions flows users clients' -- "$cur")
		fi
		[[ $verb == 'fence lift' && $cur != -* ]] && _sever_offer lift
		;;
	esac
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}

complete -F _sever sever
