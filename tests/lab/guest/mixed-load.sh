# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# What a busy host does, all at once: files on several file systems, pipes, processes, sysfs and
# cgroups, module reloads, VMs and devices that come and go. Sourced after lib.sh.
#   mixed_load SECONDS      returns when that time is over; load.rounds: how often each went round

# usage: rounds NAME COMMAND     runs COMMAND (a function) until the end, a line in load.rounds
rounds() {
	(
		n=0
		while [ "$(uptime_seconds)" -lt "$load_end" ]; do
			"$2" >>"load.$1.out" 2>&1 || echo "round $n ended with $?" >>"load.$1.out"
			n=$((n + 1))
		done
		echo "$1 $n" >>load.rounds
	) &
	load_jobs="$load_jobs $!"
}

uptime_seconds() { cut -d. -f1 /proc/uptime; }

files_in() { # directory
	mkdir -p "$1/x/y" "$1/z"
	for name in a b c d; do echo "$name" >"$1/x/$name"; done
	mv "$1/x/a" "$1/x/y/a"
	mv "$1/x/y" "$1/z/y"
	ln "$1/x/b" "$1/z/b"
	ln -s b "$1/x/s"
	dd if=/dev/zero of="$1/x/c" bs=64k count=4 conv=fsync 2>/dev/null
	cat "$1/x/c" "$1/z/b" >/dev/null
	truncate -s 100 "$1/x/c"
	chmod 600 "$1/x/d"
	find "$1" >/dev/null
	rm -rf "$1/x" "$1/z"
}

load_files() {
	files_in /tmp/load
	files_in /root/load
	[ ! -d /mnt/disk ] || files_in /mnt/disk
	[ ! -d /mnt/over ] || files_in /mnt/over
	sync
}

load_pipes() {
	pipe_bench 2000 1
	many_tasks 200 1
	seq 2000 | sort -n | tail -n 1 | wc -l
}

load_views() {
	cat /proc/*/status /proc/*/maps /proc/meminfo /proc/slabinfo /proc/interrupts 2>/dev/null | wc -c
	find /sys/devices /sys/kernel /sys/module -type f -name '[a-m]*' -readable 2>/dev/null | head -n 300 | while read -r f; do
		timeout 1 head -c 200 "$f"
	done 2>/dev/null | wc -c
	mkdir -p /sys/fs/cgroup/load/inner
	echo 0 >/sys/fs/cgroup/load/inner/cgroup.procs 2>/dev/null
	echo 0 >/sys/fs/cgroup/cgroup.procs
	rmdir /sys/fs/cgroup/load/inner /sys/fs/cgroup/load
	ip link set lo down
	ip link set lo up
	mount -t tmpfs none /mnt/tmp && umount /mnt/tmp
}

# The lab's driver goes and comes; so does vfio-pci with the device it has.
load_modules() {
	if [ -d /sys/module/vfio_lab ]; then rmmod vfio_lab; fi
	insmod /lab/modules/vfio_lab.ko && lab_inversion
	if [ -d /sys/module/lock_lab ]; then rmmod lock_lab; fi
	insmod /lab/modules/lock_lab.ko && echo 'm+a m+b' >/sys/kernel/debug/lock_lab/run
	for module in ext4 overlay; do modprobe $module; rmmod $module; done 2>/dev/null
}

load_vms() {
	kvm_client vms 2
	kvm_client devices 1
}

load_device() {
	if [ -n "$(command -v qemu-system-x86_64)" ]; then qemu_once; fi
	# shellcheck disable=SC2086
	vfio_client vm vcpu kvmdev container group=$pci_group set_container iommu=1 add open=$PCI info map irqs mmap unmap close=device del close=kvmdev close=vm
	# shellcheck disable=SC2086
	vfio_client vm vcpu kvmdev container group=$pci_group set_container iommu=1 add open=$PCI close=kvmdev close=vm close=vcpu close=device
	echo "$PCI" >/sys/bus/pci/drivers/vfio-pci/unbind
	echo "$PCI" >/sys/bus/pci/drivers_probe
}

qemu_once() {
	mkfifo qemu.monitor
	# shellcheck disable=SC2094
	qemu-system-x86_64 -L /usr/share/qemu -L /usr/share/seabios -accel kvm -machine q35 -cpu host -m 128 -nodefaults \
		-display none -monitor stdio -device "vfio-pci,host=$PCI,rombar=0" <qemu.monitor >qemu.out 2>&1 &
	{ wait_for qemu.out '(qemu)' 40; sleep 2; echo quit; } >qemu.monitor
	wait $!
	rm qemu.monitor
}

mixed_load() { # seconds
	load_jobs=''
	mkdir -p /mnt/tmp
	pci_group=$(bind_pci)
	modprobe crc32c_generic 2>/dev/null
	if modprobe loop 2>/dev/null && modprobe ext4 2>/dev/null && [ -x /lab/bin/mkfs.ext4 ]; then
		dd if=/dev/zero of=/tmp/disk.image bs=1M count=32 2>/dev/null
		/lab/bin/mkfs.ext4 -q -F /tmp/disk.image && mkdir -p /mnt/disk && mount -o loop /tmp/disk.image /mnt/disk || echo "scenario: no ext4" >&2
	fi
	if modprobe overlay 2>/dev/null; then
		mkdir -p /tmp/lower /tmp/upper /tmp/scratch /mnt/over
		mount -t overlay -o lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/scratch overlay /mnt/over || echo "scenario: no overlay" >&2
	fi
	: >load.rounds
	load_end=$(($(uptime_seconds) + $1))
	for part in files pipes views modules vms device; do rounds $part load_$part; done
	# shellcheck disable=SC2086
	wait $load_jobs
}
