#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Files that somebody else made: reading them changes nothing, waits for nobody, and needs no rights.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
tool=$PWD/$build/vfiotrace make=$PWD/$build/tests/make-recording
known=$PWD/tests/traces/known/2b48f52f2bff-group-lock-kvm-lock.std
dir=$(mktemp -d /tmp/vfiotrace-hostile-XXXXXX)
trap 'rm -rf "$dir"' EXIT
n=0
check() { # name, command...
	local name=$1
	shift
	n=$((n + 1))
	rm -rf "$dir/w" && mkdir -m 700 "$dir/w"
	if (cd "$dir/w" && "$@") >"$dir/out" 2>&1; then echo "ok $n - $name"; else
		echo "not ok $n - $name"
		sed 's/^/# /' "$dir/out" | head -20
	fi
}
root_check() {
	if [ "$(id -u)" -eq 0 ]; then check "$@"; else
		n=$((n + 1))
		echo "ok $n - $1 # SKIP only root has rights to lose"
	fi
}
runs() { # expected status, command...: it ends by itself
	local want=$1 got
	shift
	timeout 20 "$@" >"$dir/stdout" 2>"$dir/stderr" </dev/null
	got=$?
	[ "$got" -eq "$want" ] || { echo "$*: exit $got, not $want"; cat "$dir/stderr"; return 1; }
}
says() { grep -qE -e "$1" "$dir/stderr" || { echo "not said: $1"; cat "$dir/stderr"; return 1; }; }
as_found() { find "$dir/w" -printf '%p %y %m %u %s %T@ %i\n' | sort; } # all there is, and when it changed

# The four ways to read a recording. usage: readers FILE STATUS…    (of report, analyze, diff, merge)
readers() {
	runs "$2" "$tool" report "$1" && runs "$3" "$tool" analyze "$1" && runs "$4" "$tool" diff "$1" "$1" &&
		runs "$5" "$tool" merge --overwrite -o "$dir/merged.vft" "$1"
}

