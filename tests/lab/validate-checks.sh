# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What validate's records must show. Each function takes "unfixed" or "fixed".

verdict_is() { # text, file, verdict, more of the record
	records "$1" "$2" "map(select(.type == \"verdict\")) | length == 1 and (.[0] | .verdict == \"$3\" and (.reasons | length) > 0${4:+ and ($4)})"
}

by_schema() { # file: every record is as --json-schema says
	"$here/../../${BUILD:-build}/vfiotrace" --json-schema >"$work/schema"
	if python3 "$here/../cli/validate-records.py" "$work/schema" start verdict <"$current/$1" >"$work/schema.out" 2>&1; then
		ok "the records of $1 are as the schema says"
	else
		not_ok "the records of $1 are as the schema says" "$work/schema.out"
	fi
}

check_baseline() {
	scenario baseline || return
	records "the inversion is in the baseline" watch.json "between($the_bug) | length == 1"
	if [ -s "$current/baseline.db" ]; then ok "the recording came back"; else not_ok "the recording came back" "$current/watch.json.err"; fi
}

check_validate() { # unfixed|fixed
	scenario validate || return
	if [ "$1" = unfixed ]; then
		verdict_is "the old kernel again: fail" verdict.json fail \
			'.baseline.cycles | length >= 1 and any(.status == "present" and .state == "back" and all(.dependencies[]; .status == "present" and .runs_now > 0))'
		verdict_is "without the known fix: fail" verdict.json fail '.reasons | any(contains("2b48f52f2bff is not in this kernel"))'
		code "exit says fail" verdict.json 2
	else
		verdict_is "pass, with the known fix" verdict.json pass '.exit == 0'
		code "exit says pass" verdict.json 0
		records "the cycle is gone: its dependency from kvm.lock, though its path ran" verdict.json \
			'map(select(.type == "verdict"))[0].baseline.cycles | length >= 1 and all(.status == "resolved" and .state == "gone") and ([.[].dependencies[] | select(.from == "kvm.lock" and .to == "vfio_group.group_lock")] | length >= 1 and all(.status == "resolved" and .runs_before > 0 and .runs_now > 0))'
		records "the verdict says what is taken in place of the cycle's lock" verdict.json \
			'[map(select(.type == "verdict"))[0].baseline.cycles[].dependencies[] | select(.from == "kvm.lock") | .instead // ""] | any(contains("kvm_ref_lock"))'
	fi
	by_schema verdict.json
	records "every required path has its hits" verdict.json 'map(select(.type == "verdict"))[0] | .coverage as $c | .required | length >= 5 and all(. as $p | $c[$p].hits > 0 or $c[$p].state == "absent")'
	records "kernel and modules are identified" verdict.json 'map(select(.type == "verdict"))[0] | (.kernel.build_id | length) > 8 and .modules.vfio.origin == "distribution" and (.modules.vfio.build_id | length) > 8'
	if xml_ok "$current/junit.xml"; then ok "JUnit XML is well-formed and counts its cases"; else not_ok "JUnit XML is well-formed and counts its cases" "$current/junit.xml"; fi
}

check_validate_rules() { # unfixed|fixed
	scenario validate-rules || return
	verdict_is "no load: inconclusive, and why" idle.json inconclusive '.reasons | any(contains("not exercised"))'
	code "exit of no load" idle.json 4
	if [ "$1" = fixed ]; then
		verdict_is "a probe that fails: inconclusive" failed.json inconclusive '.reasons | any(contains("set_kvm"))'
		code "exit of a probe that fails" failed.json 4
	fi
	code "a baseline of another scope is refused" scope 64
	text "the refusal of another scope says why" scope.err 'scope'
	code "a baseline of another probe level is refused" level 64
	text "the refusal of another probe level says why" level.err 'probe level'
}

xml_ok() { # file
	python3 - "$1" <<-'PYTHON'
	import sys, xml.etree.ElementTree as tree
	suite = tree.parse(sys.argv[1]).getroot().find("testsuite")
	cases = suite.findall("testcase")
	failures = [c for c in cases if c.find("failure") is not None]
	errors = [c for c in cases if c.find("error") is not None]
	assert len(cases) == int(suite.get("tests")) > 5
	assert len(failures) == int(suite.get("failures")) and len(errors) == int(suite.get("errors"))
	PYTHON
}

check_validate_lossy() {
	scenario validate-lossy || return
	records "something was lost" verdict.json 'map(select(.type == "verdict"))[0].losses | [.[]? | select(. != 0)] | length > 0'
	verdict_is "what was lost makes it inconclusive" verdict.json inconclusive '.reasons | any(startswith("lost"))'
	code "exit of something lost says inconclusive" verdict.json 4
}

