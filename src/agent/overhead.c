// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Own cost and the budget. BPF run-time statistics read the clock twice a run, which costs more
 * than the programs themselves: they are on for one second a minute, what the clock adds is
 * measured with an empty program and taken off, and the minute is extrapolated by acquisitions.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "capture.h"

#define WINDOW_NS 10000000000ULL
#define WINDOWS_OVER 2	 /* a burst of ten seconds sheds nothing */
#define WINDOWS_UNDER 30 /* five quiet minutes give one step back */
#define CALIBRATION_RUNS 20000

/* In the order they are given up; the deadlock detector is in none of them. */
static const struct {
	uint32_t mask;
	const char *name;
} steps[] = {
	{SHED_SCOPE, "chains outside VFIO and KVM paths (scope)"},
	{SHED_READERS, "rwsem readers"},
	{SHED_CHAINS, "chains: only deadlocks are still looked for"},
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

uint64_t process_cpu_ns(void)
{
	struct rusage self, children;
	uint64_t total = 0;

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	for (int i = 0; i < 2; i++) {
		const struct rusage *u = i ? &children : &self;

		total += (uint64_t)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000000ULL +
			 (uint64_t)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1000ULL;
	}
	return total;
}

uint64_t process_memory_bytes(void)
{
	unsigned long long size, resident = 0;
	FILE *in = fopen("/proc/self/statm", "re");

	if (!in)
		return 0;
	if (fscanf(in, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	fclose(in);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What the statistics charge a program that does nothing, in ns. 0 if that cannot be found out. */
static double measure_clock(void)
{
	const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_prog_info info = {0};
	uint32_t length = sizeof(info);
	char packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = CALIBRATION_RUNS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "vfiotrace_clock", "GPL", nothing, 2,
			       NULL);
	double cost = 0;

	if (fd < 0)
		return 0;
	if (!bpf_prog_test_run_opts(fd, &run) && !bpf_obj_get_info_by_fd(fd, &info, &length) &&
	    info.run_cnt)
		cost = (double)info.run_time_ns / (double)info.run_cnt;
	close(fd);
	return cost;
}

void overhead__init(struct overhead *o, const struct overhead_options *options)
{
	memset(o, 0, sizeof(*o));
	o->options = *options;
	if (!o->options.interval_ns)
		o->options.interval_ns = 60000000000ULL;
	if (!o->options.sample_ns)
		o->options.sample_ns = 1000000000ULL;
	o->stats_fd = -1;
	o->bpf_ratio = -1;
}

void overhead__close(struct overhead *o)
{
	if (o->stats_fd >= 0)
		close(o->stats_fd);
	o->stats_fd = -1;
}

static void begin_sample(struct overhead *o, const struct overhead_counters *now)
{
	o->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	o->sample = *now;
	if (o->stats_fd >= 0 && o->clock_ns == 0)
		o->clock_ns = measure_clock();
}

static void end_sample(struct overhead *o, const struct overhead_counters *now)
{
	double spent = (double)(now->bpf_ns - o->sample.bpf_ns) -
		       (double)(now->bpf_runs - o->sample.bpf_runs) * o->clock_ns;
	uint64_t acquisitions = now->acquisitions - o->sample.acquisitions;

	close(o->stats_fd);
	o->stats_fd = -1;
	if (spent < 0)
		spent = 0;
	o->ns_per_acquisition = acquisitions ? spent / (double)acquisitions : 0;
	o->bpf_ratio = spent / (double)(now->mono - o->sample.mono);
	o->sample = *now;
}

uint32_t overhead__decide(struct overhead *o, double ratio)
{
	size_t level = 0;

	for (size_t i = 0; i < STEPS; i++)
		level += (o->shed & steps[i].mask) != 0;
	o->over = ratio > o->options.budget ? o->over + 1 : 0;
	o->under = ratio < o->options.budget / 2 ? o->under + 1 : 0;
	if (o->over >= WINDOWS_OVER && level < STEPS) {
		o->over = 0;
		o->steps++;
		return o->shed | steps[level].mask;
	}
	if (o->under >= WINDOWS_UNDER && level > 0) {
		o->under = 0;
		return o->shed & ~steps[level - 1].mask;
	}
	return o->shed;
}

const char *overhead__step_name(uint32_t mask)
{
	const char *name = "nothing";

	for (size_t i = 0; i < STEPS; i++)
		if (mask & steps[i].mask)
			name = steps[i].name;
	return name;
}

static bool end_window(struct overhead *o, const struct overhead_counters *now)
{
	double length = (double)(now->mono - o->window.mono);
	uint64_t acquisitions = now->acquisitions - o->window.acquisitions;
	double own = (double)(now->cpu_ns - o->window.cpu_ns) / length;
	uint32_t shed;

	if (o->bpf_ratio >= 0 && o->ns_per_acquisition > 0)
		o->bpf_ratio = (double)acquisitions * o->ns_per_acquisition / length;
	o->total_ratio = own + (o->bpf_ratio > 0 ? o->bpf_ratio : 0);
	o->window = *now;
	shed = overhead__decide(o, o->total_ratio);
	if (shed == o->shed)
		return false;
	o->shed = shed;
	return true;
}

bool overhead__step(struct overhead *o, const struct overhead_counters *now)
{
	uint64_t since = now->mono - o->sample.mono;

	if (!o->window.mono) {
		o->window = *now;
		begin_sample(o, now);
		return false;
	}
	if (o->stats_fd >= 0) {
		if (since >= o->options.sample_ns)
			end_sample(o, now);
	} else if (since >= o->options.interval_ns) {
		begin_sample(o, now);
	}
	return now->mono - o->window.mono >= WINDOW_NS && end_window(o, now);
}
