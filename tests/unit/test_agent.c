// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's pieces: state directory, rotation, hook, textfile, budget, notify, unprivileged
 * parse. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>
#include <errno.h>
#include <cmocka.h>

#include "agent.h"
#include "capture.h"
#include "cli.h"
#include "rules.h"

static char work[64], error[512];
static char kept[64]; /* the state directory of hooks */

static char *in_work(const char *name)
{
	static char paths[8][256];
	static int next;
	char *path = paths[next++ % 8];

	snprintf(path, 256, "%s/%s", work, name);
	return path;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	fchmod(fd, mode);
	close(fd);
}

static void read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t got = fd < 0 ? 0 : read(fd, out, size - 1);

	out[got > 0 ? got : 0] = 0;
	if (fd >= 0)
		close(fd);
}

static int setup(void **state)
{
	(void)state;
	strcpy(work, "/tmp/vfiotrace-agent-XXXXXX");
	strcpy(kept, "/tmp/vfiotrace-agent-kept-XXXXXX");
	return mkdtemp(work) && mkdtemp(kept) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[192];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s %s", work, kept);
	return system(command);
}

static void state_directory_is_private(void **state)
{
	struct statedir *s = statedir__open(in_work("state"), error, sizeof(error));
	struct stat about;

	(void)state;
	assert_non_null(s);
	assert_int_equal(stat(in_work("state"), &about), 0);
	assert_int_equal(about.st_mode & 07777, 0700);
	statedir__close(s);

	assert_int_equal(mkdir(in_work("open"), 0755), 0);
	assert_null(statedir__open(in_work("open"), error, sizeof(error)));
	assert_non_null(strstr(error, "lets others in"));

	assert_int_equal(symlink("state", in_work("link")), 0);
	assert_null(statedir__open(in_work("link"), error, sizeof(error)));
	assert_non_null(strstr(error, "link"));

	setenv("STATE_DIRECTORY", in_work("link"), 1);
	s = statedir__open(in_work("link"), error, sizeof(error));
	unsetenv("STATE_DIRECTORY");
	assert_non_null(s);
	assert_string_equal(strrchr(statedir__path(s), '/'), "/state");
	statedir__close(s);
	if (geteuid() == 0) {
		assert_int_equal(mkdir(in_work("foreign"), 0700), 0);
		assert_int_equal(chown(in_work("foreign"), 1234, 1234), 0);
		assert_null(statedir__open(in_work("foreign"), error, sizeof(error)));
		assert_non_null(strstr(error, "belongs to user 1234"));
	}
}

static void incident_names_hold_nothing_foreign(void **state)
{
	char name[INCIDENT_NAME_SIZE], other[INCIDENT_NAME_SIZE];

	(void)state;
	incident_name(name, "instance-inversion", "../../etc/passwd\n", 1700000000);
	assert_true(statedir__owns(name));
	assert_null(strchr(name, '/'));
	assert_non_null(strstr(name, "20231114T221320Z-instance-inversion-"));
	incident_name(other, "instance-inversion", "another", 1700000000);
	assert_string_not_equal(name, other);
	assert_false(statedir__owns("notes.txt"));
	assert_false(statedir__owns("notes.vfiotrace"));
	assert_false(statedir__owns("20231114T221320Z-x-0123456789abcdeg.vfiotrace"));
	assert_false(statedir__owns("../20231114T221320Z-x-0123456789abcdef.vfiotrace"));
}

static void make_incident(const char *key, int64_t when, size_t kilobytes)
{
	struct timespec times[2] = {{when, 0}, {when, 0}};
	char name[INCIDENT_NAME_SIZE], block[1024];
	int fd;

	incident_name(name, "gated", key, when);
	fd = open(in_work("state"), O_DIRECTORY);
	assert_true(fd >= 0);
	int file = openat(fd, name, O_WRONLY | O_CREAT, 0600);

	memset(block, 7, sizeof(block));
	for (size_t i = 0; i < kilobytes; i++)
		assert_int_equal(write(file, block, sizeof(block)), sizeof(block));
	fsync(file); /* some filesystems count blocks only then */
	futimens(file, times);
	close(file);
	close(fd);
}

