#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every place that says "clean", "none" or "no ...", or exits 0 for it, asks whether everything was
# looked at: a trace with a line that cannot be read is what was not.
set -u
cd "$(dirname "$0")/../.." || exit 1
tool=$PWD/${BUILD:-build}/vfiotrace
work=$(mktemp -d "${TMPDIR:-/tmp}/negatives.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
n=0
check() { # text, command...
	local text=$1
	shift
	n=$((n + 1))
	if "$@" >out 2>&1; then echo "ok $n - $text"; else
		echo "not ok $n - $text"
		head -n 20 out | sed 's/^/# /'
	fi
}
exits() { # status, command...
	local want=$1 got
	shift
	"$@" >stdout 2>stderr
	got=$?
	[ "$got" -eq "$want" ] || { echo "$*: exit $got, not $want"; cat stdout stderr; return 1; }
}
says() { grep -qE -- "$1" stdout || { echo "does not say: $1"; cat stdout; return 1; }; }
silent() { ! says "$1" >/dev/null || { echo "says: $1"; cat stdout; return 1; }; }

printf '%s\n' 'A|acq(X)|1' 'A|acq(Y)|2' 'A|rel(Y)|3' 'A|rel(X)|4' >whole
{ cat whole; echo 'A|acq(?'; } >"cut"
printf '%s\n' 'A|acq(X)|1' 'A|rel(X)|2' >idle
{ cat idle; echo 'A|acq(?'; } >idle-cut
{ cat whole; printf '%s\n' 'B|acq(Y)|5' 'B|acq(X)|6' 'B|rel(X)|7' 'B|rel(Y)|8'; } >inverted
printf '%s\n' 'A|acq(G)|1' 'A|acq(X)|1' 'A|acq(Y)|2' 'A|rel(Y)|3' 'A|rel(X)|4' 'A|rel(G)|5' \
	'B|acq(G)|6' 'B|acq(Y)|6' 'B|acq(X)|7' 'B|rel(X)|8' 'B|rel(Y)|9' 'B|rel(G)|9' >gated
printf 'suppress X -> Y\n\treason known here\n' >accepted

whole_is_clean() {
	exits 0 "$tool" analyze whole && says 'No inversion, no cycle and no deadlock' &&
		exits 0 "$tool" diff whole whole && says '^no difference$' &&
		exits 0 "$tool" report -f splat whole && says '^# no findings$'
}
check "what was seen whole is clean" whole_is_clean

analyze() {
	exits 4 "$tool" analyze cut && says 'not everything was looked at' && silent 'no deadlock' &&
		exits 4 "$tool" analyze --json cut && jq -e 'select(.type == "summary") | .exit == 4' stdout
}
check "analyze: no \"no deadlock\" beside a line that could not be read" analyze

reports() {
	exits 0 "$tool" report cut && says 'not everything was looked at' && silent 'no deadlock' &&
		exits 0 "$tool" report -f splat cut && silent '^# no findings$' && says 'not everything was looked at' &&
		exits 0 "$tool" report -f html cut && silent '"level":"clean"' && says 'inconclusive' &&
		exits 0 "$tool" report -f markdown cut && silent 'no deadlock' &&
		exits 0 "$tool" report -f json cut && jq -e 'select(.type == "summary") | .exit == 4' stdout &&
		exits 0 "$tool" report -f mermaid idle-cut && silent 'was taken while' &&
		exits 0 "$tool" report --tasks idle-cut && silent 'took'
}
check "report: no format says clean beside it" reports

only_cycles() {
	exits 0 "$tool" report -f mermaid --only-cycles whole && says 'part of a finding' && silent 'was (seen )?taken'
}
check "a picture of cycles only does not say that no lock was taken" only_cycles

diffs() {
	exits 4 "$tool" diff whole cut && silent '^no difference$' && says '^\+ not everything was looked at' &&
		exits 0 "$tool" diff cut whole && silent '^no difference$' && says '^- not everything was looked at' &&
		exits 4 "$tool" diff -o diff.dot -f dot whole cut && [ -s diff.dot ] &&
		exits 4 "$tool" diff -f markdown whole cut && says '^After: not everything' &&
		exits 4 "$tool" diff --json whole cut && jq -e '(.new_cycle or .after_complete | not) and .before_complete' stdout &&
		exits 2 "$tool" diff cut inverted
}
check "diff: no new cycle and no difference are said only of what was looked at" diffs

suppressed() {
	exits 0 "$tool" analyze --suppress accepted inverted && silent 'No inversion' && says '1 finding is suppressed'
}
check "a finding that is suppressed is counted, and not denied" suppressed

gated() { exits 0 "$tool" analyze gated && silent 'No inversion|no cycle' && says '1 finding of grade info'; }
check "a cycle that a guard keeps from closing is not denied" gated

unwritten() { # what could not be written is no success
	local command
	for command in "analyze whole" "report whole" "report -f json whole" "diff whole whole" "diff --json whole whole" "analyze --json whole"; do
		# shellcheck disable=SC2086 # words
		"$tool" $command >/dev/full 2>stderr && { echo "$command: exit 0 on a full disk"; return 1; }
	done
	return 0
}
check "no command that could not write its answer exits 0" unwritten
echo "1..$n"
