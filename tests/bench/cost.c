// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What one lock acquisition costs, measured on this machine: each program of cost.bpf.c alone under
 * sys_enter, getppid() in a loop, BENCH_ROUNDS times in one run, net of a program that does
 * nothing. The best of several rounds, because everything else on the machine only adds.
 *
 *   bench_cost [--json] [ROUNDS]     exit status 2 when a figure is above its bound
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cost.h"
#include "kernel.h"
#include "kernel/program_types.h"
#include "record.h"
#include "tests/cost.skel.h"

#define CALLS 4000

struct row {
	const char *program, *text;
	double bound;			 /* ns net; 0: none */
	struct program_constants kernel; /* what the programs are told of it */
	double best;
	unsigned long long events;
};

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double measure(void)
{
	double began = seconds();

	for (int i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
	return (seconds() - began) * 1e9 / CALLS / BENCH_ROUNDS;
}

static struct cost_bpf *load(const struct row *row)
{
	LIBBPF_OPTS(bpf_object_open_opts, options);
	static struct kernel *kernel;
	struct program_types types;
	struct cost_bpf *skeleton;
	struct bpf_program *program;
	int error;
	struct shared_state state = {
		.ready = 1, .scope_all = !strcmp(row->program, "chain_of_two"), .self_pid = 1};
	unsigned int zero = 0;

	if (!kernel)
		kernel = kernel__open(NULL);
	if (!kernel)
		return NULL;
	program_types__begin(&types, kernel);
	options.btf_custom_path = types.path;
	skeleton = cost_bpf__open_opts(&options);
	if (!skeleton) {
		program_types__end(&types);
		return NULL;
	}
	bpf_object__for_each_program(program, skeleton->obj)
		bpf_program__set_autoload(program,
					  !strcmp(bpf_program__name(program), row->program));
	skeleton->rodata->constants = row->kernel;
	skeleton->rodata->bench_pid = (unsigned int)getpid();
	error = program_types__fill(&types, skeleton->obj);
	if (!error)
		error = cost_bpf__load(skeleton);
	program_types__end(&types);
	if (error ||
	    bpf_map_update_elem(bpf_map__fd(skeleton->maps.shared), &zero, &state, BPF_ANY)) {
		cost_bpf__destroy(skeleton);
		return NULL;
	}
	return skeleton;
}

static unsigned long long counter(struct cost_bpf *skeleton, unsigned int which)
{
	unsigned long long values[1024] = {0}, sum = 0;

	bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.counters), &which, values);
	for (int i = 0; i < libbpf_num_possible_cpus() && i < 1024; i++)
		sum += values[i];
	return sum;
}

static int measure_row(struct row *row)
{
	struct cost_bpf *skeleton = load(row);
	struct bpf_link *link;
	double now;

	if (!skeleton)
		return -EPERM;
	link = bpf_program__attach(bpf_object__find_program_by_name(skeleton->obj, row->program));
	if (!link) {
		cost_bpf__destroy(skeleton);
		return -errno;
	}
	now = measure();
	if (!row->best || now < row->best)
		row->best = now;
	bpf_link__destroy(link);
	row->events = counter(skeleton, strcmp(row->program, "chain_of_two") ? COUNT_ACQUIRE
									     : COUNT_CHAIN_KNOWN);
	cost_bpf__destroy(skeleton);
	return 0;
}

int main(int argc, char **argv)
{
	const struct program_constants here = {.direct_loads = 1},
				       backup = {.direct_loads = 1, .has_backup = 1}, old = {0};
	struct row rows[] = {
		{"empty", "empty program", 0, here, 0, 0},
		{"unnested", "acquisition, nothing held", 30, here, 0, 0},
		{"chain_of_two", "known chain of two", 90, here, 0, 0},
		{"part_storage", "  of it: task storage", 0, here, 0, 0},
		{"part_call", "  of it: argument and site", 0, here, 0, 0},
		{"part_owner", "  of it: one owner word", 0, here, 0, 0},
		{"part_count", "  of it: one counter", 0, here, 0, 0},
		{"unnested", "nothing held, preemptible kernel", 0, backup, 0, 0},
		{"chain_of_two", "chain of two, preemptible kernel", 0, backup, 0, 0},
		{"unnested", "nothing held, before 6.2", 0, old, 0, 0},
		{"chain_of_two", "chain of two, before 6.2", 0, old, 0, 0},
		{"stack_id", "one bpf_get_stackid", 0, here, 0, 0},
		{"klockstat_all", "klockstat: contended, acquired, released", 0, here, 0, 0},
	};
	const int count = sizeof(rows) / sizeof(rows[0]);
	bool json = argc > 1 && !strcmp(argv[1], "--json");
	int rounds = argc > 1 + json ? atoi(argv[1 + json]) : 7, status = 0;
	double peer;
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu(), &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	for (int i = 0; i < rounds * count; i++) {
		int error = measure_row(&rows[i % count]);

		if (error) {
			fprintf(stderr, "%s cannot be measured here: %s\n", rows[i % count].program,
				strerror(-error));
			return 77;
		}
	}
	peer = rows[count - 1].best - rows[0].best;
	for (int i = 0; i < count; i++) {
		double net = rows[i].best - rows[0].best;
		bool above = rows[i].bound && net > rows[i].bound;

		if (json)
			printf("{\"program\":\"%s\",\"text\":\"%s\",\"ns\":%.1f,\"net_ns\":%.1f,"
			       "\"bound_ns\":%.0f,"
			       "\"events\":%llu}\n",
			       rows[i].program, rows[i].text, rows[i].best, net, rows[i].bound,
			       rows[i].events);
		else
			printf("%-42s %8.1f ns net, %5.1f %% of klockstat%s\n", rows[i].text, net,
			       net / peer * 100, above ? "  ABOVE ITS BOUND" : "");
		if (above)
			status = 2;
	}
	return status;
}
