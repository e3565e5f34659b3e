// SPDX-License-Identifier: GPL-2.0-or-later
/* The live source: open, attach, poll, stop, close. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "contention/contention.h"
#include "capture/capture_private.h"
#include "util/clock.h"

#define SWEEP_NS 1000000000ULL
#define STABLE_SWEEPS 3
#define SHRINK_SWEEPS 30
#define TURN_NS 250000000ULL /* records that keep coming must not keep us from everything else */
#define QUIESCE_US 20000
#define HIDDEN_CPU_HOTPLUG_LOCK 8 /* a number of our own where kallsyms hides the address */

static int64_t realtime_offset(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)((uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec -
			 clock_mono_ns());
}

/* --- open
 * ------------------------------------------------------------------------------------------ */

static int map_shared_state(struct capture *c)
{
	long page = sysconf(_SC_PAGESIZE);
	int fd = programs__map_fd(c, "shared");
	void *mapped;

	if (fd < 0)
		return fd;
	c->shared_bytes = (sizeof(struct shared_state) + (size_t)page - 1) & ~((size_t)page - 1);
	mapped = mmap(NULL, c->shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	c->shared = mapped;
	return 0;
}

static void fill_shared_state(struct capture *c)
{
	struct kernel *kernel = c->options.kernel;
	uint64_t hotplug = kernel__symbol(kernel, "cpu_hotplug_lock");

	c->shared->scope_all = c->options.scope_all;
	c->shared->holds = c->options.holds || c->options.record_events;
	c->shared->record_events = c->options.record_events;
	c->shared->self_pid = (uint32_t)getpid();
	c->shared->cpu_hotplug_lock = hotplug ? hotplug : HIDDEN_CPU_HOTPLUG_LOCK;
	c->shared->per_cpu_offset = kernel__symbol(kernel, "__per_cpu_offset");
	c->shared->nr_cpu_ids = kernel__symbol(kernel, "nr_cpu_ids");
	c->shared->all_locks = kernel__symbol(kernel, "mm_all_locks_mutex");
	c->shared->group_fops = kernel__symbol(kernel, "vfio_group_fops");
	c->shared->page_offset_symbol = kernel__symbol(kernel, "page_offset_base");
	c->shared->vmemmap_symbol = kernel__symbol(kernel, "vmemmap_base");
}

/* Static locks of VFIO and KVM belong to the interest set from the start. */
static void add_static_interest(struct capture *c)
{
	static const char *const locks[] = {"kvm_lock", "kvm_usage_lock", "vendor_module_lock"};
	int fd = programs__map_fd(c, "interest");

	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		uint64_t address = kernel__symbol(c->options.kernel, locks[i]);
		struct interest_value none = {};
		uint32_t bit;

		if (!address || bpf_map_update_elem(fd, &address, &none, BPF_NOEXIST))
			continue;
		bit = (uint32_t)(interest_hash(0, address) >> 32);
		__atomic_fetch_or(&c->shared->interest_bits[(bit >> 6) & (INTEREST_WORDS - 1)],
				  1ULL << (bit & 63), __ATOMIC_RELAXED);
	}
}

struct capture *capture__open(const struct capture_options *options, int *error)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c) {
		*error = -ENOMEM;
		return NULL;
	}
	c->options = *options;
	capture__capture_libbpf_log(options->verbosity);
	c->lock_fd = instance_lock__take(options->force);
	if (c->lock_fd < 0) {
		*error = c->lock_fd;
		capture__set_error("another vfiotrace is tracing on this host; stop it, or use "
				   "--force to run beside it");
		goto fail;
	}
	c->names = lock_names__new(options->kernel, options->model);
	*error = c->names ? attach_level__load(c) : -ENOMEM;
	if (*error) {
		attach_level__explain(c, *error);
		if (*error == -EACCES || *error == -EOPNOTSUPP || *error == -ENOENT)
			*error = -ENOTSUP;
		goto fail;
	}
	if (c->level == ATTACH_TRACEPOINT)
		return c;
	*error = map_shared_state(c);
	if (!*error) {
		c->ring = ring_buffer__new(programs__map_fd(c, "records"), decode__record, c, NULL);
		*error = c->ring ? 0 : -errno;
	}
	if (*error) {
		capture__set_error("cannot set up the ring buffer: %s", strerror(-*error));
		goto fail;
	}
	fill_shared_state(c);
	add_static_interest(c);
	programs__attach_begin(c);
	capture__open_contention(c);
	return c;
