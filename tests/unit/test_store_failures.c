// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Batches that cannot be written, and what comes after them: at every moment the file reads, what
 * it says is the newest, what is missing is said where it is missing, and in the end it is whole.
 */
#include "store_files.h"

#define wait_until(condition)                                                                      \
	do {                                                                                       \
		for (int tries = 0; !(condition) && tries < 500; tries++)                          \
			usleep(20000);                                                             \
		assert_true(condition);                                                            \
	} while (0)

static void limit_files(rlim_t bytes)
{
	const struct rlimit limit = {bytes, RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int no_limit(void **state)
{
	(void)state;
	limit_files(RLIM_INFINITY);
	return 0;
}

static rlim_t size_of(const char *path)
{
	struct stat info;

	assert_int_equal(stat(path, &info), 0);
	return (rlim_t)info.st_size;
}

/* One number; -1 while the file is being written, or without a row. */
static long ask(const char *path, const char *query)
{
	sqlite3 *db;
	sqlite3_stmt *row = NULL;
	long number = -1;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (!sqlite3_prepare_v2(db, query, -1, &row, NULL) && sqlite3_step(row) == SQLITE_ROW &&
	    sqlite3_column_type(row, 0) != SQLITE_NULL)
		number = (long)sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return number;
}

static struct store_writer *open_writer(const char *path, struct model *m,
					const struct store_options *options)
{
	char error[512] = "";
	struct store_writer *w = store_writer__open(path, m, options, error, sizeof(error));

	assert_non_null(w);
	wait_until(ask(path, "SELECT count(*) FROM chain") == model__chain_count(m) &&
		   ask(path, "SELECT count(*) FROM meta WHERE key = 'acquisitions'") == 1);
	return w;
}

static void assert_readable(const char *path)
{
	struct opened o;
	char error[512] = "";

	if (open_recording(path, &o, true, error))
		fail_msg("%s", error);
	close_recording(&o);
}

static void assert_whole(const char *path, const struct fixture *f)
{
	struct opened o;
	char error[512] = "";

	if (open_recording(path, &o, true, error))
		fail_msg("%s", error);
	same_entities(f->m, o.m);
	same_order(f->m, o.m);
	close_recording(&o);
}

static uint32_t add_class(struct fixture *f, unsigned number, size_t name_length)
{
	char *name = malloc(name_length + 32);
	uint32_t lock_class;

	memset(name, 'n', name_length);
	snprintf(name + name_length, 32, "%u", number);
	lock_class = model__add_class(f->m, name, LOCK_KIND_MUTEX, 0);
	free(name);
	return lock_class;
}

/* A lock of a class with such a name, and a chain to it. */
static uint32_t add_chain_through_new_lock(struct fixture *f, unsigned number, size_t name_length)
{
	struct held_lock held = {.instance = f->kvm_lock, .stack = f->close_stack}, wanted = held;
	uint32_t lock_class = add_class(f, number, name_length);

	wanted.instance = model__add_instance(f->m, lock_class, 0xffff888100000000ULL + number, 0);
	model__add_chain(f->m, &held, 1, &wanted, f->opener, FIXTURE_START + number, 1, NO_ID);
	return wanted.instance;
}

/* No room for what is new. */
static void fail_a_batch(struct store_writer *w, struct fixture *f, const char *path,
			 unsigned number)
{
	limit_files(size_of(path));
	add_class(f, number, 30000);
	store_writer__snapshot(w);
	wait_until(store_writer__error(w));
}

/* What did not fit is missing; what comes after it, and fits, may not refer to it. */
static void test_after_a_failed_batch(void **state)
{
	struct fixture *f = fixture_inversion();
	const struct store_options options = {.record_events = true};
	struct trace_event event = {FIXTURE_START, f->opener,	   f->kvm_lock, f->open_stack,
				    EVENT_ACQUIRE, LOCK_EXCLUSIVE, 0,		0};
	const char *path = file("gap.vft");
	struct store_writer *w = open_writer(path, f->m, &options);
	struct held_lock held = {.stack = f->close_stack}, wanted = {.stack = f->open_stack};

	(void)state;
	limit_files(size_of(path));
	held.instance = add_chain_through_new_lock(f, 1, 20000);
	wait_until(store_writer__error(w));
	limit_files(RLIM_INFINITY); /* room again, before the writer was asked to begin again */
	wanted.instance = f->group_lock;
	model__add_chain(f->m, &held, 1, &wanted, f->opener, FIXTURE_START, 1, NO_ID);
	event.operand = held.instance;
	model__add_event(f->m, &event);
	store_writer__finding(w, f->findings.items[0]);
	wait_until(store_writer__lost(w) == 1); /* the event: its lock was not in the file */
	assert_readable(path);
	assert_int_equal(ask(path, "SELECT count(*) FROM finding"), 0);
	store_writer__snapshot(w);
	wait_until(ask(path, "SELECT count(*) FROM finding") == 1);
	assert_whole(path, f);
	assert_int_equal(store_writer__close(w, &f->findings, NULL), 0);
	assert_whole(path, f);
	fixture_free(f);
}

/* Room and no room in turn. */
static void test_disk_full_now_and_then(void **state)
{
	struct fixture *f = fixture_inversion();
	const struct store_options options = {.record_events = true, .queue_bytes = 256 << 10};
	struct trace_event event = {.time = FIXTURE_START,
				    .task = f->opener,
				    .op = EVENT_ACQUIRE,
				    .mode = LOCK_EXCLUSIVE,
				    .stack = NO_ID};
	const char *path = file("sometimes.vft");
	unsigned random = (unsigned)getpid(), number = 0;
	struct store_writer *w = open_writer(path, f->m, &options);

	(void)state;
	print_message("seed %u\n", random);
	for (int round = 0; round < 25; round++) {
		bool full = rand_r(&random) % 2;

		limit_files(full ? size_of(path) + rand_r(&random) % 65536 : RLIM_INFINITY);
		for (unsigned i = rand_r(&random) % 8; i; i--) {
			event.operand =
				add_chain_through_new_lock(f, number++, rand_r(&random) % 30000);
			model__add_event(f->m, &event);
			if (rand_r(&random) % 3 == 0)
				store_writer__finding(w, f->findings.items[0]);
			usleep(rand_r(&random) % 120000);
		}
		if (rand_r(&random) % 2)
			store_writer__snapshot(w);
		assert_readable(path);
	}
	limit_files(RLIM_INFINITY);
	assert_int_equal(store_writer__close(w, &f->findings, NULL), 0);
	assert_whole(path, f);
	fixture_free(f);
}

static void add_stacks(struct model *m, unsigned count)
{
	struct frame frames[10] = {{0}};

	for (unsigned i = 0; i < count; i++) {
		for (unsigned k = 0; k < 10; k++) {
			frames[k].symbol = "some_function";
			frames[k].offset = i * 10 + k;
			frames[k].ip = 0xffffffff00000000ULL + frames[k].offset;
		}
		model__add_stack(m, STACK_FULL, frames, 10);
	}
}

/* However often the graph is sent again, what is in the file already is not there twice. */
static void test_frames_once(void **state)
{
	struct fixture *f = fixture_inversion();
	static const struct store_options options;
	const char *path = file("frames.vft");
	struct store_writer *w;
	long frames;

	(void)state;
	add_stacks(f->m, 1000);
	w = open_writer(path, f->m, &options);
	frames = ask(path, "SELECT count(*) FROM frame");
	assert_true(frames > 10000);
	for (unsigned i = 0; i < 12; i++) {
		fail_a_batch(w, f, path, i);
		add_stacks(f->m, 1010 + i); /* frames that are in failed batches only */
		store_writer__snapshot(w);
		usleep(50000);
		limit_files(RLIM_INFINITY);
		store_writer__snapshot(w);
		usleep(50000);
	}
	assert_int_equal(store_writer__close(w, &f->findings, NULL), 0);
	frames += 210; /* the last ten stacks and eleven more, ten frames each */
	assert_int_equal(ask(path, "SELECT count(*) FROM frame"), frames);
	assert_int_equal(ask(path, "SELECT max(id) FROM frame"), frames - 1);
	assert_whole(path, f);
	fixture_free(f);
}

static void add_events(struct model *m, struct trace_event *event, unsigned count)
{
	while (count--) {
		event->time++;
		event->op = event->time % 2 ? EVENT_ACQUIRE : EVENT_RELEASE;
		model__add_event(m, event);
	}
}

/* Where events are missing there is a gap, and nowhere else. */
static void test_cut_where_events_are_missing(void **state)
{
	struct fixture *f = fixture_inversion();
	const struct store_options options = {.record_events = true, .queue_bytes = 256 << 10};
	struct trace_event event = {FIXTURE_START, f->opener,	   f->kvm_lock, NO_ID,
				    EVENT_ACQUIRE, LOCK_EXCLUSIVE, 0,		0};
	const char *path = file("cut.vft");
	struct store_writer *w = open_writer(path, f->m, &options);
	const struct trace_event *events;
	unsigned holes = 0, cuts = 0;
	struct opened o;
	sqlite3 *db;
	char error[512] = "";

	(void)state;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	while (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL))
		usleep(1000);
	add_events(f->m, &event, 500);
	usleep(500000); /* these are taken, and wait for the file */
	add_events(f->m, &event, 20000);
	assert_true(store_writer__lost(w) > 0);
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(db);
	wait_until(ask(path, "SELECT count(*) > 1000 FROM event") == 1);
	usleep(500000);
	add_events(f->m, &event, 500);
	assert_int_equal(store_writer__close(w, &f->findings, NULL), 0);
	assert_int_equal(open_recording(path, &o, true, error), 0);
	events = model__events(o.m);
	for (uint64_t i = 1, last = events[0].time; i < model__event_count(o.m); i++) {
		if (events[i].op == EVENT_GAP) {
			cuts++;
			continue;
		}
		if (events[i].time != last + 1) {
			holes++;
			assert_int_equal(events[i - 1].op, EVENT_GAP);
		}
		last = events[i].time;
	}
	assert_true(holes > 0);
	assert_int_equal(cuts, holes);
	close_recording(&o);
	fixture_free(f);
}

/* A finding that waited for room does not come back over a newer one of its key. */
static void test_newest_finding_stays(void **state)
{
	struct fixture *f = fixture_inversion();
	static const struct store_options options;
	const char *path = file("newest.vft");
	struct store_writer *w = open_writer(path, f->m, &options);
	struct finding finding = *f->findings.items[0];

	(void)state;
	fail_a_batch(w, f, path, 1);
	finding.count = 101;
	store_writer__finding(w, &finding); /* kept for later */
	finding.count = 102;
	store_writer__finding(w, &finding);
	usleep(400000);
	limit_files(RLIM_INFINITY);
	store_writer__snapshot(w);
	finding.count = 103;
	store_writer__finding(w, &finding);
	wait_until(ask(path, "SELECT count FROM finding") == 103);
	fail_a_batch(w, f, path, 2);
	usleep(400000);
	for (finding.count = 104; finding.count < 110; finding.count++)
		store_writer__finding(w, &finding);
	usleep(400000);
	limit_files(RLIM_INFINITY);
	store_writer__snapshot(w);
	wait_until(ask(path, "SELECT count FROM finding") == 109);
	usleep(400000);
	assert_int_equal(ask(path, "SELECT count FROM finding"), 109);
	assert_int_equal(store_writer__close(w, NULL, NULL), 0);
	assert_int_equal(ask(path, "SELECT count FROM finding"), 109);
	fixture_free(f);
}

/* What the flight recorder had when its trigger came waits for room as well. */
static void test_trigger_on_a_full_disk(void **state)
{
	struct fixture *f = fixture_inversion();
	const struct store_options options = {.record_events = true,
					      .trigger_window = FIXTURE_SECOND};
	struct trace_event event = {FIXTURE_START, f->opener,	   f->kvm_lock, NO_ID,
				    EVENT_ACQUIRE, LOCK_EXCLUSIVE, 0,		0};
	const char *path = file("trigger.vft");
	struct store_writer *w = open_writer(path, f->m, &options);

	(void)state;
	fail_a_batch(w, f, path, 1);
	add_events(f->m, &event, 300);
	assert_int_equal(store_writer__fire(w, "deadlock"), 0);
	usleep(500000);
	assert_true(ask(path, "SELECT count(*) FROM fired") <= 0);
	limit_files(RLIM_INFINITY);
	wait_until((store_writer__snapshot(w), ask(path, "SELECT count(*) FROM fired") == 1));
	assert_int_equal(ask(path, "SELECT events FROM fired"), 300);
	assert_int_equal(store_writer__lost(w), 0);
	assert_int_equal(store_writer__close(w, &f->findings, NULL), 0);
	assert_int_equal(ask(path, "SELECT count(*) >= 300 FROM event"), 1);
	assert_whole(path, f);
	fixture_free(f);
}

static void plant_journal(const char *path, const char *victim)
{
	static const unsigned char magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
	const size_t length = strlen(victim);
	unsigned char bytes[1024] = {0}, *tail = bytes + 512;
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += (uint32_t)victim[i];
	memcpy(bytes, magic, 8);
	bytes[22] = 2;	  /* sectors of 512 bytes */
	bytes[26] = 0x10; /* pages of 4096 */
	memcpy(tail, (unsigned char[]){0, 4, 0, 1}, 4);
	memcpy(tail + 4, victim, length);
	tail[7 + length] = (unsigned char)length;
	for (int i = 0; i < 4; i++)
		tail[8 + length + (size_t)i] = (unsigned char)(sum >> (24 - 8 * i));
	memcpy(tail + 12 + length, magic, 8);
	unlink(path);
	write_text(path, bytes, 532 + length);
	assert_int_equal(chown(path, 4242, 4242), 0);
}

/* In /tmp anybody can put a journal beside a recording that is being written. */
static void test_journal_planted_beside_a_live_recording(void **state)
{
	struct fixture *f = fixture_inversion();
	static const struct store_options options;
	const char *path = file("live.vft"), *victim = file("victim");
	const char *journal = file("live.vft-journal");
	struct store_writer *w;
	uint32_t classes;

	(void)state;
	if (geteuid())
		skip();
	write_text(victim, "precious", 8);
	w = open_writer(path, f->m, &options);
	usleep(400000); /* its transaction is over */
	classes = (uint32_t)ask(path, "SELECT count(*) FROM class");
	plant_journal(journal, victim);
	add_class(f, 1, 100);
	store_writer__snapshot(w);
	wait_until(store_writer__error(w));
	assert_non_null(strstr(store_writer__error(w), "is not ours"));
	assert_int_equal(access(victim, F_OK), 0);
	assert_int_equal(access(journal, F_OK), 0);
	unlink(journal);
	assert_int_equal(mkfifo(journal, 0666), 0);
	add_class(f, 2, 100);
	store_writer__snapshot(w); /* a pipe holds nobody up */
	usleep(400000);
	unlink(journal);
	assert_int_equal(store_writer__close(w, &f->findings, NULL), 0);
	assert_int_equal(ask(path, "SELECT count(*) FROM class"), classes + 2);
	assert_whole(path, f);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_after_a_failed_batch, no_limit),
		cmocka_unit_test_teardown(test_disk_full_now_and_then, no_limit),
		cmocka_unit_test_teardown(test_frames_once, no_limit),
		cmocka_unit_test_teardown(test_cut_where_events_are_missing, no_limit),
		cmocka_unit_test_teardown(test_newest_finding_stays, no_limit),
		cmocka_unit_test_teardown(test_trigger_on_a_full_disk, no_limit),
		cmocka_unit_test(test_journal_planted_beside_a_live_recording),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
