#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# vfiotrace report: every format from every source, and what happens to bad input.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
tool=$build/vfiotrace make=$build/tests/make-recording
dir=$(mktemp -d /tmp/vfiotrace-report-XXXXXX)
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
status() { # expected status, command...
	local want=$1 got
	shift
	"$@" >"$dir/stdout" 2>"$dir/stderr"
	got=$?
	[ "$got" -eq "$want" ] || { echo "exit $got, not $want"; cat "$dir/stderr"; return 1; }
}
for name in inversion deadlock hostile large; do
	"$make" "$name" "$dir/$name.vft" || exit 1
done

formats() { # fixture: every format is made and looks like itself
	local f=$1 format
	for format in text splat json dot svg mermaid markdown html metrics trace; do
		status 0 "$tool" report -f "$format" "$dir/$f.vft" || return 1
		cp "$dir/stdout" "$dir/$f.$format"
		[ -s "$dir/$f.$format" ] || { echo "$format: empty"; return 1; }
		if LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$dir/$f.$format"; then
			echo "$format: control characters"
			return 1
		fi
	done
	nop -p "$dir/$f.dot" && jq -es 'length > 1' "$dir/$f.json" >/dev/null &&
		jq -e . "$dir/$f.trace" >/dev/null && grep -q '^# EOF' "$dir/$f.metrics"
}
check "all formats of an inversion" formats inversion
check "all formats of a deadlock" formats deadlock
check "all formats with hostile names" formats hostile
check "all formats of 500 classes and 5,000 dependencies" formats large

back() { # the splat is read again and names the same locks
	"$tool" analyze -j "$dir/inversion.splat" >"$dir/back.json"
	[ $? -eq 2 ] || { cat "$dir/back.json"; return 1; }
	jq -es '[.[] | select(.type == "finding") | .classes | sort] |
		any(. == ["kvm.lock", "vfio_group.group_lock"])' "$dir/back.json"
}
if "$tool" --help | grep -q '^ *analyze'; then
	check "analyze reads the splat back" back
	straight() {
		status 0 "$tool" report -f markdown "$dir/inversion.splat" && grep -q kvm.lock "$dir/stdout"
	}
	check "report straight from a splat" straight
fi
named() { # the output's name says the format, and it is complete or not there
	status 0 "$tool" report -o "$dir/page.html" "$dir/inversion.vft" &&
		head -c 200 "$dir/page.html" | grep -qi '<!doctype html' &&
		status 0 "$tool" report -o "$dir/g.svg" "$dir/inversion.vft" && grep -q '<svg' "$dir/g.svg" &&
		! status 0 "$tool" report -o "$dir/no/such.html" "$dir/inversion.vft"
}
check "the name of the output says the format" named
several() {
	"$make" inversion "$dir/h1.vft" host.name=alpha host.boot_id=1 &&
		"$make" inversion "$dir/h2.vft" host.name=beta host.boot_id=2 &&
		status 0 "$tool" report -j "$dir/h1.vft" "$dir/h2.vft" &&
		jq -es 'map(select(.type == "summary"))[0].dependencies == 8' "$dir/stdout" &&
		grep -q 'beta: ' "$dir/stdout"
}
check "several hosts in one report stay apart" several
redacted() {
	status 0 "$tool" report -j --redact "$dir/deadlock.vft" &&
		! grep -qE 'qemu-system|win11-ci|0xffff' "$dir/stdout" &&
		grep -q '"comm":"task-1"' "$dir/stdout" && grep -q kvm.lock "$dir/stdout"
}
check "--redact leaves no name and no address" redacted
tasks() {
	status 0 "$tool" report --tasks "$dir/inversion.vft" && grep -q 4711 "$dir/stdout" &&
		status 0 "$tool" report -j --tasks=4790 "$dir/inversion.vft" &&
		jq -es '[.[] | select(.type == "task_graph")] | length == 1 and
			.[0].dependencies[0].from == "kvm.lock"' "$dir/stdout"
}
check "--tasks shows per-task orders" tasks
usage() {
	status 64 "$tool" report && status 64 "$tool" report -f nonsense "$dir/inversion.vft" &&
		status 64 "$tool" report --tasks=x "$dir/inversion.vft" && status 64 "$tool" report --nonsense x
}
check "wrong usage is 64" usage
bad() {
	: >"$dir/empty.vft"
	head -c 3000 "$dir/large.vft" >"$dir/cut.vft"
	echo "dear diary" >"$dir/letter"
	for file in empty.vft cut.vft letter absent; do
		status 1 "$tool" report "$dir/$file" || return 1
		grep -q "$dir/$file: " "$dir/stderr" || { echo "$file:"; cat "$dir/stderr"; return 1; }
		[ ! -s "$dir/stdout" ] || { echo "$file: output"; return 1; }
	done
}
check "empty, cut, foreign and absent files get a message" bad
unprivileged() {
	chmod 755 "$dir" && chmod 444 "$dir/inversion.vft" && cp "$tool" "$dir/tool" &&
		status 0 setpriv --reuid=65534 --regid=65534 --clear-groups "$dir/tool" report "$dir/inversion.vft"
}
if [ "$(id -u)" -eq 0 ]; then
	check "opening one never needs root" unprivileged
else
	n=$((n + 1))
	echo "ok $n - opening one never needs root # SKIP not run as root, so all of this was"
fi
readme_queries() { # the queries the README shows, run as they stand there
	local count=0 line
	cp "$dir/inversion.vft" "$dir/incident.vfiotrace"
	while IFS= read -r line; do
		count=$((count + 1))
		(cd "$dir" && bash -c "$line") >"$dir/answer" || return 1
		[ -s "$dir/answer" ] || { echo "no answer: $line"; return 1; }
		cat "$dir/answer"
	done < <(grep -E '^    sqlite3 ' README.md)
	[ "$count" -ge 3 ] || { echo "$count queries in the README"; return 1; }
}
check "the README's queries are answered" readme_queries
echo "1..$n"
