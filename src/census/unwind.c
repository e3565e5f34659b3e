// SPDX-License-Identifier: GPL-2.0-or-later
/* One frame after the other, as arch/x86/kernel/unwind_orc.c does it for a task that sleeps. */
#include "census/unwind.h"

#define STACK_BYTES 65536U /* at most: 16 KiB, 32 with KASAN */
#define STEPS 256	   /* frames, those left out too */

/* struct pt_regs: what an interrupted frame leaves */
#define REGS_BP 32
#define REGS_IP 128
#define REGS_CS 136
#define REGS_SP 152
#define FROM_USER 3U /* the privilege level in cs */

/* struct inactive_task_frame, where a task leaves the CPU */
#define SWITCH_BP 40
#define SWITCH_RETURN 48
#define SWITCH_BYTES 56

struct state {
	const struct unwinder *u;
	uint64_t stack;
	uint64_t ip, sp, bp;
	bool interrupted; /* ip is where the frame was stopped, not a return address */
};

void unwinder__init(struct unwinder *u, const struct kernel *k, const struct memory *m)
{
	static const char *const ends[] = {"__lock_text_end", "__kprobes_text_start",
					   "__lock_text_start"};

	*u = (struct unwinder){.kernel = k, .memory = m};
	u->skipped_start = kernel__symbol(k, "__sched_text_start");
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends) && !u->skipped_end; i++)
		u->skipped_end = kernel__symbol(k, ends[i]);
}

static bool word_at(const struct state *s, uint64_t address, uint64_t *out)
{
	return !(address & 7) && address >= s->stack && address - s->stack < STACK_BYTES &&
	       !memory__u64(s->u->memory, address, out);
}

/* The stack pointer before the call, or at the registers that were pushed. */
static bool callers_sp(const struct state *s, const struct kernel_orc *orc, uint64_t *sp)
{
	switch (orc->sp_from) {
	case ORC_SP:
		*sp = s->sp + (uint64_t)(int64_t)orc->sp_offset;
		return true;
	case ORC_BP:
		*sp = s->bp + (uint64_t)(int64_t)orc->sp_offset;
		return true;
	case ORC_AT_SP:
		if (!word_at(s, s->sp, sp))
			return false;
		*sp += (uint64_t)(int64_t)orc->sp_offset;
		return true;
	case ORC_AT_BP:
		return word_at(s, s->bp + (uint64_t)(int64_t)orc->sp_offset, sp);
	default:
		return false; /* in a register that a sleeping task does not keep */
	}
}

static void callers_bp(struct state *s, const struct kernel_orc *orc, uint64_t sp)
{
	uint64_t bp = 0, from = orc->bp_from == ORC_CALLERS_SP ? sp : s->bp;

	if ((orc->bp_from == ORC_CALLERS_SP || orc->bp_from == ORC_BP) &&
	    word_at(s, from + (uint64_t)(int64_t)orc->bp_offset, &bp))
		s->bp = bp;
}

static bool leave_registers(struct state *s, uint64_t regs, bool all)
{
	uint64_t cs, base = all ? regs : regs - REGS_IP; /* the rest begins with ip */

	if (!word_at(s, base + REGS_CS, &cs) || (cs & FROM_USER) ||
	    !word_at(s, base + REGS_IP, &s->ip) || !word_at(s, base + REGS_SP, &s->sp))
		return false;
	if (all)
		word_at(s, base + REGS_BP, &s->bp);
	s->interrupted = true;
	return true;
}

/* Code that the kernel made itself (BPF, trampolines) has no entry and keeps frame pointers. */
static const struct kernel_orc by_frame_pointer = {.type = ORC_CALL,
						   .sp_from = ORC_BP,
						   .sp_offset = 16,
						   .bp_from = ORC_CALLERS_SP,
						   .bp_offset = -16};

static bool step(struct state *s)
{
	struct kernel_orc orc;
	uint64_t before = s->sp, sp, ip;

	if (!kernel__orc(s->u->kernel, s->interrupted ? s->ip : s->ip - 1, &orc))
		orc = by_frame_pointer;
	if (orc.type == ORC_UNKNOWN || orc.type == ORC_END || !callers_sp(s, &orc, &sp))
		return false;
	if (orc.type != ORC_CALL)
		return leave_registers(s, sp, orc.type == ORC_REGISTERS) && s->sp > before;
	if (!word_at(s, sp - 8, &ip))
		return false;
	callers_bp(s, &orc, sp);
	s->ip = ip;
	s->sp = sp;
	s->interrupted = false;
	return sp > before; /* towards the stack's beginning, or it is none */
}

uint32_t unwinder__walk(const struct unwinder *u, uint64_t stack, uint64_t sp, uint64_t *frames,
			uint32_t room)
{
	struct state s = {.u = u, .stack = stack, .sp = sp + SWITCH_BYTES};
	uint32_t count = 0;

	if (!stack || !word_at(&s, sp + SWITCH_BP, &s.bp) ||
	    !word_at(&s, sp + SWITCH_RETURN, &s.ip))
		return 0;
	for (int i = 0; i < STEPS && count < room && s.ip; i++) {
		if (s.ip < u->skipped_start || s.ip >= u->skipped_end)
			frames[count++] = s.ip;
		if (!step(&s))
			break;
	}
	return count;
}
