#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vfiotrace analyze: formats, standard input, gzip, exit status, rules, and what it says to bad input.
set -u
cd "$(dirname "$0")/../.." || exit 1
vfiotrace=$PWD/${BUILD:-build}/vfiotrace
traces=tests/traces
work=$(mktemp -d "${TMPDIR:-/tmp}/analyze.XXXXXX")
trap 'rm -rf "$work"' EXIT
count=0

ok() { count=$((count + 1)); echo "ok $count - $1"; }
not_ok() {
	count=$((count + 1))
	echo "not ok $count - $1"
	{ echo "status $status"; cat "$work/out" "$work/err"; } | head -20 | cut -c1-300 | sed 's/^/# /'
}
check() { # text, command...
	local text=$1
	shift
	if "$@"; then ok "$text"; else not_ok "$text"; fi
}
run() { timeout 60 "$@" >"$work/out" 2>"$work/err" </dev/null; status=$?; }
analyze() { run "$vfiotrace" analyze "$@"; }
exits() { [ "$status" -eq "$1" ]; }
says() { grep -qE -- "$1" "$work/out"; }
complains() { grep -qE -- "$1" "$work/err"; }
filter() { jq -es "$1" "$work/out" >/dev/null; }
finds() { filter "any(.[]; .type == \"finding\" and .code == \"$1\")"; }

known=$traces/known/2b48f52f2bff-group-lock-kvm-lock.std

analyze
check "without a file: usage, 64" exits 64
check "and it says what it wants" complains 'expected a file'
analyze -f nonsense "$known"
check "an unknown format: 64" exits 64
check "and the message lists the formats" complains 'auto, recording, std, splat, hung, perf or trace-cmd'
analyze /nonexistent/file
check "a missing file: 1" exits 1
check "and it is named" complains '/nonexistent/file: No such file'
analyze /
check "a directory is no file: 1" exits 1

analyze "$known"
check "the known inversion: 2" exits 2
check "text names the commit" says '2b48f52f2bff'
check "text names both stacks' functions" says 'vfio_file_set_kvm'
check "no escape sequences outside a terminal" sh -c "! grep -q \$(printf '\\033') '$work/out'"
check "nothing on stderr" test ! -s "$work/err"
analyze --color always "$known"
check "colour on demand" grep -q "$(printf '\033')" "$work/out"
analyze -j "$known"
check "json: a finding and a summary, each one line" filter 'map(.type) == ["finding", "summary"]'
check "json: the finding names its file and the known bug" filter \
	'.[0].file == "'"$known"'" and .[0].known[0].commit == "2b48f52f2bff"'
check "json: the summary carries the exit status" filter '.[1].exit == 2'

