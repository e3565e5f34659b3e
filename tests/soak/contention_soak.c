// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * No false alarm, ever: load that contends as hard as it can in a legal order, the contention
 * programs attached, and every deadlock they report counted. Prints one line of JSON.
 *
 *   contention_soak [-b BEGINS] [-s SECONDS] [-w]
 *
 * Ends after BEGINS contended begins (default 2e7) or SECONDS (default: none), whichever is first.
 * -w: without the PICKUP test and the reverse confirmation, to see that this soak can fail; ends at
 * the first report.
 *
 * The load: two pipes filled by tee (which locks both in address order) and write and read (one
 * each); renames across directories (inode rwsems as writers, s_vfs_rename_mutex); threads that are
 * killed by signals in the middle of it, and processes that exit.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "contention_record.h"
#include "record.h"
#include "contention.skel.h"

static volatile bool stop;
static int pipes[2][2];
static char directory[] = "/tmp/vfiotrace-soak-XXXXXX";
static uint64_t reports, self_reports, pair_reports, longer_reports;

static void die(const char *what)
{
	fprintf(stderr, "contention_soak: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- the load; runs in child processes
 * ------------------------------------------------------------ */

static void *tee_loop(void *unused)
{
	(void)unused;
	for (;;)
		if (tee(pipes[0][0], pipes[1][1], 1, SPLICE_F_NONBLOCK) < 0 && errno != EAGAIN)
			die("tee");
	return NULL;
}

static void *write_loop(void *argument)
{
	int fd = pipes[(intptr_t)argument][1];

	for (;;)
		if (write(fd, "x", 1) < 0 && errno != EAGAIN)
			die("write");
	return NULL;
}

static void *read_loop(void *argument)
{
	int fd = pipes[(intptr_t)argument][0];
	char byte[64];

	for (;;)
		if (read(fd, byte, sizeof(byte)) < 0 && errno != EAGAIN)
			die("read");
	return NULL;
}

static void start(void *(*function)(void *), intptr_t argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, (void *)argument))
		die("pthread_create");
}

static void pipe_load(void)
{
	start(tee_loop, 0);
	start(tee_loop, 0);
	start(write_loop, 0);
	start(write_loop, 1);
	start(read_loop, 0);
	start(read_loop, 1);
	for (;;)
		pause();
}

static void *rename_loop(void *argument)
{
	char a[128], b[128];
	int n = (int)(intptr_t)argument;

	snprintf(a, sizeof(a), "%s/a/f%d", directory, n);
	snprintf(b, sizeof(b), "%s/b/f%d", directory, n);
	close(open(a, O_CREAT | O_WRONLY, 0600));
	for (;;) {
		rename(a, b);
		rename(b, a);
	}
	return NULL;
}

static void rename_load(void)
{
	for (int i = 0; i < 4; i++)
		start(rename_loop, i);
	for (;;)
		pause();
}

/* A process forked just before its parent was killed has missed the signal. */
static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

/* Processes that are killed while they contend, again and again. */
static void exit_load(void)
{
	for (;;) {
		struct timespec time = {0, 3000000};
		pid_t parent = getpid(), child = fork();

		if (child < 0)
			die("fork");
		if (!child) {
			die_with(parent);
			start(tee_loop, 0);
			start(write_loop, 1);
			read_loop((void *)1);
		}
		nanosleep(&time, NULL);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
}

static pid_t run(void (*load)(void))
{
	pid_t parent = getpid(), child = fork();

	if (child < 0)
		die("fork");
	if (child)
		return child;
	die_with(parent);
	load();
	_exit(1);
}

static void prepare(void)
{
	char path[64];

	for (int i = 0; i < 2; i++)
		if (pipe2(pipes[i], O_NONBLOCK))
			die("pipe2");
	if (!mkdtemp(directory))
		die("mkdtemp");
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%c", directory, 'a' + i);
		if (mkdir(path, 0700))
			die("mkdir");
	}
}

