// SPDX-License-Identifier: GPL-2.0-or-later
/* The incident file: what is written comes back, and nothing that is done to it does harm. */
#include "store_files.h"

/* Things the fixture lacks: a stream, paths, readers, losses, subclasses, file:line. */
static void add_everything_else(struct fixture *f)
{
	struct model *m = f->m;
	struct frame line = {.ip = 0xffffffff81000010,
			     .offset = 16,
			     .line = 42,
			     .symbol = "main",
			     .file = "drivers/vfio/vfio_main.c",
			     .module = "vfio"};
	uint32_t rwsem = model__add_class(m, "rw_semaphore.demo", LOCK_KIND_RWSEM, 0);
	uint32_t a = model__add_instance(m, rwsem, 0xffffffffffffffff, 7);
	uint32_t stack = model__add_stack(m, STACK_LOCATION, &line, 1);
	struct held_lock held = {a, stack, LOCK_SHARED_RECURSIVE, HELD_TRY, 1};
	struct held_lock wanted = {f->kvm_lock, NO_ID, LOCK_EXCLUSIVE, HELD_INFERRED, 0};
	struct path_event path = {
		PATH_GET_KVM, f->opener, FIXTURE_START + 5, 1, f->device,  f->group,
		f->vm,	      -22,	 HOW_GROUP,	    1, f->set_lock};
	struct trace_event event = {FIXTURE_START + 7, f->opener,      f->kvm_lock, stack,
				    EVENT_ACQUIRE,     LOCK_EXCLUSIVE, 0,	    0};

	model__add_chain(m, &held, 1, &wanted, f->closer, FIXTURE_START + 99, 3, NO_ID);
	model__add_path_event(m, &path);
	model__add_loss(m, LOSS_RING_FULL, 17);
	model__set_losses_unknown(m, "kprobe misses are not counted before 6.7");
	model__set_fact(m, "kernel.cmdline", "quiet secret=\"x'y\\z\"");
	model__keep_events(m, true);
	model__add_event(m, &event);
	event.op = EVENT_RELEASE;
	model__add_event(m, &event);
	model__add_event(m, &event); /* not held: a bad release */
	event.op = EVENT_WRITE;
	event.operand = model__add_variable(m, "x");
	model__add_event(m, &event);
	event.op = EVENT_FORK;
	event.operand = f->closer;
	model__add_event(m, &event);
}

static void round_trip(struct fixture *f)
{
	struct opened o;
	char error[512] = "";

	add_everything_else(f);
	assert_int_equal(
		store__save(file("round.vft"), f->m, &f->findings, "fail", error, sizeof(error)),
		0);
	assert_int_equal(open_recording(file("round.vft"), &o, true, error), 0);
	same_model(f->m, o.m);
	assert_string_equal(model__fact(o.m, "recording.verdict"), "fail");
	for (uint32_t i = 0; i < f->findings.count; i++) {
		const struct finding *x = f->findings.items[i];

		assert_non_null(find_key(analysis__findings(o.findings), x->key));
		same_finding(x, find_key(analysis__findings(o.findings), x->key));
	}
	close_recording(&o);
	fixture_free(f);
}

static void test_round_trip(void **state)
{
	(void)state;
	round_trip(fixture_inversion());
	round_trip(fixture_deadlock());
	round_trip(fixture_events());
}

static void test_round_trip_hostile(void **state)
{
	(void)state;
	round_trip(fixture_hostile());
}

static void test_round_trip_large(void **state)
{
	(void)state;
	round_trip(fixture_large(500, 5000));
}

