#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The runner itself: a lab that cannot fail proves nothing.
. "$(dirname "$0")/tap.sh"
label='runner: '
guest() { "$here/run-guest" 6.1 --no-modules "$@" >"$work/out" 2>"$work/err"; status=$?; }
is() { # TEXT CONDITION…
	if "${@:2}"; then ok "$1"; else not_ok "$1 (status $status)" "$work/err"; fi
}

guest --shell 'echo to-stdout; echo to-stderr >&2; exit 42'
is "the exit code comes back" [ "$status" -eq 42 ]
is "stdout comes back alone" [ "$(cat "$work/out")" = to-stdout ]
is "stderr comes back" grep -qx to-stderr "$work/err"

guest -t 3 --shell 'echo before; sleep 100; echo after'
is "a command over its limit is ended" [ "$status" -ne 0 ]
is "what it printed before comes back" [ "$(cat "$work/out")" = before ]

guest -o "$work/results" --shell 'echo kept >file'
is "files come back" grep -qx kept "$work/results/shell/file"

guest --shell 'echo c >/proc/sysrq-trigger; sleep 10'
is "a panic is a failed guest" [ "$status" -eq 75 ]
is "tried once more, aloud" grep -q 'boot 1 died' "$work/err"

guest --shell 'echo "WARNING: made up" >/dev/kmsg; true'
is "a kernel complaint fails the run" [ "$status" -eq 70 ]
guest -s 'made up' --shell 'echo "WARNING: made up" >/dev/kmsg; true'
is "unless it was expected" [ "$status" -eq 0 ]

guest /no/such/scenario
is "a scenario that brings nothing back fails" [ "$status" -ne 0 ]
"$here/run-guest" no-such-kernel --shell true >"$work/out" 2>"$work/err"; status=$?
is "an unknown kernel is no success" [ "$status" -ne 0 ]
finish
