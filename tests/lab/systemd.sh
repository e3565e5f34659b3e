# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A guest whose first process is this machine's systemd, with a package installed, or with dpkg to install
# one. Sourced by run-guest. What udev, D-Bus and logins need is left out; what a service needs is all there.
systemd_programs=(/lib/systemd/systemd /lib/systemd/systemd-journald /lib/systemd/systemd-executor
	/lib/systemd/systemd-socket-proxyd /lib/systemd/systemd-cgroups-agent /lib/systemd/systemd-shutdown
	/bin/systemctl /bin/journalctl /usr/bin/systemd-run /usr/bin/systemd-cgls)
systemd_units=(basic.target sysinit.target multi-user.target sockets.target timers.target paths.target
	slices.target local-fs.target local-fs-pre.target swap.target shutdown.target umount.target final.target
	poweroff.target user.slice systemd-poweroff.service systemd-journald.service systemd-journald.socket
	systemd-journald-dev-log.socket)

copy_systemd() { # root
	local root=$1 file
	[ -x /lib/systemd/systemd ] || { say "systemd is not installed here"; exit 77; }
	for file in "${systemd_programs[@]}"; do
		[ ! -x "$file" ] || copy_program "$file" "$root" "$file"
	done
	for file in "${systemd_units[@]}"; do
		mkdir -p "$root/lib/systemd/system"
		[ ! -e "/lib/systemd/system/$file" ] || cp -L "/lib/systemd/system/$file" "$root/lib/systemd/system/"
	done
	mkdir -p "$root/lib/systemd/system/sockets.target.wants" "$root/etc/systemd/system/multi-user.target.wants"
	for file in systemd-journald.socket systemd-journald-dev-log.socket; do
		ln -s "../$file" "$root/lib/systemd/system/sockets.target.wants/$file"
	done
	ln -s multi-user.target "$root/lib/systemd/system/default.target"
	# the scenarios run as a service of it, outside any sandbox
	cat >"$root/etc/systemd/system/lab.service" <<-'UNIT'
		[Unit]
		Description=The lab's scenarios
		[Service]
		ExecStart=/lab/run-scenarios
		StandardOutput=journal+console
		StandardError=journal+console
	UNIT
	ln -s ../lab.service "$root/etc/systemd/system/multi-user.target.wants/lab.service"
	printf '[Manager]\nShowStatus=no\nDefaultTimeoutStartSec=300\n' >"$root/etc/systemd/system.conf"
	printf '[Journal]\nStorage=volatile\nForwardToConsole=no\nRateLimitBurst=0\n' >"$root/etc/systemd/journald.conf"
	: >"$root/etc/machine-id"
	printf 'passwd: files\ngroup: files\n' >"$root/etc/nsswitch.conf"
}

# As dpkg would, without scripts: the package enables and starts nothing by itself.
install_package() { # root, package
	local root=$1 program
	dpkg-deb -x "$2" "$root"
	while read -r program; do
		copy_program "$program" "$root" "${program#"$root"}"
	done < <(find "$root/usr/sbin" "$root/usr/bin" -type f -name 'vfiotrace*' 2>/dev/null)
	[ -x "$root/usr/sbin/vfiotrace" ] || { say "$2 brings no /usr/sbin/vfiotrace"; exit 1; }
	ln -sf /usr/sbin/vfiotrace "$root/lab/bin/vfiotrace"
}

# dpkg itself with what maintainer scripts call, and a database that says what of this machine is there: the
# packages that the given ones depend on.
dpkg_programs=(/usr/bin/dpkg /usr/bin/dpkg-deb /usr/bin/dpkg-query /usr/bin/dpkg-split /usr/bin/dpkg-trigger
	/usr/bin/dpkg-maintscript-helper /bin/tar /sbin/ldconfig /sbin/start-stop-daemon /usr/bin/perl
	/usr/bin/deb-systemd-helper /usr/bin/deb-systemd-invoke)
copy_dpkg() { # root, package file...
	local root=$1 file name
	shift
	for file in "${dpkg_programs[@]}"; do copy_program "$file" "$root" "$file"; done
	mkdir -p "$root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)" "$root/usr/share"
	cp -a "/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/perl-base" "$root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/"
	cp -a /usr/share/dpkg "$root/usr/share/"
	mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers,alternatives,parts} "$root/var/log" "$root/etc/dpkg"
	for file; do dpkg-deb -f "$file" Depends; done | tr ',|' '\n\n' | sed -E 's/\(.*//; s/:any//; s/ //g' | sort -u |
		while read -r name; do
			[ -n "$name" ] || continue
			dpkg-query -s "$name" 2>/dev/null | grep -vE '^(Pre-)?Depends:' || continue
			echo
		done >"$root/var/lib/dpkg/status"
	for file; do # the libraries of what it brings
		dpkg-deb -x "$file" "$work/unpacked"
		copy_program "$work/unpacked/usr/sbin/vfiotrace" "$root" /lab/libraries/vfiotrace
	done
	rm -rf "$work/unpacked" "$root/lab/libraries"
}
