// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Speed of model and analysis. Each measurement runs in its own process, prints time, rate and peak
 * memory beside its target, and the exit status says whether all targets were met.
 *
 * usage: bench-analysis [trace N | graph | count | live]…   (default: everything)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "analysis.h"
#include "analysis/stats.h"
#include "import.h"

#define TASKS 128
#define LOCKS 100000
#define PLANTED 100

static uint64_t random_state = 88172645463325252ULL;

static uint32_t roll(uint32_t sides)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 11) % sides);
}

/* Processor time: everything here runs in one thread, and the machine may be shared. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double peak_mib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024;
}

static int verdict(const char *what, double value, const char *unit, double limit, bool at_most)
{
	bool good = at_most ? value <= limit : value >= limit;

	printf("  %-46s %12.3f %-10s target %s %g%s\n", what, value, unit,
	       at_most ? "<=" : ">=", limit, good ? "" : "   MISSED");
	return !good;
}

static uint32_t bad_findings(const struct analysis *a)
{
	const struct finding_list *list = analysis__findings(a);
	uint32_t count = 0;

	for (uint32_t i = 0; i < list->count; i++)
		count += list->items[i]->grade >= GRADE_WARNING;
	return count;
}

/* --- a trace, read and judged ----------------------------------------------------------------- */

struct writer {
	FILE *out;
	uint64_t events;
};

static void put(struct writer *w, uint32_t task, const char *op, uint32_t lock, uint32_t place)
{
	fprintf(w->out, "T%u|%s(L%u)|%u\n", task, op, lock, place);
	w->events++;
}

/* Nine times of ten a task works on objects of its own, else on anybody's. */
static uint32_t pick_object(uint32_t task)
{
	if (!roll(10))
		return roll(LOCKS / 4);
	return roll(LOCKS / 4 / TASKS) * TASKS + task;
}

/* Objects of four locks each, taken in their order, up to three deep; tasks take turns. */
static void write_trace(const char *path, uint64_t events)
{
	struct writer w = {.out = fopen(path, "w")};

	if (!w.out)
		exit(1);
	while (w.events + 8 < events) {
		uint32_t task = roll(TASKS), object = pick_object(task), place = object % 997;
		uint32_t depth = 1 + roll(3), first = roll(2), lock = object * 4;

		for (uint32_t i = 0; i < depth; i++)
			put(&w, task, "acq", lock + first + i, place + i);
		fprintf(w.out, "T%u|w(V%u)|%u\n", task, object, place);
		w.events++;
		for (uint32_t i = depth; i-- > 0;)
			put(&w, task, "rel", lock + first + i, place + i);
	}
	/* two inversions at the end: one reachable */
	put(&w, 1, "acq", 1, 1);
	put(&w, 1, "acq", 0, 2);
	put(&w, 1, "rel", 0, 3);
	put(&w, 1, "rel", 1, 4);
	put(&w, 2, "acq", 0, 5);
	put(&w, 2, "acq", 1, 6);
	put(&w, 2, "rel", 1, 7);
	put(&w, 2, "rel", 0, 8);
	fclose(w.out);
}

static int bench_trace(uint64_t events)
{
	struct analysis_options options = {.predict = true};
	struct import_options import = {.format = IMPORT_STD};
	char path[] = "/tmp/bench-trace.XXXXXX";
	struct model *m = model__new();
	struct analysis *a = analysis__new(m, &options);
	double started, read, judged;
	int missed = 0, fd = mkstemp(path);
	FILE *in;

	if (fd < 0)
		return 1;
	close(fd);
	if (!fork()) {
		write_trace(path, events);
		_exit(0);
	}
	wait(NULL);
	in = fopen(path, "r");
	started = now();
	import_std(m, in, path, &import);
	read = now();
	analysis__finish(a);
	judged = now();
	fclose(in);
	unlink(path);
	printf("trace of %llu events, %u tasks, %u locks, %u dependencies: read %.2f s, judged "
	       "%.2f s\n",
	       (unsigned long long)model__event_count(m), model__task_count(m),
	       model__instance_count(m), model__dependency_count(m), read - started, judged - read);
	printf("  %-46s %12.1f ns\n", "per event", (judged - started) / (double)events * 1e9);
	/* 10^7 in 5 s; shorter traces have their tables to set up first */
	missed += verdict("read and judged", judged - started, "s",
			  events < 10000000 ? 0.1 + 1e-6 * (double)events : 5e-7 * (double)events,
			  true);
	missed += verdict("peak memory", peak_mib(), "MiB", 1024, true);
	missed += verdict("findings of grade warning or worse", bad_findings(a), "", 1, false);
	analysis__free(a);
	model__free(m);
	return missed;
}

/* --- a million dependencies --------------------------------------------------------------------
 */

static void add_dependency(struct model *m, uint32_t from, uint32_t to)
{
	struct held_lock held = {.instance = from, .stack = NO_ID};
	struct held_lock wanted = {.instance = to, .stack = NO_ID};

	model__add_chain(m, &held, 1, &wanted, roll(TASKS), 0, 1, NO_ID);
}

