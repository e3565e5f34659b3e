#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vfiotrace validate: what it refuses before it traces anything, with the reason and the remedy.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
vfiotrace=$PWD/$build/vfiotrace
make_recording=$build/tests/make-recording
work=$(mktemp -d "${TMPDIR:-/tmp}/validate.XXXXXX")
trap 'rm -rf "$work"' EXIT
count=0

# usage: refused TEXT WORDS OPTION…     exit 64 and a message with the words
refused() {
	local text=$1 words=$2 status
	shift 2
	count=$((count + 1))
	"$vfiotrace" validate -d 1 "$@" >"$work/out" 2>"$work/err"
	status=$?
	if [ $status = 64 ] && grep -qF -e "$words" "$work/err"; then
		echo "ok $count - $text"
	else
		echo "not ok $count - $text (exit $status)"
		head -c 1500 "$work/out" "$work/err" | sed 's/^/# /'
	fi
}

printf 'T1|acq(a)|1\nT1|rel(a)|2\n' >"$work/one.std"
printf 'T1|acq(a)|1\nT1|acq(b)|2\nT1|rel(b)|3\nT1|rel(a)|4\n' >"$work/two.std"
"$make_recording" inversion "$work/no-level.vft"

refused "a baseline without a lock order is empty" "an empty baseline: it has no lock order" --baseline "$work/one.std"
refused "and the remedy is said" "Remedy: record it with" --baseline "$work/one.std"
refused "a baseline in which no path ran is empty" "an empty baseline: no path of VFIO or KVM ran in it" --baseline "$work/two.std"
refused "a baseline that does not say how it was made is none" "it does not say its probe.level" --baseline "$work/no-level.vft"
refused "a baseline that is not there" "No such file" --baseline "$work/nothing.vft"
refused "a path that does not exist" 'no path "device_opened"' --require device_open,device_opened
refused "a commit that is not known" "not in the catalogue" --known 0123456789ab
for filter in "-p 1" "-t 1" "-c qemu" "-L kvm.lock"; do
	# shellcheck disable=SC2086
	refused "a filter would hide evidence: $filter" "invalid option" $filter
done
echo "1..$count"
