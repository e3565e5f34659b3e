// SPDX-License-Identifier: GPL-2.0-or-later
/* The probes, one row each. */
#include "capture/probe_table.h"

#define ENTRY PROBE_ENTRY
#define PAIR (PROBE_ENTRY | PROBE_EXIT)
#define BACKUP PROBE_BACKUP
#define LOCK(function, more)                                                                       \
	{                                                                                          \
		.name = #function, .object = PROBE_IN_LOCKS, .functions = {#function},             \
		.flags = (more)                                                                    \
	}
#define READER(function, more)                                                                     \
	{                                                                                          \
		.name = #function, .object = PROBE_IN_LOCKS, .functions = {#function},             \
		.flags = (more) | PROBE_READER, .released_by = "up_read"                           \
	}
#define HOTPLUG(function, release)                                                                 \
	{                                                                                          \
		.name = #function, .object = PROBE_IN_LOCKS, .functions = {#function},             \
		.flags = ENTRY | BACKUP | PROBE_OPTIONAL | PROBE_NO_OWNER_WORD,                    \
		.only_class = "cpu_hotplug_lock", .released_by = (release)                         \
	}
#define LOCK_OR(function, other, more)                                                             \
	{                                                                                          \
		.name = #function, .object = PROBE_IN_LOCKS, .functions = {#function, other},      \
		.flags = (more)                                                                    \
	}
#define NESTED(function)                                                                           \
	{                                                                                          \
		.name = #function, .object = PROBE_IN_LOCKS, .functions = {#function},             \
		.flags = ENTRY | PROBE_OPTIONAL | PROBE_QUIET,                                     \
		.absent = "only with DEBUG_LOCK_ALLOC"                                             \
	}
#define PATH(row, in, more, ...)                                                                   \
	{                                                                                          \
		.name = row, .object = PROBE_IN_PATHS, .module = in, .functions = {__VA_ARGS__},   \
		.flags = (more)                                                                    \
	}