/* What was written live, bit by bit, equals what a save at the end writes. */
static void test_live_writer(void **state)
{
	struct fixture *f = fixture_inversion();
	struct store_options options = {.record_events = true};
	struct trace_event event = {FIXTURE_START + 7, f->opener,      f->kvm_lock, f->open_stack,
				    EVENT_ACQUIRE,     LOCK_EXCLUSIVE, 0,	    0};
	struct store_writer *w;
	struct opened o;
	char error[512] = "";

	(void)state;
	w = store_writer__open(file("live.vft"), f->m, &options, error, sizeof(error));
	assert_non_null(w);
	model__keep_events(f->m, true);
	for (int i = 0; i < 3000; i++) {
		event.op = i % 2 ? EVENT_RELEASE : EVENT_ACQUIRE;
		event.time += 1000;
		model__add_event(f->m, &event);
		if (i == 1500)
			store_writer__finding(w, f->findings.items[0]);
		if (i % 500 == 0) {
			char name[32];

			snprintf(name, sizeof(name), "renamed-%d", i);
			model__name_instance(f->m, f->set_lock, name, f->device);
			model__count_chain(f->m, f->chain_open, 5, event.time);
			store_writer__snapshot(w);
			usleep(20000);
		}
	}
	assert_int_equal(store_writer__close(w, &f->findings, "x"), 0);
	assert_int_equal(open_recording(file("live.vft"), &o, true, error), 0);
	same_model(f->m, o.m);
	assert_int_equal(analysis__findings(o.findings)->count, f->findings.count);
	close_recording(&o);
	fixture_free(f);
}

static void test_text_code(void **state)
{
	static const char *const texts[] = {
		"",
		"plain",
		FIXTURE_HOSTILE,
		"\\x41",
		"\\",
		"\x01\x02\x7f",
		"\xc3\xa4",
		"\xc2\x9b",
		"\xe2\x80\xae"
		"abc",
		"\xed\xa0\x80",
		"\xf4\x90\x80\x80",
		"\xff\xfe",
		"\xc3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *encoded = store_text__encode(texts[i]), *back = store_text__decode(encoded);

		assert_string_equal(back, texts[i]);
		for (const char *at = encoded; *at; at++)
			assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
		free(encoded);
		free(back);
	}
}

static void fails_with(const char *path, const char *words)
{
	struct opened o;
	char error[512] = "";

	assert_true(open_recording(path, &o, true, error) < 0);
	if (!strstr(error, words))
		fail_msg("\"%s\" lacks \"%s\"", error, words);
	assert_non_null(strstr(error, path));
	close_recording(&o);
}

static void test_foreign_files(void **state)
{
	sqlite3 *db;

	(void)state;
	write_text(file("empty"), "", 0);
	fails_with(file("empty"), "empty");
	write_text(file("text"), "T0|acq(l)|1\n", 12);
	fails_with(file("text"), "is not a vfiotrace recording");
	fails_with(file("absent"), "No such file");
	fails_with(directory, "not a regular file");
	assert_int_equal(sqlite3_open(file("other.db"), &db), SQLITE_OK);
	sqlite3_exec(db, "CREATE TABLE t (x); INSERT INTO t VALUES (1)", NULL, NULL, NULL);
	sqlite3_close(db);
	fails_with(file("other.db"), "another program");
	assert_false(store__is_recording(file("other.db")));
	assert_int_equal(sqlite3_open(file("newer.db"), &db), SQLITE_OK);
	sqlite3_exec(db,
		     "PRAGMA application_id = 0x76667472; PRAGMA user_version = 99; "
		     "CREATE TABLE t (x)",
		     NULL, NULL, NULL);
	sqlite3_close(db);
	fails_with(file("newer.db"), "newer vfiotrace");
	assert_true(store__is_recording(file("newer.db")));
}

