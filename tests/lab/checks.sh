# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a scenario's records must show; the same on every kernel that runs the scenario.
# Each function is named after its scenario and takes "unfixed" or "fixed".

the_bug='["kvm.lock", "vfio_group.group_lock"]'
paths='["device_open", "device_close", "get_kvm", "put_kvm", "set_kvm", "group_add", "group_del", "kvm_device_release", "vm_create", "vm_destroy"]'

shared() { [ -e "$current/$1.shared" ]; } # other scenarios had the same tracer: its summary is about all of them

whole_lines() { # file: every line is one JSON object
	if jq -e 'type == "object"' "$current/$1" >/dev/null 2>&1; then ok "$1: every line is a whole record"; else not_ok "$1: every line is a whole record"; fi
}

bug_found() { # file
	records "the inversion is found, once" "$1" "between($the_bug) | length == 1"
	records "it has both witnesses with both stacks" "$1" \
		"between($the_bug)[0] | (.witnesses | length) == 2 and all(.witnesses[]; (.stack_wanted | length) > 0 and (.stack_held | length) > 0)"
	records "one witness opens the device" "$1" \
		"between($the_bug)[0] | wanted | any(. == \"lab_open_device\" or . == \"lab_lock_kvm\") and any(startswith(\"vfio_group_fops_unl_ioctl\"))"
	records "the other closes the KVM device" "$1" \
		"between($the_bug)[0] | wanted | any(. == \"vfio_file_set_kvm\" or . == \"kvm_vfio_release\") and any(. == \"kvm_device_release\")"
	records "the fix is named" "$1" "between($the_bug)[0].known | map(.commit) | any(startswith(\"2b48f52f2bff\"))"
}

check_inversion() { # unfixed|fixed
	scenario inversion || return
	whole_lines watch.json
	if [ "$1" = unfixed ]; then
		bug_found watch.json
		records "nothing else is found than cycles through these two" watch.json \
			"serious | all(.classes | (index(\"kvm.lock\") != null) and (index(\"vfio_group.group_lock\") != null))"
		code "exit says finding" watch.json 2
	else
		records "nothing is found" watch.json "serious | length == 0"
		clean "exit says clean" watch.json
		records "get_kvm and put_kvm were hit" watch.json '[ran("get_kvm", "put_kvm"), coverage("get_kvm", "put_kvm").hits > 0] | all'
	fi
	records "the paths of the load were hit" watch.json \
		'["device_open", "device_close", "set_kvm", "group_add", "kvm_device_release", "vm_create", "vm_destroy"] as $load | [ran($load[]), coverage($load[]).hits > 0] | all'
	records "nothing was lost" watch.json "losses == []"
}

check_late_module() {
	scenario late-module || return
	if [ "$1" = unfixed ]; then
		bug_found watch.json
		code "exit says finding" watch.json 2
	else
		records "nothing is found" watch.json "serious | length == 0"
	fi
	records "what loaded late is covered" watch.json \
		'["device_open", "set_kvm", "kvm_device_release"] as $load | [ran($load[]), coverage($load[]).hits > 0] | all'
}

check_inversion_kprobe() {
	scenario inversion-kprobe || return
	records "probes are kprobes" watch.json 'start.probes | map(select(.state == "attached") | .how) | any(. == "kprobe") and all(. != "fentry")'
	if [ "$1" = unfixed ]; then
		records "the inversion is found" watch.json "between($the_bug) | length == 1"
		code "exit says finding" watch.json 2
	else
		records "nothing is found" watch.json "serious | length == 0"
		code "exit says clean or inconclusive" watch.json 0 4
	fi
}

check_inversion_tracepoint() {
	scenario inversion-tracepoint || return
	records "probes are tracepoints" watch.json 'start.probes | map(select(.state == "attached") | .how) | all(. != "fentry" and . != "kprobe")'
	code "exit says inconclusive" watch.json 4
}

