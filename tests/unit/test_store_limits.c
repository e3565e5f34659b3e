// SPDX-License-Identifier: GPL-2.0-or-later
/* The incident file under pressure: full disks, size limits, the flight recorder, kills. */
#include "store_files.h"

#define PATIENCE 600 /* times 50 ms: a busy machine, a sanitized build */

/* Until this finding is in the file: the thread that writes has the lowest priority. */
static void wait_until_written(const char *path, const char *key)
{
	for (int i = 0; i < PATIENCE; i++) {
		char error[512];
		struct opened o;
		bool found = false;

		if (!open_recording(path, &o, true, error)) {
			found = find_key(analysis__findings(o.findings), key);
			close_recording(&o);
		}
		if (found)
			return;
		usleep(50000);
	}
	fail_msg("%s is not in %s", key, path);
}

/* A disk that is full: tracing goes on, what was committed is readable, the rest is counted. */
static void test_full_disk(void **state)
{
	struct fixture *f = fixture_inversion();
	struct store_options options = {.record_events = true};
	struct trace_event event = {FIXTURE_START, f->opener,	   f->kvm_lock, f->open_stack,
				    EVENT_ACQUIRE, LOCK_EXCLUSIVE, 0,		0};
	struct rlimit limit = {600 << 10, RLIM_INFINITY};
	struct store_writer *w;
	struct opened o;
	char error[512] = "";
	uint64_t lost;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	w = store_writer__open(file("full.vft"), f->m, &options, error, sizeof(error));
	assert_non_null(w);
	store_writer__finding(w, f->findings.items[0]);
	store_writer__snapshot(w);
	wait_until_written(file("full.vft"), f->findings.items[0]->key);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 200000; i++) {
		event.op = i % 2 ? EVENT_RELEASE : EVENT_ACQUIRE;
		event.time += 1000;
		model__add_event(f->m, &event);
		if (i % 20000 == 0) {
			usleep(50000);
			store_writer__snapshot(w);
		}
	}
	for (int i = 0; i < PATIENCE && (!store_writer__lost(w) || !store_writer__error(w)); i++) {
		usleep(50000);
		store_writer__snapshot(w);
	}
	lost = store_writer__lost(w);
	assert_true(lost > 0);
	assert_non_null(store_writer__error(w));
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	/* room again: the graph is complete all the same */
	assert_int_equal(store_writer__close(w, &f->findings, NULL), 0);
	assert_int_equal(open_recording(file("full.vft"), &o, true, error), 0);
	same_entities(f->m, o.m);
	same_order(f->m, o.m);
	assert_true(model__loss(o.m, LOSS_STORE) >= lost);
	assert_non_null(find_key(analysis__findings(o.findings), f->findings.items[0]->key));
	assert_true(model__event_count(o.m) < 200001);
	close_recording(&o);
	fixture_free(f);
}

/* Never room again: close says so, and what was there before still reads. */
static void test_disk_stays_full(void **state)
{
	struct fixture *f = fixture_inversion();
	static const struct store_options options;
	struct rlimit limit = {200 << 10, RLIM_INFINITY};
	struct store_writer *w;
	struct opened o;
	char error[512] = "", name[64];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	w = store_writer__open(file("stuck.vft"), f->m, &options, error, sizeof(error));
	assert_non_null(w);
	store_writer__finding(w, f->findings.items[0]);
	store_writer__snapshot(w);
	wait_until_written(file("stuck.vft"), f->findings.items[0]->key);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "a long name of a class to fill the file %d", i);
		model__add_class(f->m, name, LOCK_KIND_MUTEX, 0);
	}
	assert_true(store_writer__close(w, &f->findings, NULL) < 0);
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(open_recording(file("stuck.vft"), &o, true, error), 0);
	assert_non_null(find_key(analysis__findings(o.findings), f->findings.items[0]->key));
	assert_non_null(model__losses_unknown(o.m)); /* was not ended in good order */
	close_recording(&o);
	fixture_free(f);
}

static void test_max_size(void **state)
{
	struct fixture *f = fixture_large(100, 400);
	struct store_options options = {.record_events = true, .max_size = 2 << 20};
	struct trace_event event = {FIXTURE_START, f->opener,	   f->kvm_lock, f->open_stack,
				    EVENT_ACQUIRE, LOCK_EXCLUSIVE, 0,		0};
	struct store_writer *w;
	struct stat info;
	struct opened o;
	char error[512] = "";
	uint64_t biggest = 0, count, lost = 0;

	(void)state;
	w = store_writer__open(file("small.vft"), f->m, &options, error, sizeof(error));
	assert_non_null(w);
	for (int i = 0; i < 150000; i++) {
		event.op = i % 2 ? EVENT_RELEASE : EVENT_ACQUIRE;
		event.time += 1000;
		model__add_event(f->m, &event);
		if (i % 500 == 0) /* a pace that the small queue of a small file can take */
			usleep(10000);
		for (int n = 0; n < PATIENCE && store_writer__lost(w) != lost; n++) {
			lost = store_writer__lost(w);
			usleep(50000);
		}
		if (i % 10000 == 0 && !stat(file("small.vft"), &info) &&
		    (uint64_t)info.st_size > biggest)
			biggest = (uint64_t)info.st_size;
	}
	usleep(500000); /* a slow disk may have cost events; these few it takes */
	for (int i = 0; i < 10; i++) {
		event.time += 1000;
		model__add_event(f->m, &event);
	}
	assert_int_equal(store_writer__close(w, &f->findings, NULL), 0);
	assert_int_equal(stat(file("small.vft"), &info), 0);
	assert_true(info.st_size <= 2 << 20);
	assert_true(biggest <= 2 << 20);
	assert_int_equal(open_recording(file("small.vft"), &o, true, error), 0);
	same_order(f->m, o.m);
	count = model__event_count(o.m);
	assert_true(count > 10000 && count < 100000);
	/* the newest are there, behind a mark that says the rest is not */
	assert_int_equal(model__events(o.m)[0].op, EVENT_GAP);
	assert_int_equal(model__events(o.m)[count - 1].time, event.time);
	close_recording(&o);
	fixture_free(f);
}