static void rotation_goes_by_age_then_size(void **state)
{
	struct statedir *s = statedir__open(in_work("state"), error, sizeof(error));
	struct statedir_usage usage;
	char found[INCIDENT_NAME_SIZE], path[INCIDENT_NAME_SIZE + 16];

	(void)state;
	assert_non_null(s);
	make_incident("one", 1000000, 64);
	make_incident("two", 2000000, 64);
	make_incident("three", 3000000, 64);
	write_file(in_work("state/keep.txt"), "not ours", 0600);
	assert_int_equal(symlink("/etc/passwd",
				 in_work("state/20231114T221320Z-x-0123456789abcdef.vfiotrace")),
			 0);
	assert_true(statedir__has_incident(s, "two", found));
	assert_true(statedir__owns(found));
	assert_false(statedir__has_incident(s, "four", NULL));
	/* a file that a crash of the host left empty keeps no finding from being written */
	incident_name(found, "x", "empty", 1000000);
	snprintf(path, sizeof(path), "state/%s", found);
	write_file(in_work(path), "", 0600);
	assert_false(statedir__has_incident(s, "empty", NULL));
	assert_int_equal(unlink(in_work(path)), 0);

	assert_int_equal(statedir__rotate(s, 3000100, 1500000, 0, &usage), 0);
	assert_int_equal(usage.removed, 1);
	assert_int_equal(usage.files, 2);
	assert_false(statedir__has_incident(s, "one", NULL));

	assert_int_equal(statedir__rotate(s, 3000100, 0, 100 << 10, &usage), 0);
	assert_int_equal(usage.removed, 1);
	assert_false(statedir__has_incident(s, "two", NULL));
	assert_true(statedir__has_incident(s, "three", NULL));
	assert_int_equal(access(in_work("state/keep.txt"), F_OK), 0);
	statedir__close(s);
}

static void finish_hooks(struct hook *h, uint64_t step_ns)
{
	uint64_t now = 1;
	struct hook_stats stats;

	for (int i = 0; i < 6000; i++) {
		hook__poll(h, now);
		hook__stats(h, &stats);
		if (stats.started &&
		    stats.started == stats.succeeded + stats.failed + stats.timed_out)
			return;
		now += step_ns;
		usleep(10000);
	}
	fail_msg("the hook never ended");
}

static void hook_gets_the_file_and_no_shell(void **state)
{
	char script[512], text[256];
	struct hook_stats stats;
	struct hook *h;

	(void)state;
	snprintf(script, sizeof(script),
		 "#!/bin/sh\necho \"$# $1 $2 $VFIOTRACE_CODE $HOME\" >%s/said\nls /proc/self/fd | "
		 "wc -l >>%s/said\n",
		 work, work);
	write_file(in_work("hook"), script, 0755);
	snprintf(script, sizeof(script), "%s/hook  a;b", work);
	h = hook__new(script, 5000000000ULL, kept, error, sizeof(error));
	assert_non_null(h);
	assert_int_equal(hook__run(h, "/var/lib/$(reboot).vfiotrace", "deadlock", "critical"), 0);
	finish_hooks(h, 10000000);
	hook__stats(h, &stats);
	assert_int_equal(stats.succeeded, 1);
	read_file(in_work("said"), text, sizeof(text));
	assert_string_equal(strtok(text, "\n"), "2 a;b /var/lib/$(reboot).vfiotrace deadlock ");
	hook__free(h);
	assert_null(hook__new("relative", 1, kept, error, sizeof(error)));
	assert_null(hook__new("/nonexistent/hook", 1, kept, error, sizeof(error)));
	assert_null(hook__new("", 1, kept, error, sizeof(error)));
}

static void hook_is_killed_when_its_time_is_up(void **state)
{
	struct hook_stats stats;
	struct hook *h;

	(void)state;
	write_file(in_work("slow"), "#!/bin/sh\nsleep 1000 & sleep 1000\n", 0755);
	h = hook__new(in_work("slow"), 1000000000ULL, kept, error, sizeof(error));
	assert_non_null(h);
	for (int i = 0; i < HOOK_QUEUE; i++)
		assert_int_equal(hook__run(h, "/f", "gated", "info"), 0);
	assert_int_equal(hook__run(h, "/f", "gated", "info"), -EAGAIN);
	finish_hooks(h, 300000000);
	hook__stats(h, &stats);
	assert_int_equal(stats.timed_out, HOOK_QUEUE);
	assert_int_equal(stats.dropped, 1);
	hook__free(h);
}