check_failed_probe() {
	scenario failed-probe || return
	records "the failed path is named at the start" path.json 'start.probes | any(.name == "set_kvm" and .state != "attached" and .reason != null)'
	records "the failed path's coverage is unprobed, not zero" path.json 'coverage("set_kvm").state == "unprobed"'
	records "the failed lock probe is named" mutex.json 'start.probes | any(.name == "mutex_lock" and .state != "attached")'
	code "without a finding that is inconclusive" mutex.json 4
	records "readers whose release is not probed are not probed either, and it is said" reader.json \
		'start.probes | any(.name == "down_read" and .state == "failed" and (.reason | startswith("up_read is not probed")))'
	records "readers whose release is not probed do not hold for good" reader.json '[findings[] | select(.kind == "recursion")] == []'
	code "without the readers that is inconclusive" reader.json 4
}

check_interrupted() {
	scenario interrupted || return
	whole_lines watch.json
	records "the summary is there after SIGINT" watch.json 'summary != null'
	# 4: a preemptible kernel may have skipped runs of a program
	if [ "$1" = unfixed ]; then code "exit after SIGINT" watch 2; else code "exit after SIGINT" watch 0 4; fi
	code "a second instance is refused" second 1 77 64
	text "the refusal names --force" second.err -- '--force'
	if [ -s "$current/pinned" ]; then not_ok "nothing is pinned after SIGKILL" "$current/pinned"; else ok "nothing is pinned after SIGKILL"; fi
	records "after SIGKILL it starts again and sees all" watch.json '[coverage("device_open", "set_kvm") | .hits > 0] | all'
}

check_starved() {
	scenario starved || return
	if [ "$1" = unfixed ]; then
		records "the finding is there, or the loss is" watch.json "(between($the_bug) | length >= 1) or (losses | length > 0)"
	fi
	records "a loss is never a clean exit" watch.json 'if (losses | length) > 0 then summary.exit != 0 else true end'
}

check_vfio_pci() {
	scenario vfio-pci || return
	records "nothing is found" watch.json "serious | length == 0"
	if [ "$1" = unfixed ] && shared watch.json; then
		code "exit says finding, which was another scenario's" watch.json 2
	else
		clean "exit says clean" watch.json
	fi
	records "every path that exists was hit" watch.json \
		"[${paths}[] as \$p | (coverage(\$p).state == \"hit\" and ran(\$p)) or coverage(\$p).state == \"absent\"] | all"
	records "an absent path has its reason" watch.json "[summary.coverage[] | select(.state == \"absent\") | .reason // \"\" | length > 0] | all"
	if [ "$1" = unfixed ]; then
		records "get_kvm is absent here" watch.json 'coverage("get_kvm").state == "absent"'
	else
		records "get_kvm went by the group" watch.json 'map(select(.type == "path" and .path == "get_kvm")) | length > 0 and all(.how == "group")'
		records "get_kvm's ref lock is the group's" watch.json \
			'map(select(.type == "path" and .path == "get_kvm" and .kvm_ref_lock != null) | .kvm_ref_lock | tostring) | length > 0 and all(contains("vfio_group.kvm_ref_lock"))'
	fi
	records "the opens name the device" watch.json \
		'map(select(.type == "path" and .path == "device_open") | .device | tostring) | any(contains("0000:00:03.0"))'
	# aac6db75a9fc (6.10): a BAR that is mapped while the device is reset
	if [ "$1" = unfixed ]; then
		records "a fault takes the list of mappings, a reset takes it first and only tries the mm" watch.json \
			'(edge("mm_struct.mmap_lock"; "vfio_pci_core_device.vma_lock") | length > 0) and (edge("vfio_pci_core_device.vma_lock"; "vfio_pci_core_device.memory_lock") | length > 0) and (edge("vfio_pci_core_device.vma_lock"; "mm_struct.mmap_lock") | length == 0)'
	else
		records "a fault takes the memory lock, there is no list of mappings" watch.json \
			'(edge("mm_struct.mmap_lock"; "vfio_pci_core_device.memory_lock") | length > 0) and (about("vfio_pci_core_device.vma_lock") | length == 0) and (edges | map(select(.to.class | tostring | contains("vfio_pci_core_device.vma_lock"))) | length == 0)'
	fi
	records "nothing was lost" watch.json "losses == []"
}

