#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Other architectures. arm64 has KVM and real vfio-pci in emulation; s390x has neither, is big-endian, and
# Debian's kernel has no BPF compiler there: the interpreter runs the programs.
# VFIOTRACE_LONG=1: more scenarios on each.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
. "$here/deadlock-checks.sh"
top=$(cd "$here/../.." && pwd)
long=${VFIOTRACE_LONG:-}

built() { # architecture, its compiler
	label="$1: "
	if ! command -v "$2" >/dev/null; then skip "builds for $1" "no $2"; return 1; fi
	if "$top/tests/locked-make" "build-$1" ARCH="$1" >"$work/make" 2>&1; then ok "builds for $1"; return 0; fi
	not_ok "builds for $1" "$work/make"
	return 1
}

if built arm64 aarch64-linux-gnu-gcc; then
	boot_and_check 6.12-arm64 fixed "inversion+vfio-pci ${long:+old-order lock-orders}"
	# no direct calls on arm64 before 6.4: kprobes; kvm_put_kvm is inlined where KVM itself calls it
	boot_and_check 6.1-arm64 unfixed inversion
fi
if built s390x s390x-linux-gnu-gcc; then
	if boot 6.12-s390x check-bare lock-orders ${long:+lock-truth deadlock-locks}; then
		scenario check-bare && {
			code "check works" loaded 0
			records "the fixes are recognised" loaded.json \
				'[.[] | .fixes[]? | select(.commit | startswith("2b48f52f2bff"))] | length == 1 and .[0].state == "present"'
			records "there is nothing to run VMs with, and it says so" loaded.json \
				'map(select(.type == "check"))[0] | (.features | length > 5) and .level == "reduced"'
		}
		check_lock_orders
		[ -z "$long" ] || { check_lock_truth; check_deadlock_locks; }
	fi
fi
finish
