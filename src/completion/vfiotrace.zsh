#compdef vfiotrace
# SPDX-License-Identifier: GPL-2.0-or-later
# zsh completion for vfiotrace. Commands and options are asked of the program itself.
_vfiotrace() {
	local program=$words[1] command=watch line
	local -a rows options
	if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
		for line in ${(f)"$($program --help 2>/dev/null)"}; do
			[[ $line == '  '[a-z]* ]] && rows+=("${${line##  }%% *}:${${line##  [a-z]##}## #}")
		done
		_describe 'command' rows
		return
	fi
	[[ $words[2] == [a-z]* ]] && command=$words[2]
	# --option=value is one word here
	if [[ $words[CURRENT] == --*=* ]]; then
		words=($words[1,CURRENT-1] ${words[CURRENT]%%=*} ${words[CURRENT]#*=})
		(( CURRENT++ ))
		compset -P '*='
	fi
	case $words[CURRENT-1] in
	help)
		compadd -- $($program --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  *[A-Za-z].*/\1/p')
		return ;;
	--known)
		compadd -- $($program check --json 2>/dev/null | grep -oE '"commit": ?"[0-9a-f]+"' | grep -oE '[0-9a-f]{12,}' | sort -u)
		return ;;
	--trigger) compadd inversion deadlock stall:5s; return ;;
	--require)
		compset -P '*,'
		compadd -S , -q device_open device_close get_kvm put_kvm set_kvm group_add group_del kvm_device_release \
			vm_create vm_destroy
		return ;;
	--color) compadd auto always never; return ;;
	--attach) compadd auto fentry kprobe tracepoint lockdep; return ;;
	-s|--scope) compadd vfio all; return ;;
	-f|--format)
		case $command in
		analyze) compadd auto recording std splat hung perf trace-cmd ;;
		now|diff) compadd text json dot svg mermaid markdown ;;
		*) compadd text splat json dot svg mermaid markdown html metrics trace ;;
		esac
		return ;;
	esac
	if [[ $words[CURRENT] == -* ]]; then
		options=(${(f)"$(ARGP_HELP_FMT=rmargin=4000 $program $command --help 2>/dev/null |
			grep -oE '^ +(-[A-Za-z?], )?(--[a-z][a-z-]*|-[A-Za-z?] )' | grep -oE -- '--?[a-zA-Z?][a-z-]*')"})
		compadd -a options
	else
		_files
	fi
}
_vfiotrace "$@"
