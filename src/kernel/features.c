// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What this kernel and these privileges offer: one row a feature, what needs it, how to get it.
 * A row's function only looks; what is not there costs that row.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <sys/capability.h>

#include "kernel/kernel_private.h"

static enum feature_state yes_if(bool condition)
{
	return condition ? FEATURE_YES : FEATURE_NO;
}

static bool has_capability(cap_value_t capability)
{
	cap_flag_value_t value = CAP_CLEAR;
	cap_t own = cap_get_proc();

	if (own)
		cap_get_flag(own, capability, CAP_EFFECTIVE, &value);
	cap_free(own);
	return value == CAP_SET;
}

/* CAP_BPF and CAP_PERFMON came with 5.8; module BTF is handed out to CAP_SYS_ADMIN only. */
static enum feature_state look_privileges(struct kernel *k)
{
	(void)k;
	return yes_if(has_capability(CAP_SYS_ADMIN) && has_capability(CAP_SYSLOG) &&
		      has_capability(CAP_DAC_READ_SEARCH));
}

/* "none [integrity] confidentiality": only the last one hides kernel memory from BPF. */
static enum feature_state look_lockdown(struct kernel *k)
{
	char *text = read_whole_fd(
		pseudo_fs__open("securityfs", "/sys/kernel/security", "lockdown"), NULL);
	enum feature_state state;
	(void)k;

	if (!text) /* no such file: this kernel has no lockdown */
		return errno == ENOENT ? FEATURE_YES : FEATURE_UNKNOWN;
	state = yes_if(!strstr(text, "[confidentiality]"));
	free(text);
	return state;
}

static enum feature_state look_vmlinux_btf(struct kernel *k)
{
	return yes_if(kernel__has_btf(k));
}

static enum feature_state module_btf_state(struct kernel *k, const char *module, const char *type)
{
	if (kernel__module_btf(k, module, true) || kernel__has_struct(k, type))
		return FEATURE_YES;
	return modules__find(k, module) ? FEATURE_NO : FEATURE_UNKNOWN;
}

static enum feature_state look_vfio_btf(struct kernel *k)
{
	return module_btf_state(k, "vfio", "vfio_group");
}

static enum feature_state look_kvm_btf(struct kernel *k)
{
	return module_btf_state(k, "kvm", "kvm_vfio");
}

static enum feature_state module_state(struct kernel *k, const char *module)
{
	char path[1024];

	if (kernel__module_loaded(k, module))
		return FEATURE_YES;
	return module_file(k, module, path, sizeof(path)) ? FEATURE_UNKNOWN : FEATURE_NO;
}

/* Loaded, built in, or there to be loaded (unknown until it is). */
static enum feature_state look_vfio(struct kernel *k)
{
	if (kernel__has_struct(k, "vfio_device"))
		return FEATURE_YES;
	return module_state(k, "vfio");
}

static enum feature_state look_kvm(struct kernel *k)
{
	if (!access("/dev/kvm", F_OK) || kernel__has_struct(k, "kvm_vfio"))
		return FEATURE_YES;
	return module_state(k, "kvm");
}

static enum feature_state look_kallsyms(struct kernel *k)
{
	return yes_if(!symbols__hidden(k));
}

static enum feature_state look_kallsyms_data(struct kernel *k)
{
	if (symbols__hidden(k))
		return FEATURE_UNKNOWN;
	return yes_if(symbols__has_data(k));
}

static enum feature_state look_fentry(struct kernel *k)
{
	int error = kernel__try_fentry(k);

	if (error && look_privileges(k) != FEATURE_YES)
		return FEATURE_UNKNOWN;
	return yes_if(!error);
}

static enum feature_state look_kprobe(struct kernel *k)
{
	if (config__known(k))
		return yes_if(kernel__config(k, "KPROBES") && kernel__config(k, "KPROBE_EVENTS"));
	return yes_if(!access("/sys/bus/event_source/devices/kprobe/type", F_OK));
}

static enum feature_state look_kprobe_multi(struct kernel *k)
{
	return yes_if(kernel__symbol(k, "register_fprobe") != 0);
}

static enum feature_state look_contention(struct kernel *k)
{
	if (!kernel__has_btf(k))
		return FEATURE_UNKNOWN;
	return yes_if(kernel__has_tracepoint(k, "contention_begin"));
}

static enum feature_state look_lockdep(struct kernel *k)
{
	if (!kernel__has_btf(k))
		return FEATURE_UNKNOWN;
	return yes_if(kernel__has_tracepoint(k, "lock_acquire"));
}

static enum feature_state probed(int result)
{
	return result < 0 ? FEATURE_UNKNOWN : yes_if(result > 0);
}

