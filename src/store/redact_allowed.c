// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What may stay in a redacted recording. Everything that is on no list here, and is no class name,
 * no symbol of the kernel and no number, goes.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "store/redact.h"

/* Of the kernel's own tree, as they lie on stacks of lock users. '*': whatever follows. */
static const char *const modules[] = {
	"kvm_amd",
	"kvm_intel",
	"kvm_hv",
	"kvm_pr",
	"vfio_pci",
	"vfio_pci_core",
	"vfio_iommu_type1",
	"vfio_iommu_spapr_tce",
	"vfio_virqfd",
	"vfio_platform",
	"vfio_platform_base",
	"vfio_amba",
	"vfio_ap",
	"vfio_ccw",
	"vfio_fsl_mc",
	"vfio_cdx",
	"vfio_mdev",
	"mlx5_vfio_pci",
	"hisi_acc_vfio_pci",
	"nvgrace_gpu_vfio_pci",
	"pds_vfio_pci",
	"virtio_vfio_pci",
	"qat_vfio_pci",
	"xe_vfio_pci",
	"kvm",
	"vfio",
	"iommufd",
	"irqbypass",
	"mdev",
	"vhost",
	"vhost_*",
	"virtio",
	"virtio_*",
	"ext4",
	"xfs",
	"btrfs",
	"overlay",
	"jbd2",
	"fuse",
	"nfs",
	"nfs_*",
	"nfsv*",
	"nfsd",
	"sunrpc",
	"cifs",
	"ceph",
	"libceph",
	"tun",
	"tap",
	"bridge",
	"nf_*",
	"x_tables",
	"bonding",
	"veth",
	"e1000*",
	"igb",
	"igbvf",
	"ixgbe*",
	"i40e",
	"iavf",
	"ice",
	"mlx4_*",
	"mlx5_*",
	"bnxt_*",
	"nvme",
	"nvme_*",
	"drm",
	"drm_*",
	"i915",
	"xe",
	"amdgpu",
	"nouveau",
	"usbcore",
	"xhci_*",
	"scsi_mod",
	"sd_mod",
	"sg",
	"dm_*",
	"md_mod",
	"raid*",
	"zram",
	"loop",
	"ib_*",
	"rdma_*",
	"qat_*",
	"intel_*",
	"hisi_*",
	"snd*",
	"thermal_sys",
	"acpi_*",
};

/* Words of what this program says: states, reasons, steps of a schedule. */
static const char words[] =
	" a about absent all allows already also always an and any are as asked asks at attached "
	"auto "
	"be because been between before began begins begun behind beside blocks both budget but by "
	"came "
	"can "
	"cannot chains change changed class classes clean closed come comes could count counted "
	"counts "
	"cut cycle deadlock deadlocks decided dependency detached device direct do does downgraded "
	"dropped each end ended ends entry error events event every exact exist exists exit fail "
	"failed "
	"fault fentry file filled find finding findings first for fork found from full function "
	"functions "
	"give gives given goes group had has have held here hold holds how id if in inconclusive "
	"inferred "
	"inlined inside into inversion is it its itself join joined kept kernel kprobe last later "
	"least "
	"leave leaves left less level library like limit list lock lockdep locks long lost made "
	"make many "
	"map matter may memory missing mode more most must name named names needs never new no "
	"nobody "
	"none normal not nothing now number of off on once one only open or order ordered orders "
	"other "
	"others out over own page pass path paths pending possible prediction preemptible probe "
	"probes "
	"program programs proved queued queue ran reach reached reaches read reader readers "
	"recorded "
	"records recursion refused refuses released releases reordering requested request resolved "
	"room "
	"run runs same say says seen see sees set side sites skipped skips some stack stall stream "
	"started starts "
	"state step still stopped stops such suppressed taken takes task tasks tell than that the "
	"their "
	"them then there these they this those thread threads time times to told too took "
	"tracepoint "
	"traced tracing tried two unknown unprobed until up use used user vfio wait waited waits "
	"was were "
	"what when where which while who whole will with without word work would write writer "
	"writers "
	"written yes yet zero hit not-counted in-tree ";

