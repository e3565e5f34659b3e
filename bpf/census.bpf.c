// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The census: reads of kernel memory that may be freed at any moment, every task with its stack,
 * every open file of interest. Nothing is attached to a function, so this works where fentry is
 * refused.
 *
 * Walking lists and decoding locks is done in user space with offsets from BTF (src/capture): the
 * logic is testable there, and only bpf_probe_read_kernel ever touches the memory.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "census_record.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct census_window);
} window SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct census_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64); /* task_struct */
	__type(value, __u8);
} wanted SEC(".maps");

#define PIECE 16U /* words of a sleeper's stack at a time, power of two */

struct scratch {
	__u64 frames[CENSUS_STACK];
	__u64 words[PIECE];
	__u8 regs[CENSUS_REGS_BYTES];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

SEC("syscall")
int read_memory(void *ctx)
{
	struct census_window *w;
	__u32 zero = 0, count;

	w = bpf_map_lookup_elem(&window, &zero);
	if (!w)
		return 0;
	count = w->count;
	for (__u32 i = 0; i < CENSUS_READS; i++) {
		struct census_read *read;
		__u32 length;

		if (i >= count)
			break;
		read = &w->read[i & (CENSUS_READS - 1)];
		length = read->length;
		if (length > CENSUS_READ_BYTES)
			length = CENSUS_READ_BYTES;
		read->error = bpf_probe_read_kernel(w->data[i & (CENSUS_READS - 1)], length,
						    (void *)read->address);
	}
	return 0;
}

/*
 * What the task sleeps in. Stack walks leave out the functions of the scheduler and of locks
 * (.sched.text), so the stack's words are searched for return addresses into them. Innermost first.
 * In pieces: a shallow stack ends before CENSUS_SCAN_WORDS, with a guard page behind it.
 */
static __always_inline __u32 sleeps_in(const struct census_control *c, struct scratch *scratch,
				       struct task_struct *task)
{
	__u64 sp = 0;

	if (c->sp_offset < 0 || bpf_probe_read_kernel(&sp, sizeof(sp), (void *)task + c->sp_offset))
		return CENSUS_SLEEP_ELSEWHERE;
	for (__u32 i = 0; i < CENSUS_SCAN_WORDS; i++) {
		__u32 word = i & (PIECE - 1);
		__u64 at;

		if (!word && bpf_probe_read_kernel(scratch->words, sizeof(scratch->words),
						   (void *)(sp + i * sizeof(__u64))))
			break;
		at = (scratch->words[word] - c->sched_start) >> CENSUS_GRANULE_SHIFT;
		if (at < CENSUS_GRANULES && c->sleep_at[at & (CENSUS_GRANULES - 1)])
			return c->sleep_at[at & (CENSUS_GRANULES - 1)];
	}
	return CENSUS_SLEEP_ELSEWHERE;
}

#define STATE_UNINTERRUPTIBLE 2U
#define KERNEL_THREAD 0x00200000U /* PF_KTHREAD */

/* The mask is what the verifier of 6.1 understands; it follows no comparison of a copy. */
static __always_inline void write_bytes(struct seq_file *seq, void *data, __u64 bytes)
{
	barrier_var(bytes);
	bytes &= CENSUS_REGS_BYTES - 1;
	bpf_seq_write(seq, data, bytes);
}

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct census_task_record record = {};
	struct task_struct *task = ctx->task;
	struct census_control *c;
	struct scratch *scratch;
	__u32 zero = 0;
	__u64 key;
	long bytes;

	c = bpf_map_lookup_elem(&control, &zero);
	scratch = bpf_map_lookup_elem(&scratches, &zero);
	if (!task || !c || !scratch)
		return 0;
	key = (__u64)task;
	if (c->wanted_only && !bpf_map_lookup_elem(&wanted, &key))
		return 0;
	record.task = key;
	record.pid = task->tgid;
	record.tid = task->pid;
	record.flags = task->flags;
	record.start_time = task->start_time;
	record.exec_start = task->se.exec_start;
	record.switches = task->nvcsw + task->nivcsw;
	record.on_cpu = BPF_CORE_READ_BITFIELD_PROBED(task, on_cpu); /* int, since 7.x u8 */
	record.state = task->__state;
	bpf_probe_read_kernel(record.comm, sizeof(record.comm), task->comm);
	if (record.state && !record.on_cpu)
		record.sleep = sleeps_in(c, scratch, task);
	if (c->wanted_only || c->all_stacks || record.sleep ||
	    (record.state & STATE_UNINTERRUPTIBLE)) {
		bytes = bpf_get_task_stack(task, scratch->frames, sizeof(scratch->frames), 0);
		record.frame_count = bytes > 0 ? (__u32)bytes / 8 : 0;
		if (record.frame_count > CENSUS_STACK)
			record.frame_count = CENSUS_STACK;
	}
	if (c->wanted_only && !(record.flags & KERNEL_THREAD)) {
		struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
		__u32 size = bpf_core_type_size(struct pt_regs);

		if (size < CENSUS_REGS_BYTES && !bpf_probe_read_kernel(scratch->regs, size, regs))
			record.reg_bytes = size;
	}
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	write_bytes(ctx->meta->seq, scratch->frames, record.frame_count * 8);
	write_bytes(ctx->meta->seq, scratch->regs, record.reg_bytes);
	return 0;
}

SEC("iter/task_file")
int files(struct bpf_iter__task_file *ctx)
{
	struct census_file_record record = {};
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct census_control *c;
	__u64 release;
	__u32 zero = 0;

	if (!task || !file)
		return 0;
	c = bpf_map_lookup_elem(&control, &zero);
	if (!c)
		return 0;
	release = (__u64)BPF_CORE_READ(file, f_op, release);
	if (!release)
		return 0;
	for (__u32 i = 1; i < CENSUS_FILE_KINDS; i++)
		if (c->release[i] == release)
			record.kind = i;
	if (!record.kind)
		return 0;
	record.task = (__u64)task;
	record.file = (__u64)file;
	record.object = (__u64)BPF_CORE_READ(file, private_data);
	record.pid = task->tgid;
	record.fd = ctx->fd;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
