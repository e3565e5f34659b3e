#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a reader would complain about, found by machines. clang-tidy remembers what it has passed, with all the
# headers it read, outside the tree: only what changed costs time, in the next clone too.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
cache=${VFIOTRACE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vfiotrace}/lint
mkdir -p "$cache"
work=$(mktemp -d "${TMPDIR:-/tmp}/lint.XXXXXX")
trap 'rm -rf "$work"' EXIT

report() { # text; findings on standard input. Runs in a subshell, so the count lives in a file.
	local findings count
	findings=$(cat)
	echo . >>"$work/count"
	count=$(wc -l <"$work/count")
	if [ -z "$findings" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		head -n 40 <<<"$findings" | sed 's/^/# /'
	fi
}
# Text files of the project itself: not built, not made by a tool, not somebody else's.
files() { # find expressions
	find . \( -name .git -o -name 'build*' -o -name node_modules -o -path ./vmlinux -o \
		-path ./src/debian/sysroot \) -prune -o -type f \( "$@" \) -print | sort
}
c_files() { files -name '*.c' -o -name '*.h'; }
shell_files() {
	files -perm -u+x ! -name '*.py' ! -name '*.js' -o -name '*.sh' | while read -r file; do
		head -n 1 "$file" | grep -qE '^#!.*[ /](ba|da)?sh' && echo "$file"
	done
	files -name '*.sh'
}

# what a sourced file sets is not followed; commas are part of QEMU arguments, brackets of jq programs
shell_files | sort -u | xargs -r shellcheck -S warning -e SC1087,SC1091,SC2034,SC2054,SC2154 -f gcc 2>&1 |
	report "shellcheck"

# vmlinux.h flavours and generated code are not formatted by us
c_files | xargs -r -n 20 -P "$(nproc)" clang-format --dry-run -Werror 2>&1 | grep -aoE '^[^ :]+:[0-9]+:[0-9]+: error' |
	cut -d: -f1 | sort | uniq -c | report "clang-format (run make format)"

# --- clang-tidy ------------------------------------------------------------------------------------
checker=$(clang-tidy --version | cat - .clang-tidy "$0" | sha256sum)
flags=(-std=gnu11 -D_GNU_SOURCE '-DVERSION="lint"' -Iinclude "-I$build/skel" -Isrc)
tidy() { # kind, checks, file, flags
	local key read
	read=$(clang "${@:4}" -MM -MT read "$3" 2>/dev/null | sed 's/^read://; s/\\$//') || read=$3
	# shellcheck disable=SC2086 # names of files
	key=$cache/$({ echo "$1 $2 $3 $checker"; cat $read; } | sha256sum | cut -d' ' -f1)
	[ -e "$key" ] && touch "$key" && return
	# shellcheck disable=SC2086 # no checks given means those of .clang-tidy
	if clang-tidy --quiet $2 "$3" -- "${@:4}" >"$key.log.$$" 2>/dev/null; then
		mv "$key.log.$$" "$key"
	else
		grep -aE '(error|warning):' "$key.log.$$" || echo "$3: clang-tidy failed"
		rm -f "$key.log.$$"
	fi
}
export checker cache
find "$cache" -type f -mtime +30 -delete
export -f tidy
files -path './src/*.c' ! -path './src/debian/*' | xargs -r -P "$(nproc)" -I{} bash -c 'tidy bugprone "" "$@"' tidy {} "${flags[@]}" |
	sort -u | report "clang-tidy: bugprone"
# path-sensitive checks take long: the rooms that read other people's files. Leaks and uses after
# free are what the sanitizer suite looks for; the analyzer does not understand uthash.
analyzer="--checks=-*,clang-analyzer-*,-clang-analyzer-security.insecureAPI*,-clang-analyzer-valist*,-clang-analyzer-unix.Malloc --warnings-as-errors=*"
export analyzer
files -path './src/import/*.c' -o -path './src/rules/*.c' -o -path './src/util/*.c' | xargs -r -P "$(nproc)" -I{} bash -c 'tidy analyzer "$analyzer" "$@"' tidy {} "${flags[@]}" |
	sort -u | report "clang-tidy: path-sensitive checks of the importers"

# --- house rules -----------------------------------------------------------------------------------
c_files | xargs wc -l | awk '
	{ most = $2 ~ /^\.\/tests\// ? 600 : 800 }
	$2 != "total" && $1 > most { print $2 ": " $1 " lines, at most " most }' |
	report "no file is longer than 800 lines (tests: 600)"
{ c_files; shell_files; } | sort -u | while read -r file; do
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || echo "$file"
done | report "every source file names its licence"
{ c_files; shell_files; files -name '*.mk' -o -name Makefile -o -name '*.py' -o -name '*.js'; } |
	grep -v '^./tests/lint/' | sort -u | xargs grep -nE '\b(TODO|FIXME|XXX)\b|not implemented' |
	report "nothing is left to do"
# paths of one machine, registries: a checkout must work anywhere
files -type f | grep -vE '^./tests/|\.(xz|zst|gz|png)$' |
	xargs grep -nIE '[/]work/|\.\./shared|(deb|security|registry)\.(debian|npmjs)\.' |
	report "no path of one machine and no registry's name"
grep -nE '#include [<"](bpf/|jansson|sqlite3|microhttpd|systemd/|stdio_ext)' src/model/*.[ch] src/analysis/*.[ch] |
	report "model and analysis know no BPF, no file format, no screen"
grep -nwE '(printf|fprintf|puts|fputs|putchar)[[:space:]]*\(' src/model/*.c src/analysis/*.c |
	report "model and analysis print nothing"
grep -rnE '#include "(\.\./)*bpf/[a-z_]+(\.bpf)?\.h"' src --include='*.[ch]' | grep -vE '"bpf/(libbpf|bpf|btf|libbpf_common)[a-z_]*\.h"' |
	report "bpf and src meet in include only"
SOURCES=$PWD/src tests/lint/room-arrows "$build/obj" "$PWD/tests/lint/rooms" |
	report "no room calls another that tests/lint/rooms does not allow it to call"
mkdir -p "$work/rooms/model" "$work/rooms/report" "$work/rooms/cellar"
echo 'void draw(void); void decide(void); void decide(void) { draw(); }' | ${CC:-cc} -x c -c -o "$work/rooms/model/decide.o" -
echo 'void draw(void); void draw(void) {}' | ${CC:-cc} -x c -c -o "$work/rooms/report/draw.o" -
cp "$work/rooms/report/draw.o" "$work/rooms/cellar/"
diff <(printf '%s\n' 'cellar: not in the table of rooms' 'model/decide calls report/draw: draw') \
	<(tests/lint/room-arrows "$work/rooms" "$PWD/tests/lint/rooms") |
	report "a call upward and a room without a place in the table are found"
grep -oE '`[a-z_/]+[a-z_]\(\)`|`ACQUIRE\(\)`' ARCHITECTURE.md | tr -d '`()' | sort -u | while read -r name; do
	grep -rqE "(^|[ *])$name[(]" src bpf --include='*.[ch]' || echo "$name() is nowhere"
done | report "ARCHITECTURE.md names no function that does not exist"
grep -oE '`(src|bpf|include|tests)/[A-Za-z0-9_./-]+`' ARCHITECTURE.md | tr -d '`' | sort -u | while read -r path; do
	[ -e "$path" ] || echo "$path is nowhere"
done | report "ARCHITECTURE.md names no file that does not exist"
find src -mindepth 1 -maxdepth 1 -type d -exec basename {} \; | sort | grep -vxE 'completion|debian|man|metrics|systemd' |
	while read -r room; do grep -q "^| .$room/. |" ARCHITECTURE.md || echo "$room"; done |
	report "ARCHITECTURE.md has a line for every room"
echo "1..$(wc -l <"$work/count")"
