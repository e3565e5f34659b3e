#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vfiotrace check on this machine: records, exit status, one clear message when nothing works.
set -u
cd "$(dirname "$0")/../.." || exit 1
vfiotrace=$PWD/${BUILD:-build}/vfiotrace
work=$(mktemp -d "${TMPDIR:-/tmp}/check.XXXXXX")
trap 'rm -rf "$work"' EXIT
count=0

ok() { count=$((count + 1)); echo "ok $count - $1"; }
not_ok() { count=$((count + 1)); echo "not ok $count - $1"; sed 's/^/# /' "$work"/out "$work"/err | head -20; }
check() { # text, command...
	local text=$1
	shift
	if "$@"; then ok "$text"; else not_ok "$text"; fi
}
run() { "$@" >"$work/out" 2>"$work/err"; status=$?; }
filter() { jq -e "$1" "$work/out" >/dev/null; }

run "$vfiotrace" check --json
json_status=$status
check "exit status is 0 or 77" test "$status" = 0 -o "$status" = 77
check "one JSON record" test "$(wc -l <"$work/out")" = 1
check "of type check, with features, probes, fixes and a level" filter \
	'.type == "check" and (.features | length) > 10 and (.fixes | length) > 1 and (.probes | type) == "array" and (.level | type) == "string"'
check "each feature says what needs it" filter 'all(.features[]; .needed_for != null and (.state | IN("yes", "no", "unknown")))'
check "the two fixes are judged with evidence" filter \
	'[.fixes[] | select(.commit == "2b48f52f2bff" or .commit == "51cdc8bc120e") | .evidence | length > 0] | length == 2 and all'
check "a level of unsupported means 77, any other 0" test \
	"$(jq -r 'if .level == "unsupported" then 77 else 0 end' "$work/out")" = "$json_status"
check "77 comes with exactly one message, 0 with none" test \
	"$(wc -l <"$work/err")" = "$([ "$json_status" = 77 ] && echo 1 || echo 0)"

run "$vfiotrace" check
check "the page has the same exit status" test "$status" = "$json_status"
check "the page names level and fixes" test "$(grep -cE '^level: |^51cdc8bc120e|^feature ' "$work/out")" = 3

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$work"
	cp "$vfiotrace" "$work/vfiotrace"
	run setpriv --reuid 65534 --regid 65534 --clear-groups "$work/vfiotrace" check --json
	check "not root: 77" test "$status" = 77
	check "not root: the message names the remedy" grep -q 'run as root' "$work/err"
	check "not root: one message" test "$(wc -l <"$work/err")" = 1
	run setpriv --bounding-set -sys_admin,-bpf,-perfmon "$work/vfiotrace" check
	check "root without CAP_SYS_ADMIN: 77" test "$status" = 77
	check "root without CAP_SYS_ADMIN: the capability is named" grep -q 'CAP_SYS_ADMIN' "$work/err"
else
	for what in "not root: 77" "not root: remedy" "not root: one message" "no CAP_SYS_ADMIN: 77" "no CAP_SYS_ADMIN: named"; do
		ok "$what # SKIP needs root and setpriv"
	done
fi

head -c 4096 /dev/urandom >"$work/junk"
run "$vfiotrace" check --btf "$work/junk"
check "a file that is no BTF: 77" test "$status" = 77
check "a file that is no BTF: --btf is named" grep -q -- '--btf' "$work/err"
run "$vfiotrace" check --attach sideways
check "unknown attach level: 64" test "$status" = 64
run "$vfiotrace" check something
check "an argument: 64" test "$status" = 64
run "$vfiotrace" check --help
check "--help explains itself" grep -q 'Exit status' "$work/out"
echo "1..$count"
