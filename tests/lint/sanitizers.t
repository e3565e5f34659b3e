#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The unit tests once more with AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
asan=$build-asan
log=$asan/log
mkdir -p "$log"
# the kernel side is the same: take it over instead of compiling it again
for part in bpf skel .deps .deps-test; do
	[ -e "$build/$part" ] && cp -au "$build/$part" "$asan/"
done

binaries=()
for source in tests/unit/test_*.c; do
	binaries+=("$asan/unit/$(basename "$source" .c)")
done
echo "1..$((${#binaries[@]} + 1))"
# instrumented code makes gcc see paths that are none; the ordinary build keeps -Werror
if ! make -j"$(nproc)" BUILD="$asan" CFLAGS="-O1 -g -fno-omit-frame-pointer" WARNINGS=-w \
	SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=undefined" \
	"${binaries[@]}" >"$log/make" 2>&1; then
	echo "not ok 1 - the instrumented build"
	tail -n 20 "$log/make" | sed 's/^/# /'
	exit 1
fi
echo "ok 1 - the instrumented build"
number=1
for binary in "${binaries[@]}"; do
	number=$((number + 1))
	name=$(basename "$binary")
	if BUILD=$asan timeout 300 "$binary" >"$log/$name" 2>&1; then
		echo "ok $number - $name is clean"
	else
		echo "not ok $number - $name"
		grep -aE 'ERROR|runtime error|SUMMARY|FAILED|^ *#[0-9]+ ' "$log/$name" | head -n 20 | sed 's/^/# /'
	fi
done
