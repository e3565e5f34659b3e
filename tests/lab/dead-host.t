#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A host that is dead: `now` on the running guest, then `now --core` on its memory image, without any debug
# information. Field by field the same. Then what people hand over instead of a good image.
. "$(dirname "$0")/tap.sh"
. "$here/checks.sh"
build=$here/../../${BUILD:-build}
vfiotrace=$build/vfiotrace

# Times of the look itself, what only a live process has (its user stack), and hints.
same='def comparable: walk(if type == "object" then del(.ts, .mono, .duration, .since, .waiting_since, .first, .last, .user_stack) else . end) | del(.notes);'
since='[.. | .since? | numbers]'

look() { # NAME IMAGE…: NAME.json, .err, .exit in the scenario's files
	local name=$1 pieces=()
	shift
	for file; do pieces+=(--core "$file"); done
	"$vfiotrace" now --json "${pieces[@]}" >"$current/$name.json" 2>"$current/$name.err"
	echo $? >"$current/$name.exit"
}

refused() { # TEXT NAME EXIT PATTERN
	if [ "$(cat "$current/$2.exit")" = "$3" ] && grep -qE -e "$4" "$current/$2.err"; then
		ok "$1"
	else
		not_ok "$1 (exit $(cat "$current/$2.exit"), wanted $3 and: $4)" "$current/$2.err"
	fi
}

compare() { # NAME of the look at the image
	code "$1: exit says deadlock, as on the live host" "$1" 3
	if diff <(jq -S "$same comparable" "$current/now.json") <(jq -S "$same comparable" "$current/$1.json") >"$work/diff" 2>&1; then
		ok "$1: every VM, group, device, lock, owner, waiter, stack and cycle is as on the live host"
	else
		not_ok "$1: every VM, group, device, lock, owner, waiter, stack and cycle is as on the live host" "$work/diff"
	fi
	if jq -n -e --slurpfile live "$current/now.json" --slurpfile image "$current/$1.json" \
		"[(\$live[0] | $since), (\$image[0] | $since)] | .[0] != [] and (transpose | all((.[0] - .[1] | fabs) < 2e9))" >/dev/null 2>&1; then
		ok "$1: each waits since the same moment"
	else
		not_ok "$1: each waits since the same moment"
	fi
}

check_truth() { # the live look is worth being compared with
	records "live: there is something to compare: cycles of two and three, VMs, a device that is well" now.json \
		"map(select(.type == \"now\"))[0] | (.deadlocks | map(.tasks | length) | (index(2) != null) and (index(3) != null)) and (.vms | length) >= $1 and (.devices | map(.name) | any(. == \"0000:00:03.0\"))"
}

check_damaged() { # IMAGE
	local bytes
	head -c 1000 "$1" >"$work/cut" && look cut-note "$work/cut"
	refused "an image cut before its note is refused, and it says so" cut-note 1 'cut .*copy it again'
	head -c 100000000 "$1" >"$work/cut" && look cut-early "$work/cut"
	refused "an image cut before the kernel is refused, and it says so" cut-early 1 'is cut, damaged'
	bytes=$(stat -c %s "$1")
	head -c $((bytes - 4096)) "$1" >"$work/cut" && look cut-late "$work/cut"
	records "of an image cut at its end what is there is shown, and what is missing is said" cut-late.json \
		'map(select(.type == "now"))[0] | (.deadlocks | length) >= 1 and (.not_looked_at | any(test("^4[0-9]{3} bytes at the end of the image")))'
	look program /bin/busybox
	refused "a program is no image" program 1 'is a program or a library'
	: >"$work/empty" && look empty "$work/empty"
	refused "an empty file is no image" empty 1 'is empty'
	look flat "$1.flat"
	refused "the flattened format is named, with what turns it round" flat 77 'flattened.*makedumpfile -R'
	look twice "$1" "$1"
	refused "two images that are no pieces of one are refused" twice 1 'no piece of a split image'
	look absent "$work/absent"
	refused "a file that is not there is named" absent 1 "absent: No such file"
}

# As makedumpfile -R does it: after a head of 4096 bytes come pieces, each with its place and length.
unflatten() { # FROM TO
	python3 - "$1" "$2" <<-'PYTHON'
	import struct, sys
	with open(sys.argv[1], "rb") as flat, open(sys.argv[2], "wb") as image:
	    flat.seek(4096)
	    while True:
	        place, length = struct.unpack(">qq", flat.read(16))
	        if place < 0:
	            break
	        image.seek(place)
	        image.write(flat.read(length))
	PYTHON
}

check_recording() { # IMAGE
	"$vfiotrace" now --core "$1" -o "$current/dead.vft" >/dev/null 2>"$current/dead.err"
	echo $? >"$current/dead.exit"
	code "-o makes an incident file of it" dead 3
	"$vfiotrace" report "$current/dead.vft" >"$current/dead.report" 2>&1
	text "report shows the deadlock and the kernel from that file" dead.report 'vfio_group.group_lock'
	text "report names the kernel of the image, not this one" dead.report "$(cat "$current/release")"
}

for kernel in 6.1 6.12 7.2; do
	image=$work/image-$kernel
	boot "$kernel" -m 512M --dump "$image" dead-host || continue
	scenario dead-host || continue
	if [ "$kernel" = 6.1 ]; then check_truth 2; else check_truth 1; fi
	look core "$image"
	compare core
	unflatten "$image.flat" "$work/compressed"
	look compressed "$work/compressed"
	compare compressed
	head -c 20000000 "$work/compressed" >"$work/cut" && look cut-compressed "$work/cut"
	refused "a compressed image that is cut is refused, and it says so" cut-compressed 1 'is cut or damaged; copy it again'
	if [ "$kernel" = 6.1 ]; then
		records "the known bug is named, missing in the image's kernel" core.json \
			'map(select(.type == "now"))[0].deadlocks | any(.known | any(.commit == "2b48f52f2bff" and (.state | contains("missing"))))'
		check_damaged "$image"
		check_recording "$image"
	fi
	code "kcore: exit says deadlock, as with BPF" kcore 3
	[ ! -e "$current/kcore.json" ] || compare kcore
	rm -f "$image" "$image.flat" "$work/compressed"
done
finish
