#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real deadlocks: seen the moment they close, and found afterwards without tracing.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
. "$here/deadlock-checks.sh"

if boot 6.1 deadlock-locks now-truth deadlock-recovery deadlock-killable deadlock; then
	check_deadlock_locks
	check_now_truth
	check_deadlock_recovery
	check_deadlock_killable
	check_deadlock
fi
if boot 6.12 deadlock-locks now-truth; then check_deadlock_locks; check_now_truth; fi
if boot 7.2 deadlock-locks now-truth; then check_deadlock_locks; check_now_truth; fi
boot_name=6.12-multi
if boot 6.12 --multi -w "$here/../../${BUILD:-build}/soak/contention_soak" contention-soak; then check_contention_soak; fi
finish