/* Every statement leaves a file that opens as SQLite but makes no sense as a recording. */
static void test_nonsense_rows(void **state)
{
	static const char *const changes[] = {
		"UPDATE instance SET class = 4000000000",
		"UPDATE instance SET id = id + 4000000000000",
		"UPDATE chain_held SET instance = -1",
		"UPDATE chain_held SET mode = 77",
		"UPDATE chain SET wanted = 99999",
		"UPDATE class SET kind = 'nonsense'",
		"UPDATE stack_frame SET frame = 123456",
		"UPDATE task_chain SET task = 99",
		"UPDATE duration SET buckets = '{\"99\":1}'",
		"UPDATE coverage SET path = 'x' || path",
		"UPDATE finding SET body = '{'",
		"UPDATE finding SET body = json_set(body, '$.classes[0]', 99)",
		"UPDATE event SET op = 99",
		"UPDATE event SET operand = 1 << 40",
		"DROP TABLE chain",
		"DROP TABLE meta",
		"DROP TABLE task; CREATE VIEW task AS SELECT 1 AS id",
	};
	struct fixture *f = fixture_deadlock();
	char error[512], *good;
	size_t length;

	(void)state;
	add_everything_else(f);
	assert_int_equal(
		store__save(file("odd.vft"), f->m, &f->findings, NULL, error, sizeof(error)), 0);
	good = read_bytes(file("odd.vft"), &length);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct opened o;
		sqlite3 *db;

		write_text(file("odd.vft"), good, length);
		assert_int_equal(sqlite3_open(file("odd.vft"), &db), SQLITE_OK);
		if (sqlite3_exec(db, changes[i], NULL, NULL, NULL))
			fail_msg("%s: %s", changes[i], sqlite3_errmsg(db));
		sqlite3_close(db);
		if (open_recording(file("odd.vft"), &o, true, error) >= 0)
			fail_msg("read after %s", changes[i]);
		assert_non_null(strstr(error, "odd.vft"));
		close_recording(&o);
	}
	free(good);
	fixture_free(f);
}

/* Bytes overwritten at random: an answer or an error, never a crash. */
static void test_damaged_files(void **state)
{
	struct fixture *f = fixture_large(60, 200);
	unsigned random = 1;
	int refused = 0;
	char error[512], *good;
	size_t length;

	(void)state;
	add_everything_else(f);
	assert_int_equal(
		store__save(file("hurt.vft"), f->m, &f->findings, NULL, error, sizeof(error)), 0);
	good = read_bytes(file("hurt.vft"), &length);
	for (int round = 0; round < 300; round++) {
		/* mostly past the header, or nothing else would be tried */
		size_t from = round % 10 ? 100 : 0, cut = length;
		char *bytes = malloc(length);
		struct opened o;
		int result;

		memcpy(bytes, good, length);
		for (int i = 0; i < 40; i++)
			bytes[from + (size_t)rand_r(&random) % (length - from)] =
				(char)rand_r(&random);
		if (round % 5 == 0)
			cut = (size_t)rand_r(&random) % length;
		write_text(file("hurt.vft"), bytes, cut);
		free(bytes);
		result = open_recording(file("hurt.vft"), &o, true, error);
		refused += result < 0;
		if (result < 0)
			assert_non_null(strstr(error, "hurt.vft"));
		close_recording(&o);
	}
	assert_true(refused > 100);
	free(good);
	fixture_free(f);
}

static struct store_writer *try_open(const char *path, struct model *m, char *error)
{
	static const struct store_options options;

	return store_writer__open(path, m, &options, error, 512);
}