check_validate_old_order() {
	scenario validate-old-order || return
	verdict_is "the old order brought back: fail" verdict.json fail
	code "exit says fail" verdict.json 2
}

check_exercise() { # unfixed|fixed, kernel name
	scenario exercise || return
	code "an unbound device is refused" unbound 64
	text "an unbound device is refused with the remedy" unbound.err 'vfio-pci'
	if [ "$1" = unfixed ]; then
		verdict_is "the exercise of vfio-pci decides nothing on a kernel without the fix, and says what would" verdict.json inconclusive \
			'.reasons | any(contains("2b48f52f2bff") and contains("is missing in this kernel") and contains("what takes kvm.lock under vfio_group.group_lock"))'
		code "exit says inconclusive" verdict.json 4
	else
		verdict_is "the exercise passes on vfio-pci" verdict.json pass '.required_drivers | length == 1 and .[0].driver == "vfio-pci" and .[0].bound'
		code "exit says pass" verdict.json 0
	fi
	records "the exercise says whose paths ran" verdict.json \
		'map(select(.type == "verdict"))[0].coverage.device_open.drivers | length == 1 and .[0].driver == "vfio-pci" and .[0].hits > 0 and .[0].open == "vfio_pci_open_device vfio_pci"'
	records "every path that exists ran" verdict.json "map(select(.type == \"verdict\"))[0].coverage as \$c | ${paths} | all(\$c[.].hits > 0 or \$c[.].state == \"absent\")"
	if [ "$2" = 6.12-cdev ]; then
		records "the exercise went through the cdev too" verdict.json 'map(select(.type == "verdict"))[0].exercised | contains("cdev")'
	fi
	if cmp -s "$current/before" "$current/after"; then ok "everything is as it was"; else not_ok "everything is as it was" "$current/after"; fi
	if [ "$2" = 6.12-cdev ] || [ -n "${VFIOTRACE_LONG:-}" ]; then
		if cmp -s "$current/before" "$current/stopped" && [ ! -s "$current/left" ]; then ok "everything is as it was when it was stopped halfway"; else not_ok "everything is as it was when it was stopped halfway" "$current/stopped"; fi
		verdict_is "stopped halfway it is inconclusive" stopped.json inconclusive '.reasons | any(contains("stopped"))'
	fi
	code "a device in use is refused" busy 64
	text "who has a busy device is named" busy.err 'vfio_client \(pid [0-9]+\)'
	code "the work of who has the device went on undisturbed" client 0
	code "a device that is not there is refused" none 64
}

# A driver's name in a reason, with what did not run of it.
no_run_of() { # driver
	echo "(.reasons | any(startswith(\"driver $1: device_open\")))"
}

check_validate_drivers() { # unfixed|fixed, kernel name
	scenario validate-drivers || return
	local step
	for step in $(cat "$current/steps"); do "check_driver_$step" "$@"; done
}

check_driver_unused() {
	verdict_is "a driver with a device here that nobody opens: inconclusive" unused.json inconclusive \
		"$(no_run_of vfio_lab) and (.reasons | any(contains(\"bound to it\")))"
	code "exit of a device that nobody opens" unused.json 4
}

check_driver_before() {
	verdict_is "a device that was opened before, and a second time: inconclusive" before.json inconclusive \
		"$(no_run_of vfio_lab) and (.reasons | any(contains(\"opened before this looked\"))) and (.coverage.device_close.drivers | any(.driver == \"vfio_lab\"))"
	code "exit of a device opened before" before.json 4
}

check_driver_both() { # unfixed|fixed, kernel name
	if [ "$1" = unfixed ]; then
		verdict_is "both drivers exercised: the inversion is found" both.json fail
		return
	fi
	verdict_is "both drivers exercised: pass" both.json pass '[.required_drivers[].driver] == ["vfio-pci", "vfio_lab"]'
	code "exit says pass" both.json 0
}

# Both drivers exercised, and what needs cpu_hotplug_lock required.
check_driver_create() { # unfixed|fixed, kernel name
	case $1$2 in
	unfixed*) verdict_is "both drivers exercised: fail, also for a fix that only --require puts in question" create.json fail \
		'.reasons | any(contains("44d174596260") and contains("is missing")) and any(test("-inversion .*found: "))' ;;
	*)
		verdict_is "both drivers exercised, with what needs cpu_hotplug_lock: pass" create.json pass \
			'([.required_drivers[].driver] == ["vfio-pci", "vfio_lab"]) and (.not_covered | any(contains("cpu_hotplug_lock")) | not)'
		code "exit of both drivers" create.json 0 ;;
	esac
}

