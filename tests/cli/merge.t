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
check "inputs, foreign files and links are not overwritten" refuses
check "plain sqlite3 prints nothing harmful" harmless
echo "1..$n"
