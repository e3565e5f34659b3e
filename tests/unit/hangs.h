/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hangs.h - blocked tasks as a kernel log states them: a VCPU and two more behind one mutex of a
 * vGPU driver whose owner runs, and a task that waits for I/O.
 */
#ifndef VFIOTRACE_TEST_HANGS_H
#define VFIOTRACE_TEST_HANGS_H

#include <stdlib.h>

#include "analysis.h"

#define HANGS_SECOND 1000000000ULL

struct hangs {
	struct model *m;
	struct analysis *a;
	uint32_t vgpu_class, kvm_class, vgpu_lock, kvm_lock;
	uint32_t vcpu, worker, writer, disk, stack, worker_stack, disk_stack;
};

static inline uint32_t hangs_stack(struct hangs *h, const char *const *symbols,
				   const char *const *modules, uint32_t count)
{
	struct frame frames[8] = {{0}};

	for (uint32_t i = 0; i < count; i++)
		frames[i] = (struct frame){
			.symbol = symbols[i], .module = modules[i], .offset = 0x51 + i};
	return model__add_stack(h->m, STACK_FULL, frames, count);
}

static inline void hangs_stacks(struct hangs *h)
{
	static const char *const vcpu[] = {"__mutex_lock.constprop.0", "vgpu_mmio_read",
					   "vfio_device_fops_read", "vfs_read"};
	static const char *const vcpu_modules[] = {NULL, "examplegpu", "vfio", NULL};
	static const char *const worker[] = {"vgpu_reset_worker", "process_one_work"};
	static const char *const worker_modules[] = {"examplegpu", NULL};
	static const char *const disk[] = {"io_schedule", "folio_wait_bit_common", "filemap_read"};
	static const char *const none[] = {NULL, NULL, NULL};

	h->stack = hangs_stack(h, vcpu, vcpu_modules, 4);
	h->worker_stack = hangs_stack(h, worker, worker_modules, 2);
	h->disk_stack = hangs_stack(h, disk, none, 3);
}

static inline struct task_wait hangs_wait(enum wait_what what, uint32_t lock_class,
					  const char *site, uint64_t seconds)
{
	return (struct task_wait){.what = what,
				  .lock_class = lock_class,
				  .site = site,
				  .blocked_ns = seconds * HANGS_SECOND,
				  .owner = {.task = NO_ID, .stack = NO_ID}};
}

static inline const struct finding *hangs_add(struct hangs *h, uint32_t task, uint32_t wants,
					      uint32_t stack, struct task_wait wait,
					      uint64_t seconds)
{
	struct blocked_task t = blocked_task__of(task);

	t.wants = wants;
	t.state = 'D';
	t.kernel_stack = stack;
	t.wait = &wait;
	if (task == h->vcpu) {
		t.holds[0] = h->kvm_lock;
		t.hold_count = 1;
	}
	return analysis__add_hang(h->a, &t, seconds * HANGS_SECOND, NULL);
}

/* Of the VCPU; the owner is the worker, which runs. */
static inline const struct finding *hangs_add_vcpu(struct hangs *h, uint64_t blocked, uint64_t at)
{
	struct task_wait wait = hangs_wait(WAIT_WHAT_MUTEX, h->vgpu_class,
					   "vgpu_mmio_read+0x52 [examplegpu]", blocked);

	wait.owner = (struct other_task){h->worker, 'R', h->worker_stack, 0};
	return hangs_add(h, h->vcpu, h->vgpu_lock, h->stack, wait, at);
}

/* Nothing is stated yet. `comm` of the VCPU's task, NULL: its usual one. */
static inline struct hangs *hangs_new(const char *comm, const struct analysis_options *options)
{
	struct hangs *h = calloc(1, sizeof(*h));

	h->m = model__new();
	model__set_fact(h->m, "kernel.release", "6.1.0-53-amd64");
	model__set_fact(h->m, "source.format", "hung");
	model__clock(h->m)->has_time = true;
	model__clock(h->m)->start = 400 * HANGS_SECOND;
	model__clock(h->m)->end = 700 * HANGS_SECOND;
	h->vgpu_class = model__add_class(h->m, "vgpu.vgpu_lock", LOCK_KIND_MUTEX, 0);
	h->kvm_class = model__add_class(h->m, "kvm_vcpu.mutex", LOCK_KIND_MUTEX, CLASS_IN_SCOPE);
	h->vgpu_lock = model__add_instance(h->m, h->vgpu_class, 0xffff888104a3c7c8ULL, 0);
	h->kvm_lock = model__add_instance(h->m, h->kvm_class, 0xffff88810a3000b0ULL, 0);
	h->vcpu = model__add_task(h->m, 11091, 11091, comm ? comm : "CPU 6/KVM", 0, 0);
	h->worker = model__add_task(h->m, 333, 333, "gpu-worker", 0, 0);
	h->writer = model__add_task(h->m, 812, 812, "vgpu-ctl", 0, 0);
	h->disk = model__add_task(h->m, 900, 900, "qemu-img", 0, 0);
	hangs_stacks(h);
	h->a = analysis__new(h->m, options ? options : &(struct analysis_options){0});
	return h;
}

static inline void hangs_free(struct hangs *h)
{
	analysis__free(h->a);
	model__free(h->m);
	free(h);
}

/* All of them, and what follows from them together. */
static inline struct hangs *hangs_complete(const char *comm, const struct analysis_options *options)
{
	struct hangs *h = hangs_new(comm, options);

	hangs_add_vcpu(h, 120, 500);
	hangs_add_vcpu(h, 241, 621);
	hangs_add(h, h->writer, h->vgpu_lock, h->stack,
		  hangs_wait(WAIT_WHAT_MUTEX, h->vgpu_class, "vgpu_reset+0x20 [examplegpu]", 122),
		  621);
	hangs_add(h, h->disk, NO_ID, h->disk_stack,
		  hangs_wait(WAIT_WHAT_FOLIO, NO_ID, "filemap_read+0x53", 122), 621);
	analysis__finish(h->a);
	return h;
}

#endif