for format in splat/old-format-syslog.log:class-inversion:2 splat/mail-quoted-wrapped.eml:class-inversion:2 \
	splat/fuzzer-console.log:class-inversion:2 splat/irq-and-unlock.log:bad-unlock:2 \
	hung/group-lock-kvm-lock-6.1.log:deadlock:3 hung/owners-7.2.log:deadlock:3 \
	hung/with-lockdep.log:deadlock:3 perf/inversion.txt:instance-inversion:2 trace-cmd/deadlock.txt:deadlock:3; do
	file=${format%%:*} rest=${format#*:}
	analyze -j "$traces/$file"
	check "$file is ${rest%:*}, exit ${rest#*:}" eval "exits ${rest#*:} && finds ${rest%:*}"
	run sh -c "'$vfiotrace' analyze -j - <'$traces/$file'"
	check "the same on standard input" eval "exits ${rest#*:} && finds ${rest%:*}"
done
analyze "$traces/perf/contention.txt"
check "contention events alone are never clean: 4" exits 4
check "and it says why" complains 'what is held is not'

gzip -c "$known" >"$work/trace.std.gz"
analyze -j "$work/trace.std.gz"
check "gzip is read transparently" finds predicted
run sh -c "'$vfiotrace' analyze -j - <'$work/trace.std.gz'"
check "also on standard input" finds predicted
head -c 60 "$work/trace.std.gz" >"$work/cut.gz"
analyze "$work/cut.gz"
check "a cut gzip file is not clean" sh -c "[ $status -ne 0 ] && [ $status -lt 64 ]"

analyze -f splat "$known"
check "a forced wrong format: 1" exits 1
check "and what was expected" complains 'expected "WARNING: possible circular'
printf 'hello\nworld\n' >"$work/text"
analyze "$work/text"
check "an unknown text: 1, with the remedy" eval "exits 1 && complains 'name it with -f'"
: >"$work/empty"
analyze "$work/empty"
check "an empty file: 1" eval "exits 1 && complains 'the file is empty'"

printf 'T1|acq(a)|1\nT1|acq(b)|2\nT1|rel(b)|3\nT1|rel(a)|4\n' >"$work/clean.std"
analyze "$work/clean.std"
check "a clean trace: 0" exits 0
{ cat "$work/clean.std"; echo 'T1|fly(a)|5'; } >"$work/bad.std"
analyze "$work/bad.std"
check "an unusable line makes it inconclusive: 4" exits 4
check "file and line are named" complains "bad.std:5: "
check "and how many lines could not be used" complains '1 line could not be used'
{ cat "$known"; echo nonsense; } >"$work/bad2.std"
analyze "$work/bad2.std"
check "the rest of a damaged file is still judged" eval "exits 2 && says 2b48f52f2bff"
for i in $(seq 100); do echo "line $i is no event"; done >"$work/many.std"
cat "$known" >>"$work/many.std"
analyze -f std "$work/many.std"
check "many messages are counted, not printed" complains 'more messages like these'
analyze "$work/clean.std" "$known"
check "two files: the worse status" exits 2
check "and both are named" eval "says 'clean.std .std.' && says 'kvm-lock.std .std.'"
analyze "$work/clean.std" /nonexistent/file
check "one file missing, nothing found: 1" exits 1
analyze "$known" /nonexistent/file
check "one file missing, one finding: 2" exits 2

cat >"$work/order.rules" <<'EOF'
order b > a
	reason we say so
EOF
analyze -j --rules "$work/order.rules" "$work/clean.std"
check "a declared order that is violated is a finding: 2" eval "exits 2 && finds order-violation"
cat >"$work/accept.rules" <<'EOF'
suppress kvm.lock -> vfio_group.group_lock
	reason upgrade is planned
	expires 2999-01-01
EOF
analyze --suppress "$work/accept.rules" "$known"
check "a suppressed finding is shown, and clean: 0" eval "exits 0 && says 'upgrade is planned'"
sed 's/2999/2020/' "$work/accept.rules" >"$work/expired.rules"
analyze --suppress "$work/expired.rules" "$known"
check "an expired suppression counts no more: 2" exits 2
check "and is an error with file and line" complains 'expired.rules:1: this suppression has expired'
analyze --suppress "$work/expired.rules" "$work/clean.std"
check "also when nothing was found: 1" exits 1
echo 'nonsense a b' >"$work/broken.rules"
analyze --rules "$work/broken.rules" "$known"
check "a broken rules file: 1, file and line" eval "exits 1 && complains 'broken.rules:1: .*expected order'"

head -c 100000000 /dev/zero | tr '\0' 'x' >"$work/long"
analyze -f splat "$work/long"
check "a line of 100 MB does no harm" exits 1
head -c 5000000 /dev/zero >"$work/nul"
for format in std splat hung perf trace-cmd recording; do
	analyze -f $format "$work/nul"
	check "five million NUL bytes as $format: 1" exits 1
done
printf 'T1|acq(kvm.lock#99999999999999999999999)|1\n' >"$work/huge.std"
analyze "$work/huge.std"
check "a number beyond 64 bit does no harm" sh -c "[ $status -lt 64 ]"
awk 'BEGIN { n = 10000; for (i = 0; i < n; i++) printf "T%d|acq(l%d)|1\nT%d|acq(l%d)|2\nT%d|rel(l%d)|3\nT%d|rel(l%d)|4\n", i, i, i, (i + 1) % n, i, (i + 1) % n, i, i }' >"$work/ring.std"
analyze -j "$work/ring.std"
check "a cycle of 10,000 locks is found" eval "exits 2 && filter 'any(.[]; .type == \"finding\" and (.classes | length) == 10000)'"
printf 'T1|acq(evil\033[31m)|1\nT1|acq(b)|\033]0;x\nT2|acq(b)|1\nT2|acq(evil\033[31m)|2\n' >"$work/evil.std"
analyze "$work/evil.std"
check "names cannot write to the terminal" sh -c "! grep -q \$(printf '\\033') '$work/out' '$work/err'"

# what was dropped, here or by whoever wrote the file, is never "nothing to judge"
in_perf='q 1/1 [000] 1.000000: lock:lock_acquire: 0x1000 &a\nq 1/1 [000] 1.100000: lock:lock_release: 0x1000 &a\n'
in_trace_cmd='cpus=1\n q-1 [000] 1.000000: lock_acquire: 0x1000 &a\n q-1 [000] 1.100000: lock_release: 0x1000 &a\n'
in_std='T|acq(A)|1\nT|rel(A)|2\n'
incomplete() { # format, whole file, what comes on top
	local name=${3%%\\*}
	name="$1, ${name:0:60}"
	printf '%b' "$2" >"$work/whole"
	analyze -f "$1" "$work/whole"
	check "$name: nothing to judge where nothing is missing" eval "exits 0 && says 'nothing to judge'"
	printf '%b' "$2$3" >"$work/dropped"
	analyze -f "$1" "$work/dropped"
	check "$name: 4, and no claim in text" eval "exits 4 && ! says 'nothing to judge'"
	analyze -j -f "$1" "$work/dropped"
	check "$name: 4 in json" eval "exits 4 && filter '.[-1].exit == 4'"
}
incomplete perf "$in_perf" '[PERF LOST 12 events]\n'
incomplete perf "$in_perf" 'LOST 3 events!\n'
incomplete perf "$in_perf" 'Processed 9 events and lost 1 chunks!\n'
incomplete perf "$in_perf" 'q 1/1 [000] 1.200000: PERF_RECORD_LOST lost 12\n'
incomplete perf "$in_perf" 'q 1/1 [000] 1.200000: PERF_RECORD_LOST_SAMPLES lost 12\n'
incomplete perf "$in_perf" 'q 1/1 [000] 1.200000: lock:lock_acquire: (nil)\n'
incomplete perf "$in_perf" 'half a li\n'
incomplete trace-cmd "$in_trace_cmd" 'CPU:0 [LOST 15 EVENTS]\n'
incomplete trace-cmd "$in_trace_cmd" 'CPU:0 [EVENTS DROPPED]\n'
incomplete trace-cmd "$in_trace_cmd" '# entries-in-buffer/entries-written: 10/2000   #P:4\n'
incomplete trace-cmd "$in_trace_cmd" ' q-1 [000] 1.200000: lock_acquire: [FAILED TO PARSE] x=1\n'
incomplete trace-cmd "$in_trace_cmd" 'half a li\n'
incomplete std "$in_std" 'nonsense\n'
incomplete std "$in_std" 'T|acq(B\n'
incomplete std "$in_std" 'T|spin(B)|1\n'
incomplete std "$in_std" 'T|acq(B#x)|1\n'
incomplete std "$in_std" 'T|wait(A)|1\n'
incomplete std "$in_std" "T|acq($(head -c 20000 /dev/zero | tr '\0' x))|1\\n"
printf '%b' "$in_trace_cmd# entries-in-buffer/entries-written: 10/10   #P:4\n" >"$work/all"
analyze -f trace-cmd "$work/all"
check "a ring that was large enough has lost nothing" exits 0
# in kernel logs the one report there is is judged; that others are missing is told
for gap in '** 12 printk messages dropped **' 'Missed 3 kernel messages' \
	'Future hung task reports are suppressed, see sysctl kernel.hung_task_warnings'; do
	printf '[    1.000000] %s\n' 'INFO: task a:1 blocked for more than 120 seconds.' \
		'task:a state:D stack:0 pid:1 ppid:0 flags:0x0' 'Call Trace:' ' schedule+0x1/0x2' \
		' mutex_lock+0x1/0x2' ' kvm_vfio_set_group+0x1/0x2 [kvm]' >"$work/log"
	analyze -j -f hung "$work/log"
	check "a kernel log without \"${gap:0:9}…\" has no loss" filter '.[-1].losses.parse == 0'
	echo "[    2.000000] $gap" >>"$work/log"
	analyze -j -f hung "$work/log"
	check "a kernel log with \"$gap\": a loss" filter '.[-1].losses.parse > 0 and .[-1].exit == 2'
done

# what can be read is listed; what is about locks and cannot be judged is named, with what to give instead
analyze --formats
check "--formats needs no file: 0" exits 0
for format in recording splat hung perf trace-cmd std; do
	check "--formats lists $format" says "^$format "
done
refused() { # TEXT WORDS REMEDY LINES...
	local text=$1 words=$2 remedy=$3
	shift 3
	printf '%s\n' "$@" >"$work/other"
	analyze "$work/other"
	check "$text: no verdict, 1" exits 1
	check "$text: named" complains "$words"
	check "$text: what to give instead" complains "$remedy"
}
refused "/proc/lock_stat" 'is /proc/lock_stat' 'vfiotrace record' 'lock_stat version 0.4' '---' \
	'class name con-bounces contentions waittime-min' '&kvm->lock: 31 29 134.78 995.91'
refused "perf lock contention's table" 'perf lock contention' 'perf script' \
	' contended   total wait     max wait     avg wait         type   caller' '' \
	'      1206      7.20 ms     50.12 us      5.97 us     spinlock   raw_spin_rq_lock_nested+0x15'
refused "/proc/lockdep" 'is /proc/lockdep:' 'dmesg' 'all lock classes:' \
	'00000000e4bfbc59 FD:  149 BD:    2 +.+.: cgroup_mutex' ' -> [00000000cb8c1469] pcpu_alloc_mutex'
refused "/proc/lockdep_chains" 'is /proc/lockdep_chains' 'dmesg' 'all lock chains:' 'irq_context: 0' \
	'[00000000e4bfbc59] cgroup_mutex'
refused "a list of ps" 'list of .ps' 'sysrq-trigger' 'PID TTY STAT TIME COMMAND' '4711 ? D 0:00 qemu-system-x86'
refused "a stack without its task" 'without its task' "the file's name" '[<0>] mutex_lock+0x1/0x2' '[<0>] ioctl+0x1/0x2'
refused "drgn's stack without its task" 'without its task' 'prog.stack_trace' '#0  context_switch (kernel/sched/core.c:5:2)' \
	'#1  __schedule (kernel/sched/core.c:6:8)'
printf '%s\n' '>>> prog.stack_trace(4711)' '#0  context_switch (kernel/sched/core.c:5328:2)' \
	'#1  __schedule (kernel/sched/core.c:6693:8)' '#2  schedule (kernel/sched/core.c:6772:3)' \
	'#3  __mutex_lock_common (kernel/locking/mutex.c:684:3)' '#4  panel_ioctl+0x31/0x70' '#5  vfs_ioctl (fs/ioctl.c:51:10)' \
	>"$work/drgn"
analyze -j "$work/drgn"
check "drgn's stack with its task: a hang, 2" exits 2
check "drgn's stack: what it waits for, and where" filter \
	'.[0].tasks[0] | .tid == 4711 and .waits_for.what == "mutex" and (.waits_for.site | startswith("panel_ioctl"))'

echo "1..$count"
