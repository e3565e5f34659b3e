// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: bench_store VFIOTRACE
 * What a recording costs: the tracing side's time for an event with and without a file (10^6
 * events at 200,000 a second), and opening a recording of 200 MB (5 s and 300 MiB at most).
 */
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store.h"

#define EVENTS 1000000
#define BURST 2000 /* events, then a pause of 10 ms */
#define LARGE 7700000
#define MAX_SECONDS 5.0
#define MAX_KIB (300 << 10)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Nanoseconds per event, pauses left out. */
static double feed(struct fixture *f)
{
	struct trace_event event = {.task = f->opener,
				    .operand = f->kvm_lock,
				    .stack = f->open_stack,
				    .time = FIXTURE_START};
	double spent = 0;

	for (int i = 0; i < EVENTS / BURST; i++) {
		double start = now();

		for (int k = 0; k < BURST; k++) {
			event.op = k % 2 ? EVENT_RELEASE : EVENT_ACQUIRE;
			event.time += 1000;
			model__add_event(f->m, &event);
		}
		spent += now() - start;
		usleep(10000);
	}
	return spent * 1e9 / EVENTS;
}

static int bench_events(const char *path)
{
	const struct store_options options = {.record_events = true};
	struct fixture *f = fixture_inversion();
	double without = feed(f), with;
	struct store_writer *w;
	uint64_t lost;
	char error[512];
	struct stat info;
	int failed;

	fixture_free(f);
	f = fixture_inversion();
	w = store_writer__open(path, f->m, &options, error, sizeof(error));
	if (!w) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	with = feed(f);
	lost = store_writer__lost(w);
	failed = store_writer__close(w, &f->findings, NULL);
	fixture_free(f);
	stat(path, &info);
	printf("store: %d events: %.0f ns an event without a file, %.0f with one; %llu lost; "
	       "%.1f bytes an event\n",
	       EVENTS, without, with, (unsigned long long)lost, (double)info.st_size / EVENTS);
	return failed || lost;
}

static int make_large(const char *path)
{
	struct fixture *f = fixture_large(1000, 20000);
	struct model *m = f->m;
	double start;
	char error[512];
	int failed;

	for (uint32_t i = 0; i < LARGE; i++) {
		struct trace_event event = {.time = FIXTURE_START + i * 1000ULL,
					    .task = i / 2 % model__task_count(m),
					    .operand = i / 2 % model__instance_count(m),
					    .op = i % 2 ? EVENT_RELEASE : EVENT_ACQUIRE,
					    .stack = f->open_stack};

		model__restore_event(m, &event);
	}
	start = now();
	failed = store__save(path, m, &f->findings, NULL, error, sizeof(error));
	printf("store: %d events written in %.1f s\n", LARGE, now() - start);
	fixture_free(f);
	return failed;
}

static int bench_report(const char *program, const char *path, const char *format)
{
	struct rusage usage;
	double start = now(), seconds;
	int status;
	pid_t child = fork();

	if (!child) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDOUT_FILENO);
		execl(program, program, "report", "-f", format, path, NULL);
		_exit(127);
	}
	if (wait4(child, &status, 0, &usage) < 0 || status)
		return 1;
	seconds = now() - start;
	printf("store: report -f %s of a 200 MB recording: %.2f s, %ld MiB\n", format, seconds,
	       usage.ru_maxrss >> 10);
	return seconds > MAX_SECONDS || usage.ru_maxrss > MAX_KIB;
}

int main(int argc, char **argv)
{
	static const char *const formats[] = {"text", "html", "json", "trace"};
	char directory[] = "/tmp/vfiotrace-bench-XXXXXX", path[64];
	struct stat info;
	int failed;

	if (argc != 2 || !mkdtemp(directory))
		return 64;
	setlinebuf(stdout);
	snprintf(path, sizeof(path), "%s/bench.vft", directory);
	failed = bench_events(path);
	failed |= make_large(path);
	if (!stat(path, &info))
		printf("store: %.0f MB\n", (double)info.st_size / 1e6);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		failed |= bench_report(argv[1], path, formats[i]);
	unlink(path);
	rmdir(directory);
	return failed != 0;
}