static void test_flight_recorder(void **state)
{
	struct fixture *f = fixture_inversion();
	struct store_options options = {.record_events = true,
					.trigger_window = 5 * FIXTURE_SECOND};
	struct trace_event event = {FIXTURE_START, f->opener,	   f->kvm_lock, f->open_stack,
				    EVENT_ACQUIRE, LOCK_EXCLUSIVE, 0,		0};
	struct store_writer *w;
	struct opened o;
	char error[512] = "";

	(void)state;
	w = store_writer__open(file("flight.vft"), f->m, &options, error, sizeof(error));
	assert_non_null(w);
	for (int i = 0; i < 2000; i++) {
		event.op = i % 2 ? EVENT_RELEASE : EVENT_ACQUIRE;
		event.time += FIXTURE_SECOND / 100;
		model__add_event(f->m, &event);
	}
	assert_int_equal(store_writer__fire(w, "inversion of kvm.lock"), 0);
	assert_int_equal(store_writer__close(w, &f->findings, NULL), 0);
	assert_int_equal(open_recording(file("flight.vft"), &o, true, error), 0);
	assert_in_range(model__event_count(o.m), 501, 503);
	assert_int_equal(model__events(o.m)[0].op, EVENT_GAP);
	assert_int_equal(model__events(o.m)[model__event_count(o.m) - 1].time, event.time);
	close_recording(&o);

	/* nothing happened: no events */
	w = store_writer__open(file("calm.vft"), f->m, &options, error, sizeof(error));
	assert_non_null(w);
	model__add_event(f->m, &event);
	assert_int_equal(store_writer__close(w, &f->findings, NULL), 0);
	assert_int_equal(open_recording(file("calm.vft"), &o, true, error), 0);
	assert_int_equal(model__event_count(o.m), 0);
	close_recording(&o);
	fixture_free(f);
}

/* A child that records, and says when which finding was handed over; killed whenever. */
static void record_until_killed(int out)
{
	struct fixture *f = fixture_large(100, 400);
	struct store_options options = {.record_events = true, .overwrite = true};
	struct trace_event event = {FIXTURE_START, f->opener,	   f->kvm_lock, f->open_stack,
				    EVENT_ACQUIRE, LOCK_EXCLUSIVE, 0,		0};
	struct finding finding = *f->findings.items[0];
	char error[512], key[32];
	struct store_writer *w;

	w = store_writer__open(file("killed.vft"), f->m, &options, error, sizeof(error));
	for (unsigned i = 0; w; i++) {
		event.op = i % 2 ? EVENT_RELEASE : EVENT_ACQUIRE;
		event.time += 1000;
		model__add_event(f->m, &event);
		if (i % 1000)
			continue;
		snprintf(key, sizeof(key), "finding-%u", i / 1000);
		finding.key = key;
		store_writer__finding(w, &finding);
		store_writer__snapshot(w);
		if (write(out, &(unsigned){i / 1000}, sizeof(unsigned)) < 0)
			break;
		usleep(5000);
	}
	_exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

/* What was in the file before the kill is in it afterwards, however much was on its way. */
static void kill_once(unsigned run_ms, unsigned after_ms)
{
	unsigned number = 0, last = 0;
	uint64_t end;
	struct opened o;
	char error[512] = "", key[32];
	int pipes[2];
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (!child)
		record_until_killed(pipes[1]);
	close(pipes[1]);
	end = now_ns() + run_ms * 1000000ULL;
	while (now_ns() < end && read(pipes[0], &number, sizeof(number)) == sizeof(number))
		last = number;
	snprintf(key, sizeof(key), "finding-%u", last);
	wait_until_written(file("killed.vft"), key);
	usleep(after_ms * 1000);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(pipes[0]);
	assert_int_equal(open_recording(file("killed.vft"), &o, true, error), 0);
	for (unsigned i = 0; i <= last; i++) {
		snprintf(key, sizeof(key), "finding-%u", i);
		if (!find_key(analysis__findings(o.findings), key))
			fail_msg("%s is gone: %u was written after it", key, last);
	}
	print_message("killed %u ms after finding %u: %u in the file, %llu events\n", after_ms,
		      last, analysis__findings(o.findings)->count,
		      (unsigned long long)model__event_count(o.m));
	assert_int_equal(model__dependency_count(o.m), 400);
	assert_non_null(model__losses_unknown(o.m));
	close_recording(&o);
}

static void test_killed(void **state)
{
	unsigned random = (unsigned)getpid();

	(void)state;
	for (int i = 0; i < 5; i++)
		kill_once(300 + (unsigned)rand_r(&random) % 900, (unsigned)rand_r(&random) % 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_disk), cmocka_unit_test(test_disk_stays_full),
		cmocka_unit_test(test_max_size),  cmocka_unit_test(test_flight_recorder),
		cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
