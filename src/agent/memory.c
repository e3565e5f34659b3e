// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's memory: least recently seen chains are evicted, or the model is reset. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/syslog.h>
#include <unistd.h>

#include "exit_code.h"
#include "agent/agent_private.h"
#include "util/clock.h"
#include "util/message.h"

#define RESTART_PAUSE_NS 600000000000ULL

/* A compaction costs a moment, a reset stops the watch: only where a compaction does not help.
 */
void agent__bound_memory(struct agent *a, uint64_t now)
{
	uint32_t chains = model__chain_count(a->session.model);
	bool is_heavy = a->options.memory_bytes && process_memory_bytes() > a->options.memory_bytes;

	if (chains > a->compact_at || (is_heavy && chains / 2 > a->chains_kept)) {
		a->must_compact = true;
	} else if (is_heavy && now >= a->next_restart) {
		/* a bound that even an empty model exceeds must not stop the watch again and again
		 */
		a->next_restart = now + RESTART_PAUSE_NS;
		a->must_restart = true;
	}
}

/* Files asked for in the last moment are still written, within ten seconds. */
void agent__finish_incidents(struct agent *a)
{
	for (int i = 0; i < 100 && incidents__waiting(a->incidents); i++) {
		agent__poll_incidents(a, clock_mono_ns());
		usleep(100000);
	}
	for (int i = 0; i < 20; i++) {
		agent__poll_hook(a, clock_mono_ns());
		if (a->hooks_seen.started ==
		    a->hooks_seen.succeeded + a->hooks_seen.failed + a->hooks_seen.timed_out)
			break;
		usleep(100000);
	}
}

/* What the last look over a model finds is reported and written before the model goes. */
static void reset_model(struct agent *a, uint64_t losses[LOSS_REASONS])
{
	uint64_t left = a->options.session.duration_ns;
	struct capture_stats stats;

	if (left) {
		uint64_t gone = clock_mono_ns() - a->session.started;

		a->options.session.duration_ns = left > gone ? left - gone : 1;
	}
	capture__stats(a->session.capture, &stats);
	a->acquisitions_before += stats.acquisitions;
	session__finish(&a->session, NULL);
	agent__finish_incidents(a);
	for (int i = 0; i < LOSS_REASONS; i++)
		losses[i] = model__loss(a->session.model, (enum loss_reason)i);
	losses[LOSS_PROBE_MISSING] = 0; /* counted again */
	a->options.session.kernel = a->session.kernel;
	a->session.kernel = NULL;
	session__close(&a->session);
	malloc_trim(0);
	overhead__close(&a->overhead);
	a->overhead.sample.mono = 0;
	a->overhead.window.mono = 0;
}

/*
 * The model reached its bound: reported findings stay known and on disk, the graph starts empty.
 * What is known of the kernel is kept: the capabilities that read it are gone. If less can be
 * attached than before, the service ends, so that systemd starts it again with all of them.
 */
int agent__restart(struct agent *a)
{
	enum attach_level level = capture__level(a->session.capture);
	uint64_t began = clock_mono_ns(), losses[LOSS_REASONS];
	char message[160];

	notify_slow(true);
	reset_model(a, losses);
	a->must_restart = false;
	a->service.restarts++;
	if (agent__open_session(a))
		return EXIT_ERROR; /* whatever it was: it worked with all capabilities */
	if (capture__level(a->session.capture) != level) {
		log_error("cannot attach as before (%s, now %s); ending, to be started again",
			  attach_level_names[level],
			  attach_level_names[capture__level(a->session.capture)]);
		return EXIT_ERROR;
	}
	for (int i = 0; i < LOSS_REASONS; i++)
		model__add_loss(a->session.model, (enum loss_reason)i, losses[i]);
	a->losses_said[LOSS_PROBE_MISSING] = 0;
	notify_slow(false);
	snprintf(message, sizeof(message),
		 "the model reached its memory bound and was reset; nothing was seen for %.1f "
		 "s",
		 (double)(clock_mono_ns() - began) / 1e9);
	journal_entry(JOURNAL_RESTARTED, LOG_NOTICE, message, NULL, 0);
	return 0;
}

/* Everything stays attached, and what comes meanwhile waits in the ring. */
void agent__compact(struct agent *a)
{
	uint64_t began = clock_mono_ns();
	uint32_t evicted = 0, chains;
	char text[32];
	int error;

	notify_slow(true);
	error = session__compact(&a->session, &evicted);
	notify_slow(false);
	a->must_compact = false;
	chains = model__chain_count(a->session.model);
	a->chains_kept = chains;
	/* where little could go, the next one comes later; an event stream forbids it for good */
	a->compact_at = chains > a->options.max_chains / 2 ? 2 * chains : a->options.max_chains;
	if (error == -EOPNOTSUPP)
		a->compact_at = UINT32_MAX;
	if (error)
		return;
	malloc_trim(0);
	a->service.compactions++;
	a->service.evicted_chains += evicted;
	a->service.compaction_seconds += (double)(clock_mono_ns() - began) / 1e9;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)a->service.evicted_chains);
	model__set_fact(a->session.model, "model.forgotten", text);
}