check_driver_other() { # unfixed|fixed
	if [ "$1" = unfixed ]; then
		verdict_is "a baseline of another driver: not exercised, by function and module" other.json inconclusive \
			"$(no_run_of vfio_lab) and (.reasons | any(contains(\"lab_open_device [vfio_lab]\"))) and (.baseline.cycles | any(.state == \"not exercised\"))"
	else
		verdict_is "a baseline of another driver: inconclusive" other.json inconclusive "$(no_run_of vfio_lab)"
	fi
	code "exit of a baseline of another driver" other.json 4
}

check_driver_empty() {
	code "an empty baseline is refused" empty.json 64
	text "an empty baseline: the message says why" empty.json.err 'an empty baseline: (it has no lock order|no path of VFIO)'
}

check_driver_filters() { code "filters are refused" filters.json 64; }

check_exercise_busy() {
	scenario exercise-busy || return
	code "QEMU's device is refused" busy 64
	text "QEMU is named" busy.err 'qemu-system-x86.* \(pid [0-9]+\)'
	text "QEMU runs on" qemu.out 'VM status: running'
	code "QEMU ends as it should" qemu 0
}

# The dependencies between locks of VFIO and KVM that changed from 6.1 to 6.12 under the load of the bug:
# these and no other (the commits: 9eefba8002c2 and 2b48f52f2bff; the two of coherency went with them).
vfio_changes=(
	"appeared kvm.lock -> vfio_group.kvm_ref_lock"
	"appeared kvm_vfio.lock -> vfio_group.device_lock"
	"appeared kvm_vfio.lock -> vfio_group.kvm_ref_lock"
	"appeared vfio_device_set.lock -> vfio_group.kvm_ref_lock"
	"appeared vfio_group.group_lock -> vfio_device_set.lock"
	"appeared vfio_group.group_lock -> vfio_group.kvm_ref_lock"
	"vanished kvm.lock -> kvm_vfio.lock"
	"vanished kvm.lock -> vfio_group.group_lock"
	"vanished kvm_vfio.lock -> vfio_container.group_lock"
	"vanished kvm_vfio.lock -> vfio_group.group_lock"
	"vanished kvm_vfio.lock -> vfio_iommu.lock"
	"vanished vfio_device_set.lock -> vfio_group.group_lock"
)

check_diff() { # program, recording of 6.1, recording of 6.12
	local struct='(kvm|kvm_vfio|vfio_group|vfio_device|vfio_device_set|vfio_iommu|vfio_container|vfio_pci_core_device)'
	label="diff of 6.1 and 6.12: "
	current=$work
	"$1" diff "$2" "$3" --json >"$work/diff.json" 2>"$work/diff.json.err"
	echo $? >"$work/diff.json.exit"
	code "no new cycle" diff.json 0
	printf '%s\n' "${vfio_changes[@]}" | sort >"$work/diff.wanted"
	jq -r '.dependencies[] | select(.change == "appeared" or .change == "vanished") | "\(.change) \(.name)"' "$work/diff.json" |
		grep -E "^[a-z]+ $struct\.[a-z_]+ -> $struct\.[a-z_]+$" | sort >"$work/diff.got"
	if diff "$work/diff.wanted" "$work/diff.got" >"$work/diff.differs"; then
		ok "exactly the dependencies between locks of VFIO and KVM that upstream changed"
	else
		not_ok "exactly the dependencies between locks of VFIO and KVM that upstream changed" "$work/diff.differs"
	fi
	records "the cycle vanished" diff.json '.[0].cycles | map(select(.change == "vanished" and .name == "kvm.lock -> vfio_group.group_lock -> kvm.lock")) | length == 1'
	records "the compiler's numbering is no change" diff.json '[.[0].classes[].name, .[0].dependencies[].name] | all(test("\\.[0-9]") | not)'
}

check_preempted() {
	scenario preempted || return
	local skipped
	skipped=$(jq '[.[] | select(.name | startswith("fentry_") or startswith("fexit_")) | .recursion_misses // 0] | add' "$current/programs.json")
	records "the kernel skipped runs of programs ($skipped)" programs.json "$skipped > 10"
	# without the backup program all of them would be lost; how many are depends on the machine
	records "most of them lost nothing: a backup program ran" watch.json "skipped_runs * 4 <= $skipped"
}
