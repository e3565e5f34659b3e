# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# KVM or emulation for a lab guest. Sourced by run-guest and tests/run.
#
# A guest of the lab runs guests of its own, so KVM will do only where it is nested and where QEMU can really start
# something with it; else, and for other architectures, QEMU emulates. VFIOTRACE_LAB_ACCEL=tcg or kvm decides instead.

# Sets accel to kvm or tcg and accel_why to the reason. usage: choose_accel [ARCHITECTURE]
choose_accel() {
	local device=${VFIOTRACE_LAB_KVM_DEVICE:-/dev/kvm} modules=${VFIOTRACE_LAB_SYS_MODULE:-/sys/module}
	accel=tcg
	case ${VFIOTRACE_LAB_ACCEL:-auto} in
	tcg | kvm) accel=$VFIOTRACE_LAB_ACCEL accel_why="VFIOTRACE_LAB_ACCEL=$VFIOTRACE_LAB_ACCEL" ;;
	auto)
		if [ "${1:-amd64}" != amd64 ] || [ "$(uname -m)" != x86_64 ]; then
			accel_why="its architecture is not this machine's"
		elif [ ! -r "$device" ] || [ ! -w "$device" ]; then
			accel_why="no $device that can be used"
		elif ! cat "$modules"/kvm_{amd,intel}/parameters/nested 2>/dev/null | grep -qx '[Y1]'; then
			accel_why="KVM does not nest here"
		elif ! timeout 20 qemu-system-x86_64 -accel kvm -M q35,kernel-irqchip=split -cpu host -m 64 -nodefaults -nographic -S \
			-monitor stdio <<<quit >/dev/null 2>&1; then
			accel_why="QEMU cannot start a guest with $device"
		else
			accel=kvm accel_why="$device runs guests, nested"
		fi ;;
	*)
		echo "VFIOTRACE_LAB_ACCEL=$VFIOTRACE_LAB_ACCEL is none of auto, kvm, tcg" >&2
		return 64 ;;
	esac
}