check_vfio_cdev() {
	scenario vfio-cdev || return
	records "nothing is found" watch.json "serious | length == 0"
	records "get_kvm is seen on the cdev path" watch.json 'map(select(.type == "path" and .path == "get_kvm")) | any(.how == "cdev")'
	records "get_kvm on the cdev path is under the file's ref lock" watch.json \
		'map(select(.type == "path" and .path == "get_kvm" and .how == "cdev") | .kvm_ref_lock | tostring) | any(contains("vfio_device_file.kvm_ref_lock"))'
}

check_qemu() {
	scenario qemu || return
	records "nothing is found" watch.json "serious | length == 0"
	code "QEMU ended by itself" qemu 0
	clean "exit says clean" watch.json
	records "nothing was lost" watch.json "losses == []"
	# a page fault tries mmap_lock: emitted by both programs of that function, it would never be released
	stored "a lock that is tried once is reported once" qemu.vfiotrace "SELECT count(*) = 0 FROM (SELECT op, operand, lag(op) OVER task AS op_before, lag(operand) OVER task AS before FROM event WINDOW task AS (PARTITION BY task ORDER BY id)) WHERE op = 2 AND op_before = 2 AND operand = before"
	stored "and there are such" qemu.vfiotrace "SELECT count(*) > 0 FROM event JOIN lock ON lock.id = operand WHERE op = 2 AND class = 'mm_struct.mmap_lock'"
	records "open, add and close were hit" watch.json '[coverage("device_open", "set_kvm", "group_add", "vm_create") | .hits > 0] | all'
	code "now says clean" now 0
	records "now shows the VM" now.json 'map(select(.type == "now"))[0].vms | tostring | contains("qemu-system")'
	records "now shows the device" now.json 'map(select(.type == "now"))[0].devices | tostring | contains("0000:00:03.0")'
}

# usage: stored TEXT FILE SQL      the query on the recording gives 1
stored() {
	if [ "$(sqlite3 "$current/$2" "$3" 2>&1 | tee "$work/stored")" = 1 ]; then ok "$1"; else not_ok "$1" "$work/stored"; fi
}