/* Creating a map is the only sure test, and needs privileges of its own. */
static enum feature_state look_ring_buffer(struct kernel *k)
{
	if (look_privileges(k) != FEATURE_YES)
		return FEATURE_UNKNOWN;
	return probed(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL));
}

static enum feature_state look_task_storage(struct kernel *k)
{
	if (look_privileges(k) != FEATURE_YES)
		return FEATURE_UNKNOWN;
	return probed(libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL));
}

static enum feature_state look_task_iterator(struct kernel *k)
{
	return yes_if(kernel__has_struct(k, "bpf_iter__task") &&
		      kernel__has_struct(k, "bpf_iter__task_file"));
}

static enum feature_state look_preempt_rt(struct kernel *k)
{
	return yes_if(strstr(k->version_text, "PREEMPT_RT") ||
		      !access("/sys/kernel/realtime", F_OK));
}

static enum feature_state look_cdev(struct kernel *k)
{
	if (config__known(k))
		return yes_if(kernel__config(k, "VFIO_DEVICE_CDEV"));
	return yes_if(kernel__function_known(k, "vfio_df_ioctl_bind_iommufd") ||
		      !access("/dev/vfio/devices", F_OK));
}

static enum feature_state look_debug_info(struct kernel *k)
{
	return yes_if(frames__have_debug_info(k));
}

static const struct {
	const char *name;
	enum feature_state (*look)(struct kernel *k);
	const char *needed_for;
	const char *remedy; /* NULL: nothing is wrong without it */
} rows[] = {
	{"privileges", look_privileges, "everything",
	 "run as root, or with CAP_SYS_ADMIN, CAP_SYSLOG and CAP_DAC_READ_SEARCH"},
	{"lockdown_permits", look_lockdown, "everything: BPF must read kernel memory",
	 "boot with lockdown=integrity or none: confidentiality mode hides kernel memory from BPF"},
	{"vmlinux_btf", look_vmlinux_btf, "everything: types of the running kernel",
	 "give a BTF of exactly this kernel with --btf FILE, or boot one built with "
	 "CONFIG_DEBUG_INFO_BTF"},
	{"vfio", look_vfio, "the VFIO locks and paths",
	 "modprobe vfio-pci; if there is no such module, a kernel with CONFIG_VFIO"},
	{"kvm", look_kvm, "the KVM locks and paths",
	 "modprobe kvm_intel or kvm_amd; if there is no such module, a kernel with CONFIG_KVM"},
	{"vfio_btf", look_vfio_btf, "fentry in vfio, names of its locks",
	 "modprobe vfio; if it is loaded, a kernel with CONFIG_DEBUG_INFO_BTF_MODULES"},
	{"kvm_btf", look_kvm_btf, "fentry in kvm, names of its locks",
	 "modprobe kvm; if it is loaded, a kernel with CONFIG_DEBUG_INFO_BTF_MODULES"},
	{"kallsyms", look_kallsyms, "symbols in stacks, static locks",
	 "sysctl kernel.kptr_restrict=1 or 0, and CAP_SYSLOG"},
	{"kallsyms_data", look_kallsyms_data,
	 "now: VMs and groups without open files; static locks",
	 "a kernel with CONFIG_KALLSYMS_ALL"},
	{"fentry", look_fentry, "watch at its cheapest, losses counted",
	 "nothing to do: kprobes are used instead, where there are any"},
	{"kprobe", look_kprobe, "watch where fentry is not possible",
	 "a kernel with CONFIG_KPROBES and CONFIG_KPROBE_EVENTS"},
	{"kprobe_multi", look_kprobe_multi, "attaching many kprobes at once", NULL},
	{"contention_tracepoints", look_contention, "live deadlocks, wait times, stalls",
	 "Linux 5.19 or newer"},
	{"ring_buffer", look_ring_buffer, "everything live", "Linux 5.8 or newer"},
	{"task_storage", look_task_storage, "held sets of tasks", "Linux 5.12 or newer"},
	{"task_iterator", look_task_iterator, "now", "Linux 5.8 or newer"},
	{"lockdep_tracepoints", look_lockdep, "--attach lockdep", NULL},
	{"preempt_rt", look_preempt_rt, "mutexes are rt_mutexes here", NULL},
	{"iommufd_cdev", look_cdev, "the cdev path of a device", NULL},
	{"debug_info", look_debug_info, "file:line in stacks",
	 "install the kernel's debug symbols, or set DEBUGINFOD_URLS"},
};

uint32_t kernel__features(struct kernel *k, struct feature *out, uint32_t max)
{
	uint32_t count = sizeof(rows) / sizeof(*rows);

	for (uint32_t i = 0; i < count && i < max; i++)
		out[i] = (struct feature){.name = rows[i].name,
					  .state = rows[i].look(k),
					  .needed_for = rows[i].needed_for,
					  .remedy = rows[i].remedy};
	return count < max ? count : max;
}
