#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Is the upgraded kernel fixed? A baseline of stock 6.1, then validate and diff on 6.1, 6.12 and 7.2.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
. "$here/validate-checks.sh"
vfiotrace=$here/../../${BUILD:-build}/vfiotrace

if boot 6.1 -t 400 baseline validate exercise; then
	check_baseline
	check_validate unfixed
	check_exercise 6.1
fi
baseline=$results/baseline/baseline.db
if [ ! -s "$baseline" ]; then
	not_ok "there is a baseline to go on with"
	finish
	exit 0
fi
if [ -z "${VFIOTRACE_LONG:-}" ]; then
	skip "6.12 and 7.2 against the baseline of 6.1, and the diff" "two more long guests: VFIOTRACE_LONG=1"
	finish
	exit 0
fi
if boot 6.12 -t 400 -f "$baseline" validate validate-lossy validate-old-order exercise; then
	check_validate fixed
	check_validate_lossy
	check_validate_old_order
	check_exercise 6.12
	label="diff of 6.1 and 6.12: "
	new=$results/validate/new.db
	current=$work
	"$vfiotrace" diff "$baseline" "$new" --json >"$work/diff.json" 2>"$work/diff.json.err"
	echo $? >"$work/diff.json.exit"
	code "no new cycle" diff.json 0
	changed='.[0].dependencies | map(select(.change == "appeared" or .change == "vanished") | "\(.change) \(.name)")'
	for row in "vanished kvm.lock -> vfio_group.group_lock" "vanished kvm_vfio.lock -> vfio_group.group_lock" \
		"vanished vfio_device_set.lock -> vfio_group.group_lock" "appeared vfio_group.group_lock -> vfio_device_set.lock" \
		"appeared kvm.lock -> vfio_group.kvm_ref_lock"; do
		records "$row" diff.json "$changed | index(\"$row\") != null"
	done
	records "nothing between VFIO and KVM locks changed that the facts do not name" diff.json "$changed"' | map(select(contains("kvm_ref_lock") | not))
		| map(select(test("^(appeared|vanished) (kvm|kvm_vfio|vfio_group|vfio_device_set|vfio_iommu|vfio_container)\\.[a-z_]+ -> (kvm|kvm_vfio|vfio_group|vfio_device_set|vfio_iommu|vfio_container)\\.[a-z_]+$")))
		| map(select(test("^(vanished (kvm|kvm_vfio|vfio_device_set)\\.lock -> vfio_group\\.group_lock|appeared vfio_group\\.group_lock -> vfio_device_set\\.lock|vanished kvm_vfio\\.lock -> (vfio_container\\.group_lock|vfio_iommu\\.lock)|appeared kvm_vfio\\.lock -> vfio_group\\.device_lock|vanished kvm\\.lock -> kvm_vfio\\.lock|appeared vfio_device_set\\.lock -> kvm\\..*|(appeared|vanished) vfio_(group\\.group|device_set)_?lock -> .*)$") | not)) | length == 0'
	records "the cycle vanished" diff.json '.[0].cycles | map(select(.change == "vanished" and .name == "kvm.lock -> vfio_group.group_lock -> kvm.lock")) | length == 1'
fi
if boot 7.2 -t 400 -f "$baseline" validate exercise; then
	check_validate fixed
	check_exercise 7.2
fi
if boot 6.12-cdev -t 300 exercise; then check_exercise 6.12-cdev; fi
if boot 6.12 --qemu exercise-busy; then check_exercise_busy; fi
finish
