#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Other architectures. arm64 has KVM and real vfio-pci in emulation; s390x has neither, and is big-endian.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
. "$here/deadlock-checks.sh"
top=$(cd "$here/../.." && pwd)
if [ -z "${VFIOTRACE_LONG:-}" ]; then
	skip 'arm64 and s390x guests' 'two cross builds and three more guests: VFIOTRACE_LONG=1, or make matrix'
	finish
	exit
fi

built() { # architecture
	label="$1: "
	if ! command -v "$2" >/dev/null; then skip "builds for $1" "no $2"; return 1; fi
	if make -s -j2 -C "$top" ARCH="$1" >"$work/make" 2>&1; then ok "builds for $1"; return 0; fi
	not_ok "builds for $1" "$work/make"
	return 1
}

if built arm64 aarch64-linux-gnu-gcc; then
	if boot 6.12-arm64 inversion vfio-pci old-order lock-orders; then
		check_inversion fixed
		check_vfio_pci fixed
		check_old_order fixed
		check_lock_orders
	fi
	if boot 6.1-arm64 inversion vfio-pci; then
		check_inversion unfixed
		check_vfio_pci unfixed
	fi
fi
if built s390x s390x-linux-gnu-gcc; then
	if boot 6.12-s390x check-bare lock-truth lock-orders deadlock-locks; then
		scenario check-bare && {
			code "check works" loaded 0
			records "check: no VM, and it says so" loaded.json 'map(select(.type == "check"))[0].features | length > 5'
		}
		check_lock_truth
		check_lock_orders
		check_deadlock_locks
	fi
fi
finish
