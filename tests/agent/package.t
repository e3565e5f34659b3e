#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The package: installs where it should, lintian, static, other architectures. tests/lab/dpkg.t has what dpkg does.
# VFIOTRACE_LONG=1: built twice, the same bytes; packages for every architecture.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
work=$(mktemp -d /tmp/vfiotrace-package.XXXXXX)
trap 'rm -rf "$work"' EXIT
count=0
unset MAKEFLAGS MFLAGS MAKELEVEL

ok() { # status, text
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; fi
}
skip() { count=$((count + 1)); echo "ok $count - $1 # SKIP $2"; }
notes() { grep -aE "^[EW]: |error|Error|warning:|undefined" "$1" | cut -c1-300 | tail -n 12 | sed 's/^/# /'; }

# --- make install -------------------------------------------------------------------------------
tests/locked-make "$build" install PREFIX=/usr/local DESTDIR="$work/root" >"$work/log" 2>&1
ok $? "make install with DESTDIR"
missing=
for file in sbin/vfiotrace share/man/man8/vfiotrace.8 share/man/man7/vfiotrace-findings.7 \
	share/bash-completion/completions/vfiotrace share/zsh/site-functions/_vfiotrace \
	lib/systemd/system/vfiotrace.service lib/systemd/catalog/vfiotrace.catalog \
	share/vfiotrace/dashboard.json share/vfiotrace/vfiotrace.rules.yml share/vfiotrace/rules/kvm.rules \
	share/doc/vfiotrace/examples/vfiotrace.default; do
	[ -e "$work/root/usr/local/$file" ] || missing="$missing $file"
done
test -z "$missing"
ok $? "binary, manual, completions, unit, dashboard, rules, examples are there$missing"
grep -q '^ExecStart=/usr/local/sbin/vfiotrace agent' "$work/root/usr/local/lib/systemd/system/vfiotrace.service"
ok $? "the unit starts the binary that was installed"
echo edited >"$work/root/etc/default/vfiotrace"
rm "$work/root/etc/vfiotrace/rules"
tests/locked-make "$build" install PREFIX=/usr/local DESTDIR="$work/root" >"$work/log" 2>&1
grep -qx edited "$work/root/etc/default/vfiotrace" && [ -e "$work/root/etc/vfiotrace/rules" ] && [ -e "$work/root/etc/vfiotrace/suppress" ]
ok $? "an installation over another keeps the configuration and adds what is missing of it"

# --- the unit -----------------------------------------------------------------------------------
mkdir "$work/unit"
sed 's,^ExecStart=.*,ExecStart=/bin/true,' "$work/root/usr/local/lib/systemd/system/vfiotrace.service" >"$work/unit/vfiotrace.service"
if command -v systemd-analyze >/dev/null; then
	exposure=$(systemd-analyze security --offline=true --no-pager "$work/unit/vfiotrace.service" 2>/dev/null |
		sed -n 's/.*Overall exposure level.*: \([0-9.]*\) .*/\1/p')
	awk -v e="${exposure:-9}" 'BEGIN {exit !(e < 3.0)}'
	ok $? "systemd-analyze security says ${exposure:-nothing}, below 3.0"
	! systemd-analyze verify --man=no "$work/unit/vfiotrace.service" 2>&1 | grep -q vfiotrace
	ok $? "systemd-analyze verify has nothing to say"
else
	skip "systemd-analyze security" "no systemd-analyze here"
	skip "systemd-analyze verify" "no systemd-analyze here"
fi

tests/locked-make "$build" uninstall PREFIX=/usr/local DESTDIR="$work/root" >"$work/log" 2>&1
test -z "$(find "$work/root" -type f ! -path '*/etc/*' -o -name 'vfiotrace' -type d ! -path '*/etc/*')"
ok $? "make uninstall leaves nothing but the configuration"

