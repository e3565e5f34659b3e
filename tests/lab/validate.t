#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Is the upgraded kernel fixed? A baseline of stock 6.1, then validate and diff on 6.1, 6.12 and 7.2; the
# exercise on real vfio-pci by group and by cdev, and its refusal while a QEMU has the device.
# VFIOTRACE_LONG=1: every scenario on every kernel.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
. "$here/validate-checks.sh"
vfiotrace=$here/../../${BUILD:-build}/vfiotrace
long=${VFIOTRACE_LONG:-}

if boot 6.1 baseline validate exercise validate-drivers ${long:+validate-rules}; then
	check_baseline
	check_validate unfixed
	check_validate_drivers unfixed 6.1
	check_exercise 6.1
	[ -z "$long" ] || check_validate_rules unfixed
fi
baseline=$results/baseline/baseline.db
if [ ! -s "$baseline" ]; then
	not_ok "there is a baseline to go on with"
	finish
	exit 0
fi
if boot 6.12 -f "$baseline" validate validate-rules validate-lossy validate-old-order ${long:+exercise} validate-drivers; then
	check_validate fixed
	check_validate_drivers fixed 6.12
	check_validate_rules fixed
	check_validate_lossy
	check_validate_old_order
	[ -z "$long" ] || check_exercise 6.12
	check_diff "$vfiotrace" "$baseline" "$results/validate/new.db"
fi
if boot 7.2 -f "$baseline" -w bpftool validate exercise validate-drivers preempted ${long:+validate-rules validate-lossy}; then
	check_validate fixed
	check_validate_drivers fixed 7.2
	check_exercise 7.2
	check_preempted
	[ -z "$long" ] || { check_validate_rules fixed; check_validate_lossy; }
fi
if boot 6.12-cdev exercise; then check_exercise 6.12-cdev; fi
boot_name=6.12-qemu
if boot 6.12 --qemu exercise-busy; then check_exercise_busy; fi
finish
