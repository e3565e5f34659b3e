# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the deadlock scenarios must show.

deadlocks='[findings[] | select(.kind == "deadlock")]'

# from the closing wait to the report, in ns
# shellcheck disable=SC2016
delay="$deadlocks"'[0] as $d | $d.mono - ([$d.tasks[].since // $d.tasks[].waiting_since] | max)'

# An emulated processor may be stopped by its host at any moment; that makes one report late, not each.
within_a_millisecond() {
	local quickest
	quickest=$(sort -n "$current/delays" | head -n 1)
	if [ "${quickest:-1000001}" -le 1000000 ]; then
		ok "within 1 ms of it (in us:$(awk '{printf " %.1f", $1 / 1000}' "$current/delays"))"
	else
		not_ok "within 1 ms of it" "$current/delays"
	fi
}

seen_at_once() { # file, number of tasks
	records "$1: one deadlock of $2 task(s), critical" "$1" "$deadlocks | length == 1 and .[0].grade == \"critical\" and (.[0].tasks | length) == $2"
	# a preemptible kernel may skip the very run that would see it, and says so: then a sweep finds it
	# (a waiter may be woken for nothing and sleep again: its `since` is then a moment after the report; the
	# emulator gives its one thread to the other processor for 100 ms at a time, in the middle of a program too)
	records "$1: reported by the closing wait itself, long before the next sweep" "$1" \
		"($delay) as \$late | \$late >= -500000000 and (\$late <= 500000000 or (summary.losses.recursion > 0 and \$late <= 5000000000))"
	jq -s "$prelude $delay" "$current/$1" >>"$current/delays" 2>/dev/null
	records "$1: every task has its stack and what it waits for" "$1" "$deadlocks[0].tasks | all((.stack // .kernel_stack | length) > 0)"
}

# `analyze` on the kernel's log of a hang against what was seen live of it, see log-agrees.
# usage: log_agrees LOG EXIT now.json watch.json|- [truth] [owners]
log_agrees() {
	local log=$1 wanted=$2 args=() verdict text got=0 claims=0
	shift 2
	"$here/../../${BUILD:-build}/vfiotrace" analyze -j "$current/$log" >"$current/$log.json" 2>"$current/$log.err" || got=$?
	echo $got >"$current/$log.exit"
	code "$log: analyze ends with $wanted" "$log" "$wanted"
	for text; do
		case $text in - | owners) args+=("$text") ;; *) args+=("$current/$text") ;; esac
	done
	while read -r verdict text; do
		claims=$((claims + 1))
		case $verdict in ok) ok "$log: $text" ;; *) not_ok "$log: ${text#ok }" ;; esac
	done < <("$here/log-agrees" "$current/$log.json" "${args[@]}")
	[ $claims -gt 0 ] || not_ok "$log: analyze and what was seen live can be compared" "$current/$log.err"
}

check_deadlock() {
	scenario deadlock || return
	seen_at_once watch.json 2
	code "exit says deadlock" watch.json 3
	records "it is the two locks" watch.json "$deadlocks[0].classes | sort == [\"kvm.lock\", \"vfio_group.group_lock\"]"
	code "now, started afterwards, says deadlock" now 3
	records "now shows the same cycle" now.json \
		'map(select(.type == "now"))[0].deadlocks | length == 1 and (tostring | contains("kvm.lock") and contains("vfio_group.group_lock") and contains("kvm_device_release"))'
	records "now names the known bug, missing here" now.json \
		'map(select(.type == "now"))[0].deadlocks[0].known | any(.commit == "2b48f52f2bff" and (.state | contains("missing")))'
	text "now's page names both" now.text 'group_lock'
	# which mutex the lab's driver wants is not in the log: one of the two is known
	log_agrees hung.log 2 now.json watch.json
	log_agrees sysrq.log 2 now.json watch.json
	records "the VM and the device are named" now.json \
		'map(select(.type == "now"))[0] | (.vms | length) >= 1 and (.groups | length) >= 1 and (.devices | map(.name) | any(. == "vfio_lab.0"))'
	code "its process is exiting: now still says deadlock" exiting 3
	records "its process is exiting: now shows the same cycle" exiting.json \
		'map(select(.type == "now"))[0] | (.vms | length) >= 1 and (.deadlocks | length == 1 and (tostring | contains("kvm.lock") and contains("vfio_group.group_lock")))'
}

check_deadlock_recovery() {
	scenario deadlock-recovery || return
	if [ "$(cat "$current/before.count")" = "$(cat "$current/after.count")" ] &&
		[ "$(cat "$current/during.count")" -gt "$(cat "$current/before.count")" ]; then
		ok "killed with SIGKILL, nothing stays attached"
	else
		not_ok "killed with SIGKILL, nothing stays attached (functions before, during, after: $(cat "$current"/{before,during,after}.count | tr '\n' ' '))"
	fi
	records "the first one saw the deadlock" first.json "$deadlocks | length >= 1"
	records "started again, it sees what closed before it came" second.json "$deadlocks | length == 1"
	code "started again, its exit status says deadlock" second.json 3
	code "now --wait-for says deadlock" now 3
}