const struct probe_row probe_table[] = {
	/* with DEBUG_LOCK_ALLOC the plain names are macros for the nested functions */
	LOCK_OR(mutex_lock, "mutex_lock_nested", ENTRY | BACKUP | PROBE_REQUIRED),
	LOCK_OR(mutex_lock_interruptible, "mutex_lock_interruptible_nested",
		ENTRY | BACKUP | PROBE_REQUIRED),
	{.name = "mutex_lock_killable",
	 .object = PROBE_IN_LOCKS,
	 .functions = {"mutex_lock_killable", "mutex_lock_killable_nested", "_mutex_lock_killable"},
	 .flags = ENTRY | BACKUP | PROBE_REQUIRED},
	LOCK_OR(mutex_lock_io, "mutex_lock_io_nested", ENTRY),
	LOCK_OR(mutex_trylock, "_mutex_trylock_nest_lock", ENTRY | BACKUP | PROBE_REQUIRED),
	NESTED(_mutex_lock_nest_lock),
	NESTED(down_read_nested),
	NESTED(down_write_nested),
	NESTED(down_write_killable_nested),
	NESTED(_down_write_nest_lock),
	LOCK(atomic_dec_and_mutex_lock, ENTRY),
	LOCK(down_write, ENTRY | BACKUP | PROBE_REQUIRED),
	LOCK(down_write_killable, ENTRY | BACKUP | PROBE_REQUIRED),
	LOCK(down_write_trylock, ENTRY | BACKUP | PROBE_REQUIRED),
	READER(down_read, ENTRY | BACKUP | PROBE_REQUIRED),
	READER(down_read_interruptible, PAIR),
	READER(down_read_killable, PAIR | BACKUP),
	READER(down_read_trylock, PROBE_EXIT | BACKUP),
	LOCK(up_read, ENTRY | BACKUP | PROBE_REQUIRED | PROBE_READER),
	READER(downgrade_write, ENTRY | BACKUP | PROBE_REQUIRED),
	/* percpu_down_write: also writers of other percpu_rw_semaphores, whose readers are inline
	 */
	HOTPLUG(cpus_read_lock, "cpus_read_unlock"),
	HOTPLUG(cpus_read_unlock, NULL),
	HOTPLUG(percpu_down_write, "percpu_up_write"),
	HOTPLUG(percpu_up_write, NULL),
	/* 7.2 split __mutex_init into mutex_init_generic (no name without lockdep) */
	{.name = "mutex_init",
	 .object = PROBE_IN_LOCKS,
	 .functions = {"__mutex_init", "mutex_init_generic"},
	 .flags = ENTRY | BACKUP | PROBE_OPTIONAL},
	{.name = "mutex_init_rt",
	 .object = PROBE_IN_LOCKS,
	 .functions = {"__mutex_rt_init", "mutex_rt_init_generic"},
	 .flags = ENTRY | BACKUP | PROBE_OPTIONAL,
	 .absent = "only on PREEMPT_RT"},
	LOCK(__init_rwsem, ENTRY | BACKUP | PROBE_OPTIONAL),

	{.name = "page_fault",
	 .object = PROBE_IN_LOCKS,
	 .functions = {"kernel_fault", "page_fault_kernel"},
	 .flags = PROBE_TRACEPOINT | PROBE_OPTIONAL,
	 .absent = "x86 only: faults under a lock are not seen"},

	LOCK(mutex_unlock, ENTRY | PROBE_HOLDS),
	LOCK(up_write, ENTRY | PROBE_HOLDS),
#define ACQUIRED(function)                                                                         \
	{                                                                                          \
		.name = "acquired " #function, .object = PROBE_IN_LOCKS, .functions = {#function}, \
		.flags = PROBE_EXIT | PROBE_ACQUIRED | PROBE_HOLDS                                 \
	}
	ACQUIRED(mutex_lock),
	ACQUIRED(mutex_lock_io),
	ACQUIRED(mutex_lock_interruptible),
	ACQUIRED(mutex_lock_killable),
	ACQUIRED(mutex_trylock),
	ACQUIRED(down_write),
	ACQUIRED(down_write_killable),
	ACQUIRED(down_write_trylock),
	ACQUIRED(down_read),
	{.name = "task_forked",
	 .object = PROBE_IN_LOCKS,
	 .functions = {"task_forked"},
	 .flags = PROBE_EVENTS | PROBE_TRACEPOINT},
	{.name = "task_exited",
	 .object = PROBE_IN_LOCKS,
	 .functions = {"task_exited"},
	 .flags = PROBE_EVENTS | PROBE_TRACEPOINT},

#define MODULES(program, tracepoint)                                                               \
	{                                                                                          \
		.name = #program, .object = PROBE_IN_PATHS, .functions = {#program, tracepoint},   \
		.flags = PROBE_TRACEPOINT | PROBE_OPTIONAL | PROBE_QUIET,                          \
		.absent = "this kernel has no modules"                                             \
	}
	MODULES(module_loaded, "module_load"),
	MODULES(module_freed, "module_free"),

	{.name = "lock_acquire",
	 .object = PROBE_IN_LOCKDEP,
	 .functions = {"lockdep_acquire"},
	 .flags = PROBE_TRACEPOINT | PROBE_REQUIRED},
	{.name = "lock_release",
	 .object = PROBE_IN_LOCKDEP,
	 .functions = {"lockdep_release"},
	 .flags = PROBE_TRACEPOINT | PROBE_REQUIRED},

	PATH("group_ioctl", "vfio", PAIR | PROBE_REQUIRED, "vfio_group_fops_unl_ioctl"),
	PATH("group_open", "vfio", PAIR, "vfio_group_fops_open"),
	PATH("group_release", "vfio", PAIR, "vfio_group_fops_release"),
	PATH("device_ioctl", "vfio", PAIR, "vfio_device_fops_unl_ioctl"),
	PATH("device_release", "vfio", PAIR | PROBE_REQUIRED, "vfio_device_fops_release"),
	PATH("container_ioctl", "vfio", PAIR, "vfio_fops_unl_ioctl"),
	PATH("container_release", "vfio", PAIR, "vfio_fops_release"),
	/* vfio_device_open (5.19, 805bb6c1bd90) became vfio_df_open in 6.6 (05f37e1c03b6); where it
	 * is inlined the group ioctl stands for it */
	{.name = "device_open",
	 .object = PROBE_IN_PATHS,
	 .module = "vfio",
	 .functions = {"vfio_df_open"},
	 .flags = PAIR | PROBE_OPTIONAL,
	 .absent = "before 6.6 (05f37e1c03b6) the group ioctl stands for it"},
	{.name = "device_close",
	 .object = PROBE_IN_PATHS,
	 .module = "vfio",
	 .functions = {"vfio_df_close"},
	 .flags = ENTRY | PROBE_OPTIONAL,
	 .absent = "before 6.6 (05f37e1c03b6) the device file's release stands for it"},
	/* _vfio_device_get_kvm_safe in 6.3 (2b48f52f2bff), renamed in 6.6 (5c6de3ea7376) */
	{.name = "get_kvm",
	 .object = PROBE_IN_PATHS,
	 .module = "vfio",
	 .functions = {"vfio_device_get_kvm_safe", "_vfio_device_get_kvm_safe"},
	 .flags = PAIR | PROBE_OPTIONAL,
	 .absent = "came with 2b48f52f2bff (6.3), which this kernel does not have"},
	{.name = "device_put_kvm",
	 .object = PROBE_IN_PATHS,
	 .module = "vfio",
	 .functions = {"vfio_device_put_kvm"},
	 .flags = ENTRY | PROBE_OPTIONAL,
	 .absent = "came with 2b48f52f2bff (6.3); drivers call kvm_put_kvm"},
	PATH("set_kvm", "vfio", ENTRY | PROBE_REQUIRED, "vfio_file_set_kvm"),
	PATH("kvm_dev_ioctl", "kvm", PAIR | PROBE_REQUIRED, "kvm_dev_ioctl"),
	PATH("vm_ioctl", "kvm", PAIR | PROBE_REQUIRED, "kvm_vm_ioctl"),
	PATH("vm_release", "kvm", PAIR, "kvm_vm_release"),
	PATH("vcpu_ioctl", "kvm", PAIR, "kvm_vcpu_ioctl"),
	PATH("kvm_device_ioctl", "kvm", PAIR, "kvm_device_ioctl"),
	PATH("kvm_device_release", "kvm", PAIR | PROBE_REQUIRED, "kvm_device_release"),
	PATH("vm_destroy", "kvm", PAIR | PROBE_REQUIRED, "kvm_destroy_vm"),
	PATH("put_kvm", "kvm", ENTRY | PROBE_REQUIRED, "kvm_put_kvm"),
	PATH("kvm_vfio_set_attr", "kvm", PAIR | PROBE_REQUIRED, "kvm_vfio_set_attr"),
};
const uint32_t probe_table_count = sizeof(probe_table) / sizeof(probe_table[0]);

const struct path_row path_table[PATH_COUNT] = {
	{PATH_DEVICE_OPEN, {"device_open", "group_ioctl"}, NULL},
	{PATH_DEVICE_CLOSE, {"device_close", "device_release"}, NULL},
	{PATH_GET_KVM,
	 {"get_kvm"},
	 "vfio_device_get_kvm_safe came with 2b48f52f2bff (6.3), which this kernel does not have"},
	{PATH_PUT_KVM, {"put_kvm"}, NULL},
	{PATH_SET_KVM, {"set_kvm"}, NULL},
	{PATH_GROUP_ADD, {"kvm_vfio_set_attr"}, NULL},
	{PATH_GROUP_DEL, {"kvm_vfio_set_attr"}, NULL},
	{PATH_KVM_DEVICE_RELEASE, {"kvm_device_release"}, NULL},
	{PATH_VM_CREATE, {"kvm_dev_ioctl"}, NULL},
	{PATH_VM_DESTROY, {"vm_destroy"}, NULL},
};
