// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Findings in lockdep's layout (print_circular_bug, print_deadlock_bug of kernel/locking/lockdep.c
 * and check_hung_task of kernel/hung_task.c), for kernel developers and for parsers that know it.
 *
 * What lockdep prints and we did not record is left out, not made up: usage bits and wait contexts
 * ("{}" instead of "{+.+.}-{3:3}"), symbol sizes, taint, CPU numbers. Lock names are type.member;
 * a work is called by its function, lockdep knows its variable.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/escape.h"
#include "report/outputs.h"
#include "util/text.h"

static const char *const rule = "======================================================";
static const char *const thin = "------------------------------------------------------";

/* lockdep's words for what is no lock: "(work_completion)(&vdev->work)", "(wq_completion)events".
 */
static void put_name(FILE *out, const struct model *m, uint32_t lock_class)
{
	const char *name = text_safe(render_class_name(m, lock_class));
	const char *colon = strpbrk(name, ":@");

	switch (colon ? model__lock_class(m, lock_class)->kind : LOCK_KIND_UNKNOWN) {
	case LOCK_KIND_WORK:
		fprintf(out, "(work_completion)(&%s)", colon + 1);
		break;
	case LOCK_KIND_WORKQUEUE:
		fprintf(out, "(wq_completion)%s", colon + 1);
		break;
	case LOCK_KIND_COMPLETION:
		fprintf(out, "(completion)%s", colon + 1);
		break;
	default:
		fprintf(out, "%s", name);
	}
}

static void put_task(FILE *out, const struct model *m, uint32_t task)
{
	const struct task *t = task < model__task_count(m) ? model__task(m, task) : NULL;

	fprintf(out, "%s/%u", t && t->comm && *t->comm ? text_safe(t->comm) : "task",
		t ? t->tid ? t->tid : t->pid : 0);
}

static void put_frame(FILE *out, const struct frame *frame)
{
	if (frame->symbol)
		fprintf(out, "%s+0x%x", text_safe(frame->symbol), frame->offset);
	else
		fprintf(out, "0x%" PRIx64, frame->ip);
	if (frame->module)
		fprintf(out, " [%s]", text_safe(frame->module));
}

/* "ffff888104a3c8c8 (kvm.lock){}, at: vfio_device_open+0x12 [vfio]" */
static void put_lock(FILE *out, const struct model *m, const struct held_lock *lock)
{
	const struct lock_instance *i = model__instance(m, lock->instance);
	struct stack s = model__stack(m, lock->stack);

	if (i->address)
		fprintf(out, "%016" PRIx64 " ", i->address);
	fputc('(', out);
	put_name(out, m, model__held_class(m, lock));
	fprintf(out, "){}");
	if (s.frame_count) {
		fprintf(out, ", at: ");
		put_frame(out, &s.frames[0]);
	}
	fputc('\n', out);
}

static void put_stack(FILE *out, const struct model *m, uint32_t stack, const char *indent)
{
	struct stack s = model__stack(m, stack);

	for (uint32_t i = 0; i < s.frame_count; i++) {
		fputs(indent, out);
		put_frame(out, &s.frames[i]);
		fputc('\n', out);
	}
}

static void put_title(FILE *out, const struct model *m, const char *what)
{
	const char *release = model__fact(m, "kernel.release");

	fprintf(out, "%s\nWARNING: %s\n%s\n%s\n", rule, what,
		release ? text_safe(release) : "kernel release not recorded", thin);
}

/* The lock as the source names it, when there is no occurrence to name an instance. */
static void put_class_line(FILE *out, const struct model *m, uint32_t lock_class)
{
	fputc('(', out);
	put_name(out, m, lock_class);
	fprintf(out, "){}\n");
}

static const struct chain *chain_of(const struct model *m, const struct witness *w)
{
	return w->chain < model__chain_count(m) ? model__chain(m, w->chain) : NULL;
}

static const struct held_lock *held_of(const struct chain *c, const struct witness *w)
{
	return c && w->held_index < c->held_count ? &c->held[w->held_index] : NULL;
}