/* What it reports is beside its state directory, which it can read. */
static void hook_can_do_nothing_to_the_agent(void **state)
{
	char script[1024], text[256];
	struct hook_stats stats;
	struct hook *h;

	(void)state;
	snprintf(script, sizeof(script), "%s/incident", kept);
	write_file(script, "evidence\n", 0600);
	snprintf(script, sizeof(script),
		 "#!/bin/sh\ncd %s\nexec 2>/dev/null\nk=%s\n"
		 "{ kill -0 %d && echo signal; kill -0 -1 && echo all; kill -0 $$ || echo self\n"
		 "kill -9 $PPID && echo keeper\n"
		 "echo x >$k/incident && echo written; rm $k/incident && echo removed\n"
		 "mkdir $k/new && echo made; mv $k/incident moved && echo moved\n"
		 "cat $k/incident; echo end; } >pried\n",
		 work, kept, (int)getpid());
	write_file(in_work("prying.hook"), script, 0755);
	h = hook__new(in_work("prying.hook"), 5000000000ULL, kept, error, sizeof(error));
	assert_non_null(h);
	assert_int_equal(hook__run(h, "/f", "gated", "info"), 0);
	finish_hooks(h, 10000000);
	hook__stats(h, &stats);
	assert_int_equal(stats.succeeded, 1);
	hook__free(h);
	read_file(in_work("pried"), text, sizeof(text));
	assert_string_equal(text, "evidence\nend\n");
}

/* Its output stands beside the agent's own messages, in a file or a pipe that may be full. */
static void hook_cannot_flood_the_messages(void **state)
{
	int saved = dup(STDERR_FILENO), ends[2];
	struct hook_stats stats;
	struct stat about;
	struct hook *h;
	char text[12000];

	(void)state;
	write_file(in_work("flood.hook"),
		   "#!/bin/sh\necho first; echo second >&2; i=0\n"
		   "while [ $i -lt 20 ]; do head -c 100000 /dev/zero | tr '\\0' x; i=$((i + 1)); "
		   "done\n",
		   0755);
	write_file(in_work("messages"), "", 0600);
	assert_true(freopen(in_work("messages"), "a", stderr) != NULL);
	h = hook__new(in_work("flood.hook"), 20000000000ULL, kept, error, sizeof(error));
	assert_int_equal(hook__run(h, "/f", "gated", "info"), 0);
	finish_hooks(h, 1);
	/* nobody reads, and it is full: the hook ends all the same */
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	while (write(ends[1], text, 4096) > 0)
		;
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(hook__run(h, "/f", "gated", "info"), 0);
	finish_hooks(h, 1);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	hook__stats(h, &stats);
	assert_int_equal(stats.succeeded, 2);
	hook__free(h);
	assert_int_equal(stat(in_work("messages"), &about), 0);
	assert_in_range(about.st_size, 8192, 8400);
	read_file(in_work("messages"), text, sizeof(text));
	assert_non_null(strstr(text, "first\n"));
	assert_non_null(strstr(text, "second\n"));
	assert_non_null(strstr(text, "the rest of what the hook prints is left out"));
}

/* A process that left the hook's session and group, and one whose parent ended long ago. */
static void strays_of_a_hook_are_killed_with_it(void **state)
{
	static const char *const endings[] = {"exit 0", "sleep 1000"};
	char script[768], text[256];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct hook_stats stats;
		struct hook *h;
		char *save = NULL;
		int strays = 0;

		snprintf(script, sizeof(script),
			 "#!/bin/sh\ncd %s\nrm -f strays\n"
			 "setsid sh -c 'echo $$ >>strays; exec sleep 1000' &\n"
			 "sh -c 'setsid sh -c \"echo \\$\\$ >>strays; exec sleep 1000\" &'\n"
			 "while [ \"$(wc -l 2>/dev/null <strays)\" != 2 ]; do sleep 0.01; "
			 "done\n%s\n",
			 work, endings[i]);
		write_file(in_work("strays.hook"), script, 0755);
		h = hook__new(in_work("strays.hook"), 3000000000ULL, kept, error, sizeof(error));
		assert_non_null(h);
		assert_int_equal(hook__run(h, "/f", "gated", "info"), 0);
		finish_hooks(h, 10000000);
		hook__stats(h, &stats);
		assert_int_equal(i ? stats.timed_out : stats.succeeded, 1);
		hook__free(h);
		read_file(in_work("strays"), text, sizeof(text));
		for (char *pid = strtok_r(text, "\n", &save); pid;
		     pid = strtok_r(NULL, "\n", &save)) {
			strays++;
			assert_int_equal(kill(atoi(pid), 0), -1);
			assert_int_equal(errno, ESRCH);
		}
		assert_int_equal(strays, 2);
	}
}

