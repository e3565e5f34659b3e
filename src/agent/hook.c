// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The hook: one command per incident, without a shell, with a time limit, never waited for.
 *
 * Between the agent and the command stands a keeper: a child subreaper (prctl(2)), to which every
 * descendant of the command falls when its parent ends, whatever session or group it moved to. It
 * ends when all of them have, and kills them all when the command has ended or the agent says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "agent/hook_limits.h"

#define WORDS_MAX 16

struct request {
	char file[4096];
	char code[32], grade[16];
};

struct hook {
	char *text;		    /* the words, cut in place */
	char *words[WORDS_MAX + 2]; /* room for the file and the NULL */
	int word_count;
	uint64_t timeout_ns;
	char *state; /* the directory that it may read only */
	struct request queue[HOOK_QUEUE];
	uint32_t head, waiting;
	pid_t child;
	uint64_t started_at; /* 0: child started since the last poll */
	bool stopped;	     /* its time was up */
	struct hook_stats stats;
};

struct hook *hook__new(const char *command, uint64_t timeout_ns, const char *state, char *error,
		       size_t error_size)
{
	struct hook *h = calloc(1, sizeof(*h));
	char *save = NULL;

	if (!h || !(h->text = strdup(command)) || !(h->state = strdup(state))) {
		snprintf(error, error_size, "out of memory");
		hook__free(h);
		return NULL;
	}
	h->timeout_ns = timeout_ns;
	for (char *word = strtok_r(h->text, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		if (h->word_count == WORDS_MAX) {
			snprintf(error, error_size, "--hook takes at most %d words", WORDS_MAX);
			goto refuse;
		}
		h->words[h->word_count++] = word;
	}
	if (!h->word_count || h->words[0][0] != '/') {
		snprintf(error, error_size, "--hook wants an absolute path, not \"%s\"", command);
		goto refuse;
	}
	if (access(h->words[0], X_OK)) {
		snprintf(error, error_size, "cannot run the hook %s: %s", h->words[0],
			 strerror(errno));
		goto refuse;
	}
	return h;
refuse:
	hook__free(h);
	return NULL;
}

void hook__free(struct hook *h)
{
	if (!h)
		return;
	if (h->child > 0) {
		kill(h->child, SIGTERM);
		waitpid(h->child, NULL, 0);
	}
	free(h->text);
	free(h->state);
	free(h);
}

int hook__run(struct hook *h, const char *file, const char *code, const char *grade)
{
	struct request *r;

	if (h->waiting == HOOK_QUEUE) {
		h->stats.dropped++;
		return -EAGAIN;
	}
	r = &h->queue[(h->head + h->waiting++) % HOOK_QUEUE];
	snprintf(r->file, sizeof(r->file), "%s", file);
	snprintf(r->code, sizeof(r->code), "%s", code);
	snprintf(r->grade, sizeof(r->grade), "%s", grade);
	return 0;
}

/* Between fork and exec, in a child of the keeper. What it prints goes to `output`. */
static void become_hook(const struct hook *h, char **environment, pid_t agent, int output)
{
	const pid_t keeper = getppid();
	static const int reset[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE, SIGCHLD};
	sigset_t none;
	int null;

	setsid();
	for (size_t i = 0; i < sizeof(reset) / sizeof(reset[0]); i++)
		signal(reset[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || chdir("/"))
		_exit(126);
	if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
		_exit(126);
	close_range(3, ~0U, 0);
	if (hook_limits__apply(h->state, agent, keeper))
		_exit(125);
	execve(h->words[0], h->words, environment);
	_exit(127);
}

/* Kill every child there is at this moment. False: the kernel does not list them. */
static bool kill_children(void)
{
	char path[64], text[4096];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[length > 0 ? length : 0] = 0;
	for (char *at = text, *end; *at; at = end) {
		long pid = strtol(at, &end, 10);

		/* the last number may be cut: it is whole only with a blank behind it */
		if (end == at || *end != ' ')
			break;
		kill((pid_t)pid, SIGKILL);
		end++;
	}
	return true;
}

/*
 * Until there is no descendant: what a killed one leaves behind is a child of the keeper next. One
 * that forks faster than it can be killed is bounded by KEEPER_ROUNDS, then the agent goes on.
 */
#define KEEPER_ROUNDS 2000
static void kill_descendants(pid_t command)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; i < KEEPER_ROUNDS; i++) {
		pid_t ended;

		if (!kill_children())
			kill(-command, SIGKILL);
		while ((ended = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (ended < 0)
			return;
		nanosleep(&pause, NULL);
	}
}

/*
 * The hook's output goes where the agent's own messages go, and must not stand in their way: the
 * journal takes so many lines of a service and no more, and a pipe that is full would stop the
 * agent. So little of it is passed on, and only what can be written at once.
 */
#define OUTPUT_MAX 8192
#define OUTPUT_AT_ONCE 2048 /* a pipe that can be written to has room for PIPE_BUF */

struct output {
	int from;
	size_t left;
	bool cut;
};

static void pass_on(struct output *output)
{
	static const char note[] = "\nvfiotrace: the rest of what the hook prints is left out\n";
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	char text[OUTPUT_AT_ONCE];
	ssize_t got = read(output->from, text, sizeof(text));
	size_t length = got > 0 ? (size_t)got : 0;

	if (!got) { /* it closed its output */
		close(output->from);
		output->from = -1;
	}
	if (!length || output->cut || poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT))
		return;
	output->cut = length > output->left;
	length = output->cut ? output->left : length;
	output->left -= length;
	if (write(STDERR_FILENO, text, length) < 0 || !output->cut)
		return;
	if (write(STDERR_FILENO, note, sizeof(note) - 1) < 0)
		output->left = 0; /* nobody reads it */
}

enum keeper_exit { KEEPER_OK, KEEPER_FAILED, KEEPER_STOPPED };

/* Until the command has ended, or the agent says so. */
static enum keeper_exit keep(pid_t command, int signals, struct output *output)
{
	for (;;) {
		struct pollfd wanted[] = {{.fd = signals, .events = POLLIN},
					  {.fd = output->from, .events = POLLIN}};
		struct signalfd_siginfo what;
		pid_t ended;
		int status;

		if (poll(wanted, 2, -1) < 0)
			continue;
		if (wanted[1].revents)
			pass_on(output);
		if (!wanted[0].revents || read(signals, &what, sizeof(what)) != sizeof(what))
			continue;
		if (what.ssi_signo == SIGTERM)
			return KEEPER_STOPPED;
		while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
			if (ended == command)
				return WIFEXITED(status) && !WEXITSTATUS(status) ? KEEPER_OK
										 : KEEPER_FAILED;
	}
}

static void become_keeper(const struct hook *h, char **environment)
{
	struct output output = {.left = OUTPUT_MAX};
	pid_t agent = getppid(), command;
	enum keeper_exit result;
	sigset_t awaited;
	int ends[2], signals;

	sigemptyset(&awaited);
	sigaddset(&awaited, SIGCHLD);
	sigaddset(&awaited, SIGTERM);
	sigprocmask(SIG_SETMASK, &awaited, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	close_range(3, ~0U, 0);
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != agent)
		_exit(KEEPER_STOPPED); /* it is gone already */
	signals = signalfd(-1, &awaited, SFD_CLOEXEC);
	if (signals < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) ||
	    fcntl(ends[1], F_SETFL, 0)) /* for the command it is as any other */
		_exit(KEEPER_FAILED);
	command = fork();
	if (!command)
		become_hook(h, environment, agent, ends[1]);
	if (command < 0)
		_exit(KEEPER_FAILED);
	close(ends[1]);
	output.from = ends[0];
	result = keep(command, signals, &output);
	kill_descendants(command);
	for (int i = 0; output.from >= 0 && i < OUTPUT_MAX / OUTPUT_AT_ONCE; i++)
		pass_on(&output); /* its last words */
	_exit(result);
}

