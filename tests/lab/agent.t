#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The agent on a real kernel, as the service runs it; the scenario says through what.
# shellcheck disable=SC2154 # here, work, current come from tap.sh
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"
top=$(cd "$here/../.." && pwd)

# All but the runs that a preemptible kernel skips, which are said and cannot be helped.
losses() { # file of metrics
	awk '/^vfiotrace_losses_total/ && !/reason="recursion"/ {n += $NF; seen = 1} END {print seen ? n : "unknown"}' "$current/$1" 2>/dev/null
}
skipped_runs() { value "$1" 'vfiotrace_losses_total{reason="recursion"}'; }
value() { # file, series
	awk -v want="$2" '$1 == want {print $NF; exit}' "$current/$1" 2>/dev/null
}
at_least() { awk -v a="${1:-0}" -v b="$2" 'BEGIN {exit !(a + 0 >= b)}'; }
check() { # status, text
	if [ "$1" -eq 0 ]; then ok "$2"; else not_ok "$2" "$current/stderr"; fi
}

check_agent() {
	scenario agent || return
	local losses before after
	grep -q '^CapEff:.*000000c400200000$' "$current/status"
	check $? "a user of its own with CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN, CAP_SYSLOG: CAP_DAC_READ_SEARCH is gone after attach"
	grep -q '^NoNewPrivs:.*1$' "$current/status" && grep -q '^CapBnd:.*000000c40020000[04]$' "$current/status"
	check $? "its bounding set has no other capability"
	grep -q '^CapEff:.*0000000000000000$' "$current/status.endpoint"
	check $? "the endpoint's process has no capability"
	[ "$(cat "$current/second.exit")" != 0 ] && grep -q 'another vfiotrace' "$current/second.err"
	check $? "a second vfiotrace, of root, sees it and is refused"
	grep -q '^vfiotrace_inversions{from="kvm.lock",to="vfio_group.group_lock"} 1$' "$current/metrics.inversion" ||
		grep -q '^vfiotrace_inversions{from="vfio_group.group_lock",to="kvm.lock"} 1$' "$current/metrics.inversion"
	check $? "the inversion is a metric"
	cmp -s <(grep -o '^vfiotrace_inversions.*' "$current/metrics.inversion") <(grep -o '^vfiotrace_inversions.*' "$current/textfile.prom")
	check $? "the inversion is in the textfile"
	grep -qE '(instance|class)-inversion \(warning\).*vfio_group.group_lock.*2b48f52f2bff' "$current/agent.err"
	check $? "a message names the inversion and the known bug"
	grep -qE '^-rw------- .* 4242 .*T[0-9]+Z-(instance|class)-inversion-[0-9a-f]{16}\.vfiotrace$' "$current/state.list"
	check $? "the incident file has mode 0600"
	"$top/${BUILD:-build}/vfiotrace" report "$current/incident.vfiotrace" >"$work/report" 2>&1
	grep -q 'group_lock' "$work/report"
	check $? "vfiotrace report can read the incident file"
	grep -qE '^1 /tmp/state/.*-inversion.* (instance|class)-inversion warning$' "$current/hook.out"
	check $? "the hook ran with the incident file"
	[ "$(value metrics.suppressed vfiotrace_reload_failures_total)" = 1 ] && [ "$(value metrics.suppressed vfiotrace_reloads_total)" = 1 ]
	check $? "a reload with mistakes keeps the old rules, one without counts"
	grep -q '^vfiotrace_findings{.*kvm.lock -> vfio_group.group_lock.*suppressed="true"} 1' "$current/metrics.suppressed" ||
		grep -q '^vfiotrace_findings{.*vfio_group.group_lock -> kvm.lock.*suppressed="true"} 1' "$current/metrics.suppressed"
	check $? "the suppression it brought is in force"
	before=$(value metrics.inversion vfiotrace_resident_memory_bytes)
	after=$(value metrics.end vfiotrace_resident_memory_bytes)
	awk -v a="${before:-0}" -v b="${after:-0}" 'BEGIN {exit !(a > 0 && b > 0 && b < a + 32 * 1048576)}'
	check $? "memory stays: $((before / 1048576)) MiB, then $((after / 1048576)) MiB after $(tr -dc 0-9 <"$current/tasks") short-lived tasks"
	losses=$(losses metrics.end)
	[ "$losses" = 0 ]
	check $? "losses in all: $losses, runs that the kernel skipped: $(skipped_runs metrics.end)"
	at_least "$(value metrics.end vfiotrace_incident_failures_total)" 1 &&
		grep -q snapshot "$current/state.after-full" && ! grep -q incoming "$current/state.after-full"
	check $? "a full disk: said, nothing half written, tried again when there is room"
	at_least "$(value metrics.end vfiotrace_endpoint_restarts_total)" 1
	check $? "the endpoint's process was killed and came back"
	grep -q 'vfiotrace_overhead_ratio{part="kernel"}' "$current/metrics.end"
	check $? "own cost was measured: $(value metrics.end 'vfiotrace_overhead_ratio{part="kernel"}') of a CPU in the kernel, $(value metrics.end 'vfiotrace_overhead_ratio{part="total"}') in all (emulated)"
	at_least "$(value metrics.end vfiotrace_acquisitions_total)" "$(value metrics.tasks vfiotrace_acquisitions_total)"
	check $? "it still counts after CPU hotplug and clock jumps: $(value metrics.end vfiotrace_acquisitions_total) acquisitions"
	[ "$(cat "$current/rmmod.exit")" = 0 ]
	check $? "a VFIO driver can be removed under it"
	case $(cat "$current/agent.exit") in
	0 | 2) true ;;
	4) at_least "$(skipped_runs metrics.end)" 1 ;;
	*) false ;;
	esac
	check $? "it ends on SIGTERM with the findings' exit status ($(cat "$current/agent.exit"))"
	[ -s "$current/programs.during" ] && [ "$(wc -l <"$current/programs.during")" -gt "$(wc -l <"$current/programs.before")" ] &&
		[ "$(wc -l <"$current/programs.after")" -eq "$(wc -l <"$current/programs.before")" ]
	check $? "no program, map or link remains ($(wc -l <"$current/programs.before") lines of bpftool before, $(wc -l <"$current/programs.during") during, $(wc -l <"$current/programs.after") after)"
	[ ! -s "$current/kprobes.after" ] && [ ! -s "$current/pins.after" ]
	check $? "no kprobe and no pin remains"
}