static void textfile_replaces_at_once(void **state)
{
	char text[64];
	struct stat about;

	(void)state;
	write_file(in_work("x.prom"), "old", 0600);
	assert_int_equal(textfile_write(in_work("x.prom"), "new text\n", 9), 0);
	read_file(in_work("x.prom"), text, sizeof(text));
	assert_string_equal(text, "new text\n");
	assert_int_equal(stat(in_work("x.prom"), &about), 0);
	assert_int_equal(about.st_mode & 0777, 0644);
	assert_int_equal(textfile_write(in_work("absent/x.prom"), "x", 1), -ENOENT);
	/* a full disk keeps the old text */
	assert_int_equal(symlink("/dev/full", in_work("full")), 0);
	assert_true(textfile_write("/dev/full/x", "x", 1) < 0);
}

static void textfile_takes_the_place_of_files_only(void **state)
{
	struct stat about;
	char text[64];

	(void)state;
	assert_int_equal(mkfifo(in_work("pipe"), 0600), 0);
	assert_int_equal(textfile_write(in_work("pipe"), "x", 1), -EEXIST);
	assert_int_equal(lstat(in_work("pipe"), &about), 0);
	assert_true(S_ISFIFO(about.st_mode));
	assert_false(textfile_may_be("/dev/null"));
	assert_false(textfile_may_be(in_work(".")));
	/* a link goes, what it names stays */
	write_file(in_work("precious"), "precious", 0600);
	assert_int_equal(symlink("precious", in_work("link.prom")), 0);
	assert_int_equal(textfile_write(in_work("link.prom"), "x", 1), 0);
	read_file(in_work("precious"), text, sizeof(text));
	assert_string_equal(text, "precious");
}

static void budget_sheds_in_steps_and_gives_back(void **state)
{
	const struct overhead_options options = {.budget = 0.005};
	struct overhead o;
	uint32_t seen[8] = {0};
	int changes = 0;

	(void)state;
	overhead__init(&o, &options);
	for (int i = 0; i < 20; i++) {
		uint32_t shed = overhead__decide(&o, 0.02);

		if (shed != o.shed)
			seen[changes++] = shed;
		o.shed = shed;
	}
	assert_int_equal(changes, 3);
	assert_int_equal(seen[0], SHED_SCOPE);
	assert_int_equal(seen[1], SHED_SCOPE | SHED_READERS);
	assert_int_equal(seen[2], SHED_SCOPE | SHED_READERS | SHED_CHAINS);
	for (int i = 0; i < 29; i++)
		assert_int_equal(overhead__decide(&o, 0.001), o.shed);
	assert_int_equal(overhead__decide(&o, 0.001), SHED_SCOPE | SHED_READERS);
	/* one burst is no reason */
	o.shed = 0;
	o.over = 0;
	assert_int_equal(overhead__decide(&o, 0.9), 0);
	assert_int_equal(overhead__decide(&o, 0.001), 0);
	assert_int_equal(overhead__decide(&o, 0.9), 0);
}

static void notify_speaks_to_the_manager(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char got[64] = {0};

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", work);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	assert_int_equal(notify_state("READY=1\nSTATUS=watching"), 0);
	assert_true(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(got, "READY=1\nSTATUS=watching");
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog_ns(), 15000000000ULL);
	unsetenv("WATCHDOG_USEC");
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_state("READY=1"), 0);
	assert_int_equal(notify_watchdog_ns(), 0);
	close(fd);
}

static void every_code_has_a_message_id(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < JOURNAL_KINDS; i++) {
		const char *id = journal_message_id(i);

		if (i >= FINDING_CODES && i < JOURNAL_STARTED)
			continue;
		assert_non_null(id);
		assert_int_equal(strlen(id), 32);
		assert_int_equal(strspn(id, "0123456789abcdef"), 32);
		for (unsigned int j = 0; j < i; j++)
			assert_true(!journal_message_id(j) || strcmp(id, journal_message_id(j)));
	}
	assert_null(journal_message_id(JOURNAL_KINDS));
}

