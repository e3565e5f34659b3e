#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Stock Debian 6.1: the unfixed kernel. The inversion is there and must be found.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
if boot 6.1 -w "$here/../../${BUILD:-build}/unit/test_kernel" check late-module inversion inversion-kprobe inversion-tracepoint failed-probe interrupted starved vfio-pci \
	foreign-cycle task-graphs lock-truth lock-orders suspend-notifier vm-churn; then
	check_check unfixed
	check_late_module unfixed
	check_inversion unfixed
	check_inversion_kprobe unfixed
	check_inversion_tracepoint unfixed
	check_failed_probe unfixed
	check_interrupted unfixed
	check_starved unfixed
	check_vfio_pci unfixed
	check_foreign_cycle unfixed
	check_task_graphs
	check_lock_truth unfixed
	check_lock_orders unfixed
	check_suspend_notifier 6.1
	check_vm_churn
fi
finish
