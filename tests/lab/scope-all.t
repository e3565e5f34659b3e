#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every lock order of a busy host: what is found of grade warning or worse is a bug that is there.
# Forty seconds on 7.2; VFIOTRACE_LONG=1: half an hour on three kernels. VFIOTRACE_SOAK_KERNELS chooses others.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"

check_scope_all() { # unfixed|fixed
	scenario scope-all || return
	holds_rounds
	if [ "$1" = unfixed ]; then
		records "the bug is found among all of it" watch.json "between($the_bug) | length == 1"
		# a group whose name was among the records that were lost is known by its call site
		records "nothing else is found than what this bug makes" watch.json \
			"serious | all((.known | any(.state == \"missing\")) or (.classes | (index(\"kvm.lock\") != null) and any(. == \"vfio_group.group_lock\" or contains(\"(vfio_group_fops_\"))))"
		code "exit says finding" watch.json 2
	else
		records "nothing is found" watch.json "serious | length == 0"
		code "exit says clean, or that something was lost" watch.json 0 4
	fi
	records "most of it was seen" watch.json 'summary.dependencies > 1000'
	if [ "$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "$current/watch.status")" -lt 262144 ]; then
		ok "in less than 256 MiB"
	else
		not_ok "in less than 256 MiB" "$current/watch.status"
	fi
}

holds_rounds() { # every part of the load went round
	local part
	for part in files pipes views modules vms device; do
		if grep -qE "^$part [1-9]" "$current/load.rounds"; then ok "load.$part completed a round"; else not_ok "load.$part completed a round" "$current/load.$part.out"; fi
	done
	if grep -q '^scenario:' "$current/stderr"; then not_ok "every file system of the load was there" "$current/stderr"; else ok "every file system of the load was there"; fi
}

seconds=40 kernels=7.2:fixed
if [ -n "${VFIOTRACE_LONG:-}" ]; then seconds=${VFIOTRACE_SOAK:-1800} kernels='6.1:unfixed 6.12:fixed 7.2:fixed'; fi
kernels=${VFIOTRACE_SOAK_KERNELS:-$kernels}
for kernel in $kernels; do
	if boot "${kernel%:*}" --qemu -w mkfs.ext4 -a "soak=$seconds" -t $((seconds + 240)) scope-all; then check_scope_all "${kernel#*:}"; fi
done
finish