# A journal that makes SQLite delete VICTIM. usage: plant RECORDING VICTIM
plant() {
	python3 - "$1" "$2" <<'EOP'
import os, struct, sys
recording, victim = sys.argv[1], os.path.abspath(sys.argv[2]).encode()
magic = bytes.fromhex("d9d505f920a163d7")
pages = os.path.getsize(recording) // 4096
header = (magic + struct.pack(">IIIII", 0, 0x1234, pages, 512, 4096)).ljust(512, b"\0")
checksum = sum(victim) & 0xFFFFFFFF
tail = struct.pack(">I", 0x40000000 // 4096 + 1) + victim + struct.pack(">II", len(victim), checksum) + magic
open(recording + "-journal", "wb").write(header + tail)
EOP
}
planted() { # a directory's mode
	"$make" inversion a.vft && echo precious >victim && ln -s a.vft link.vft && plant a.vft victim || return 1
	chmod "$1" . && as_found >"$dir/before"
	readers a.vft 1 1 1 1 && says 'a.vft-journal: names another file' && readers link.vft 1 1 1 1 &&
		as_found | diff "$dir/before" -
}
check "a planted journal has none of the readers delete or change a file" planted 700
check "nor in a directory for everybody" planted 1777

side_files() {
	"$make" inversion a.vft && mkfifo a.vft-wal && ln -s nowhere a.vft-shm && as_found >"$dir/before" &&
		readers a.vft 0 2 0 0 && as_found | diff "$dir/before" - && mkfifo a.vft-journal &&
		readers a.vft 1 1 1 1 && says 'journal: is not a regular file'
}
check "pipes and links beside a recording hold no reader up" side_files

crashed() { # half of a transaction is in the file, the other half of the truth in its journal
	"$make" inversion a.vft && "$tool" report -j a.vft >before.json && python3 - <<'EOP' || return 1
import os, sqlite3
db = sqlite3.connect("a.vft", isolation_level=None)
db.execute("PRAGMA cache_size = 5")
db.execute("BEGIN IMMEDIATE")
db.execute("UPDATE class SET name = 'broken' || id")
db.execute("DELETE FROM chain_held")
db.execute("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5000) "
	"INSERT INTO variable SELECT x, 'variable ' || x FROM n")
os._exit(0)
EOP
	[ -s a.vft-journal ] && as_found >"$dir/before" && readers a.vft 0 2 0 0 && as_found | diff "$dir/before" - &&
		"$tool" report -j a.vft | diff before.json - || return 1
	# root reads as nobody, whose files may be anybody's
	[ "$(id -u)" -ne 0 ] || { chown 65534 a.vft-journal && readers a.vft 1 1 1 1 && says 'belongs to another user'; }
}
check "a recording cut by a crash is read as it was before, and left as it is" crashed

views() {
	"$make" inversion a.vft && sqlite3 a.vft 'DROP TABLE meta; CREATE VIEW meta AS WITH RECURSIVE c(x) AS
		(SELECT 0 UNION ALL SELECT x + 1 FROM c) SELECT 1 AS key, x AS value FROM c WHERE x < 0' &&
		readers a.vft 1 1 1 1 && says 'writes no view "meta"'
}
check "a table that is an endless view is refused by name" views

no_files() {
	mkfifo pipe && mkdir directory && ln -s /dev/zero link
	for file in pipe directory link /dev/zero /dev/tty; do
		readers "$file" 1 1 1 1 || return 1
		says "^vfiotrace: $file: (is not a regular file|is a named pipe|No such)" || return 1
	done
}
check "pipes, devices and directories are no input, and nobody waits for them" no_files

pipes() {
	"$tool" analyze -j <(cat "$known") | jq -es 'any(.[]; .code == "predicted" or .type == "finding")' &&
		"$tool" analyze -j - <"$known" | jq -es 'any(.[]; .type == "finding")' &&
		cat "$known" | "$tool" report -j /dev/stdin | jq -es 'any(.[]; .type == "finding")' &&
		cat "$known" | gzip | "$tool" report -j - | jq -es 'any(.[]; .type == "finding")'
}
check "a pipe that the caller made is read to its end" pipes

btf_pipe() {
	local got
	mkfifo pipe
	timeout 20 "$tool" check --btf pipe </dev/null
	got=$?
	[ "$got" -ne 124 ] && [ "$got" -ne 0 ] || return 1
	# says that it is regular, and waits for the next message
	[ ! -r /proc/kmsg ] || timeout 20 "$tool" check --btf /proc/kmsg </dev/null
	[ $? -ne 124 ]
}
check "a pipe in place of a BTF file holds nobody up, nor the kernel's log" btf_pipe

# --- rules ------------------------------------------------------------------------------------------
rules() { # status, what is said, file: for each command that takes rules or suppressions
	runs "$1" "$tool" analyze --rules "$3" "$known" && says "$2" && runs "$1" "$tool" analyze --suppress "$3" "$known" &&
		says "$2"
}
no_rules() {
	mkfifo pipe
	runs 1 "$tool" analyze --rules pipe "$known" && says 'pipe: cannot be read: is not a regular file' &&
		runs 1 "$tool" analyze --rules /dev/zero "$known" && says 'not a regular file' &&
		runs 2 "$tool" analyze --suppress pipe "$known" && says 'not a regular file' &&
		runs 64 "$tool" diff --suppress pipe "$known" "$known" && says 'not a regular file' &&
		truncate -s 17M big && runs 1 "$tool" analyze --rules big "$known" && says 'longer than 16 MiB'
}
check "rules are a file of bounded size, and no pipe or device" no_rules
others_rules() {
	printf 'order kvm.lock > kvm.slots_lock\n\treason documented\n' >r
	runs 2 "$tool" analyze --rules r "$known" || return 1
	for mode in 664 646; do
		chmod $mode r
		runs 1 "$tool" analyze --rules r "$known" && says 'others may write it.*chmod go-w' || return 1
	done
	chmod 644 r && chown 4242 r && runs 1 "$tool" analyze --rules r "$known" && says 'chown root' &&
		runs 64 "$tool" diff --suppress r "$known" "$known" && says 'chown root' || return 1
	chmod 755 "$dir" . && cp "$tool" tool &&
		runs 2 setpriv --reuid=65534 --regid=65534 --clear-groups ./tool analyze --rules r "$known"
}
root_check "root follows no rules that others may write; others may" others_rules

# --- rights -----------------------------------------------------------------------------------------
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
nobody() {
	local parent child='' try
	mkfifo feed
	"$tool" analyze -f std - <feed >/dev/null 2>&1 &
	parent=$!
	exec 8>feed
	for try in $(seq 500); do # it waits for the end of its input
		child=$(cat "/proc/$parent/task/$parent/children" 2>/dev/null)
		child=${child%% *}
		[ -n "$child" ] && [ "$(status_of "$child" Seccomp)" = 2 ] && break
		sleep 0.02
	done
	cat "/proc/$child/status"
	[ "$(status_of "$child" Uid)" = $'65534\t65534\t65534\t65534' ] &&
		[ "$(status_of "$child" Gid)" = $'65534\t65534\t65534\t65534' ] && [ -z "$(status_of "$child" Groups | tr -d ' ')" ] &&
		[ "$(status_of "$child" CapEff)" = 0000000000000000 ] && [ "$(status_of "$child" CapPrm)" = 0000000000000000 ] &&
		[ "$(status_of "$child" NoNewPrivs)" = 1 ] && [ "$(status_of "$child" Seccomp)" = 2 ] || return 1
	kill -9 "$parent"
	wait "$parent" 2>/dev/null
	for try in $(seq 500); do # and it does not outlive the one that waits for it
		[ -e "/proc/$child" ] || return 0
		sleep 0.02
	done
	echo "the child lives on"
	return 1
}
root_check "started by root the files are read by nobody, without capabilities, behind a filter" nobody
private() { # what only root can reach is opened before
	"$make" inversion a.vft && "$make" deadlock b.vft && chmod 600 a.vft b.vft && cp "$known" t && chmod 600 t &&
		printf 'order kvm.lock > kvm.slots_lock\n\treason documented\n' >r && chmod 600 r &&
		runs 0 "$tool" report -o page.html a.vft t && runs 0 "$tool" report -o g.svg a.vft && grep -q '</svg>' g.svg &&
		runs 3 "$tool" analyze --rules r --suppress r a.vft b.vft t && runs 0 "$tool" diff -f svg -o d.svg a.vft a.vft &&
		grep -q '</svg>' d.svg && runs 0 "$tool" merge -o m.vft a.vft b.vft && runs 0 "$tool" merge --redact -o r.vft m.vft &&
		[ "$(stat -c '%U %a' page.html g.svg m.vft r.vft | sort -u)" = 'root 600' ] &&
		[ "$(find . -name '*.??????' ! -name '*.vft' | grep -c '\.[A-Za-z0-9]\{6\}$')" = 0 ]
}
root_check "files that only root may read, in a directory only root may enter, are read and written" private

# --- what is written ----------------------------------------------------------------------------------
older() { # what had the name before stays until the new one is whole
	"$make" inversion a.vft && "$make" deadlock old.vft && cp old.vft kept.vft && echo page >page.html && echo nonsense >bad &&
		runs 1 "$tool" merge --overwrite -o old.vft a.vft bad && cmp old.vft kept.vft && runs 1 "$tool" report -o page.html bad &&
		grep -qx page page.html && runs 1 "$tool" diff -o page.html bad bad && grep -qx page page.html &&
		[ "$(find . -type f | sort | tr '\n' ' ')" = './a.vft ./bad ./kept.vft ./old.vft ./page.html ' ]
}
check "what could not be made leaves what had its name, and nothing else" older
stale() { # a journal of the older file is none of the new one
	"$make" inversion a.vft && "$make" large old.vft && plant old.vft nothing && runs 0 "$tool" merge --overwrite -o old.vft a.vft &&
		[ ! -e old.vft-journal ] && runs 0 "$tool" report old.vft
}
check "a journal that lies where a recording is written is not taken for its own" stale
as_they_are() {
	"$make" inversion a.vft && mkfifo pipe || return 1
	for command in 'report -o pipe a.vft' 'diff -o pipe a.vft a.vft'; do
		timeout 20 cat pipe >got &
		# shellcheck disable=SC2086 # words
		runs 0 "$tool" $command && wait && [ -p pipe ] && [ -s got ] || return 1
	done
}
check "a pipe that is named as output stays one" as_they_are
echo "1..$n"
