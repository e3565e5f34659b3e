#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real deadlocks: seen the moment they close, and found afterwards without tracing.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
. "$here/deadlock-checks.sh"

if boot 6.1 deadlock-locks deadlock-recovery deadlock-killable deadlock; then
	check_deadlock_locks
	check_deadlock_recovery
	check_deadlock_killable
	check_deadlock
fi
for kernel in 6.12 7.2; do
	if boot "$kernel" deadlock-locks; then check_deadlock_locks; fi
done
finish