# --- make deb; in a long run once more from a directory with another name ----------------------------------
tests/locked-make "$build" deb >"$work/log" 2>&1
status=$?
ok $status "make deb"
[ $status -eq 0 ] || notes "$work/log"
first=$(compgen -G "$build/deb/vfiotrace_*.deb")
if [ -n "${VFIOTRACE_LONG:-}" ]; then
	mkdir -p "$work/two-with-a-longer-name"
	cp -a Makefile LICENSE README.md bpf include src vmlinux tests "$work/two-with-a-longer-name/"
	(cd "$work/two-with-a-longer-name" && CCACHE_DISABLE=1 src/debian/build-deb "$(sed -n 's/^VERSION *:= *//p' Makefile)" deb) >"$work/log" 2>&1
	status=$?
	ok $status "make deb in a directory with a longer name"
	[ $status -eq 0 ] || notes "$work/log"
	(cd "$build/deb" && sha256sum -- *.deb) >"$work/first.sums" 2>/dev/null
	(cd "$work/two-with-a-longer-name/deb" && sha256sum -- *.deb) >"$work/second.sums" 2>/dev/null
	test -s "$work/first.sums" && cmp -s "$work/first.sums" "$work/second.sums"
	ok $? "two builds give the same bytes: $(awk '{print substr($1, 1, 12), $2}' "$work/first.sums" | tr '\n' ' ')"
fi
if command -v lintian >/dev/null; then
	lintian --allow-root --fail-on error,warning "$first" >"$work/lintian" 2>&1
	status=$?
	ok $status "lintian finds no error and no warning"
	[ $status -eq 0 ] || notes "$work/lintian"
else
	skip "lintian" "not installed"
fi
dpkg-deb -x "$first" "$work/deb" 2>/dev/null && "$work/deb/usr/sbin/vfiotrace" --version >/dev/null
ok $? "the packaged binary runs ($(stat -c %s "$first" 2>/dev/null) bytes of package)"
dpkg-deb -f "$first" Depends | grep -q libbpf1
ok $? "its dependencies are computed: $(dpkg-deb -f "$first" Depends)"
postinst=$(dpkg-deb --ctrl-tarfile "$first" | tar -xO ./postinst 2>/dev/null)
! grep -qE 'deb-systemd-invoke (re)?start|systemctl (start|restart|enable)' <<<"$postinst" && grep -q 'was-enabled' <<<"$postinst"
ok $? "installing neither enables nor starts the service"

# --- static -----------------------------------------------------------------------------------------
tests/locked-make "$build-static" STATIC=1 >"$work/log" 2>&1
status=$?
ok $status "make STATIC=1"
[ $status -eq 0 ] || notes "$work/log"
! readelf -d "$build-static/vfiotrace" 2>/dev/null | grep -q NEEDED && file "$build-static/vfiotrace" | grep -q 'statically linked'
ok $? "needs no library ($(stat -c %s "$build-static/vfiotrace" 2>/dev/null) bytes)"
mkdir "$work/empty"
cp "$build-static/vfiotrace" "$work/empty/"
if [ "$(id -u)" -eq 0 ]; then
	chroot "$work/empty" /vfiotrace --version >"$work/log" 2>&1
	ok $? "runs in a directory with nothing else in it: $(cat "$work/log")"
else
	skip "runs in an empty directory" "needs root for chroot"
fi

# --- other architectures ------------------------------------------------------------------------------
for arch in arm64 s390x; do
	case $arch in arm64) tuple=aarch64-linux-gnu machine=AArch64 ;; *) tuple=$arch-linux-gnu machine='IBM S/390' ;; esac
	if ! command -v "$tuple-gcc" >/dev/null; then
		skip "make ARCH=$arch" "no $tuple-gcc"
		skip "the binary is for $arch" "no $tuple-gcc"
		continue
	fi
	tests/locked-make "$build-$arch" ARCH=$arch >"$work/log" 2>&1
	status=$?
	ok $status "make ARCH=$arch"
	[ $status -eq 0 ] || notes "$work/log"
	readelf -h "$build-$arch/vfiotrace" 2>/dev/null | grep -q "Machine:.*$machine"
	ok $? "the binary is for $arch"
	[ -n "${VFIOTRACE_LONG:-}" ] || continue
	src/debian/build-deb "$(sed -n 's/^VERSION *:= *//p' Makefile)" "$build-$arch/deb" $arch >"$work/log" 2>&1
	status=$?
	ok $status "make deb ARCH=$arch"
	[ $status -eq 0 ] || notes "$work/log"
	foreign=$(ls "$build-$arch"/deb/vfiotrace_*_$arch.deb 2>/dev/null)
	[ "$(dpkg-deb -f "$foreign" Architecture 2>/dev/null)" = $arch ] &&
		cmp -s <(dpkg-deb -f "$foreign" Depends | sed 's/ *([^)]*)//g') <(dpkg-deb -f "$first" Depends | sed 's/ *([^)]*)//g')
	ok $? "it is for $arch and depends on the same libraries as the native one"
done
echo "1..$count"
