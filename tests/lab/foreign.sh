# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Guests of other architectures. Sourced by run-guest; sets machine, append, busybox, channel,
# sysroot, virtio_serial and, unless one was given, the program.
foreign_guest() {
	busybox=$("$here/fetch-kernel" "busybox-$arch")/busybox
	channel=virtio
	case $arch in
	arm64)
		machine=(qemu-system-aarch64 -M "virt,virtualization=on,iommu=smmuv3,gic-version=3" -accel "tcg,thread=$thread"
			-cpu "max,pauth-impdef=on" -smp 2 -device "e1000e,addr=3,romfile=")
		append="console=ttyAMA0 $append"
		virtio_serial="virtio-serial-pci,addr=5" ;;
	s390x)
		machine=(qemu-system-s390x -M s390-ccw-virtio -accel "tcg,thread=$thread" -cpu max -smp 2)
		append="console=ttysclp0 $append"
		virtio_serial=virtio-serial-ccw ;;
	*) say "no machine for $arch"; exit 77 ;;
	esac
	command -v "${machine[0]}" >/dev/null || { say "${machine[0]} is not installed"; exit 77; }
	sysroot=$("$top/src/debian/sysroot" "$arch")
	[ "$program" != "$top/build/vfiotrace" ] || program=$top/build-$arch/vfiotrace
}
