#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A real QEMU with a real vfio-pci device inside the guest. recordings.t has the other kernels.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
if boot 7.2 --qemu qemu; then check_qemu; fi
finish
