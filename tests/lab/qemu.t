#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real QEMU with a real vfio-pci device inside the guest.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
for kernel in 6.1 6.12 7.2; do
	if boot "$kernel" --qemu qemu; then check_qemu; fi
done
finish