static void start(struct hook *h)
{
	struct request *r = &h->queue[h->head];
	char code[64], grade[48];
	char *environment[] = {
		(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", code,
		grade, NULL};

	snprintf(code, sizeof(code), "VFIOTRACE_CODE=%s", r->code);
	snprintf(grade, sizeof(grade), "VFIOTRACE_GRADE=%s", r->grade);
	h->words[h->word_count] = r->file;
	h->words[h->word_count + 1] = NULL;
	h->child = fork();
	if (!h->child)
		become_keeper(h, environment);
	h->head = (h->head + 1) % HOOK_QUEUE;
	h->waiting--;
	if (h->child < 0) {
		h->child = 0;
		h->stats.failed++;
		return;
	}
	h->stats.started++;
	h->started_at = 0;
	h->stopped = false;
}

static void reap(struct hook *h)
{
	int status;
	pid_t pid = waitpid(h->child, &status, WNOHANG);

	if (!pid)
		return;
	h->child = 0;
	if (h->stopped)
		h->stats.timed_out++;
	else if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == KEEPER_OK)
		h->stats.succeeded++;
	else
		h->stats.failed++;
}

void hook__poll(struct hook *h, uint64_t now)
{
	if (!h)
		return;
	if (h->child > 0)
		reap(h);
	if (h->child > 0) {
		if (!h->started_at)
			h->started_at = now;
		if (now - h->started_at > h->timeout_ns && !h->stopped) {
			h->stopped = true;
			kill(h->child, SIGTERM);
		}
	} else if (h->waiting) {
		start(h);
	}
}

void hook__stats(const struct hook *h, struct hook_stats *out)
{
	if (h)
		*out = h->stats;
	else
		memset(out, 0, sizeof(*out));
}