static int crash(void *context, int in, int out)
{
	(void)context;
	(void)in;
	(void)out;
	/* the filter refuses abort's signal, so that it ends by a fault: not one of the tests' */
	signal(SIGSEGV, SIG_DFL);
	abort();
}

static int boast(void *context, int in, int out)
{
	char text[128];
	int other = open("/proc/1/environ", O_RDONLY);

	(void)context;
	(void)in;
	snprintf(text, sizeof(text), "%s %s", other < 0 ? "refused" : "open",
		 geteuid() ? "somebody" : "root");
	return write(out, text, strlen(text)) < 0;
}

static void parser_has_no_privileges(void **state)
{
	char *text = NULL;
	size_t length = 0;

	(void)state;
	write_file(in_work("input"), "x", 0600);
	assert_int_equal(parse_unprivileged(in_work("input"), 100, crash, NULL, &text, &length),
			 -EBADMSG);
	assert_int_equal(parse_unprivileged(in_work("input"), 100, boast, NULL, &text, &length), 0);
	assert_string_equal(text, "refused somebody");
	free(text);
	assert_int_equal(parse_unprivileged(in_work("input"), 0, boast, NULL, &text, &length),
			 -EFBIG);
	assert_int_equal(parse_unprivileged(work, 100, boast, NULL, &text, &length), -EINVAL);
	assert_int_equal(symlink("input", in_work("input-link")), 0);
	assert_int_equal(parse_unprivileged(in_work("input-link"), 9, boast, NULL, &text, &length),
			 -ELOOP);
	assert_int_equal(mkfifo(in_work("fifo"), 0600), 0);
	assert_int_equal(parse_unprivileged(in_work("fifo"), 9, boast, NULL, &text, &length),
			 -EINVAL);
}

static void rules_come_back_whole(void **state)
{
	uint32_t complaints = 0;
	struct rule_set *set;

	(void)state;
	write_file(in_work("rules"),
		   "order kvm.lock > kvm.slots_lock\n\treason as documented\n\tkernel 5.15 - 6.1\n"
		   "suppress a.b -> c.d\n\treason accepted here\n\texpires 2999-01-01\n",
		   0600);
	set = rules_load_unprivileged(in_work("rules"), &complaints, NULL, NULL);
	assert_non_null(set);
	assert_int_equal(complaints, 0);
	assert_int_equal(set->count, 2);
	assert_int_equal(set->items[0].kind, RULE_ORDER);
	assert_int_equal(set->items[0].kernel_from, 5 << 16 | 15 << 8);
	assert_string_equal(set->items[0].classes[1], "kvm.slots_lock");
	assert_string_equal(set->items[0].reason, "as documented");
	assert_true(set->items[1].expires > 0);
	rule_set__free(set);

	if (!geteuid()) { /* root does what is in it */
		assert_int_equal(chmod(in_work("rules"), 0666), 0);
		assert_null(rules_load_unprivileged(in_work("rules"), &complaints, NULL, NULL));
		assert_int_equal(complaints, 1);
		assert_int_equal(chmod(in_work("rules"), 0600), 0);
	}
	write_file(in_work("rules"), "nonsense\n\n\x01\xff", 0600);
	assert_null(rules_load_unprivileged(in_work("rules"), &complaints, NULL, NULL));
	assert_true(complaints > 0);
	complaints = 0;
	assert_null(rules_load_unprivileged(in_work("absent"), &complaints, NULL, NULL));
	assert_int_equal(complaints, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_directory_is_private),
		cmocka_unit_test(incident_names_hold_nothing_foreign),
		cmocka_unit_test(rotation_goes_by_age_then_size),
		cmocka_unit_test(hook_gets_the_file_and_no_shell),
		cmocka_unit_test(hook_is_killed_when_its_time_is_up),
		cmocka_unit_test(hook_can_do_nothing_to_the_agent),
		cmocka_unit_test(hook_cannot_flood_the_messages),
		cmocka_unit_test(strays_of_a_hook_are_killed_with_it),
		cmocka_unit_test(textfile_replaces_at_once),
		cmocka_unit_test(textfile_takes_the_place_of_files_only),
		cmocka_unit_test(budget_sheds_in_steps_and_gives_back),
		cmocka_unit_test(notify_speaks_to_the_manager),
		cmocka_unit_test(every_code_has_a_message_id),
		cmocka_unit_test(parser_has_no_privileges),
		cmocka_unit_test(rules_come_back_whole),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