static void fill_graph(struct model *m, uint32_t dependencies)
{
	char name[32];

	for (uint32_t i = 0; i < TASKS; i++)
		model__add_task(m, 1, i + 1, "t", 0, 0);
	for (uint32_t i = 0; i < LOCKS; i++) {
		snprintf(name, sizeof(name), "L%u", i);
		model__add_instance(m, model__add_class(m, name, LOCK_KIND_MUTEX, 0), i, 0);
	}
	while (model__dependency_count(m) < dependencies) {
		uint32_t from = roll(LOCKS), to = roll(LOCKS);

		if (from != to)
			add_dependency(m, from < to ? from : to, from < to ? to : from);
	}
}

/* Reverse PLANTED dependencies, seen from tasks of their own so that they count as inversions. */
static void plant(struct model *m)
{
	uint32_t before = model__dependency_count(m);

	for (uint32_t i = 0; i < PLANTED; i++) {
		uint32_t id = i * (before / PLANTED);
		struct dependency d = *model__dependency(m, id);
		struct held_lock held = {.instance = d.to, .stack = NO_ID};
		struct held_lock wanted = {.instance = d.from, .stack = NO_ID};
		uint32_t other = model__chain(m, d.first_chain)->first_task;

		model__add_chain(m, &held, 1, &wanted, (other + 1) % TASKS, 0, 1, NO_ID);
	}
}

static int bench_graph(void)
{
	struct analysis_options options = {0};
	struct model *m = model__new();
	struct analysis *a;
	double started, judged;
	int missed = 0;

	fill_graph(m, 1000000);
	plant(m);
	started = now();
	a = analysis__new(m, &options);
	analysis__finish(a);
	judged = now() - started;
	printf("%u distinct dependencies over %u locks, %u inversions planted%s\n",
	       model__dependency_count(m), LOCKS, PLANTED,
	       analysis__stats(a)->search_limited ? " (search for longer cycles cut)" : "");
	missed += verdict("judged", judged, "s", 3, true);
	missed += verdict("found at least", bad_findings(a), "", PLANTED, false);
	missed += verdict("found at most", bad_findings(a), "", PLANTED, true);
	missed += verdict("peak memory", peak_mib(), "MiB", 1024, true);
	analysis__free(a);
	model__free(m);
	return missed;
}

/* --- live --------------------------------------------------------------------------------------
 */

static int bench_count(void)
{
	struct model *m = model__new();
	uint32_t chains, occurrences = 20000000;
	double started;
	int missed;

	fill_graph(m, 50000);
	chains = model__chain_count(m);
	started = now();
	for (uint32_t i = 0; i < occurrences; i++)
		model__count_chain(m, roll(chains), 1, i);
	printf("%u occurrences of %u known chains\n", occurrences, chains);
	missed = verdict("known chains counted", occurrences / (now() - started) / 1e6, "million/s",
			 5, false);
	model__free(m);
	return missed;
}

/*
 * A kernel's shape: 1,000 classes of 100 instances, each nested over some 20 others of the order,
 * analysis watching. lockdep makes do with 32,768 class dependencies.
 */
static int bench_live(void)
{
	struct analysis_options options = {.live_kernel = true};
	struct model *m = model__new();
	struct analysis *a = analysis__new(m, &options);
	uint32_t classes = 1000, target = 1000000;
	double started;
	char name[32];
	int missed;

	model__add_task(m, 1, 1, "t", 0, 0);
	for (uint32_t i = 0; i < LOCKS; i++) {
		snprintf(name, sizeof(name), "struct_%u.lock", i % classes);
		model__add_instance(m, model__add_class(m, name, LOCK_KIND_MUTEX, 0), i, 0);
	}
	started = now();
	while (model__dependency_count(m) < target) {
		uint32_t from = roll(classes), to = (from + 1 + roll(20) * 37) % classes;
		uint32_t i = roll(LOCKS / classes);
		/* 3 in 10,000 against the order */
		bool against = roll(10000) < 3;

		if (from == to)
			continue;
		if ((from > to) != against) {
			uint32_t swap = from;

			from = to;
			to = swap;
		}
		add_dependency(m, from + i * classes, to + roll(LOCKS / classes) * classes);
	}
	printf("%u new dependencies over %u classes, live, %u findings\n", target, classes,
	       analysis__findings(a)->count);
	missed = verdict("new dependencies", target / (now() - started) / 1e3, "thousand/s", 200,
			 false);
	analysis__free(a);
	model__free(m);
	return missed;
}

/* --- running ------------------------------------------------------------------------------------
 */

static int run(const char *what, uint64_t events)
{
	int status;

	fflush(stdout);
	if (!fork()) {
		int missed = !strcmp(what, "trace")   ? bench_trace(events)
			     : !strcmp(what, "graph") ? bench_graph()
			     : !strcmp(what, "count") ? bench_count()
						      : bench_live();

		fflush(stdout);
		_exit(missed);
	}
	wait(&status);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int missed = 0;

	for (int i = 1; i < argc; i++) {
		uint64_t events = 10000000;

		if (!strcmp(argv[i], "trace") && i + 1 < argc)
			missed += run("trace", strtoull(argv[++i], NULL, 10));
		else
			missed += run(argv[i], events);
	}
	if (argc > 1)
		return missed != 0;
	missed += run("trace", 100000) + run("trace", 1000000) + run("trace", 10000000);
	missed += run("graph", 0) + run("count", 0) + run("live", 0);
	return missed != 0;
}