fail:
	capture__close(c);
	return NULL;
}

/* --- attach
 * ------------------------------------------------------------------------------------------ */

static void count_missing(struct capture *c)
{
	for (uint32_t i = 0; i < c->probe_count; i++) {
		const struct probe *probe = &c->probes[i];

		if ((probe->state == PROBE_FAILED && !probe->is_counted) ||
		    (probe->state == PROBE_MISSING && (probe->row->flags & PROBE_REQUIRED) &&
		     !probe->is_counted)) {
			c->probes[i].is_counted = true;
			model__add_loss(c->options.model, LOSS_PROBE_MISSING, 1);
		}
	}
}

int capture__attach(struct capture *c)
{
	uint64_t started = clock_mono_ns();
	struct model_clock *clock = model__clock(c->options.model);
	int attached = programs__attach_end(c);

	if (attached < 0 && c->ring)
		attached = programs__attach_pending(c);
	programs__explain_failed(c);
	if (c->ring && !attached) {
		capture__set_error(
			"no probe could be attached; `vfiotrace check` names the missing "
			"piece");
		return -ENOTSUP;
	}
	if (capture__attach_contention(c) && !c->ring) {
		capture__set_error("%s", contention__error());
		return -ENOTSUP;
	}
	programs__withdraw_unreleased(c);
	count_missing(c);
	coverage__update(c);
	clock->has_time = true;
	clock->realtime_offset = realtime_offset();
	clock->start = clock_mono_ns();
	c->attach_ns = clock->start - started;
	c->next_collect = clock->start + SWEEP_NS;
	if (c->shared) {
		c->shared->clock = clock->start;
		counters__start_skips(c);
		__atomic_store_n(&c->shared->ready, 1, __ATOMIC_RELEASE);
	}
	return 0;
}

static void follow_modules(struct capture *c)
{
	if (!module_rows__follow(c))
		return;
	count_missing(c);
	coverage__update(c);
	c->stable_sweeps = 0;
	if (c->options.on_probes_changed)
		c->options.on_probes_changed(c->options.context);
}

/* Loading needs megabytes that watching does not.
 */
static void trim_memory(struct capture *c)
{
	if (++c->stable_sweeps % SHRINK_SWEEPS != STABLE_SWEEPS)
		return;
	kernel__shrink(c->options.kernel);
	malloc_trim(0);
}

int capture__poll(struct capture *c, int timeout_ms)
{
	int error;
	uint64_t now;

	c->read_until = clock_mono_ns() + (uint64_t)timeout_ms * 1000000 + TURN_NS;
	error = c->ring ? ring_buffer__poll(c->ring, timeout_ms) : 0;
	c->read_until = 0;
	if (c->contention)
		contention__poll(c->contention, c->ring ? 0 : timeout_ms);
	now = clock_mono_ns();
	if (c->shared) {
		c->shared->clock = now;
		deferred__run(c, now);
	}
	if (now >= c->next_collect) {
		c->next_collect = now + SWEEP_NS;
		kernel__modules_changed(c->options.kernel); /* also where nothing says so */
		if (c->contention)
			contention__sweep(c->contention);
		if (c->ring) {
			counters__collect(c);
			follow_modules(c);
			trim_memory(c);
		}
	}
	return error < 0 && error != -EINTR && error != -EAGAIN ? error : 0;
}

/* --- stop
 * -------------------------------------------------------------------------------------------- */

/* Mostly waiting: an old kernel waits a tenth of a second after each function. */
static void *detach(void *context)
{
	struct capture *c = context;

	programs__detach(c);
	c->detach_ns = clock_mono_ns() - c->stopped_at;
	return NULL;
}

int capture__stop(struct capture *c)
{
	uint64_t started = clock_mono_ns();
	struct model_clock *clock = model__clock(c->options.model);

	if (c->stopped)
		return 0;
	clock->end = started;
	c->stopped = true;
	if (c->ring) {
		counters__note_skips(c);
		if (c->is_preemptible)
			usleep(QUIESCE_US); /* calls that are between their two programs */
		__atomic_store_n(&c->shared->ready, 0, __ATOMIC_RELEASE);
		ring_buffer__consume(c->ring);
		deferred__run(c, UINT64_MAX);
		counters__collect(c);
	}
	contention__stop(c->contention);
	c->stopped_at = started;
	c->is_detaching = !pthread_create(&c->detaching, NULL, detach, c);
	if (!c->is_detaching)
		detach(c);
	return 0;
}