static void put_attempt(FILE *out, const struct model *m, const struct finding *f)
{
	const struct witness *w = &f->witnesses[0];
	const struct chain *c = chain_of(m, w);
	const struct held_lock *held = held_of(c, w);

	put_task(out, m, w->task);
	fprintf(out, " is trying to acquire lock:\n");
	if (c)
		put_lock(out, m, &c->wanted);
	else
		put_class_line(out, m, f->classes[1 % f->length]);
	fprintf(out, "\nbut task is already holding lock:\n");
	if (held)
		put_lock(out, m, held);
	else
		put_class_line(out, m, f->classes[0]);
}

/*
 * Entry #k is the lock that witness k wants; its stack is where that happened. Entry #0 is the new
 * dependency, the last entry the lock already held.
 */
static void put_existing_chain(FILE *out, const struct model *m, const struct finding *f)
{
	fprintf(out, "\nwhich lock already depends on the new lock.\n\n\n"
		     "the existing dependency chain (in reverse order) is:\n");
	for (uint32_t k = f->length; k-- > 0;) {
		const struct chain *c = chain_of(m, &f->witnesses[k]);

		fprintf(out, "\n-> #%u (", k);
		put_name(out, m, f->classes[(k + 1) % f->length]);
		fprintf(out, "){}:\n");
		if (c)
			put_stack(out, m, c->wanted.stack, "       ");
	}
}

/* "  lock(kvm.lock);": readers are "rlock", as lockdep has it. */
static void put_step(FILE *out, const struct model *m, const char *indent, uint32_t lock_class,
		     uint8_t mode)
{
	fprintf(out, "%s%s(", indent, mode == LOCK_EXCLUSIVE ? "lock" : "rlock");
	put_name(out, m, lock_class);
	fprintf(out, ");\n");
}

static uint8_t held_mode(const struct finding *f, uint32_t i)
{
	return f->modes ? f->modes[i] : LOCK_EXCLUSIVE;
}

static uint8_t wanted_mode(const struct model *m, const struct finding *f, uint32_t i)
{
	const struct chain *c = chain_of(m, &f->witnesses[i]);

	return c ? c->wanted.mode : LOCK_EXCLUSIVE;
}

static void put_scenario(FILE *out, const struct model *m, const struct finding *f)
{
	const char *left = "  ", *right = "                               ";
	uint32_t last = f->length - 1;

	fprintf(out, "\nother info that might help us debug this:\n\n");
	if (f->length > 2) {
		fprintf(out, "Chain exists of:\n  ");
		for (uint32_t i = 1; i <= f->length; i++) {
			put_name(out, m, f->classes[i % f->length]);
			fputs(i < f->length ? " --> " : "\n\n", out);
		}
	}
	fprintf(out, " Possible unsafe locking scenario:\n\n"
		     "       CPU0                    CPU1\n"
		     "       ----                    ----\n");
	put_step(out, m, left, f->classes[0], held_mode(f, 0));
	put_step(out, m, right, f->classes[last], held_mode(f, last));
	put_step(out, m, right, f->classes[0], wanted_mode(m, f, last));
	put_step(out, m, left, f->classes[1 % f->length], wanted_mode(m, f, 0));
	fprintf(out, "\n *** DEADLOCK ***\n\n");
}

static void put_held_by(FILE *out, const struct model *m, const struct finding *f)
{
	const struct chain *c = chain_of(m, &f->witnesses[0]);

	if (!c)
		return;
	fprintf(out, "%u lock%s held by ", c->held_count, c->held_count == 1 ? "" : "s");
	put_task(out, m, f->witnesses[0].task);
	fprintf(out, ":\n");
	for (uint32_t i = 0; i < c->held_count; i++) {
		fprintf(out, " #%u: ", i);
		put_lock(out, m, &c->held[i]);
	}
	if (model__stack(m, c->wanted.stack).frame_count) {
		fprintf(out, "\nstack backtrace:\nCall Trace:\n <TASK>\n");
		put_stack(out, m, c->wanted.stack, " ");
		fprintf(out, " </TASK>\n");
	}
}

static void put_circular(FILE *out, const struct model *m, const struct finding *f)
{
	put_title(out, m, "possible circular locking dependency detected");
	put_attempt(out, m, f);
	put_existing_chain(out, m, f);
	put_scenario(out, m, f);
	put_held_by(out, m, f);
	fputc('\n', out);
}

