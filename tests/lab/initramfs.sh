# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The pieces of a lab guest's initramfs. Sourced by run-guest.
#   base      busybox and the kernel's modules; cached per kernel
#   overlay   the program with its libraries, clients, lab modules, scenarios; made for each run

# Modules a guest may load; what a kernel does not have is left out.
lab_module_names=(kvm kvm_amd kvm_intel irqbypass vfio vfio_virqfd vfio_iommu_type1 vfio_pci vfio_pci_core
	vfio_platform iommufd mdev virtio_pci virtio_console virtio_mmio virtio_ccw virtio_ring virtio virtio_net 9p 9pnet_virtio
	arm_smmu_v3 vfio_ap vfio_ccw overlay loop ext4 crc32c_generic qemu_fw_cfg)

pack() { # directory: as a cpio on stdout
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z | cpio --quiet --null -o -H newc -R 0:0)
}

# Copy the named modules and all they need, unpacked, and make a module index for busybox.
copy_modules() { # kernel directory, root
	local kernel=$1 root=$2 release module path need
	local -A seen=()
	local queue=() source=$1/lib/modules
	release=$(cat "$kernel/release")
	source+=/$release
	for module in "${lab_module_names[@]}"; do
		path=$(grep -E "(^|/)${module//_/[-_]}\.ko(\.xz|\.zst|\.gz)?:" "$source/modules.dep" | head -n 1) || continue
		queue+=("${path%%:*}")
		for need in ${path#*:}; do queue+=("$need"); done
	done
	for path in "${queue[@]}"; do
		[ -z "${seen[$path]:-}" ] || continue
		seen[$path]=1
		module=$root/lib/modules/$release/${path%.xz}
		module=${module%.zst}
		mkdir -p "${module%/*}"
		case $path in
		*.xz) xz -dc "$source/$path" >"$module" ;;
		*.zst) zstd -qdc "$source/$path" >"$module" ;;
		*) cp "$source/$path" "$module" ;;
		esac
	done
	for need in modules.builtin modules.builtin.modinfo modules.order; do
		if [ -e "$source/$need" ]; then cp "$source/$need" "$root/lib/modules/$release/"; fi
	done
	depmod -b "$root" "$release" 2>/dev/null
}

# Path of the cached base initramfs of a kernel.
base_initramfs() { # kernel directory, busybox
	local kernel=$1 busybox=$2 key file work
	key=$(cat "$kernel/release" "${BASH_SOURCE[0]}" "$busybox" | sha256sum | cut -c1-16)
	file=$cache/initramfs/$(cat "$kernel/release")-$key.cpio
	if [ ! -s "$file" ]; then
		mkdir -p "$cache/initramfs"
		work=$(mktemp -d "$cache/initramfs/.work.XXXXXX")
		mkdir -p "$work/root/bin"
		cp "$busybox" "$work/root/bin/busybox"
		copy_modules "$kernel" "$work/root"
		pack "$work/root" >"$work/base.cpio"
		mv "$work/base.cpio" "$file"
		rm -rf "$work"
	fi
	echo "$file"
}

# Copy a program with the loader and the libraries it needs to the same places in the guest.
copy_program() { # program, root, [place in the guest]
	local program=$1 root=$2 place=${3:-/lab/bin/${1##*/}} library
	mkdir -p "$root${place%/*}"
	[ "$program" -ef "$root$place" ] || cp -L "$program" "$root$place"
	[ "${sysroot:-}" = "" ] || { copy_foreign_libraries "$program" "$root"; return; }
	while read -r library; do
		[ -e "$root$library" ] || { mkdir -p "$root${library%/*}" && cp -L "$library" "$root$library"; }
	done < <(ldd "$program" 2>/dev/null | grep -oE '/[^ ]+' | sort -u)
}

# The same for another architecture: follow NEEDED through the sysroot.
copy_foreign_libraries() { # program, root
	local name file
	while read -r name; do
		file=$(find "$sysroot" -name "$name" \( -type f -o -type l \) | head -n 1)
		[ -n "$file" ] || continue
		if [ ! -e "$2/lib/$name" ]; then
			mkdir -p "$2/lib"
			cp -L "$file" "$2/lib/$name"
			copy_foreign_libraries "$file" "$2"
		fi
	done < <(readelf -d "$1" 2>/dev/null | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p'
		readelf -l "$1" 2>/dev/null | sed -nE 's/.*interpreter: .*\/([^/]*)\]/\1/p')
}

# A real QEMU as VFIO client, with the firmware it wants.
copy_qemu() { # root
	local file
	copy_program "$(command -v qemu-system-x86_64)" "$1"
	for file in /usr/share/seabios/bios-256k.bin /usr/share/qemu/kvmvapic.bin /usr/share/qemu/linuxboot_dma.bin \
		/usr/share/seabios/vgabios-stdvga.bin; do
		[ -e "$file" ] || continue
		mkdir -p "$1${file%/*}"
		cp -L "$file" "$1$file"
	done
}
