#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Wrong usage: exit 64, a message that says what was meant, and nothing done.
set -u
cd "$(dirname "$0")/../.." || exit 1
tool=$PWD/${BUILD:-build}/vfiotrace
dir=$(mktemp -d /tmp/vfiotrace-usage-XXXXXX)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
n=0
result() { # ok|not ok, name
	n=$((n + 1))
	echo "$1 $n - $2"
	[ "$1" = ok ] || sed 's/^/# /' said
}

# Ends with 64 within seconds, says this, and leaves no file.
refused() { # name, regular expression, arguments...
	local name=$1 message=$2 got
	shift 2
	timeout 20 "$tool" "$@" >said 2>&1 </dev/null
	got=$?
	if [ $got = 64 ] && grep -qE -- "$message" said && [ "$(printf "%s " *)" = "said " ]; then result ok "$name"; else
		echo "exit $got, files $(printf '%s ' *), wanted: $message" >>said
		result "not ok" "$name"
	fi
}

refused "a mistyped command is named" 'no command "wacth"; did you mean "watch"\?' wacth
refused "a command that is like none is not guessed" 'no command "frobnicate"; see vfiotrace --help$' frobnicate
refused "help of a mistyped command says which it knows" 'did you mean "analyze"\?' help analyse
refused "a command's name cannot command the terminal" 'no command "\\x1b\[31m' $'\e[31m'
for row in watch:duraton:duration record:otput:output now:wait-four:wait-for analyze:josn:json check:verbsoe:verbose \
	validate:basline:baseline diff:fromat:format report:fromat:format merge:redcat:redact agent:lisen:listen; do
	IFS=: read -r command typed meant <<<"$row"
	refused "$command --$typed: did you mean --$meant" "no option --$typed; did you mean --$meant\?" "$command" "--$typed=x"
done
refused "an option that is like none is not guessed" 'no option --frobnicate; see vfiotrace watch --help$' watch --frobnicate
refused "an unknown letter is refused" "invalid option -- 'Z'" watch -Z
refused "a run of no time is refused" '--duration takes a time longer than 0' watch -d 0
refused "a stall of no time is refused" '--stall takes a time longer than 0' watch --stall 0s
refused "agent: a run of no time is refused" '--duration takes a time longer than 0' agent -d 0
refused "--trigger stall wants its time" '--trigger stall needs the time' watch --trigger stall
refused "a recording is not called like a page" 'is the name of a report; record to FILE.vfiotrace' watch -o page.html
refused "record: a recording is not called like a page" 'is the name of a report' record -o page.html
refused "no report is a PDF" 'no report is a pdf file; name it' report -o page.pdf "$tool"
refused "no report is called like a recording" 'no report is a vfiotrace file' report -o page.vfiotrace "$tool"
refused "a name and a format that contradict each other" 'name of another format' report -f html -o page.txt "$tool"

# What was typed in full, shortened as getopt allows, or is a value of another option, is let through.
let_through() { # name, arguments...
	local name=$1
	shift
	timeout 20 "$tool" "$@" >said 2>&1 </dev/null
	if [ $? = 64 ] || grep -q 'no option' said; then result "not ok" "$name"; else result ok "$name"; fi
}
let_through "an option may be shortened" report --form text --help
let_through "a value may look like an option" analyze --color never --suppress --frobnicate --help
let_through "what follows -- is no option" analyze -- --frobnicate
for command in watch record now analyze check validate diff report merge agent; do
	if "$tool" help $command >said 2>&1 && "$tool" $command --help | cmp -s - said; then
		result ok "help $command is $command --help"
	else
		result "not ok" "help $command is $command --help"
	fi
done
echo "1..$n"
