#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every record the tool can print validates against the schema it prints itself.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
tool=$build/vfiotrace make=$build/tests/make-recording validate=tests/cli/validate-records.py
dir=$(mktemp -d /tmp/vfiotrace-schema-XXXXXX)
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
records() { # arguments of make-recording records, then the types that must occur
	"$make" records "$1" >"$dir/records" && shift && "$validate" "$dir/schema" "$@" <"$dir/records"
}
report() { # name of a fixture
	"$make" "$1" "$dir/$1.vft" && "$tool" report -j --tasks "$dir/$1.vft" >"$dir/$1.json" &&
		"$validate" "$dir/schema" dependency finding summary task_graph <"$dir/$1.json"
}
refuses() { # a validator that accepts everything proves nothing
	local line
	while read -r line; do
		! echo "$line" | "$validate" "$dir/schema" || { echo "accepted: $line"; return 1; }
	done <<-'END'
		{"type":"nonsense","ts":0,"mono":0}
		{"type":"summary","ts":0,"mono":0}
		{"type":"path","ts":0,"mono":0,"path":"x"}
		not json
	END
	sed 's/"coverage":/"covered":/' "$dir/records" >"$dir/wrong"
	! "$validate" "$dir/schema" <"$dir/wrong"
}
check_runs() {
	"$tool" check -j >"$dir/check.json" 2>/dev/null
	"$validate" "$dir/schema" check <"$dir/check.json"
}
valid_schema() {
	"$tool" --json-schema >"$dir/schema" &&
		jq -e '.["$schema"] and (.oneOf | length >= 9)' "$dir/schema"
}
all="start dependency path stall finding summary now verdict check task_graph"
check "--json-schema prints a schema" valid_schema
# shellcheck disable=SC2086 # a list of words
check "every type of record validates" records deadlock $all
# shellcheck disable=SC2086
check "so it does with hostile names" records hostile $all
check "wrong records are refused" refuses
check "check --json validates" check_runs
for name in inversion deadlock hostile large; do
	check "report --json of $name validates" report "$name"
done
echo "1..$n"
