#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Live contention on this machine, where direct calls may be refused: stalls, wait times, no false
# deadlock, and nothing left behind when the tool is killed.
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
work=$(mktemp -d)
vms='' watch=''
# shellcheck disable=SC2329
clean_up() {
	[ -z "$vms" ] || kill "$vms" 2>/dev/null
	[ -z "$watch" ] || kill -9 "$watch" 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT

names=("starts with the contention tracepoints" "stalls are reported" "a stall names lock, task and owner"
	"no false deadlock" "verdict stays inconclusive" "wait times of kvm.lock"
	"killed with SIGKILL, nothing stays attached" "and starts again")
# shellcheck source=tests/cli/named-results.sh
. tests/cli/named-results.sh
# ids of the programs that this process has; other instances may run on this machine
programs_of() { # pid
	sed -n 's/^prog_id:[[:space:]]*//p' /proc/"$1"/fdinfo/* | sort -un
}
still_there() { # ids
	local id left=0
	for id; do bpftool prog show id "$id" >/dev/null 2>&1 && left=$((left + 1)); done
	echo $left
}

[ -w /dev/kvm ] || skip_rest "no /dev/kvm here"
mkfifo "$work/ready"
"$build/cli/now_vms" 1 0 4 >"$work/ready" 2>/dev/null &
vms=$!
read -r -t 60 answer <"$work/ready"
[ "${answer:-}" = ready ] || skip_rest "no VM can be made here"

timeout 60 "$build/vfiotrace" watch --attach tracepoint --force --stall 5ms -d 6 --json >"$work/watch.json" 2>"$work/err"
code=$?
[ $code -ne 77 ] || skip_rest "$(head -n 1 "$work/err")"
jq -es 'map(select(.type == "start"))[0].probes | map(select(.name == "contention_begin" and .state == "attached")) | length == 1' "$work/watch.json" >/dev/null
result $? "$(head -c 400 "$work/watch.json"; cat "$work/err")"
jq -es --argjson pid "$vms" 'map(select(.type == "stall" and .task.pid == $pid)) | length > 0' "$work/watch.json" >/dev/null
result $? "$(jq -c .type "$work/watch.json" | sort | uniq -c)"
jq -es --argjson pid "$vms" 'map(select(.type == "stall" and .task.pid == $pid and .lock.class == "kvm.lock")) | length > 0 and
	all(.since > 0 and .mono - .since >= 5000000) and any(.owner.pid == $pid and (.owner_doing | type) == "string")' "$work/watch.json" >/dev/null
result $? "$(jq -c 'select(.type == "stall")' "$work/watch.json" | head -n 2)"
jq -es 'map(select(.type == "finding")) | length == 0' "$work/watch.json" >/dev/null
result $? "$(jq -c 'select(.type == "finding")' "$work/watch.json" | head -n 2)"
[ $code -eq 4 ]; result $? "exit $code, wanted 4"

timeout 60 "$build/vfiotrace" watch --attach tracepoint --force -d 3 >"$work/text" 2>&1
sed -n '/^Waits/,/^Holds/p' "$work/text" | grep -q 'kvm\.lock'; result $? "$(sed -n '/^Waits/,/^Holds/p' "$work/text")"

"$build/vfiotrace" watch --attach tracepoint --force --json >"$work/killed.json" 2>&1 &
watch=$!
for _ in $(seq 100); do grep -q '"start"' "$work/killed.json" && break; sleep 0.1; done
mapfile -t ids < <(programs_of $watch)
during=$(still_there "${ids[@]}")
kill -9 $watch
wait $watch 2>/dev/null
watch=''
for _ in $(seq 50); do after=$(still_there "${ids[@]}"); [ "$after" -gt 0 ] || break; sleep 0.1; done
[ "$during" -ge 2 ] && [ "$after" -eq 0 ]
result $? "programs while it ran: $during, after: $after"
timeout 60 "$build/vfiotrace" watch --attach tracepoint --force -d 1 --json 2>&1 | grep -q '"type":"start"'; result $?
