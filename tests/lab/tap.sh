# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the lab's suites share on the host: a guest boot, and TAP checks on the records it brought back.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/vfiotrace-lab-suite.XXXXXX")
trap 'rm -rf "$work"' EXIT
tests=0 results='' boot_status=0
keep=${VFIOTRACE_LAB_KEEP:-} # keep results below this directory

ok() { tests=$((tests + 1)); echo "ok $tests - $label$1"; }
not_ok() { # text, [file with details]
	tests=$((tests + 1))
	echo "not ok $tests - $label$1"
	[ -z "${2:-}" ] || [ ! -s "$2" ] || head -c 3000 "$2" | sed 's/^/#   /'
}
skip() { tests=$((tests + 1)); echo "ok $tests - $label$1 # SKIP $2"; }
finish() { echo "1..$tests"; }

# Boot once and run the scenarios; their files are then in $results/SCENARIO/. usage: boot KERNEL [run-guest options] SCENARIO...
boot() {
	local name=${boot_name:-$1}
	label="$name: "
	results=$work/$name
	"$here/run-guest" "$1" -o "$results" ${VFIOTRACE_LONG:+-a long} -t "${VFIOTRACE_LAB_LIMIT:-300}" "${@:2}" >"$work/log" 2>&1
	boot_status=$?
	scenario_times "$name"
	[ -z "$keep" ] || { mkdir -p "$keep" && cp -r "$results" "$keep/" 2>/dev/null; }
	case $boot_status in
	0) ok "the guest ran every scenario and the kernel did not complain" ;;
	77) skip "everything" "kernel $1 is not present: $(grep -v downloading "$work/log" | tail -n 1)"; return 1 ;;
	*)
		not_ok "the guest ran every scenario and the kernel did not complain (status $boot_status)"
		tail -n 40 "$work/log" | sed 's/^/# /'
		[ -d "$results" ] || return 1 ;;
	esac
}

# Boot once, run the scenarios and check each by its function: check_NAME STATE KERNEL.
# usage: boot_and_check KERNEL unfixed|fixed 'SCENARIO…' [run-guest options]
boot_and_check() {
	local name words=()
	read -ra words <<<"$3"
	boot "$1" "${@:4}" "${words[@]}" || return
	for name in ${3//+/ }; do "check_${name//-/_}" "$2" "$1"; done
	return 0
}

# How long each scenario took by the guest's clock, for the table at the end of tests/run.
scenario_times() { # boot's name
	local file began ended
	for file in "$results"/*/uptime; do
		[ -s "$file" ] || continue
		read -r began ended <"$file"
		[ -z "$ended" ] || awk -v b="$began" -v e="$ended" -v n="$1/$(basename "${file%/uptime}")" 'BEGIN {printf "# time: %6.1f s  %s\n", e - b, n}'
	done
}

# Did this scenario end as it should? Every check of a scenario that did not is meaningless.
scenario() { # name
	current=$results/$1
	label="${label%%: *}: $1: "
	if [ "$(cat "$current/exit" 2>/dev/null)" = 0 ] && [ -s "$current/stdout" ]; then
		ok "ran to its end"
		return 0
	fi
	not_ok "ran to its end (exit $(cat "$current/exit" 2>/dev/null || echo none))" "$current/stderr"
	return 1
}

# shellcheck disable=SC2016
prelude='
def findings: map(select(.type == "finding"));
def serious: findings | map(select(.grade | IN("warning", "error", "critical")));
def between($set): serious | map(select((.classes | map(select(. != null)) | unique) == ($set | unique)));
def about($name): findings | map(select(.classes | tostring | contains($name)));
def edges: map(select(.type == "dependency"));
def edge($from; $to): edges | map(select((.from.class | tostring | contains($from)) and (.to.class | tostring | contains($to))));
def summary: map(select(.type == "summary")) | last;
def start: map(select(.type == "start")) | first;
def ran($path): any(.[]; .type == "path" and .path == $path);
def coverage($path): summary.coverage[$path];
def losses: summary.losses | del(.recursion, .event_cut) | [.[]? | select(. != 0 and . != "0")];
def skipped_runs: summary.losses.recursion;
def symbols($stack): ($stack // []) | map(.symbol // "");
def wanted: [.witnesses[] | symbols(.stack_wanted)] | add;
def held: [.witnesses[] | symbols(.stack_held)] | add;
'
# usage: records TEXT FILE JQ-EXPRESSION      true on the slurped records of a file of the scenario
records() {
	local file=$current/$2
	if [ ! -s "$file" ]; then not_ok "$1 (no $2)" "$file.err"; return; fi
	if jq -s -e "$prelude $3" "$file" >"$work/jq" 2>&1; then ok "$1"; return; fi
	not_ok "$1"
	echo "#   wanted: ${3//$'\n'/ }"
	head -n 5 "$work/jq" | cut -c1-400 | sed 's/^/#   got: /'
	jq -c 'select(.type == "finding") | {kind, code, grade, classes, count}' "$file" 2>/dev/null | head -n 10 | sed 's/^/#   finding: /'
	jq -c 'select(.type == "summary") | {coverage, losses, exit}' "$file" 2>/dev/null | cut -c1-1500 | sed 's/^/#   summary: /'
}

# usage: code TEXT FILE VALUE…      the exit code noted in FILE.exit is one of these
code() {
	local got
	got=$(cat "$current/$2.exit" 2>/dev/null || echo none)
	case " ${*:3} " in
	*" $got "*) ok "$1" ;;
	*) not_ok "$1 (exit $got, wanted ${*:3})" "$current/$2.err" ;;
	esac
}

# Exit 0; or 4 where a preemptible kernel skipped runs of a program, which is a loss and was said, or
# where such runs cannot be counted.
clean() { # TEXT FILE
	local got
	got=$(cat "$current/$2.exit" 2>/dev/null || echo none)
	if [ "$got" = 4 ]; then
		records "$1 (but for runs that the kernel skipped, which it said)" "$2" \
			"(skipped_runs > 0 or summary.losses_unknown != null) and (summary.losses | del(.recursion, .event_cut) | [.[]? | select(. != 0)]) == []"
	else
		code "$1" "$2" 0
	fi
}

# usage: text TEXT FILE PATTERN      some line of the file matches
text() { # TEXT FILE PATTERN
	[ "$3" != -- ] || set -- "$1" "$2" "$4"
	if grep -qE -e "$3" "$current/$2" 2>/dev/null; then ok "$1"; else not_ok "$1 (no line matches $3)" "$current/$2"; fi
}