static void put_recursion(FILE *out, const struct model *m, const struct finding *f)
{
	put_title(out, m, "possible recursive locking detected");
	put_attempt(out, m, f);
	fprintf(out, "\nother info that might help us debug this:\n"
		     " Possible unsafe locking scenario:\n\n       CPU0\n       ----\n");
	put_step(out, m, "  ", f->classes[0], held_mode(f, 0));
	put_step(out, m, "  ", f->classes[0], wanted_mode(m, f, 0));
	fprintf(out, "\n *** DEADLOCK ***\n\n");
	put_held_by(out, m, f);
	fputc('\n', out);
}

/* --- a deadlock: what the hung task detector would say, and who holds what
 * ------------------------- */

static const char *comm_of(const struct model *m, uint32_t task)
{
	const char *comm = task < model__task_count(m) ? model__task(m, task)->comm : NULL;

	return comm && *comm ? text_safe(comm) : "task";
}

static uint32_t tid_of(const struct model *m, uint32_t task)
{
	const struct task *t = task < model__task_count(m) ? model__task(m, task) : NULL;

	return t ? t->tid ? t->tid : t->pid : 0;
}

static const char *kind_of(const struct model *m, uint32_t instance)
{
	uint32_t lock_class = model__instance(m, instance)->lock_class;

	switch (model__lock_class(m, lock_class)->kind) {
	case LOCK_KIND_RWSEM:
	case LOCK_KIND_PERCPU_RWSEM:
		return "rw-semaphore";
	case LOCK_KIND_RTMUTEX:
		return "rt-mutex";
	default:
		return "mutex";
	}
}

static const char *hung_kind(enum wait_what what)
{
	switch (what) {
	case WAIT_WHAT_RWSEM_READ:
	case WAIT_WHAT_RWSEM_WRITE:
	case WAIT_WHAT_RWSEM:
	case WAIT_WHAT_PERCPU_RWSEM:
		return "rw-semaphore";
	case WAIT_WHAT_SEMAPHORE:
		return "semaphore";
	case WAIT_WHAT_RTMUTEX:
		return "rt-mutex";
	default:
		return "mutex";
	}
}

static void put_task_stack(FILE *out, const struct model *m, uint32_t task, char state,
			   uint32_t stack)
{
	fprintf(out, "task:%-15s state:%s pid:%-5u\nCall Trace:\n <TASK>\n", comm_of(m, task),
		text_safe((char[]){state ? state : '?', '\0'}), tid_of(m, task));
	put_stack(out, m, stack, " ");
	fprintf(out, " </TASK>\n");
}

static void put_hung(FILE *out, const struct model *m, const struct finding *f, uint32_t n)
{
	const struct blocked_task *t = &f->tasks[n];
	const struct blocked_task *owner = &f->tasks[(n + 1) % f->task_count];

	fprintf(out, "INFO: task %s:%u blocked for more than %" PRIu64 " seconds.\n",
		comm_of(m, t->task), tid_of(m, t->task),
		t->since && f->last > t->since ? (f->last - t->since) / 1000000000 : 0);
	if (t->wants < model__instance_count(m))
		fprintf(out, "INFO: task %s:%u is blocked on a %s likely owned by task %s:%u.\n",
			comm_of(m, t->task), tid_of(m, t->task), kind_of(m, t->wants),
			comm_of(m, owner->task), tid_of(m, owner->task));
	put_task_stack(out, m, t->task, t->state, t->kernel_stack);
}

/* The occurrence that shows the task's held set, in the order in which it was taken: its own
 * witness. */
static const struct chain *held_set_of(const struct model *m, const struct finding *f, uint32_t i)
{
	const struct blocked_task *t = &f->tasks[i];
	const struct chain *c =
		f->witnesses && i < f->length ? chain_of(m, &f->witnesses[i]) : NULL;

	return c && f->witnesses[i].task == t->task && c->held_count >= t->hold_count ? c : NULL;
}

