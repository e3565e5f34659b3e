#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package under real dpkg in a guest with systemd: what install, upgrade, remove and purge do to
# the service and to what it left.
. "$(dirname "$0")/tap.sh"
top=$(cd "$here/../.." && pwd)
build=${BUILD:-build}

# Two versions of the package as it was built, told apart by their last number.
make_versions() {
	local package number
	"$top/tests/locked-make" "$build" deb >"$work/deb.log" 2>&1 || { tail -n 20 "$work/deb.log"; return 1; }
	package=$(compgen -G "$top/$build/deb/vfiotrace_*_$(dpkg --print-architecture).deb") || return 1
	for number in 1 2; do
		rm -rf "$work/version"
		dpkg-deb -R "$package" "$work/version" &&
			sed -i -E "s/^(Version: .*)/\\1.$number/" "$work/version/DEBIAN/control" &&
			dpkg-deb --root-owner-group -b "$work/version" "$work/vfiotrace_$number.deb" >/dev/null || return 1
	done
}

says() { # text, file, lines that must be there
	local text=$1 file=$2 line
	shift 2
	for line; do
		if ! grep -qxE "$line" "$current/$file"; then
			not_ok "$text (no line $line)" "$current/$file"
			return
		fi
	done
	ok "$text"
}

label='dpkg: '
if ! make_versions; then
	not_ok "the package is built in two versions"
	finish
	exit 0
fi
if boot 6.1 --dpkg "$work/vfiotrace_1.deb" --dpkg "$work/vfiotrace_2.deb" dpkg && scenario dpkg; then
	for step in install upgrade upgrade-stopped remove purge; do code "dpkg is content: $step" $step 0; done
	says "installing neither enables nor starts the service" installed 'ActiveState=inactive' 'UnitFileState=disabled' 'installed .*\.1'
	says "it runs when it was enabled and started" running 'ActiveState=active' 'UnitFileState=enabled'
	says "an upgrade leaves it enabled and running" upgraded 'ActiveState=active' 'UnitFileState=enabled' 'installed .*\.2'
	before=$(grep ^MainPID "$current/running") after=$(grep ^MainPID "$current/upgraded")
	if [ -n "$after" ] && [ "$after" != MainPID=0 ] && [ "$before" != "$after" ]; then
		ok "an upgrade starts the new program ($before, then $after)"
	else
		not_ok "the upgrade starts the new program ($before, then $after)" "$current/upgrade.dpkg"
	fi
	says "an upgrade does not start a service that was stopped" upgraded-stopped 'ActiveState=inactive' 'UnitFileState=enabled'
	says "removing stops it" removed 'ActiveState=inactive' 'MainPID=0' 'config-files .*'
	if [ -s "$current/pids" ]; then not_ok "no process of it is left after that" "$current/pids"; else ok "no process of it is left after that"; fi
	says "removing keeps its configuration and its incident files" removed /etc/default/vfiotrace
	if grep -qx kept "$current/left"; then ok "what the service wrote is still there"; else not_ok "what the service wrote is still there" "$current/left"; fi
	if grep -q '^/' "$current/purged"; then
		not_ok "purging removes configuration and state" "$current/purged"
	else
		ok "purging removes configuration and state"
	fi
fi
finish
