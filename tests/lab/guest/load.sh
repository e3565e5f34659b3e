# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# What a busy virtualisation host does, without anything wrong. Sourced: . /lab/load.sh
# Each of these works until stop_load and leaves the number of its rounds in load.NAME.

# A real QEMU with the passed-through card, started and quit through its monitor.
load_qemu() {
	mkfifo /tmp/monitor
	while [ ! -e /tmp/stop ]; do
		# shellcheck disable=SC2094
		qemu-system-x86_64 -L /usr/share/qemu -L /usr/share/seabios -accel kvm -machine q35 -cpu host -m 128 \
			-nodefaults -display none -monitor stdio -device "vfio-pci,host=$PCI,rombar=0" </tmp/monitor >/tmp/qemu.out 2>&1 &
		guest=$!
		exec 5>/tmp/monitor
		wait_for /tmp/qemu.out '(qemu)' 60 && sleep 1
		echo quit >&5
		exec 5>&-
		wait $guest || { cat /tmp/qemu.out >&2; echo "scenario: QEMU ended with an error" >&2; return; }
		echo >>load.qemu
	done
}

# Modules come and go: a VFIO driver with its device, and a module with locks of its own.
load_modules() {
	while [ ! -e /tmp/stop ]; do
		insmod /lab/modules/vfio_lab.ko && sleep 0.2 && rmmod vfio_lab || return
		insmod /lab/modules/lock_lab.ko && sleep 0.2 && rmmod lock_lab || return
		echo >>load.modules
	done
}

# Ten VMs a second, then fifty KVM-VFIO devices a second.
load_vms() {
	while [ ! -e /tmp/stop ]; do
		kvm_client vms 2 100 >/dev/null && kvm_client devices 2 20 >/dev/null || return
		echo >>load.vms
	done
}

# Uncontended and contended mutexes, and short-lived tasks with pipes of their own.
load_mutexes() {
	while [ ! -e /tmp/stop ]; do
		pipe_bench 20000 >/dev/null && many_tasks 100 2 >/dev/null || return
		echo >>load.mutexes
	done
}

start_load() { # NAME…
	rm -f /tmp/stop
	load_pids=
	for load; do
		: >"load.$load"
		"load_$load" 2>>load.err &
		load_pids="$load_pids $!"
	done
}

stop_load() {
	touch /tmp/stop
	# shellcheck disable=SC2086
	wait $load_pids
}