static void put_locks_of(FILE *out, const struct model *m, const struct finding *f, uint32_t at)
{
	const struct blocked_task *t = &f->tasks[at];
	const struct chain *c = held_set_of(m, f, at);
	uint32_t held = c ? c->held_count : t->hold_count;
	bool wants = t->wants < model__instance_count(m);

	fprintf(out, "%u lock%s held by %s/%u:\n", held + wants, held + wants == 1 ? "" : "s",
		comm_of(m, t->task), tid_of(m, t->task));
	for (uint32_t i = 0; i < held; i++) {
		/* the one that closes the cycle is holds[0]: nearest to what is wanted */
		struct held_lock lock = {.instance = t->holds[(held - 1 - i) % 8], .stack = NO_ID};

		fprintf(out, " #%u: ", i);
		put_lock(out, m, c ? &c->held[i] : &lock);
	}
	if (wants) { /* lockdep lists a lock that is waited for as the last one held */
		struct held_lock lock = {
			.instance = t->wants, .stack = t->kernel_stack, .mode = t->wants_mode};

		fprintf(out, " #%u: ", held);
		put_lock(out, m, &lock);
	}
}

/* As the hung task detector has it, with its line on the owner. */
static void put_hang(FILE *out, const struct model *m, const struct finding *f)
{
	const struct blocked_task *t = &f->tasks[0];
	const struct task_wait *wait = t->wait;
	bool is_lock = wait_what__is_lock(wait->what);

	fprintf(out, "INFO: task %s:%u blocked for more than %" PRIu64 " seconds.\n",
		comm_of(m, t->task), tid_of(m, t->task), wait->blocked_ns / 1000000000);
	if (is_lock && wait->owner.task != NO_ID)
		fprintf(out, "INFO: task %s:%u is blocked on a %s likely owned by task %s:%u.\n",
			comm_of(m, t->task), tid_of(m, t->task), hung_kind(wait->what),
			comm_of(m, wait->owner.task), tid_of(m, wait->owner.task));
	put_task_stack(out, m, t->task, t->state, t->kernel_stack);
	if (wait->owner.task != NO_ID && wait->owner.stack != NO_ID)
		put_task_stack(out, m, wait->owner.task, wait->owner.state, wait->owner.stack);
	if (t->hold_count || t->wants < model__instance_count(m)) {
		fprintf(out, "\nShowing all locks held in the system:\n");
		put_locks_of(out, m, f, 0);
	}
	fprintf(out, "\n=============================================\n\n");
}

static void put_deadlock(FILE *out, const struct model *m, const struct finding *f)
{
	for (uint32_t i = 0; i < f->task_count; i++)
		put_hung(out, m, f, i);
	fprintf(out, "\nShowing all locks held in the system:\n");
	for (uint32_t i = 0; i < f->task_count; i++)
		put_locks_of(out, m, f, i);
	fprintf(out, "\n=============================================\n\n");
}

static bool put_finding(FILE *out, const struct model *m, const struct finding *f)
{
	if (f->suppressed || (!f->length && f->kind != FINDING_HANG) ||
	    f->code == CODE_POSSIBLE_DEADLOCK || (!f->witnesses && !finding_kind__is_wait(f->kind)))
		return false;
	switch (f->kind) {
	case FINDING_INVERSION:
	case FINDING_CYCLE:
		put_circular(out, m, f);
		return true;
	case FINDING_RECURSION:
		put_recursion(out, m, f);
		return true;
	case FINDING_DEADLOCK:
		put_deadlock(out, m, f);
		return true;
	case FINDING_HANG:
		put_hang(out, m, f);
		return true;
	default:
		return false;
	}
}

int report_splat(FILE *out, const struct report_input *input, const struct report_options *options)
{
	const struct finding **sorted = input->findings ? render_sorted(input->findings) : NULL;
	uint32_t shown = 0, count = input->findings ? input->findings->count : 0;

	fprintf(out,
		"vfiotrace %s: findings in lockdep's layout; lockdep itself printed none of this\n",
		VERSION);
	if (options->title)
		fprintf(out, "# %s\n", text_safe(options->title));
	fputc('\n', out);
	for (uint32_t i = 0; sorted && i < count; i++)
		shown += put_finding(out, input->model, sorted[i]);
	if (shown < count)
		fprintf(out,
			"# %u finding%s of kinds lockdep has no layout for, or suppressed: "
			"see -f text\n",
			count - shown, count - shown == 1 ? "" : "s");
	if (!count)
		fprintf(out, "# no findings%s\n",
			finding_list__is_complete(input->findings, input->model)
				? ""
				: ", but not everything was looked at: see -f text");
	free(sorted);
	return 0;
}
