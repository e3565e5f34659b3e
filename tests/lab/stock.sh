# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The three stock kernels of Debian: 6.1 does not have the fix, so the bug is there and must be found; on 6.12
# and 7.2 the same load gives nothing, every path is exercised, and an order that a module brings back is found.
# A suite a kernel (6.1.t, 6.12.t, 7.2.t), so that they run side by side. A deadlock that never ends comes last.
. "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
. "$here/checks.sh"
. "$here/deadlock-checks.sh"

# kernel, what it is, its scenarios; those joined by "+" share a tracer
stock_kernels() {
	cat <<-'TABLE'
	6.1  unfixed  check late-module vfio-pci+inversion+foreign-cycle+suspend-notifier inversion-kprobe inversion-tracepoint failed-probe interrupted starved task-graphs vm-churn hotplug-lock page-fault lock-truth+lock-orders hung-tasks
	6.12 fixed    late-module+old-order check vfio-pci+inversion+suspend-notifier inversion-kprobe interrupted starved page-fault lock-truth+lock-orders now-truth deadlock-locks hung-tasks
	7.2  fixed    late-module+old-order check vfio-pci+inversion+suspend-notifier inversion-kprobe interrupted starved hotplug-lock page-fault lock-truth+lock-orders now-truth deadlock-locks hung-tasks
	TABLE
}

stock() { # kernel
	local kernel state scenarios
	read -r kernel state scenarios < <(stock_kernels | awk -v k="$1" '$1 == k')
	boot_and_check "$kernel" "$state" "$scenarios" -w "$here/../../${BUILD:-build}/unit/test_kernel"
	finish
}