static void test_creating(void **state)
{
	struct fixture *f = fixture_inversion();
	struct store_writer *w;
	struct stat info;
	char error[512];

	(void)state;
	umask(0);
	w = try_open(file("mode.vft"), f->m, error);
	assert_non_null(w);
	assert_int_equal(stat(file("mode.vft"), &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(store_writer__close(w, &f->findings, NULL), 0);
	/* one file at the end */
	assert_int_not_equal(access(file("mode.vft-journal"), F_OK), 0);
	assert_int_not_equal(access(file("mode.vft-wal"), F_OK), 0);

	/* our own is replaced on request only, a foreign one and what is behind a link never */
	assert_null(try_open(file("mode.vft"), f->m, error));
	assert_non_null(strstr(error, "--overwrite"));
	assert_int_equal(store__check_place(file("mode.vft"), false, error, sizeof(error)),
			 -EEXIST);
	assert_int_equal(store__is_recording(file("mode.vft")), 1);
	w = store_writer__open(file("mode.vft"), f->m, &(struct store_options){.overwrite = true},
			       error, sizeof(error));
	assert_non_null(w);
	assert_int_equal(store_writer__close(w, NULL, NULL), 0);
	write_text(file("letter"), "dear diary", 10);
	assert_null(try_open(file("letter"), f->m, error));
	assert_non_null(strstr(error, "not overwritten"));
	assert_int_equal(symlink("mode.vft", file("link.vft")), 0);
	assert_null(try_open(file("link.vft"), f->m, error));
	assert_non_null(strstr(error, "symbolic link"));
	assert_int_equal(symlink("nowhere", file("dangling.vft")), 0);
	assert_null(try_open(file("dangling.vft"), f->m, error));
	assert_int_not_equal(access(file("nowhere"), F_OK), 0);
	assert_null(try_open(file("no/such/dir"), f->m, error));
	assert_null(try_open("/dev/null", f->m, error));
	assert_non_null(strstr(error, "not a regular file"));
	assert_null(try_open("/proc/version", f->m, error));
	fixture_free(f);
}

/* Neither reading nor a journal left behind needs the place to be writable. */
static void test_reading_leaves_no_trace(void **state)
{
	struct fixture *f = fixture_inversion();
	struct stat before, after;
	struct opened o;
	char error[512];

	(void)state;
	assert_int_equal(
		store__save(file("still.vft"), f->m, &f->findings, NULL, error, sizeof(error)), 0);
	assert_int_equal(chmod(file("still.vft"), 0400), 0);
	assert_int_equal(stat(file("still.vft"), &before), 0);
	assert_int_equal(open_recording(file("still.vft"), &o, true, error), 0);
	assert_int_equal(stat(file("still.vft"), &after), 0);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	close_recording(&o);
	fixture_free(f);
}

static void test_migration(void **state)
{
	static const char *const steps[] = {
		"ALTER TABLE t ADD COLUMN y DEFAULT 7", "CREATE TABLE u AS SELECT x, y FROM t",
		"CREATE TABLE t (x)", /* cannot work */
	};
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	sqlite3_exec(db, "CREATE TABLE t (x); INSERT INTO t VALUES (1); PRAGMA user_version = 1",
		     NULL, NULL, NULL);
	assert_int_equal(store_migrate(db, 1, 3, steps), 0);
	assert_int_equal(sqlite3_exec(db, "SELECT y FROM u", NULL, NULL, NULL), SQLITE_OK);
	assert_true(store_migrate(db, 3, 4, steps) < 0);
	assert_int_equal(sqlite3_exec(db, "SELECT y FROM u", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void save_host(const char *path, const char *boot, const char *name, uint64_t offset)
{
	struct fixture *f = fixture_inversion();
	char error[512];

	model__set_fact(f->m, "host.boot_id", boot);
	model__set_fact(f->m, "host.name", name);
	model__clock(f->m)->realtime_offset += (int64_t)offset;
	assert_int_equal(store__save(path, f->m, &f->findings, NULL, error, sizeof(error)), 0);
	fixture_free(f);
}

static void test_merge(void **state)
{
	const char *same[] = {file("a.vft"), file("b.vft")};
	struct fixture *f = fixture_inversion();
	struct opened o;
	char error[512] = "";

	(void)state;
	save_host(same[0], "boot-1", "alpha", 0);
	save_host(same[1], "boot-1", "alpha", 0);
	assert_int_equal(store__merge(file("m.vft"), same, 2, error, sizeof(error)), 0);
	assert_int_equal(open_recording(file("m.vft"), &o, true, error), 0);
	assert_int_equal(model__instance_count(o.m), model__instance_count(f->m));
	assert_int_equal(model__task_count(o.m), model__task_count(f->m));
	assert_int_equal(model__chain(o.m, f->chain_open)->count,
			 2 * model__chain(f->m, f->chain_open)->count);
	close_recording(&o);

	save_host(same[1], "boot-2", "beta", 100 * FIXTURE_SECOND);
	assert_int_equal(store__merge(file("m.vft"), same, 2, error, sizeof(error)), 0);
	assert_int_equal(open_recording(file("m.vft"), &o, true, error), 0);
	assert_int_equal(model__class_count(o.m), model__class_count(f->m));
	assert_int_equal(model__instance_count(o.m), 2 * model__instance_count(f->m));
	assert_int_equal(model__task_count(o.m), 2 * model__task_count(f->m));
	assert_int_equal(model__dependency_count(o.m), 2 * model__dependency_count(f->m));
	/* the other boot's clock is moved, so that wall time stays what it was */
	assert_int_equal(model__clock(o.m)->end, model__clock(f->m)->end + 100 * FIXTURE_SECOND);
	assert_int_equal(model__clock(o.m)->realtime_offset, model__clock(f->m)->realtime_offset);
	assert_string_equal(model__fact(o.m, "host.1.host.name"), "beta");
	close_recording(&o);

	assert_true(store__merge(same[0], same, 2, error, sizeof(error)) < 0);
	assert_non_null(strstr(error, "input too"));
	fixture_free(f);
}

/* None of the names and addresses may be anywhere in the bytes of the file. */
static void check_bytes(const char *path)
{
	static const char *const secrets[] = {"qemu-system", "win11-ci", "secret", "node-17",
					      "65:00.0"};
	static const char *const kept[] = {"kvm.lock", "group 12", "vfio_file_set_kvm"};
	size_t length;
	char *bytes = read_bytes(path, &length);

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_null(memmem(bytes, length, secrets[i], strlen(secrets[i])));
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		assert_non_null(memmem(bytes, length, kept[i], strlen(kept[i])));
	free(bytes);
}

static void test_redact(void **state)
{
	struct fixture *f = fixture_deadlock();
	struct opened o;
	char error[512] = "";

	(void)state;
	f->findings.items[0]->note = "qemu-system-x86 holds 0xffffc90000a51028 of win11-ci";
	model__set_fact(f->m, "kernel.cmdline", "quiet secret=1");
	assert_int_equal(
		store__save(file("open.vft"), f->m, &f->findings, NULL, error, sizeof(error)), 0);
	assert_int_equal(store__redact(file("open.vft"), file("closed.vft"), error, sizeof(error)),
			 0);
	check_bytes(file("closed.vft"));
	assert_int_equal(open_recording(file("closed.vft"), &o, true, error), 0);
	assert_int_equal(model__chain_count(o.m), model__chain_count(f->m));
	assert_int_equal(model__dependency_count(o.m), model__dependency_count(f->m));
	assert_string_equal(model__task(o.m, 0)->comm, model__task(o.m, 1)->comm);
	assert_true(model__instance(o.m, 0)->address < 1000);
	assert_non_null(find_key(analysis__findings(o.findings), f->findings.items[1]->key));
	close_recording(&o);
	fixture_free(f);
}

/* Written with pseudonyms from the first byte on: what is read back has them, and all the rest. */
static void test_redact_live(void **state)
{
	const struct store_options options = {.redact = true};
	struct fixture *f = fixture_deadlock();
	struct store_writer *w;
	struct opened o;
	char error[512] = "";

	(void)state;
	f->findings.items[0]->note = "qemu-system-x86 holds 0xffffc90000a51028 of win11-ci";
	model__set_fact(f->m, "kernel.cmdline", "quiet secret=1");
	w = store_writer__open(file("shared.vft"), f->m, &options, error, sizeof(error));
	assert_non_null(w);
	store_writer__finding(w, f->findings.items[0]);
	store_writer__snapshot(w);
	assert_int_equal(store_writer__close(w, &f->findings, NULL), 0);
	check_bytes(file("shared.vft"));
	assert_int_equal(open_recording(file("shared.vft"), &o, true, error), 0);
	assert_int_equal(model__dependency_count(o.m), model__dependency_count(f->m));
	assert_true(model__instance(o.m, 0)->address < 1000);
	assert_null(strstr(model__task(o.m, 0)->comm, "qemu"));
	assert_int_equal(analysis__findings(o.findings)->count, f->findings.count);
	close_recording(&o);
	fixture_free(f);
}

/* "kvm-lock 3 of task-1" of two redacted recordings are two locks and two tasks, whatever they say.
 */
static void test_merge_of_redacted_hosts(void **state)
{
	const char *const names[] = {"boot-a", "boot-b"};
	const char *redacted[2] = {file("ra.vft"), file("rb.vft")};
	struct opened one, both;
	char error[512] = "";

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct fixture *f = fixture_inversion();
		struct held_lock held = {.instance = f->kvm_lock, .stack = f->close_site};
		struct held_lock wanted = {.stack = f->close_stack};

		model__set_fact(f->m, "host.boot_id", names[i]);
		wanted.instance = model__add_instance(
			f->m, model__add_class(f->m, i ? "b's" : "a's", LOCK_KIND_MUTEX, 0), 64, 0);
		model__add_chain(f->m, &held, 1, &wanted, f->closer, FIXTURE_START, 1, PATH_COUNT);
		assert_int_equal(store__save(file("open.vft"), f->m, &f->findings, NULL, error,
					     sizeof(error)),
				 0);
		assert_int_equal(store__redact(file("open.vft"), redacted[i], error, sizeof(error)),
				 0);
		fixture_free(f);
	}
	assert_int_equal(store__merge(file("rm.vft"), redacted, 2, error, sizeof(error)), 0);
	assert_int_equal(open_recording(redacted[0], &one, true, error), 0);
	assert_int_equal(open_recording(file("rm.vft"), &both, true, error), 0);
	assert_int_equal(model__task_count(both.m), 2 * model__task_count(one.m));
	assert_int_equal(model__instance_count(both.m), 2 * model__instance_count(one.m));
	assert_int_equal(model__class_count(both.m), model__class_count(one.m) + 1);
	close_recording(&one);
	close_recording(&both);
}

/* Two VMs that had one address, one after the other, stay two in the file and in a merged one. */
static void test_reused_addresses(void **state)
{
	struct fixture *f = fixture_inversion();
	struct object vm = *model__object(f->m, f->vm);
	const char *name = model__object(f->m, f->vm)->name;
	struct opened o;
	char error[512] = "";
	uint32_t other;

	(void)state;
	vm.pid++;
	vm.name = "another";
	other = model__add_object(f->m, &vm);
	assert_int_not_equal(other, f->vm);
	assert_int_equal(
		store__save(file("two.vft"), f->m, &f->findings, NULL, error, sizeof(error)), 0);
	assert_int_equal(store__merge(file("merged.vft"), (const char *[]){file("two.vft")}, 1,
				      error, sizeof(error)),
			 0);
	for (int merged = 0; merged < 2; merged++) {
		assert_int_equal(
			open_recording(file(merged ? "merged.vft" : "two.vft"), &o, true, error),
			0);
		assert_int_equal(model__object_count(o.m), model__object_count(f->m));
		for (uint32_t i = 0; i < model__instance_count(o.m); i++)
			if (model__instance(o.m, i)->address == 0xffffc90000a51028ULL)
				assert_string_equal(
					model__object(o.m, model__instance(o.m, i)->object)->name,
					name);
		close_recording(&o);
	}
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_round_trip_hostile),
		cmocka_unit_test(test_round_trip_large),
		cmocka_unit_test(test_live_writer),
		cmocka_unit_test(test_text_code),
		cmocka_unit_test(test_foreign_files),
		cmocka_unit_test(test_nonsense_rows),
		cmocka_unit_test(test_damaged_files),
		cmocka_unit_test(test_creating),
		cmocka_unit_test(test_reused_addresses),
		cmocka_unit_test(test_reading_leaves_no_trace),
		cmocka_unit_test(test_migration),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_redact),
		cmocka_unit_test(test_redact_live),
		cmocka_unit_test(test_merge_of_redacted_hosts),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