static void wait_for_detach(struct capture *c)
{
	if (c->is_detaching)
		pthread_join(c->detaching, NULL);
	c->is_detaching = false;
}

static void free_tables(struct capture *c)
{
	struct known_chain *chain, *next_chain;
	struct known_site *site, *next_site;

	HASH_ITER(hh, c->known_chains, chain, next_chain) {
		HASH_DEL(c->known_chains, chain);
		free(chain);
	}
	HASH_ITER(hh, c->known_sites, site, next_site) {
		HASH_DEL(c->known_sites, site);
		free(site);
	}
}

void capture__close(struct capture *c)
{
	if (!c)
		return;
	programs__attach_end(c);
	wait_for_detach(c);
	ring_buffer__free(c->ring);
	contention__close(c->contention);
	if (c->shared)
		munmap(c->shared, c->shared_bytes);
	programs__close(c);
	lock_names__free(c->names);
	free_tables(c);
	deferred__free(c);
	if (c->lock_fd >= 0)
		close(c->lock_fd);
	free(c);
}

/* --- what is attached, what it cost
 * --------------------------------------------------------------------- */

/* A lock function that is there and is not looked at is an order that is not seen. */
static bool needs_it(const struct probe_row *row)
{
	const uint32_t others =
		PROBE_OPTIONAL | PROBE_HOLDS | PROBE_EVENTS; /* known from something else */

	return row->flags & PROBE_REQUIRED ||
	       (row->object == PROBE_IN_LOCKS && !(row->flags & others));
}

uint32_t capture__probes(const struct capture *c, struct probe_info *out, uint32_t max)
{
	uint32_t used = capture__contention_probes(c, out, max);

	for (uint32_t i = 0; i < c->probe_count && used < max; i++) {
		const struct probe *probe = &c->probes[i];

		if (probe->state == PROBE_OFF)
			continue;
		out[used++] = (struct probe_info){
			.name = probe->row->name,
			.function = probe->function,
			.how = probe->how,
			.reason = *probe->reason ? probe->reason : NULL,
			.state = probe->state,
			.required_for_verdict = needs_it(probe->row),
			.only_class = probe->row->only_class,
			/* a backup program's own skips are no loss: what both missed is counted */
			.skipped = probe->misses_seen[AT_ENTRY] + probe->misses_seen[AT_EXIT],
		};
	}
	return used;
}

enum attach_level capture__level(const struct capture *c)
{
	return c->level;
}

const char *capture__level_reason(const struct capture *c)
{
	return *c->fallback_reason ? c->fallback_reason : NULL;
}

void capture__stats(struct capture *c, struct capture_stats *out)
{
	wait_for_detach(c);
	memset(out, 0, sizeof(*out));
	out->acquisitions = c->acquisitions;
	out->known_chains = c->counters_seen[COUNT_CHAIN_KNOWN];
	out->records = c->records;
	out->record_bytes = c->record_bytes;
	out->attach_ns = c->attach_ns;
	out->detach_ns = c->detach_ns;
	out->map_bytes = programs__map_bytes(c);
	if (c->contention)
		out->map_bytes += contention__map_bytes(c->contention);
	for (uint32_t i = 0; i < c->probe_count; i++)
		for (int j = 0; j < PROBE_PROGRAMS; j++) {
			struct bpf_prog_info info = {};
			uint32_t size = sizeof(info);

			if (c->probes[i].state != PROBE_ATTACHED || !c->probes[i].programs[j] ||
			    bpf_obj_get_info_by_fd(bpf_program__fd(c->probes[i].programs[j]), &info,
						   &size))
				continue;
			out->run_ns += info.run_time_ns;
			out->run_count += info.run_cnt;
		}
}

int capture__shed(struct capture *c, uint32_t mask)
{
	if (!c->shared)
		return -EINVAL;
	if ((mask & SHED_SCOPE) && c->shared->scope_all)
		c->shared->scope_all = 0;
	c->shared->shed = mask;
	if (mask & SHED_READERS)
		programs__shed_readers(c);
	return 0;
}
