#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Is the upgraded kernel fixed? A baseline of stock 6.1, then validate and diff on 6.1, 6.12 and 7.2; the
# exercise on real vfio-pci by group and by cdev (recordings.t: refused while a QEMU has the device); a real QEMU on 7.2.
# VFIOTRACE_LONG=1: every scenario on every kernel.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
. "$here/validate-checks.sh"
vfiotrace=$here/../../${BUILD:-build}/vfiotrace
long=${VFIOTRACE_LONG:-}

boot_and_check 6.1 unfixed "baseline validate exercise validate-drivers ${long:+validate-rules}"
baseline=$results/baseline/baseline.db
if [ ! -s "$baseline" ]; then
	not_ok "there is a baseline to go on with"
	finish
	exit 0
fi
boot_and_check 6.12 fixed "validate validate-rules validate-lossy validate-old-order validate-drivers ${long:+exercise}" -f "$baseline" &&
	check_diff "$vfiotrace" "$baseline" "$results/validate/new.db"
boot_and_check 7.2 fixed "validate exercise validate-drivers preempted qemu ${long:+validate-rules validate-lossy}" --qemu -f "$baseline" -w bpftool
boot_and_check 6.12-cdev fixed exercise
finish
