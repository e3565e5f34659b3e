#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Incident files made on real kernels: every format rendered from them on this machine, the page
# looked at in a browser, the splat and the graphs read back by those who know these formats. A QEMU has the
# device on 6.12. VFIOTRACE_LONG=1: the files of the inversion and the deadlock on 6.12 too.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
. "$here/validate-checks.sh"
. "$here/recording-checks.sh"

"$top/tests/locked-make" "$build" web-deps >"$work/web-deps" 2>&1 || tail -n 5 "$work/web-deps"
check_recordings() {
	scenario recordings || return
	check_rendered inversion.vfiotrace 'taken in opposite orders' kvm.lock vfio_group.group_lock
	check_rendered deadlock.vfiotrace 'wait for each other' kvm.lock vfio_group.group_lock
	check_rendered now.vfiotrace 'wait for each other'
	check_answers
}

check_qemu_file() { # kernel
	label="$1: qemu: " current=$results/qemu
	check_rendered qemu.vfiotrace 'No inversion'
}

boot_and_check 6.1 unfixed "qemu recordings" --qemu && check_qemu_file 6.1
boot_and_check 6.12 fixed "exercise-busy qemu ${VFIOTRACE_LONG:+recordings}" --qemu && check_qemu_file 6.12
if boot 6.1 -w mkfs.ext4 -t 600 recording-faults; then check_recording_faults; fi
finish
