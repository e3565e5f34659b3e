#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vfiotrace diff on two lockdep splats: what appears and vanishes, in every format, stably.
set -u
cd "$(dirname "$0")/../.." || exit 1
vfiotrace=$PWD/${BUILD:-build}/vfiotrace
work=$(mktemp -d "${TMPDIR:-/tmp}/diff.XXXXXX")
trap 'rm -rf "$work"' EXIT
count=0

ok() { count=$((count + 1)); echo "ok $count - $1"; }
check() { # text, command...
	local text=$1
	shift
	if "$@"; then ok "$text"; return; fi
	count=$((count + 1))
	echo "not ok $count - $text"
	head -c 1500 "$work/out" "$work/err" | sed 's/^/# /'
}
run() { "$vfiotrace" "$@" >"$work/out" 2>"$work/err"; status=$?; }
filter() { jq -e "$1" "$work/out" >/dev/null; }

splat() { # outer lock of the second class
	cat <<-SPLAT
	[  100.000000] ======================================================
	[  100.000001] WARNING: possible circular locking dependency detected
	[  100.000002] 6.1.192-lockdep #1 Not tainted
	[  100.000003] ------------------------------------------------------
	[  100.000004] vfio_client/200 is trying to acquire lock:
	[  100.000005] ffff888100aa0388 (&$1->group_lock){+.+.}-{3:3}, at: vfio_file_set_kvm+0x32/0x60 [vfio]
	[  100.000006] 
	[  100.000006] but task is already holding lock:
	[  100.000007] ffff888100bb1188 (&kvm->lock){+.+.}-{3:3}, at: kvm_device_release+0x21/0x70 [kvm]
	[  100.000008] 
	[  100.000008] which lock already depends on the new lock.
	[  100.000009] 
	[  100.000009] the existing dependency chain (in reverse order) is:
	[  100.000010] 
	[  100.000010] -> #1 (&kvm->lock){+.+.}-{3:3}:
	[  100.000011]        __mutex_lock+0x9b/0x8e0
	[  100.000012]        lab_open_device+0x25/0x60 [vfio_lab]
	[  100.000013]        vfio_group_fops_unl_ioctl+0x3f2/0x780 [vfio]
	[  100.000014] 
	[  100.000014] -> #0 (&$1->group_lock){+.+.}-{3:3}:
	[  100.000015]        __lock_acquire+0x1234/0x2345
	[  100.000016]        lock_acquire+0xd5/0x2b0
	[  100.000017]        __mutex_lock+0x9b/0x8e0
	[  100.000018]        vfio_file_set_kvm+0x32/0x60 [vfio]
	[  100.000019]        kvm_device_release+0x40/0x70 [kvm]
	[  100.000020] 
	[  100.000020] other info that might help us debug this:
	[  100.000021] 
	[  100.000029] 1 lock held by vfio_client/200:
	[  100.000030]  #0: ffff888100bb1188 (&kvm->lock){+.+.}-{3:3}, at: kvm_device_release+0x21/0x70 [kvm]
	[  100.000031] 
	[  100.000031] stack backtrace:
	[  100.000032] CPU: 0 PID: 200 Comm: vfio_client Not tainted 6.1.192-lockdep #1
	[  100.000033] Call Trace:
	[  100.000034]  <TASK>
	[  100.000036]  vfio_file_set_kvm+0x32/0x60 [vfio]
	[  100.000038]  </TASK>
	SPLAT
}
splat group >"$work/a"
splat container >"$work/b"

run diff "$work/a" "$work/a"
check "a run and itself: exit 0" test "$status" = 0
check "a run and itself: no difference" grep -q '^no difference' "$work/out"

run diff "$work/a" "$work/b"
check "a new cycle: exit 2" test "$status" = 2
check "the new cycle is marked" grep -q '+ kvm.lock -> vfio_container.group_lock -> kvm.lock.*NEW CYCLE' "$work/out"
check "what vanished is named" grep -q -- '- kvm.lock -> vfio_group.group_lock' "$work/out"
cp "$work/out" "$work/first"
run diff "$work/a" "$work/b"
check "twice the same bytes" cmp -s "$work/first" "$work/out"

run diff "$work/a" "$work/b" --json
check "--json: same exit status" test "$status" = 2
check "--json: one record with the change" filter \
	'.type == "diff" and .new_cycle and (.dependencies | map(select(.change == "vanished") | .name) | index("kvm.lock -> vfio_group.group_lock") != null)'
run diff "$work/a" "$work/b" -f dot
check "dot: added green" grep -q '2e7d32' "$work/out"
check "dot: removed red and dashed" grep -q 'c1121f.*dashed' "$work/out"
run diff "$work/a" "$work/b" -f markdown
check "markdown: a table" grep -q '^| appeared (new cycle) |' "$work/out"
run diff "$work/a" "$work/b" -f mermaid
check "mermaid: a flowchart" grep -q '^flowchart' "$work/out"
if command -v dot >/dev/null; then
	run diff "$work/a" "$work/b" -f svg -o "$work/picture.svg"
	check "svg: a picture in the file" grep -q '<svg' "$work/picture.svg"
else
	ok "svg: a picture in the file # SKIP no Graphviz"
fi
run diff "$work/a"
check "one file: 64" test "$status" = 64
run diff "$work/a" "$work/b" "$work/a"
check "three files: 64" test "$status" = 64
run diff "$work/a" "$work/b" -f html
check "a format it does not have: 64" test "$status" = 64
run diff "$work/a" "$work/none"
check "a file that is not there: 1 and named" test "$status" = 1 -a -n "$(grep none "$work/err")"
head -c 3000 /dev/urandom >"$work/junk"
run diff "$work/a" "$work/junk"
check "a file that is nothing known: 1" test "$status" = 1
echo "1..$count"
