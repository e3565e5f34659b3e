#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Evidence stays: no older recording or report is lost to a run that is refused or fails, and no command
# writes onto what it reads.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
tool=$PWD/$build/vfiotrace make=$build/tests/make-recording
dir=$(mktemp -d /tmp/vfiotrace-evidence-XXXXXX)
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
"$make" inversion "$dir/a.vft" || exit 1
"$make" deadlock "$dir/b.vft" || exit 1
"$make" large "$dir/large.vft" || exit 1
mkdir "$dir/old"
chmod 777 "$dir" "$dir/old"

# A run ends with this status, and every file in old/ is what it was: none gone, none new.
keeps() { # status, command...
	local want=$1 got
	shift
	rm -rf "$dir/old/"*
	cp "$dir/a.vft" "$dir/old/a.vft"
	ln "$dir/old/a.vft" "$dir/old/hard.vft"
	ln -s a.vft "$dir/old/link.vft"
	echo 'a report' | tee "$dir/old/report.svg" >"$dir/old/report.html"
	chmod 666 "$dir/old/a.vft" "$dir/old/report".*
	(cd "$dir/old" && sha256sum -- * && ls -i) >"$dir/before"
	(cd "$dir/old" && "$@") >"$dir/said" 2>&1
	got=$?
	(cd "$dir/old" && sha256sum -- * && ls -i) >"$dir/after"
	[ "$got" -eq "$want" ] || { echo "exit $got, wanted $want"; cat "$dir/said"; return 1; }
	diff "$dir/before" "$dir/after"
}
says() { grep -q -e "$1" "$dir/said" || { cat "$dir/said"; return 1; }; }

refuses() { # command with -o
	keeps 64 "$@" -o a.vft && says '--overwrite' && says 'another file'
}
for command in watch record validate now; do
	check "$command does not overwrite an older recording unasked" refuses "$tool" $command
done
check "merge does not overwrite an older recording unasked" refuses "$tool" merge "$dir/b.vft"
check "merge --redact does not overwrite an older recording unasked" refuses "$tool" merge --redact "$dir/b.vft"
replaces() {
	"$tool" merge -o "$dir/old/a.vft" --overwrite "$dir/b.vft" &&
		"$tool" report "$dir/old/a.vft" | grep -q deadlock
}
check "merge --overwrite replaces it" replaces

nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
refused() { # a run that may not trace touches nothing, asked to overwrite or not
	for command in watch record validate now; do
		keeps 77 nobody "$tool" $command --overwrite -o a.vft || return 1
		keeps 77 nobody "$tool" $command -o new.vft || return 1
	done
	keeps 77 nobody "$tool" now -f text -o report.svg
}
if [ "$(id -u)" -eq 0 ]; then
	cp "$tool" "$dir/vfiotrace" && tool=$dir/vfiotrace
	check "a run that is refused leaves an older recording, and makes no new one" refused
	tool=$PWD/$build/vfiotrace
else
	n=$((n + 1))
	echo "ok $n - a run that is refused leaves an older recording, and makes no new one # SKIP needs root to become nobody"
fi

full() { # the disk is full in the middle
	keeps 1 bash -c 'ulimit -f 16; trap "" XFSZ; exec "$@"' - "$@"
}
check "a merge that fails leaves the older recording" full "$tool" merge --overwrite -o a.vft "$dir/large.vft"
check "a report that fails leaves the older report" full "$tool" report -f html -o report.html "$dir/large.vft"
without_dot() { keeps 1 env PATH=/nowhere "$@"; }
check "a picture without Graphviz leaves the older picture" without_dot "$tool" report -f svg -o report.svg "$dir/b.vft"
check "a diff without Graphviz leaves the older picture" without_dot "$tool" diff -f svg -o report.svg "$dir/a.vft" "$dir/b.vft"

own_input() { # command... with OUT for the name to write to: by its name, a hard link, a symbolic link
	local name
	for name in a.vft hard.vft link.vft ../old/a.vft; do
		keeps 64 "${@//OUT/$name}" && says 'is an input too' || return 1
	done
}
check "report does not write onto its own input" own_input "$tool" report -o OUT a.vft
check "merge does not write onto its own input" own_input "$tool" merge --overwrite -o OUT "$dir/b.vft" a.vft
check "merge --redact does not write onto its own input" own_input "$tool" merge --redact --overwrite -o OUT a.vft
check "diff does not write onto its own input" own_input "$tool" diff -o OUT "$dir/b.vft" a.vft
check "validate does not write onto its baseline" own_input "$tool" validate --overwrite --baseline a.vft -o OUT
check "nor does its JUnit report" own_input "$tool" validate --baseline a.vft --junit OUT

device() {
	mkfifo "$dir/pipe"
	cat "$dir/pipe" >"$dir/piped" &
	"$tool" report -f json -o "$dir/pipe" "$dir/a.vft" && wait $! && [ -p "$dir/pipe" ] && [ -s "$dir/piped" ]
}
check "what is no file is written to, not replaced" device
linked() {
	ln -sf target.txt "$dir/link.txt" && echo old >"$dir/target.txt" &&
		"$tool" report -f text -o "$dir/link.txt" "$dir/a.vft" && [ -L "$dir/link.txt" ] &&
		! grep -qx old "$dir/target.txt"
}
check "a link stays a link, and what it names is replaced" linked

# Another user's link, pipe or file in a directory where all may make files.
planted() { # sets up $dir/all; the rest runs as that user
	rm -rf "$dir/all" && mkdir "$dir/all" && chmod 1777 "$dir/all" && echo precious >"$dir/precious" &&
		(cd "$dir/all" && nobody "$@")
}
not_there() { # command: says what is in the way, writes nothing
	timeout 20 "$@" >"$dir/said" 2>&1
	local got=$?
	[ $got -eq 1 ] && says 'others can write to' && grep -qx precious "$dir/precious" && [ "$(ls "$dir/all" | wc -l)" -eq 1 ]
}
planted_link() {
	planted ln -s "$dir/precious" "$dir/all/x" && not_there "$tool" report -f text -o "$dir/all/x" "$dir/a.vft" &&
		not_there "$tool" diff -o "$dir/all/x" "$dir/a.vft" "$dir/b.vft" && [ -L "$dir/all/x" ]
}
planted_pipe() {
	planted mkfifo "$dir/all/x" && not_there "$tool" report -f text -o "$dir/all/x" "$dir/a.vft" && [ -p "$dir/all/x" ]
}
planted_file() {
	planted sh -c 'umask 0; echo mine >x' && "$tool" report -f text -o "$dir/all/x" "$dir/a.vft" &&
		[ "$(stat -c %u:%a "$dir/all/x")" = 0:600 ]
}
own_link_there() {
	planted true && ln -s "$dir/linked.txt" "$dir/all/x" && echo old >"$dir/linked.txt" &&
		"$tool" report -f text -o "$dir/all/x" "$dir/a.vft" && [ -L "$dir/all/x" ] && ! grep -qx old "$dir/linked.txt"
}
for name in planted_link:'a link that another user planted is not followed' planted_pipe:'a pipe that another user planted is not waited for' \
	planted_file:'a planted file does not decide who may write the report' own_link_there:'an own link is followed there too'; do
	if [ "$(id -u)" -eq 0 ]; then check "${name#*:}" "${name%%:*}"; else
		n=$((n + 1))
		echo "ok $n - ${name#*:} # SKIP needs root to become somebody else"
	fi
done
echo "1..$n"
