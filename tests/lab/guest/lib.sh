# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# What scenarios share inside the guest. Sourced: . /lab/lib.sh
. /lab/tracer.sh

PCI=0000:00:03.0
export PCI

fail() { echo "scenario: $*" >&2; exit 1; }

is_long() { grep -qw long /proc/cmdline; } # make test-long

load_kvm() {
	case $(uname -m) in
	x86_64) [ -e /dev/kvm ] || modprobe kvm_amd 2>/dev/null || modprobe kvm_intel || fail "neither kvm_amd nor kvm_intel loads" ;;
	*) modprobe kvm 2>/dev/null ;; # built in on arm64; there is no /dev/kvm on emulated s390x
	esac
}

load_vfio() {
	modprobe vfio_iommu_type1 2>/dev/null
	modprobe vfio_pci || fail "vfio_pci does not load"
}

# Everything a host that passes devices through has loaded.
load_all() {
	case $(uname -v) in
	*PREEMPT_RT*) ;; # KVM wants a constant TSC there, which emulation does not offer
	*) load_kvm ;;
	esac
	load_vfio
}

# Bind the emulated network card to vfio-pci; prints its group.
bind_pci() {
	echo vfio-pci >"/sys/bus/pci/devices/$PCI/driver_override"
	[ -e "/sys/bus/pci/devices/$PCI/driver" ] && echo "$PCI" >"/sys/bus/pci/devices/$PCI/driver/unbind"
	echo "$PCI" >/sys/bus/pci/drivers_probe
	[ -e "/sys/bus/pci/devices/$PCI/driver" ] || fail "vfio-pci did not take $PCI"
	basename "$(readlink "/sys/bus/pci/devices/$PCI/iommu_group")"
}

# Give it back, so that no later scenario has a device of vfio-pci that it does not use.
unbind_pci() {
	echo "$PCI" >/sys/bus/pci/drivers/vfio-pci/unbind
	echo >"/sys/bus/pci/devices/$PCI/driver_override"
}

# Load the lab's own VFIO driver with these parameters; its groups appear as /dev/vfio/N.
load_vfio_lab() {
	modprobe vfio 2>/dev/null
	modprobe kvm 2>/dev/null
	modprobe irqbypass 2>/dev/null
	[ ! -d /sys/module/vfio_lab ] || rmmod vfio_lab || fail "vfio_lab is in use"
	insmod /lab/modules/vfio_lab.ko "$@" || fail "vfio_lab does not load"
}

load_lock_lab() {
	[ -d /sys/module/lock_lab ] || insmod /lab/modules/lock_lab.ko "$@" || fail "lock_lab does not load"
}

# Group number of lab device N (0 by default).
# shellcheck disable=SC2120
lab_group() {
	basename "$(readlink "/sys/bus/platform/devices/vfio_lab.${1:-0}/iommu_group")"
}

# Wait until it attaches nothing more: the number of its descriptors stays the same for three seconds.
wait_quiescent() {
	n=0 same=0 before=0
	while [ $same -lt 6 ] && [ $n -lt 120 ]; do
		sleep 0.5
		now=$(ls /proc/$TRACE/fd 2>/dev/null | wc -l)
		if [ "$now" = "$before" ] && [ $n -gt 5 ]; then same=$((same + 1)); else same=0; fi
		before=$now
		n=$((n + 1))
	done
}

# Wait until FILE has a line matching PATTERN. usage: wait_for FILE PATTERN [SECONDS]
wait_for() {
	n=0
	while ! grep -q "$2" "$1" 2>/dev/null; do
		n=$((n + 1))
		[ $n -le $((${3:-20} * 10)) ] || return 1
		usleep 100000
	done
}

# The kernel's own reports of tasks that are blocked for so long; 0 turns them off. usage: hung_task_detector SECONDS
hung_task_detector() {
	echo -1 >/proc/sys/kernel/hung_task_warnings
	echo 1 >/proc/sys/kernel/hung_task_check_interval_secs
	echo "$1" >/proc/sys/kernel/hung_task_timeout_secs
}

# What the kernel says of blocked tasks when it is asked, in NAME.log.
blocked_log() { # NAME
	echo "lab: log $1" >/dev/kmsg
	echo w >/proc/sysrq-trigger
	dmesg | sed -n "/lab: log $1\$/,\$p" >"$1.log"
}

# Suspend to memory; the clock's alarm wakes it. usage: sleep_s3 SECONDS
sleep_s3() {
	touch /run/slept
	echo deep >/sys/power/mem_sleep
	echo "+$1" >/sys/class/rtc/rtc0/wakealarm
	echo mem >/sys/power/state
}

# The load of the bug on lab device 0: open takes kvm->lock under the group lock; then, in two
# orders, the device is closed and the KVM-VFIO device is closed.
lab_inversion() {
	g=$(lab_group)
	# shellcheck disable=SC2086
	vfio_client vm kvmdev container group=$g set_container iommu=1 add open=vfio_lab.0 close=device close=kvmdev ||
		fail "lab device: device first"
	# shellcheck disable=SC2086
	vfio_client vm kvmdev container group=$g set_container iommu=1 add open=vfio_lab.0 close=kvmdev close=device close=vm ||
		fail "lab device: KVM device first"
}

# The bug, whatever the kernel: on a fixed one the lab's module takes the group lock under kvm->lock again.
lab_bug() {
	lab_inversion
	! grep -qw vfio_device_get_kvm_safe /proc/kallsyms && ! grep -qw _vfio_device_get_kvm_safe /proc/kallsyms && return
	vfio_client vm group="$(lab_group)" old_order || fail old_order
}

# Every path there is, with the lab's device and with the real one.
lab_load() {
	lab_inversion
	[ -n "${pci_group:-}" ] || pci_group=$(bind_pci)
	# shellcheck disable=SC2086
	vfio_client vm vcpu kvmdev container group=$pci_group set_container iommu=1 add open=$PCI info close=device del close=kvmdev close=vm ||
		fail "real device: device first"
	# shellcheck disable=SC2086
	vfio_client vm vcpu kvmdev container group=$pci_group set_container iommu=1 add open=$PCI close=kvmdev close=vm close=vcpu close=device ||
		fail "real device: VM first"
}

# usage: validate_while NAME OPTIONS… -- COMMAND…     runs COMMAND once the verdict is being formed
validate_while() {
	validate_name=$1
	shift
	validate_options=
	while [ "$1" != -- ]; do validate_options="$validate_options $1"; shift; done
	shift
	# shellcheck disable=SC2086
	vfiotrace validate $validate_options --json >"$validate_name.json" 2>"$validate_name.err" &
	validate_pid=$!
	wait_for "$validate_name.json" '"start"' 30 || echo "scenario: validate $validate_name did not start" >&2
	"$@"
	wait $validate_pid
	echo $? >"$validate_name.exit"
}