static void clean_up(void)
{
	char path[128];

	for (int d = 0; d < 2; d++) {
		for (int f = 0; f < 4; f++) {
			snprintf(path, sizeof(path), "%s/%c/f%d", directory, 'a' + d, f);
			unlink(path);
		}
		snprintf(path, sizeof(path), "%s/%c", directory, 'a' + d);
		rmdir(path);
	}
	rmdir(directory);
}

/* --- the watch
 * -------------------------------------------------------------------------------------- */

static int on_record(void *context, void *data, size_t size)
{
	const struct contention_deadlock *record = data;

	(void)context;
	if (size < sizeof(*record))
		return 0;
	reports++;
	if (record->link_count == 1)
		self_reports++;
	else if (record->link_count == 2)
		pair_reports++;
	else
		longer_reports++;
	return 0;
}

static uint64_t counter(struct contention_bpf *bpf, uint32_t what)
{
	uint64_t values[256] = {0}, sum = 0;
	int cpus = libbpf_num_possible_cpus();

	if (cpus > 256 ||
	    bpf_map_lookup_elem(bpf_map__fd(bpf->maps.contention_counters), &what, values))
		return 0;
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void on_signal(int number)
{
	(void)number;
	stop = true;
}

int main(int argc, char **argv)
{
	void (*const loads[])(void) = {pipe_load, rename_load, exit_load};
	double seconds = 1e9, begins = 2e7, start_time;
	struct contention_bpf *bpf;
	struct ring_buffer *ring;
	bool without_rules = false;
	pid_t children[3];
	int option;

	while ((option = getopt(argc, argv, "b:s:w")) != -1) {
		if (option == 'b')
			begins = atof(optarg);
		else if (option == 's')
			seconds = atof(optarg);
		else if (option == 'w')
			without_rules = true;
		else
			return 64;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	bpf = contention_bpf__open();
	if (!bpf)
		die("open");
	bpf->rodata->without_rules = without_rules;
	if (contention_bpf__load(bpf) || contention_bpf__attach(bpf))
		return 77;
	ring = ring_buffer__new(bpf_map__fd(bpf->maps.deadlocks), on_record, NULL, NULL);
	if (!ring)
		die("ring");
	prepare();
	for (int i = 0; i < 3; i++)
		children[i] = run(loads[i]);
	start_time = now();
	while (!stop && now() - start_time < seconds && !(without_rules && reports) &&
	       (double)counter(bpf, CONTENTION_COUNT_BEGIN) < begins)
		ring_buffer__poll(ring, 200);
	contention_bpf__detach(bpf);
	for (int i = 0; i < 3; i++)
		kill(children[i], SIGKILL);
	for (int i = 0; i < 3; i++)
		waitpid(children[i], NULL, 0);
	ring_buffer__consume(ring);
	clean_up();
	printf("{\"rules\":%s,\"seconds\":%.1f,\"begins\":%llu,\"reports\":%llu,\"self\":%llu,"
	       "\"pairs\":%llu,\"longer\":%llu,\"candidates\":%llu,\"refuted\":%llu,\"pickup\":%"
	       "llu,"
	       "\"lost_notes\":%llu,\"lost_ring\":%llu}\n",
	       without_rules ? "false" : "true", now() - start_time,
	       (unsigned long long)counter(bpf, CONTENTION_COUNT_BEGIN),
	       (unsigned long long)reports, (unsigned long long)self_reports,
	       (unsigned long long)pair_reports, (unsigned long long)longer_reports,
	       (unsigned long long)counter(bpf, CONTENTION_COUNT_CANDIDATE),
	       (unsigned long long)counter(bpf, CONTENTION_COUNT_REFUTED),
	       (unsigned long long)counter(bpf, CONTENTION_COUNT_PICKUP),
	       (unsigned long long)counter(bpf, CONTENTION_COUNT_LOST_NOTE),
	       (unsigned long long)counter(bpf, CONTENTION_COUNT_LOST_RING));
	ring_buffer__free(ring);
	contention_bpf__destroy(bpf);
	return 0;
}
