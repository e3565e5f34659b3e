#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vfiotrace merge: counts add up on one host, hosts stay apart, and what is written is private.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
tool=$build/vfiotrace make=$build/tests/make-recording
dir=$(mktemp -d /tmp/vfiotrace-merge-XXXXXX)
trap 'rm -rf "$dir"' EXIT
n=0
check() { # name, command...
	local name=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/out" 2>&1; then echo "ok $n - $name"; else
		echo "not ok $n - $name"
		sed 's/^/# /' "$dir/out" | head -20
	fi
}
ask() { sqlite3 "$1" "$2"; }
"$make" inversion "$dir/a.vft" host.name=alpha host.boot_id=1 || exit 1
"$make" deadlock "$dir/b.vft" host.name=alpha host.boot_id=1 || exit 1
"$make" inversion "$dir/c.vft" host.name=beta host.boot_id=2 || exit 1

same_host() {
	"$tool" merge -o "$dir/ab.vft" "$dir/a.vft" "$dir/b.vft" &&
		[ "$(ask "$dir/ab.vft" 'SELECT count(*) FROM instance')" -eq 3 ] &&
		[ "$(ask "$dir/ab.vft" 'SELECT sum(count) FROM chain')" -eq \
			$((2 * $(ask "$dir/a.vft" 'SELECT sum(count) FROM chain'))) ] &&
		[ "$(ask "$dir/ab.vft" "SELECT count(*) FROM finding WHERE code = 'deadlock'")" -eq 1 ] &&
		[ "$(ask "$dir/ab.vft" 'PRAGMA integrity_check')" = ok ]
}
other_host() {
	"$tool" merge -o "$dir/abc.vft" "$dir/a.vft" "$dir/b.vft" "$dir/c.vft" &&
		[ "$(ask "$dir/abc.vft" 'SELECT count(*) FROM instance')" -eq 6 ] &&
		[ "$(ask "$dir/abc.vft" 'SELECT count(*) FROM class')" -eq 3 ] &&
		ask "$dir/abc.vft" 'SELECT name FROM instance' | grep -q '^beta: '
}
private() {
	[ "$(stat -c %a "$dir/ab.vft")" = 600 ] && [ ! -e "$dir/ab.vft-journal" ] &&
		[ ! -e "$dir/ab.vft-wal" ]
}
redacts() {
	"$tool" merge --redact -o "$dir/r.vft" "$dir/b.vft" &&
		! grep -aqE 'qemu-system|win11-ci|alpha' "$dir/r.vft" && grep -aq kvm.lock "$dir/r.vft" &&
		"$tool" report "$dir/r.vft" | grep -q 'task-1'
}
# Every text of a recording has a mark, or is on the list of what may stay: nothing marked is left, in the
# bytes of the file or in anything that is made of it, while what makes it worth sharing is there.
marks='xyzzy|5a:1c|/home|/opt'
marked_before() { # each table that has text, each format that shows it
	"$make" secrets "$dir/s.vft" &&
		for text in 'fact: value' 'fact: key' 'object: name' 'object: detail' 'instance: name' 'task: comm' \
			'frame: symbol' 'frame: module' 'frame: file' 'coverage: probe' 'coverage: reason' \
			'finding: key' 'finding: note' 'finding: suppressed' 'finding: body' 'variable: name' 'class: name' 'meta: value'; do
			ask "$dir/s.vft" "SELECT ${text#*: } FROM ${text%: *}" | grep -qE "$marks" || { echo "$text has no mark"; return 1; }
		done
}
unmarked() { # recording
	! strings -a -n 2 "$1" | grep -E "$marks" || return 1
	for format in text splat json dot mermaid markdown html metrics trace; do
		"$tool" report -f $format --tasks "$1" >"$dir/rendered" || return 1
		! grep -aE "$marks" "$dir/rendered" || { echo "in $format"; return 1; }
	done
}
merge_hides() {
	marked_before && "$tool" merge --redact -o "$dir/sr.vft" "$dir/s.vft" && unmarked "$dir/sr.vft"
}
keeps() {
	ask "$dir/sr.vft" 'SELECT symbol, module FROM frame' >"$dir/kept"
	grep -qx 'vfio_file_set_kvm|vfio' "$dir/kept" && grep -q '^mutex_lock' "$dir/kept" &&
		ask "$dir/sr.vft" 'SELECT name FROM class' | grep -qx kvm.lock &&
		ask "$dir/sr.vft" 'SELECT name FROM object' | grep -qx 'group 12' &&
		ask "$dir/sr.vft" "SELECT value FROM fact WHERE key = 'kernel.release'" | grep -q '^6.1' &&
		ask "$dir/sr.vft" 'SELECT body FROM finding' | grep -q 'task-[12] runs 3 events, until it asks for kvm.lock' &&
		ask "$dir/sr.vft" "SELECT value FROM fact WHERE key = 'host.boot_id'" | grep -qx boot-1
}
report_hides() { # every format straight from the original
	for format in text splat json dot mermaid markdown html metrics trace; do
		"$tool" report --redact -f $format --tasks "$dir/s.vft" >"$dir/rendered" || return 1
		! grep -aE "$marks" "$dir/rendered" || { echo "in $format"; return 1; }
	done
}
live_hides() { # as watch and agent write it
	"$make" secrets "$dir/live.vft" --redact && unmarked "$dir/live.vft"
}
refuses() {
	echo hello >"$dir/letter"
	ln -s a.vft "$dir/link.vft"
	! "$tool" merge -o "$dir/a.vft" "$dir/a.vft" "$dir/b.vft" &&
		! "$tool" merge -o "$dir/letter" "$dir/a.vft" && grep -q hello "$dir/letter" &&
		! "$tool" merge -o "$dir/link.vft" "$dir/a.vft" "$dir/b.vft" &&
		! "$tool" merge -o "$dir/new.vft" "$dir/letter" && [ ! -e "$dir/new.vft" ] || return 1
	"$tool" merge "$dir/a.vft"
	[ $? -eq 64 ] || return 1
	"$tool" merge --redact -o "$dir/x.vft" "$dir/a.vft" "$dir/b.vft"
	[ $? -eq 64 ]
}
harmless() { # plain sqlite3 prints no control character, whatever a process called itself
	"$make" hostile "$dir/h.vft" &&
		ask "$dir/h.vft" 'SELECT comm FROM task; SELECT name FROM object; SELECT * FROM lock;
			SELECT * FROM dependency; SELECT * FROM task_dependency; SELECT body FROM finding' >"$dir/h" &&
		[ -s "$dir/h" ] && ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$dir/h"
}
check "two runs of one boot add up" same_host
check "another host stays apart" other_host
check "one private file" private
check "--redact leaves no name in the bytes" redacts
check "merge --redact leaves nothing that is not on its list" merge_hides
check "and keeps classes, symbols of the kernel, groups, what was found" keeps
check "report --redact shows nothing that is not on the list" report_hides
check "a recording that is redacted while it is written has nothing else either" live_hides
check "inputs, foreign files and links are not overwritten" refuses
check "plain sqlite3 prints nothing harmful" harmless
echo "1..$n"
