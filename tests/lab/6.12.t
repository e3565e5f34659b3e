#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Stock Debian 6.12: fixed. The same load, nothing to find, every path exercised; and an order that a
# module brings back is found.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
if boot 6.12 -w "$here/../../${BUILD:-build}/unit/test_kernel" late-module check inversion inversion-kprobe vfio-pci interrupted starved old-order lock-truth lock-orders suspend-notifier; then
	check_late_module fixed
	check_check fixed
	check_inversion fixed
	check_inversion_kprobe fixed
	check_vfio_pci fixed
	check_interrupted fixed
	check_starved fixed
	check_old_order fixed
	check_lock_truth fixed
	check_lock_orders fixed
	check_suspend_notifier 6.12
fi
finish