check_vm_churn() {
	scenario vm-churn || return
	# shellcheck disable=SC2016
	records "the task's own graph has both orders" watch.json \
		'map(select(.type == "task_graph" and .task.comm == "vfio_client") | .dependencies | map([.from, .to])) |
		any(.[]; index([["kvm.lock", "vfio_group.group_lock"]]) != null and index([["vfio_group.group_lock", "kvm.lock"]]) != null)'
	records "the snapshot comes before the end" watch.json '(map(.type) | index("task_graph")) < (map(.type) | index("summary"))'
	# which memory a VM gets is the allocator's affair: where none was used again this shows nothing
	if [ "$(sqlite3 "$current/churn.vfiotrace" "SELECT count(*) FROM (SELECT 1 FROM object WHERE kind = 'vm' GROUP BY address HAVING count(DISTINCT pid) > 1)")" = 0 ]; then
		skip "VMs of several processes had the same memory" "no VM got the memory of another"
	else
		ok "VMs of several processes had the same memory"
	fi
	stored "a lock belongs to the VM it was locked in, not to one that came later" churn.vfiotrace \
		"SELECT count(*) > 0 AND sum(instance.name NOT LIKE '%/' || object.pid) = 0 FROM instance
		JOIN object ON object.id = instance.object WHERE object.kind = 'vm' AND instance.name LIKE 'VM of %'"
	stored "also in the finding: its witnesses' tasks are those of its VMs" churn.vfiotrace \
		"SELECT count(*) > 0 AND sum(object.name NOT LIKE 'vfio_client/%') = 0 FROM dependency
		JOIN instance ON instance.id IN (from_id, to_id) JOIN object ON object.id = instance.object
		WHERE object.kind = 'vm' AND ('vfio_group.group_lock' IN (\"from\", \"to\"))"
}

check_lock_truth() {
	scenario lock-truth || return
	records "the task that waits for itself is found" watch.json \
		'findings | map(select((.kind == "recursion" or .kind == "deadlock") and (.classes | tostring | contains("lab_mutex_A")))) | length >= 1'
	records "a downgraded rwsem is still held (as a reader)" watch.json 'edge("lab_rwsem_P"; "lab_mutex_A") | length > 0'
	records "a downgraded rwsem is not held after up_read" watch.json 'edge("lab_rwsem_P"; "lab_mutex_B") | length == 0'
	records "a downgraded rwsem is not lost when another reader came since" watch.json 'edge("lab_rwsem_R"; "lab_mutex_G") | length > 0'
	records "a downgraded rwsem is over after up_read, even if another reader still has the lock" watch.json \
		'(edge("lab_rwsem_R"; "lab_mutex_H") + edge("lab_rwsem_S"; "lab_mutex_H")) | length == 0'
	records "an interrupted attempt is an attempt" watch.json 'edge("lab_mutex_D"; "lab_mutex_C") | length > 0'
	records "an interrupted attempt leaves nothing held" watch.json 'edge("lab_mutex_C"; "lab_mutex_E") | length == 0'
	records "a freed lock is not the one made in its place" watch.json \
		'findings | map(select((.classes | tostring | contains("lab_mutex_F")) and (.grade | IN("warning", "error", "critical")))) | length == 0'
	records "a trylock is no dependency" watch.json 'edge("lab_rwsem_Q"; "lab_mutex_A") | map(select(.try != true)) | length == 0'
	records "atomic_dec_and_mutex_lock that did not lock holds nothing" watch.json \
		'[edges[] | select((.to.class | tostring | contains("lab_mutex_B")) and (.from.class | tostring | contains("lab_mutex_A")))] | length == 0'
	records "cpus_read_lock is held until it is released" watch.json \
		'(edge("cpu_hotplug_lock"; "lab_mutex_A") | length > 0) and (edge("cpu_hotplug_lock"; "lab_mutex_B") | length == 0)'
	records "nothing else of the lab is found" watch.json \
		'serious | map(select(.classes | tostring | contains("lab_"))) | map(select((.classes | unique) != ["lab_mutex_A"])) | map(select(.classes | tostring | contains("lab_many") | not)) | length == 0'
}

check_hotplug_lock() {
	scenario hotplug-lock || return
	records "cpus_read_unlock is not probed in this run" watch.json 'start.probes | map(select(.name == "cpus_read_unlock" and .state == "failed")) | length == 1'
	records "a lock taken under cpus_read_lock is a dependency" watch.json \
		'(edge("cpu_hotplug_lock"; "lab_mutex_a") | length > 0) and (edge("cpu_hotplug_lock"; "lab_mutex_c") | length > 0)'
	records "a hold ends when nobody reads cpu_hotplug_lock any more" watch.json 'edge("cpu_hotplug_lock"; "lab_mutex_b") | length == 0'
	records "a hold ends when its task was in user mode since, although another task reads" watch.json 'edge("cpu_hotplug_lock"; "lab_mutex_d") | length == 0'
	records "a CPU that goes offline takes cpu_hotplug_lock to write" watch.json \
		'edges | map(select(any(.held[]; (.lock.class == "cpu_hotplug_lock") and .mode == "exclusive"))) | length > 0'
}

check_page_fault() {
	scenario page-fault || return
	records "a page fault under a lock wants mmap_lock, and says so" watch.json \
		'edge("lab_mutex_a"; "mm_struct.mmap_lock") | map(select(.fault and .mode == "shared" and (.stack_wanted | any(.symbol == "touch_page" or .symbol == "count_step" or .symbol == "execute")))) | length > 0'
	records "a page fault that is switched off wants nothing" watch.json 'edge("lab_mutex_b"; "mm_struct.mmap_lock") | length == 0'
	records "a page fault without a lock wants nothing" watch.json 'edge("lab_mutex_c"; "mm_struct.mmap_lock") | length == 0'
}

# Findings of grade warning or worse that touch any of these lab locks are exactly one between all, or none.
exactly() { # TEXT NUMBER CLASS…
	local text=$1 number=$2 set
	shift 2
	set=$(printf '"%s",' "$@")
	records "$text: $number finding(s)" watch.json \
		"[${set%,}] as \$set | [serious[] | select(.classes | any(IN(\$set[])))] | length == $number and all(.[]; (.classes | unique) == (\$set | unique))"
}

check_lock_orders() {
	scenario lock-orders || return
	exactly 'three locks' 1 lab_mutex_a lab_mutex_b lab_mutex_c
	exactly 'trylock second' 0 lab_mutex_d lab_mutex_e
	exactly 'trylock first' 1 lab_mutex_f lab_mutex_g
	exactly 'one task, both orders' 1 lab_mutex_h lab_mutex_i
	records "one task: it says so" watch.json '[serious[] | select(.classes | any(. == "lab_mutex_h"))][0].same_thread == true'
	exactly 'gated' 0 lab_mutex_k lab_mutex_l
	records "gated: listed with its guard" watch.json \
		'[findings[] | select(.code == "gated" and (.classes | any(. == "lab_mutex_k")))] | length == 1 and (.[0].guards | tostring | contains("lab_mutex_j"))'
	exactly 'legal' 0 lab_mutex_m lab_mutex_n lab_mutex_o
	exactly 'readers only' 0 lab_rwsem_p lab_rwsem_q
	exactly 'readers before writers' 1 lab_rwsem_r lab_rwsem_s
}

check_foreign_cycle() {
	scenario foreign-cycle || return
	records "the cycle through two foreign locks is found in the default scope" watch.json \
		'[serious[] | select((.classes | tostring) | contains("group_lock") and contains("lab_foreign_x") and contains("lab_foreign_y"))] | length == 1'
	code "exit says finding" watch.json 2
}

check_suspend_notifier() { # unfixed|fixed, kernel name
	local cycle='[serious[] | select((.classes | sort) == ["kvm.lock", "pm_chain_head.rwsem", "vfio_group.group_lock"])]'
	scenario suspend-notifier || return
	if [ "$(cat "$current/suspends")" = 1 ]; then ok "the guest was in S3"; else not_ok "the guest was in S3"; fi
	case $2 in
	6.1)
		records "the cycle through the suspend notifier is found" watch.json "$cycle | length == 1"
		records "the cycle through the suspend notifier is named: d9c5ed0a9b52" watch.json "$cycle[0].known | any(.commit == \"d9c5ed0a9b52\")"
		code "exit says finding" watch.json 2
		;;
	*)
		records "the driver's order is there" watch.json 'edge("vfio_device_set.lock"; "pm_chain_head.rwsem") | length > 0'
		records "no cycle" watch.json "serious | length == 0"
		clean "exit says clean" watch.json
		;;
	esac
	case $2 in
	7.2) records "the VM's lock is not taken in the notifier any more" watch.json 'edge("pm_chain_head.rwsem"; "kvm.lock") | length == 0' ;;
	*) records "the notifier takes the VM's lock" watch.json 'edge("pm_chain_head.rwsem"; "kvm.lock") | length > 0' ;;
	esac
}

