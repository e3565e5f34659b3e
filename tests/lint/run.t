#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/run itself, on made-up suites: what it takes for a failure, and what its last lines say.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/vfiotrace-run.XXXXXX")
trap 'rm -rf "$work"' EXIT
count=0
mkdir -p "$work/tests/"{fake,more,lab,unit}
cp tests/run tests/longest-first "$work/tests/"
cp tests/lab/accel.sh "$work/tests/lab/"
printf 'test-programs:\n' >"$work/Makefile"
printf '#!/bin/sh\nexit 0\n' >"$work/tests/lab/fetch-all"
chmod +x "$work/tests/lab/fetch-all"

suite() { # name; its script on standard input
	{ echo '#!/bin/sh'; cat; } >"$work/tests/$1.t"
	chmod +x "$work/tests/$1.t"
}
run() { # arguments: output in $work/out, exit status in $status
	env -u VFIOTRACE_LONG BUILD=build "${environment[@]}" "$work/tests/run" "$@" >"$work/out" 2>&1
	status=$?
	environment=()
}
environment=()
is() { # text, command...
	count=$((count + 1))
	if "${@:2}"; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1 (exit status $status)"
		sed 's/^/# /' "$work/out"
	fi
}
fails_with() { [ "$status" -eq 1 ] && says "$@"; }
says() { # last line, patterns that some line matches
	local pattern
	[ "$(tail -n 1 "$work/out")" = "$1" ] || return
	for pattern in "${@:2}"; do grep -qE -- "$pattern" "$work/out" || return; done
}
# everything after the line that opens the last part
at_the_end() { sed -n '/^what failed, once more:/,$p' "$work/out" | grep -qF -- "$1"; }

suite fake/passes <<<'echo 1..2; echo ok 1 - one; echo ok 2 - two'
run fake/passes
is "a suite that passes is a success" [ "$status" -eq 0 ]
is "the tests of a suite that passes are counted" says '2 passed, 0 failed'

suite fake/fails <<'SUITE'
echo 'ok 1 - fine'
echo 'not ok 2 - the answer'
echo '#   wanted: 42'
echo '#   got: 41'
echo 'ok 3 - fine again'
echo 'and this on stderr' >&2
echo 1..3
SUITE
run fake
is "a test that fails fails the run" fails_with '4 passed, 1 failed'
is "the last part names the test that failed" at_the_end 'not ok 2 - the answer'
is "the last part says what was wanted" at_the_end 'wanted: 42'
is "the last part says what came" at_the_end 'got: 41'
is "the last part has the command that runs the failed suite alone" at_the_end 'tests/run fake/fails'
is "the last part has what the failed suite printed to stderr" at_the_end 'and this on stderr'
is "the last part leaves out tests that passed" [ -z "$(sed -n '/^what failed/,$p' "$work/out" | grep 'fine')" ]
rm "$work/tests/fake/fails.t"

suite fake/no-plan <<<'echo ok 1 - one'
run fake/no-plan
is "a suite without a plan fails" fails_with '1 passed, 1 failed' 'planned 0, saw 1'
suite fake/silent <<<':'
run fake/silent
is "a suite that prints nothing fails" fails_with '0 passed, 1 failed' 'planned 0, saw 0'
suite fake/short <<<'echo 1..3; echo ok 1 - one'
run fake/short
is "a suite that runs fewer tests than planned fails" fails_with '1 passed, 1 failed' 'planned 3, saw 1'
suite fake/dies <<<'echo 1..1; echo ok 1 - one; exit 3'
run fake/dies
is "a suite that ends with an error fails, whatever its tests say" fails_with '1 passed, 1 failed' 'exit status 3'
suite fake/hangs <<<'echo 1..1; exec sleep 600'
environment=(VFIOTRACE_SUITE_LIMIT=1)
run fake/hangs
is "a suite that does not end is stopped and fails" fails_with '0 passed, 1 failed' 'stopped after 1 s'
run fake/absent
is "a suite whose program is not there fails" fails_with '0 passed, 1 failed' 'FAILED fake/absent'
run no-such-folder
is "a folder without suites is refused" [ "$status" -eq 64 ]
is "a folder without suites is named" grep -q 'no suite "no-such-folder"' "$work/out"

suite fake/skips <<'SUITE'
echo 'ok 1 - one'
echo 'ok 2 - two # SKIP no such kernel'
echo 'not ok 3 - three # SKIP as cmocka has it'
echo 1..3
SUITE
run fake/skips
is "skipped tests are counted apart, and no failures" says '1 passed, 0 failed, 2 skipped' 'skipped: two # SKIP no such kernel'
is "a run with skipped tests is a success" [ "$status" -eq 0 ]

# two guests at a time and one other suite, then three guests; each notes whom it meets, and waits for whom it must meet
printf 'lab/a\nlab/b\n' >"$work/tests/longest-first"
for name in lab/a lab/b lab/c lab/d lab/e lab/f more/a more/b more/c; do
	case $name in
	lab/a) wait_for='was-lab-b was-more-a' ;;
	lab/[def]) wait_for='was-lab-d was-lab-e was-lab-f' ;;
	*) wait_for='' ;;
	esac
	suite $name <<-SUITE
	cd $work || exit
	mkdir -p at
	touch at/${name//\//-} was-${name//\//-}
	n=0
	for other in $wait_for; do
		while [ ! -e "\$other" ] && [ \$n -lt 600 ]; do sleep 0.1; n=\$((n + 1)); done
	done
	ls at | cut -d- -f1 | sort | uniq -c | tr -s ' \n' ' ' >>met
	echo >>met
	sleep 0.2
	rm at/${name//\//-}
	echo "# time: 12.5 s  kernel/${name#*/}"
	echo 1..1
	echo ok 1 - one
	SUITE
done
run more lab
is "nine suites side by side pass" says '9 passed, 0 failed' '^ *[0-9]+ s  lab/a$' '12\.5 s  kernel/a$'
is "two guests run beside another suite" grep -qE '2 lab.*more' "$work/met"
is "three guests run where no other suite is left" grep -q '3 lab' "$work/met"
is "never three guests run beside another suite" [ -z "$(grep -E '[3-9] lab.*more' "$work/met")" ]
is "never four guests run at a time" [ -z "$(grep '[4-9] lab' "$work/met")" ]
is "never two other suites run at a time" [ -z "$(grep '[2-9] more' "$work/met")" ]

# the order: as tests/longest-first has it, then as it came
printf 'more/c\nmore/b\n' >"$work/tests/longest-first"
run more
is "what is known to take long starts first" [ "$(sed -n 's/^\[.*\] *\(more[^ ]*\).*/\1/p' "$work/out" | tr '\n' ' ')" = 'more/c more/b more/a ' ]

printf 'test-programs:\n\t@echo no compiler; false\n' >"$work/Makefile"
run fake/passes
is "programs that do not build fail the run" fails_with '0 passed, 1 failed' 'no compiler'
echo "1..$count"
