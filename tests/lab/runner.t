#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The runner itself: a lab that cannot fail proves nothing. And how it chooses between KVM and emulation.
. "$(dirname "$0")/tap.sh"
. "$here/accel.sh"
label='runner: '
guest() { "$here/run-guest" 6.1 --no-modules "$@" >"$work/out" 2>"$work/err"; status=$?; }
is() { # TEXT CONDITION…
	if "${@:2}"; then ok "$1"; else not_ok "$1 (status $status)" "$work/err"; fi
}

# --- the choice, on a made-up machine ------------------------------------------------------------------
mkdir -p "$work"/{bin,sys/kvm_amd/parameters,sys/none}
fake_qemu() { printf '#!/bin/sh\nexit %d\n' "$1" >"$work/bin/qemu-system-x86_64" && chmod +x "$work/bin/qemu-system-x86_64"; }
# usage: chooses TEXT kvm|tcg REASON ARCHITECTURE VARIABLE=VALUE…
chooses() {
	local text=$1 wanted=$2 reason=$3 arch=$4 got
	shift 4
	# shellcheck disable=SC2016
	got=$(env -u VFIOTRACE_LAB_ACCEL "PATH=$work/bin:$PATH" "$@" bash -c '. "$0"; choose_accel "$1" && echo "$accel $accel_why"' "$here/accel.sh" "$arch" 2>&1)
	echo "$got" >"$work/choice"
	case $got in
	"$wanted "*"$reason"*) ok "$text" ;;
	*) not_ok "$text" "$work/choice" ;;
	esac
}
device=$work/kvm
touch "$device"
echo 1 >"$work/sys/kvm_amd/parameters/nested"
machine=("VFIOTRACE_LAB_KVM_DEVICE=$device" "VFIOTRACE_LAB_SYS_MODULE=$work/sys")
fake_qemu 0
chooses "KVM where it nests and QEMU starts with it" kvm 'runs guests, nested' amd64 "${machine[@]}"
chooses "emulation where KVM does not nest" tcg 'does not nest' amd64 "${machine[@]}" "VFIOTRACE_LAB_SYS_MODULE=$work/sys/none"
chooses "emulation without the device" tcg 'no ' amd64 "${machine[@]}" "VFIOTRACE_LAB_KVM_DEVICE=$work/none"
chooses "emulation of another architecture" tcg 'architecture' arm64 "${machine[@]}"
chooses "emulation where it is wanted" tcg VFIOTRACE_LAB_ACCEL amd64 "${machine[@]}" VFIOTRACE_LAB_ACCEL=tcg
chooses "KVM where it is wanted, whatever the machine looks like" kvm VFIOTRACE_LAB_ACCEL amd64 "${machine[@]}" \
	"VFIOTRACE_LAB_KVM_DEVICE=$work/none" VFIOTRACE_LAB_ACCEL=kvm
fake_qemu 1
chooses "emulation where QEMU cannot start with KVM" tcg 'cannot start' amd64 "${machine[@]}"
VFIOTRACE_LAB_ACCEL=fast guest --shell true
is "an accelerator that does not exist is refused by name" grep -q 'fast is none of auto, kvm, tcg' "$work/err"
is "an accelerator that does not exist is wrong usage" [ "$status" -eq 64 ]

# --- guests ----------------------------------------------------------------------------------------------
guest -o "$work/results" -s 'made up' \
	--shell 'echo to-stdout; echo to-stderr >&2; echo kept >file; echo "WARNING: made up" >/dev/kmsg; exit 42'
is "the exit code comes back, and an expected kernel complaint is none" [ "$status" -eq 42 ]
is "stdout comes back alone" [ "$(cat "$work/out")" = to-stdout ]
is "stderr comes back" grep -qx to-stderr "$work/err"
is "files come back" grep -qx kept "$work/results/shell/file"

guest -t 3 --shell 'echo before; echo "WARNING: made up" >/dev/kmsg; sleep 100; echo after'
is "a command over its limit is ended, which is said" grep -q 'did not end within 3 s' "$work/err"
is "what a command printed before it was ended comes back" [ "$(cat "$work/out")" = before ]
is "a kernel complaint fails the run" [ "$status" -eq 70 ]

guest --shell 'echo c >/proc/sysrq-trigger; sleep 10'
is "a panic is a failed guest" [ "$status" -eq 75 ]
is "a guest that panicked is booted once more, aloud" grep -q 'boot 1 died' "$work/err"

guest /no/such/scenario
is "a scenario that brings nothing back fails" [ "$status" -ne 0 ]
"$here/run-guest" no-such-kernel --shell true >"$work/out" 2>"$work/err"; status=$?
is "an unknown kernel is no success" [ "$status" -ne 0 ]
finish