check_deadlock_killable() {
	scenario deadlock-killable || return
	records "the deadlock is seen" watch.json "$deadlocks | length >= 1"
	records "the deadlock is one that a signal can break" watch.json "$deadlocks[0] | tostring | test(\"killable|breakable\")"
	records "watch says when it is over" watch.json '(findings | map(select(.kind == "deadlock"))[0].key) as $key | map(select(.type == "resolved" and .key == $key)) | length == 1'
	code "now says deadlock before the signal" before 3
	code "now is clean after the signal" after 0
}

check_deadlock_locks() { # unfixed|fixed, kernel name
	scenario deadlock-locks || return
	local name
	for name in two mixed reader readers ring legal self; do
		grep '"type": *"summary"' "$current/all.json" >>"$current/$name.json"
	done
	for name in two:2 mixed:2 reader:2 ring:3 self:1; do
		seen_at_once "${name%:*}.json" "${name#*:}"
		code "${name%:*}: now says so afterwards" "${name%:*}.now" 3
		# a log of PREEMPT_RT has the rt_mutex inside an rwsem: neither what it is nor who reads
		[[ ${2-} == *-rt* ]] || log_agrees "${name%:*}.log" 2 "${name%:*}.now.json" "${name%:*}.json"
	done
	# who reads is known to the sweep only, and not to now
	records "readers.json: a writer waits for a reader that waits for it" readers.json \
		"$deadlocks | length == 1 and .[0].grade == \"critical\" and (.[0].classes | sort == [\"lab_mutex_f\", \"lab_rwsem_r\"])"
	code "exit says deadlock: the last one is there when it ends" all.json 3
	within_a_millisecond
	records "an rwsem has its name" mixed.json "$deadlocks[0].classes | sort == [\"lab_mutex_c\", \"lab_rwsem_p\"]"
	records "an rwsem has its name in now" mixed.now.json \
		'map(select(.type == "now"))[0].deadlocks[0].classes | sort == ["lab_mutex_c", "lab_rwsem_p"]'
	records "a legal load gives no deadlock" legal.json "$deadlocks | length == 0"
	code "after a legal load now is clean" legal.now 0
	records "now sees no deadlock while a writer waits for readers" draining.now.json \
		'map(select(.type == "now"))[0] | .deadlocks == [] and .possible == []'
	code "now is inconclusive while a writer waits for readers: who reads is unknown" draining.now 4
}

check_hung_tasks() { # unfixed|fixed, kernel name
	scenario hung-tasks || return
	code "now says deadlock" now 3
	# since 6.15 the detector names the owner of what a task waits for; sysrq-w does not
	case $2 in
	7.2) log_agrees hung.log 3 now.json - truth owners ;;
	*) log_agrees hung.log 2 now.json - truth ;;
	esac
	log_agrees sysrq.log 2 now.json - truth
}

# now, without tracing: what it cannot know is no "no deadlock", and what it can prove is one
check_now_truth() {
	scenario now-truth || return
	local now='map(select(.type == "now"))[0]'
	code "a reader and a mutex: deadlock" reader 3
	records "a reader and a mutex: the deadlock has both locks" reader.json "$now.deadlocks | length == 1 and (.[0].classes | sort == [\"lab_mutex_c\", \"lab_rwsem_p\"])"
	records "a reader and a mutex: it says why the reader is known" reader.json "$now.deadlocks[0].note | test(\"no task but the one named|takes its name away\")"
	records "beside hidden symbols: not looked at, or seen" hidden.json \
		"$now | (.deadlocks | length == 1) or (.not_looked_at | any(contains(\"kptr_restrict\")))"
	code "beside hidden symbols: never a clean exit" hidden 3 4
	records "another reader came since: not decided" two.json \
		"$now | .deadlocks == [] and (.undecided | any(.lock.class == \"lab_rwsem_q\" and .readers == 2))"
	code "another reader came since: never a clean exit" two 2 4
	records "the last reader has left, another one reads: no deadlock" left.json "$now.deadlocks == []"
	# since 6.17 a reader that leaves takes its name away
	records "the last reader has left: a possible deadlock, or nobody is named" left.json \
		"$now | (.possible | length == 1 and .[0].code == \"possible-deadlock\") or (.possible == [] and (.undecided | any(.lock.class == \"lab_rwsem_r\")))"
	code "the last reader has left: its exit status is not clean" left 2 4
	text "the last reader has left: the page says possible or inconclusive" left.text '^(POSSIBLE DEADLOCK|inconclusive)'
	records "a wait for a per-CPU rwsem: not decided" percpu.json \
		"$now | .deadlocks == [] and (.undecided | any(.lock == null and (.function // \"\" | contains(\"percpu_\"))))"
	code "a wait for a per-CPU rwsem is never a clean exit" percpu 4
	code "when all is over it is clean" after 0
}

check_contention_soak() {
	scenario contention-soak || return
	records "10,000 contended begins and more" good.json '.[0].begins > 10000'
	records "no false alarm, nothing lost" good.json '.[0] | .reports == 0 and .lost_notes == 0 and .lost_ring == 0'
	records "without the rules there are false alarms" broken.json '.[0].reports > 0'
}