/* Names of our probes and paths, and the functions they are on. */
static const char *const symbols[] = {
	"__init_rwsem",
	"__mutex_init",
	"__mutex_rt_init",
	"_down_write_nest_lock",
	"_mutex_lock_killable",
	"_mutex_lock_nest_lock",
	"_mutex_trylock_nest_lock",
	"_vfio_device_get_kvm_safe",
	"atomic_dec_and_mutex_lock",
	"container_ioctl",
	"container_release",
	"cpus_read_lock",
	"cpus_read_unlock",
	"device_close",
	"device_ioctl",
	"device_open",
	"device_put_kvm",
	"device_release",
	"down_read",
	"down_read_interruptible",
	"down_read_killable",
	"down_read_nested",
	"down_read_trylock",
	"down_write",
	"down_write_killable",
	"down_write_killable_nested",
	"down_write_nested",
	"down_write_trylock",
	"downgrade_write",
	"get_kvm",
	"group_add",
	"group_del",
	"group_ioctl",
	"group_open",
	"group_release",
	"kvm_destroy_vm",
	"kvm_dev_ioctl",
	"kvm_device_ioctl",
	"kvm_device_release",
	"kvm_put_kvm",
	"kvm_vcpu_ioctl",
	"kvm_vfio_set_attr",
	"kvm_vm_ioctl",
	"kvm_vm_release",
	"lock_acquire",
	"lock_release",
	"lockdep_acquire",
	"lockdep_release",
	"mutex_init",
	"mutex_init_generic",
	"mutex_init_rt",
	"mutex_lock",
	"mutex_lock_interruptible",
	"mutex_lock_interruptible_nested",
	"mutex_lock_io",
	"mutex_lock_io_nested",
	"mutex_lock_killable",
	"mutex_lock_killable_nested",
	"mutex_lock_nested",
	"mutex_rt_init_generic",
	"mutex_trylock",
	"mutex_unlock",
	"percpu_down_write",
	"percpu_up_write",
	"put_kvm",
	"set_kvm",
	"task_exited",
	"task_forked",
	"up_read",
	"up_write",
	"vcpu_ioctl",
	"vfio_device_fops_release",
	"vfio_device_fops_unl_ioctl",
	"vfio_device_get_kvm_safe",
	"vfio_device_put_kvm",
	"vfio_df_close",
	"vfio_df_open",
	"vfio_file_set_kvm",
	"vfio_fops_release",
	"vfio_fops_unl_ioctl",
	"vfio_group_fops_open",
	"vfio_group_fops_release",
	"vfio_group_fops_unl_ioctl",
	"vm_create",
	"vm_destroy",
	"vm_ioctl",
	"vm_release",
};

static bool matches(const char *const *patterns, size_t count, const char *text, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		size_t fixed = strcspn(patterns[i], "*");
		bool open = patterns[i][fixed] == '*';

		if (length >= fixed && (open || length == fixed) &&
		    !strncmp(text, patterns[i], fixed))
			return true;
	}
	return false;
}

bool allowed__module(const char *name)
{
	return matches(modules, sizeof(modules) / sizeof(*modules), name, strlen(name));
}

/* At most one point, and no more digits than a time in ns has. */
static bool is_number(const char *text, size_t length)
{
	size_t digits = 0, points = 0;

	for (size_t i = 0; i < length; i++) {
		digits += isdigit((unsigned char)text[i]) != 0;
		points += text[i] == '.';
	}
	return digits && digits + points == length && points <= 1 && digits <= 20;
}

bool allowed__word(const char *text, size_t length)
{
	char word[40];

	if (is_number(text, length) ||
	    matches(symbols, sizeof(symbols) / sizeof(*symbols), text, length))
		return true;
	if (length + 3 > sizeof(word))
		return false;
	word[0] = word[length + 1] = ' ';
	word[length + 2] = 0;
	for (size_t i = 0; i < length; i++)
		word[i + 1] = (char)tolower((unsigned char)text[i]);
	return strstr(words, word) != NULL;
}

/* Facts whose values say nothing about the host; false also for keys that are a secret. */
enum fact_rule allowed__fact(const char *key)
{
	static const struct {
		const char *key; /* ending in '.': all that begin so */
		enum fact_rule rule;
	} rules[] = {
		{"kernel.release", FACT_STAYS},
		{"kernel.build_id", FACT_STAYS},
		{"kernel.tainted", FACT_STAYS},
		{"arch", FACT_STAYS},
		{"scope", FACT_STAYS},
		{"cpu.count", FACT_STAYS},
		{"recording.version", FACT_STAYS},
		{"recording.sources", FACT_STAYS},
		{"source.format", FACT_STAYS},
		{"source.missing", FACT_IS_TEXT},
		{"trace.conditions", FACT_STAYS},
		{"trace.waits", FACT_STAYS},
		{"probe.", FACT_IS_TEXT},
		{"fix.", FACT_IS_TEXT},
		{"overhead.", FACT_IS_TEXT},
		{"recording.", FACT_IS_TEXT},
		{"model.", FACT_IS_TEXT},
		{"levels", FACT_IS_TEXT},
		{"host.boot_id", FACT_IS_BOOT},
		{"module.", FACT_IS_MODULE},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		size_t length = strlen(rules[i].key);

		if (rules[i].key[length - 1] == '.' ? !strncmp(key, rules[i].key, length)
						    : !strcmp(key, rules[i].key))
			return rules[i].rule;
	}
	return FACT_GOES;
}
