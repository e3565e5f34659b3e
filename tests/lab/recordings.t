#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Incident files made on real kernels: every format rendered from them on this machine, the page
# looked at in a browser, the splat and the graphs read back by those who know these formats.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
. "$here/recording-checks.sh"

"$top/tests/locked-make" "$build" web-deps >"$work/web-deps" 2>&1 || tail -n 5 "$work/web-deps"
for kernel in 6.1 6.12; do
	if boot "$kernel" --qemu qemu recordings; then
		check_qemu
		check_rendered qemu.vfiotrace 'No inversion'
		scenario recordings || continue
		check_rendered inversion.vfiotrace 'taken in opposite orders' kvm.lock vfio_group.group_lock
		check_rendered deadlock.vfiotrace 'wait for each other' kvm.lock vfio_group.group_lock
		check_rendered now.vfiotrace 'wait for each other'
		check_answers
	fi
done
if boot 6.1 -w mkfs.ext4 -t 600 recording-faults; then check_recording_faults; fi
finish