check_old_order() {
	scenario old-order || return
	records "the order that came back is found" watch.json "between($the_bug) | length == 1"
	code "exit says finding" watch.json 2
}

check_check() { # unfixed|fixed
	scenario check || return
	code "works with everything loaded" loaded 0
	records "the fix is $1" loaded.json \
		"[.[] | .fixes[]? | select(.commit | startswith(\"2b48f52f2bff\"))] | length == 1 and (.[0].state == \"$([ "$1" = unfixed ] && echo missing || echo present)\")"
	records "51cdc8bc120e is in" loaded.json '[.[] | .fixes[]? | select(.commit | startswith("51cdc8bc120e"))] | length == 1 and .[0].state == "present"'
	records "the level is full" loaded.json 'map(select(.type == "check"))[0].level == "full"'
	code "without privileges: refused" nobody 77
	text "without privileges the remedy is named" nobody 'root|CAP_|sudo'
	code "wrong options" usage 64
	code "the unit test of what is known of a kernel passes on this one" unit 0
	grep -q 'OK.*test_given_back' "$current/unit" && ok "the unit test reads this kernel's functions again" || not_ok "the unit test reads this kernel's functions again" "$current/unit"
}

check_task_graphs() {
	scenario task-graphs || return
	text "each task has its graph, as text" watch.text 'vfio_client'
}
