# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What is made on this machine from a recording that a guest brought back.
top=$(cd "$here/../.." && pwd)
build=${BUILD:-$top/build}
[[ $build = /* ]] || build=$top/$build
tool=$build/vfiotrace

# usage: holds TEXT COMMAND…      the command succeeds
holds() {
	local text=$1
	shift
	if "$@" >"$work/holds" 2>&1; then ok "$text"; else not_ok "$text" "$work/holds"; fi
}

render() { # recording, format: the file is in $rendered
	rendered=$work/rendered/${1%.vfiotrace}.$2
	mkdir -p "$work/rendered"
	"$tool" report -f "$2" -o "$rendered" "$current/$1" && [ -s "$rendered" ]
}

# The page in a browser, its checks among ours. usage: look_at PAGE VERDICT [CLASS…]
look_at() {
	local line
	while read -r line; do
		case $line in
		'ok '*'# SKIP'*) skip "page: ${line#*- }" "no browser" ;;
		'ok '*) ok "page: ${line#*- }" ;;
		'not ok '*) not_ok "page: ${line#*- }" "$work/look" ;;
		esac
	done < <(BUILD=$build "$top/tests/web/recording.js" "$@" 2>&1 | tee "$work/look")
	[ -z "$keep" ] || { mkdir -p "$keep/pages" && cp "$1"* "$keep/pages/"; }
}

looks_right() { # format, file
	case $1 in
	json) jq -es 'any(.[]; .type == "summary")' "$2" ;;
	trace) jq -e '.traceEvents | length > 0' "$2" ;;
	dot) dot -Tsvg -o "$2.svg" "$2" ;;
	svg) tail -n 1 "$2" | grep -q '</svg>' ;;
	mermaid) grep -q '^flowchart' "$2" ;;
	metrics) tail -n 1 "$2" | grep -qx '# EOF' ;;
	markdown) grep -q '^## ' "$2" ;;
	html) tail -c 20 "$2" | grep -q '</html>' ;;
	*) true ;;
	esac
}

same_cycle() { # splat, classes…: analyze reads our own splat and finds the cycle
	local splat=$1
	shift
	"$tool" analyze -j "$splat" >"$work/back.json"
	jq -es --arg cycle "$(printf '%s\n' "$@" | sort | tr '\n' ' ')" \
		'[.[] | select(.type == "finding") | .classes | map(select(. != null)) | unique | join(" ") + " "] | any(. == $cycle)' "$work/back.json"
}

# usage: check_rendered RECORDING VERDICT [CLASS CLASS]      the classes of its cycle, none: no cycle
check_rendered() {
	local recording=$1 verdict=$2 format before=$label
	shift 2
	label+="$recording: "
	holds "SQLite says the file is whole" test "$(sqlite3 "$current/$recording" 'PRAGMA integrity_check')" = ok
	for format in text splat json dot svg mermaid markdown html metrics trace; do
		holds "$format is made" render "$recording" "$format"
		holds "$format is what it should be" looks_right "$format" "$rendered"
	done
	if [ $# -gt 0 ]; then
		holds "analyze reads the same cycle out of the splat" same_cycle "$work/rendered/${recording%.vfiotrace}.splat" "$@"
	fi
	look_at "$work/rendered/${recording%.vfiotrace}.html" "$verdict" "$@"
	label=$before
}

# The questions that README.md shows, asked of a file made on this kernel.
check_answers() {
	local question number=0 answer
	while read -r question; do
		number=$((number + 1))
		if answer=$(sqlite3 "$current/inversion.vfiotrace" "$question" 2>&1); then
			ok "README's question $number is answered"
		else
			not_ok "README's question $number is answered: $answer"
		fi
		[ "$number" -ne 1 ] || holds "and names both orders" grep -q 'kvm.lock|vfio_group.group_lock' <<<"$answer"
	done < <(sed -nE 's/^    sqlite3 -box [^ ]+ "(.*)"$/\1/p' "$top/README.md" | sed 's/\\"/"/g')
	[ "$number" -ge 3 ] || not_ok "README shows three questions (found $number)"
}

# --- what can happen to a recording -----------------------------------------------------------------

# Every finding that was printed is in the file. A line that was being written when the end came is none.
keeps_findings() { # records, recording
	"$tool" analyze -j "$current/$2" >"$work/kept.json"
	jq -c -R 'fromjson? | select(.type == "finding") | [.code, .classes]' "$current/$1" | sort -u >"$work/told"
	jq -c 'select(.type == "finding") | [.code, .classes]' "$work/kept.json" | sort -u >"$work/kept"
	[ -s "$work/told" ] && [ -z "$(comm -23 "$work/told" "$work/kept")" ] && return
	echo "told and not kept:"
	comm -23 "$work/told" "$work/kept"
	return 1
}

has_events() { # recording
	[ "$(sqlite3 "$current/$1" 'SELECT count(*) FROM event')" -gt 0 ]
}

# usage: check_damaged RECORDING
check_damaged() {
	holds "$1: SQLite says it is whole" test "$(sqlite3 "$current/$1" 'PRAGMA integrity_check')" = ok
	holds "$1: it has events" has_events "$1"
	holds "$1: the page is made of it" render "$1" html
}

check_recording_faults() {
	local i name
	scenario recording-faults || return
	for i in 1 2 3 ${VFIOTRACE_LONG:+4 5}; do
		check_damaged kill$i.vfiotrace
		holds "kill $i: what was found before is in the file" keeps_findings kill$i.json kill$i.vfiotrace
		holds "kill $i: the report says that the recording was cut" grep -q 'was cut short' <("$tool" report "$current/kill$i.vfiotrace")
	done
	for name in full:'no space left' readonly:'read-only'; do
		text "${name%%:*}: it was said" "${name%%:*}.json.err" -- "${name#*:}; tracing goes on"
		records "${name%%:*}: the inversion is found nevertheless" "${name%%:*}.json" "between($the_bug) | length == 1"
		records "${name%%:*}: and what could not be written is counted" "${name%%:*}.json" 'summary.losses.store > 0'
		code "${name%%:*}: exit says finding" "${name%%:*}.json" 2
		check_damaged "${name%%:*}.vfiotrace"
	done
	code "where nothing can be written it does not start" never 1
	text "where nothing can be written it says why" never.err -- 'Read-only'
}
