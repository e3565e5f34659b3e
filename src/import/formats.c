// SPDX-License-Identifier: GPL-2.0-or-later
/* What can be read, and what cannot although it is about locks: two tables. */
#include <stdbool.h>
#include <string.h>

#include "import.h"
#include "import/other_text.h"

const struct import_kind import_kinds[] = {
	{IMPORT_RECORDING, "a recording of vfiotrace", "vfiotrace record -o FILE"},
	{IMPORT_SPLAT, "lockdep's reports: circular, recursive, interrupts, bad unlock, lock held",
	 "dmesg (a kernel with lockdep)"},
	{IMPORT_HUNG, "hung-task reports, with the owners that 6.15 and later name", "dmesg"},
	{IMPORT_HUNG, "blocked tasks, all tasks, held locks",
	 "echo w (t, d) >/proc/sysrq-trigger; dmesg"},
	{IMPORT_HUNG, "stacks of /proc, of tasks that wait for a lock", "head /proc/[0-9]*/stack"},
	{IMPORT_HUNG, "stacks out of a memory image",
	 "crash> foreach UN bt; drgn> prog.stack_trace(PID)"},
	{IMPORT_PERF, "events of lock:lock_* or lock:contention_*", "perf script"},
	{IMPORT_TRACE_CMD, "the same of trace-cmd, and ftrace's own text", "trace-cmd report"},
	{IMPORT_STD, "one event a line: thread|op(operand)|location", "other tools; tests"},
	{IMPORT_AUTO, NULL, NULL},
};

/* Marks of a text and what to give instead of it. All of a row's marks must be there. */
static const struct other_text {
	const char *marks[2];
	const char *words;
} others[] = {
	{{"lock_stat version", ""},
	 "this is /proc/lock_stat: how long locks were waited for, not in which order they were "
	 "taken; `vfiotrace record` on the host records orders and waits"},
	{{"con-bounces", "contentions"},
	 "this is /proc/lock_stat: how long locks were waited for, not in which order they were "
	 "taken; `vfiotrace record` on the host records orders and waits"},
	{{"contended", "total wait"},
	 "this is the table of `perf lock contention`, without order or owners; give the events: "
	 "`perf record -e 'lock:contention_*' -ag`, then `perf script`"},
	{{"acquired", "avg wait"},
	 "this is the table of `perf lock report`, without order or owners; give the events: "
	 "`perf script` of the same perf.data"},
	{{"all lock chains:", "irq_context:"},
	 "this is /proc/lockdep_chains: orders that were seen, without tasks and stacks; what is "
	 "wrong with one of them lockdep says itself: give the kernel's log (`dmesg`)"},
	{{"all lock classes:", " FD: "},
	 "this is /proc/lockdep: classes and orders that were seen, without tasks and stacks; what "
	 "is wrong with one of them lockdep says itself: give the kernel's log (`dmesg`)"},
	{{"[<0>] ", "+0x"},
	 "this is a stack of /proc/PID/stack without its task: give it with the file's name, as "
	 "`head -n 99 /proc/PID/task/*/stack` prints it"},
	{{"STAT", "COMMAND"},
	 "this is a list of `ps`: it names blocked tasks (D), not what they wait for; give their "
	 "stacks: `echo w >/proc/sysrq-trigger`, then `dmesg`"},
	{{"STAT", "WCHAN"},
	 "this is a list of `ps`: it names blocked tasks (D), not what they wait for; give their "
	 "stacks: `echo w >/proc/sysrq-trigger`, then `dmesg`"},
	{{"#0 ", "__schedule"},
	 "this is a stack without its task: give it with what names the task, as `bt` of crash and "
	 "`>>> prog.stack_trace(PID)` of drgn do"},
	{{"PERFILE2", ""}, "this is perf.data: give what `perf script -i FILE` prints"},
	{{"\x17\x08\x44tracing", ""},
	 "this is trace.dat: give what `trace-cmd report -i FILE` prints"},
	{{"ELF", ""},
	 "this is an ELF file; of a memory image give the log (`vmcore-dmesg FILE`, or `log` of "
	 "crash) or the stacks (`foreach UN bt`)"},
	{{"KDUMP   ", ""},
	 "this is a memory image: give the log in it (`vmcore-dmesg FILE`, or `log` of crash) or "
	 "the stacks (`foreach UN bt`)"},
};

static bool has(const char *head, size_t length, const char *mark)
{
	return !*mark || memmem(head, length, mark, strlen(mark));
}

const char *other_text__words(const char *head, size_t length)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (has(head, length, others[i].marks[0]) && has(head, length, others[i].marks[1]))
			return others[i].words;
	return NULL;
}
