#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Run every fuzz target for FUZZ_SECONDS (5). The corpus is tests/traces; what is new and
# interesting is kept in build/fuzz/corpus, what crashes in build/fuzz/crashes.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
seconds=${FUZZ_SECONDS:-5}
log=$build/fuzz/log
mkdir -p "$log" "$build/fuzz/crashes"

targets=(tests/fuzz/fuzz_*.c)
echo "1..$((${#targets[@]} + 1))"
if ! tests/locked-make "$build" fuzz-targets >"$log/make" 2>&1; then
	echo "not ok 1 - the fuzz targets build"
	tail -n 20 "$log/make" | sed 's/^/# /'
	exit 1
fi
echo "ok 1 - the fuzz targets build"

seeds() { # target
	case $1 in
	rules) echo src/rules/builtin ;;
	recording) ;; # it changes one that it makes itself
	detect) echo tests/traces/known tests/traces/splat tests/traces/hung tests/traces/perf tests/traces/trace-cmd ;;
	std | splat) echo "tests/traces/known tests/traces/$1" ;;
	*) echo "tests/traces/${1//_/-}" ;;
	esac
}

number=1
for source in "${targets[@]}"; do
	number=$((number + 1))
	name=$(basename "$source" .c)
	corpus=$build/fuzz/corpus/$name
	mkdir -p "$corpus"
	directories=()
	for directory in $(seeds "${name#fuzz_}"); do
		[ -d "$directory" ] && directories+=("$directory")
	done
	length=() time=$seconds
	if [ "$name" = fuzz_recording ]; then
		length=(-len_control=0 -max_len=1600) # changes, many at once
		# a whole file each: as many as must be, however slow the machine is
		[ "$seconds" -gt 60 ] || { length+=(-runs=300) && time=600; }
	fi
	"$build/fuzz/$name" -max_total_time="$time" -max_len=20000 -timeout=20 -rss_limit_mb=2048 \
		-artifact_prefix="$build/fuzz/crashes/$name-" -print_final_stats=1 \
		"${length[@]}" "$corpus" "${directories[@]}" >"$log/$name" 2>&1
	status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log/$name")
	if [ "$status" -eq 0 ] && [ "${runs:-0}" -gt 100 ]; then
		echo "ok $number - $name: $runs inputs, no crash, leak or undefined behaviour"
	else
		echo "not ok $number - $name (exit status $status, ${runs:-no} inputs)"
		grep -aE 'ERROR|runtime error|SUMMARY|^ *#[0-9]+ |Test unit written' "$log/$name" | head -n 25 | sed 's/^/# /'
	fi
done
