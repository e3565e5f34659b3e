# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for vfiotrace. Commands and options are asked of the program itself, which prints
# them from its own tables: they cannot drift apart.
_vfiotrace_values() { # option, command, program
	case $1 in
	help) "$3" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  *[A-Za-z].*/\1/p' ;;
	--known) "$3" check --json 2>/dev/null | grep -oE '"commit": ?"[0-9a-f]+"' | grep -oE '[0-9a-f]{12,}' | sort -u ;;
	--trigger) echo inversion deadlock stall:5s ;;
	--color) echo auto always never ;;
	--attach) echo auto fentry kprobe tracepoint lockdep ;;
	-s | --scope) echo vfio all ;;
	--format | -f)
		case $2 in
		analyze) echo auto recording std splat hung perf trace-cmd ;;
		now | diff) echo text json dot svg mermaid markdown ;;
		*) echo text splat json dot svg mermaid markdown html metrics trace ;;
		esac ;;
	--require) echo device_open device_close get_kvm put_kvm set_kvm group_add group_del \
		kvm_device_release vm_create vm_destroy ;;
	*) return 1 ;;
	esac
}

_vfiotrace_help() { # what is wanted: commands or options; program, command
	case $1 in
	commands) "$2" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  *[A-Za-z].*/\1/p' ;;
	options)
		ARGP_HELP_FMT=rmargin=4000 "$2" "$3" --help 2>/dev/null |
			grep -oE '^ +(-[A-Za-z?], )?(--[a-z][a-z-]*|-[A-Za-z?] )' | grep -oE -- '--?[a-zA-Z?][a-z-]*' ;;
	esac
}

_vfiotrace() {
	local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=watch option=$previous values word
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == -* || $word == = ]] || { command=$word; break; }
	done
	COMPREPLY=()
	# --option=value comes as three words
	if [[ $current == = ]]; then
		option=$previous current=
	elif [[ $previous == = ]] && ((COMP_CWORD >= 2)); then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if values=$(_vfiotrace_values "$option" "$command" "$program"); then
		[[ $option != --require || $current != *,* ]] || values=${values// / ${current%,*},}
		[[ $option != --require || $current != *,* ]] || values=${current%,*},$values
		mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
	elif [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_vfiotrace_help options "$program" "$command")" -- "$current")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$(_vfiotrace_help commands "$program")" -- "$current")
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}
complete -F _vfiotrace vfiotrace