fault() { # NAME, text: the fault itself worked, and nothing was lost by then
	local losses
	losses=$(losses "metrics.$1")
	grep -q "^$1 0 " "$current/faults" && [ "$losses" = 0 ]
	check $? "$2: goes on, losses $losses, $(awk -v n="$1" '$1 == n {print $3}' "$current/faults") KiB resident"
}

check_faults() {
	scenario agent-faults || return
	fault modules "kvm and vfio unloaded and loaded again under it, $(cat "$current/reloads") times"
	fault suspend "suspended to memory for $(cat "$current/suspended.seconds") s and resumed"
	at_least "$(cat "$current/suspends")" 1
	check $? "firmware and kernel say that the guest was suspended"
	fault tracers "beside klockstat and a second vfiotrace, the static build"
	[ -s "$current/klockstat.out" ] && grep -q '"type": *"summary"' "$current/second.json"
	check $? "klockstat and the second vfiotrace worked ($(cat "$current/vms") VMs meanwhile)"
	fault memory "out of memory, $(cat "$current/oom.kills") task killed"
	at_least "$(cat "$current/oom.kills")" 1
	check $? "the OOM killer did not pick the agent"
	grep -qE '^vfiotrace_inversions\{.*"(kvm.lock|vfio_group.group_lock)"\} 1$' "$current/metrics.end"
	check $? "the inversion is found after all faults"
	[ "$(wc -l <"$current/objects.after")" -eq "$(wc -l <"$current/objects.before")" ] && [ ! -s "$current/kprobes.after" ]
	check $? "nothing remains after the end of the faults"
}

VFIOTRACE_LAB_LIMIT=${VFIOTRACE_LAB_LIMIT:-800}
echo "${VFIOTRACE_LONG:+1}0" | sed 's/^0/2/' >"$work/rounds" # 2, or 10 in a long run
static=$top/${BUILD:-build}-static/vfiotrace
"$top/tests/locked-make" "${BUILD:-build}-static" STATIC=1 >&2 || echo "# no static build"
for kernel in ${VFIOTRACE_AGENT_KERNELS:-6.1}; do
	boot "$kernel" -m 1G -f "$static:/lab/static/vfiotrace" -f "$work/rounds" -w "$(command -v setpriv)" -w "$(command -v bpftool || echo /usr/sbin/bpftool)" \
		-w "$(command -v klockstat || echo /usr/sbin/klockstat)" agent agent-faults || continue
	check_agent
	check_faults
done
finish
