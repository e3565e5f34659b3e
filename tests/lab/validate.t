#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Is the upgraded kernel fixed? A baseline from stock 6.1, verdicts on 6.12 and 7.2, paths driven by
# the tool itself, and the difference between the recordings.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"

verdict() { # TEXT FILE VERDICT EXIT
	records "$1" "$2.json" "map(select(.type == \"verdict\"))[0].verdict == \"$3\""
	code "$1: exit status" "$2" "$4"
}

check_exercise() {
	scenario exercise || return
	verdict "driven by itself: $1" exercise "$1" "$2"
	records "every path that exists was hit" exercise.json "[${paths}[] as \$p | map(select(.coverage))[-1].coverage[\$p] | .state == \"hit\" or .state == \"absent\"] | all"
	text "the device is still bound" driver.after vfio-pci
	if [ -s "$current/left.open" ]; then not_ok "nothing is left open" "$current/left.open"; else ok "nothing is left open"; fi
	code "a device in use is refused" busy 1 64 77
	text "and it says who has it" busy.err vfio_client
	code "its user is not disturbed" user 0
}

base=
if boot 6.1 baseline exercise; then
	scenario baseline && {
		verdict "the old kernel fails" again fail 2
		verdict "without a baseline too" plain fail 2
		text "JUnit says failure" junit.xml '<failure'
		base=$current/base.vfiotrace
	}
	check_exercise pass 0
fi
for kernel in 6.12 7.2; do
	if [ -z "$base" ]; then label="$kernel: "; not_ok "there is a baseline"; continue; fi
	if boot "$kernel" -f "$base" validate exercise; then
		scenario validate && {
			verdict "the fixed kernel passes" pass pass 0
			records "the lock that took its place is named" pass.json 'map(select(.type == "verdict"))[0].baseline | tostring | contains("kvm_ref_lock")'
			verdict "no load is inconclusive" idle inconclusive 4
			verdict "a failed probe is inconclusive" failed-probe inconclusive 4
			verdict "the old order brought back fails" old-order fail 2
			code "a baseline of another scope is refused" other-scope 64
			text "diff names the dependency that went" diff.text 'kvm\.lock.*group_lock'
			code "diff of a recording with itself is clean" same 0
		}
		check_exercise pass 0
	fi
done
if boot 6.12-cdev exercise; then check_exercise pass 0; fi
finish
