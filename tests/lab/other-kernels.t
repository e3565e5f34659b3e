#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Kernels beside the three: too old, realtime, with the device cdev, with lockdep.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
. "$here/deadlock-checks.sh"
if boot 5.10 refused && scenario refused; then
	code "watch is refused" watch 77
	text "5.10 is refused with a reason and a remedy" watch.err 'Linux 5\.10.* too old.*Remedy: '
	code "check says unsupported" check 77
fi
if boot 6.1-rt -s 'WARNING: .*rtmutex' lock-truth; then check_lock_truth; fi
boot_name=6.1-rt-deadlock # by itself: a task that waited for itself keeps its lock for good there
if boot 6.1-rt -s 'WARNING: .*rtmutex' deadlock-locks; then check_deadlock_locks fixed 6.1-rt; fi
boot_name=
boot_and_check 6.12-cdev fixed vfio-cdev+vfio-pci
if boot 6.1-lockdep -s 'circular locking|WARNING: possible' inversion-lockdep && scenario inversion-lockdep; then
	records "lockdep's own tracepoints show the inversion" lockdep.json 'serious | map(select(.classes | tostring | (contains("group_lock") and contains("kvm")))) | length >= 1'
	bug_found watch.json
	code "exit of both" lockdep.json 2
	code "exit of our own" watch.json 2
fi
finish
