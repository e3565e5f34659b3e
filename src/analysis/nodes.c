// SPDX-License-Identifier: GPL-2.0-or-later
/* Abstract acquires and the prefilter by components of the instance graph. */
#include "analysis/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/forkjoin.h"
#include "util/scc.h"

/* --- prefilter -------------------------------------------------------------------------------- */

static uint32_t *instance_components(const struct model *m, bool *empty)
{
	uint32_t count = model__dependency_count(m), kept = 0;
	struct arc *arcs = malloc((count + 1ULL) * sizeof(*arcs));
	struct adjacency graph = {0};
	uint32_t *component = NULL;

	for (uint32_t i = 0; arcs && i < count; i++) {
		const struct dependency *d = model__dependency(m, i);

		if (d->from != d->to)
			arcs[kept++] = (struct arc){d->from, d->to};
	}
	if (arcs && adjacency__build(&graph, model__instance_count(m), arcs, kept))
		component = scc__components(&graph);
	*empty = component != NULL;
	for (uint32_t i = 0; component && *empty && i < graph.nodes; i++)
		*empty = component[i] == SCC_NONE;
	adjacency__release(&graph);
	free(arcs);
	return component;
}

static bool is_inside(const struct nodes *n, uint32_t from, uint32_t to)
{
	return from != to && n->component[from] != SCC_NONE &&
	       n->component[from] == n->component[to];
}

/* Held sets are sets: the order of acquisition and the sites do not matter here. */
static uint64_t element(const struct held_lock *lock)
{
	return (uint64_t)lock->instance << 16 | (uint64_t)lock->subclass << 8 |
	       hold_mode(lock->mode);
}

static uint64_t canonical_hash(const struct chain *chain)
{
	uint64_t hash = hash_mix(idmap_pair(chain->wanted.instance, chain->wanted.mode),
				 chain->wanted.subclass);

	for (uint32_t i = 0; i < chain->held_count; i++)
		hash += hash_mix(element(&chain->held[i]), 1);
	return hash;
}

static int compare_elements(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static bool canonical_equal(const struct chain *x, const struct chain *y)
{
	uint64_t a[MAX_HELD], b[MAX_HELD];

	if (x->wanted.instance != y->wanted.instance || x->wanted.mode != y->wanted.mode ||
	    x->wanted.subclass != y->wanted.subclass || x->held_count != y->held_count)
		return false;
	for (uint32_t i = 0; i < x->held_count; i++) {
		a[i] = element(&x->held[i]);
		b[i] = element(&y->held[i]);
	}
	if (x->held_count > 1) {
		qsort(a, x->held_count, sizeof(*a), compare_elements);
		qsort(b, x->held_count, sizeof(*b), compare_elements);
	}
	return !memcmp(a, b, x->held_count * sizeof(*a));
}

/* The first chain with this held set, remembered in `first`; NO_ID: no memory. */
static uint32_t canonical_of(struct idmap *first, const struct model *m, uint32_t id)
{
	const struct chain *chain = model__chain(m, id);
	uint64_t key = canonical_hash(chain);
	uint32_t known;

	for (; (known = idmap__get(first, key)) != IDMAP_NONE; key++) {
		if (canonical_equal(model__chain(m, known), chain))
			return known;
	}
	return idmap__put(first, key, id) ? NO_ID : id;
}

static bool is_relevant(const struct nodes *n, const struct model *m, uint32_t id)
{
	const struct chain *chain = model__chain(m, id);
	bool relevant = false;

	if (chain->wanted.flags & HELD_TRY)
		return false;
	for (uint32_t i = 0; i < chain->held_count; i++) {
		/* one that did not fit into the model is a loss, and no witness */
		if (model__chain_dependency(m, id, i) == NO_ID)
			return false;
		relevant |= is_inside(n, chain->held[i].instance, chain->wanted.instance);
	}
	return relevant;
}

static bool find_canonical(struct nodes *n, const struct model *m)
{
	uint32_t count = model__chain_count(m);
	struct idmap first = {0};
	bool ok;

	n->canonical = malloc((count + 1ULL) * sizeof(*n->canonical));
	ok = n->canonical;
	for (uint32_t i = 0; ok && i < count; i++) {
		n->canonical[i] = NO_ID;
		if (!is_relevant(n, m, i))
			continue;
		n->canonical[i] = canonical_of(&first, m, i);
		ok = n->canonical[i] != NO_ID;
	}
	idmap__release(&first);
	return ok;
}

/* --- nodes ------------------------------------------------------------------------------------ */

static uint32_t node_for(struct nodes *n, const struct model *m, uint32_t task, uint32_t chain)
{
	uint64_t key = idmap_pair(n->canonical[chain], task);
	uint32_t id = idmap__get(&n->ids, key);
	struct node fresh = {
		.task = task, .chain = chain, .first_entry = NO_ID, .last_entry = NO_ID};

	fresh.only_task = task != NO_ID ? task
			  : model__chain(m, chain)->task_count > 1
				  ? NO_ID
				  : model__chain(m, chain)->first_task;
	if (id != IDMAP_NONE) {
		if (n->items.items[id].only_task != fresh.only_task)
			n->items.items[id].only_task = NO_ID;
		return id;
	}
	id = (uint32_t)n->items.count;
	fresh.wanted = model__chain(m, chain)->wanted.instance;
	fresh.wanted_mode = model__chain(m, chain)->wanted.mode;
	fresh.component = n->component[fresh.wanted];
	if (!vector_push(&n->items, fresh) || idmap__put(&n->ids, key, id))
		return NO_ID;
	return id;
}

static uint32_t add_entry(struct nodes *n, uint32_t node_id, uint64_t event, uint32_t segment)
{
	struct node *node = &n->items.items[node_id];
	uint32_t id = (uint32_t)n->entries.count;

	if (!vector_push(&n->entries, (struct entry){event, segment, NO_ID}))
		return NO_ID;
	if (node->first_entry == NO_ID)
		node->first_entry = id;
	else
		n->entries.items[node->last_entry].next = id;
	node->last_entry = id;
	node->entry_count++;
	return id;
}

/* One event: an acquisition that was announced replaces its announcement. */
static bool add_event(struct nodes *n, const struct model *m, uint64_t i, uint32_t segment,
		      uint32_t *announced)
{
	const struct trace_event *event = &model__events(m)[i];
	uint32_t chain = model__event_chain(m, i), before = announced[event->task], node;

	announced[event->task] = NO_ID;
	if (chain == NO_ID || n->canonical[chain] == NO_ID || event->op == EVENT_TRY_ACQUIRE)
		return true;
	if (event->op == EVENT_ACQUIRE && before != NO_ID &&
	    model__events(m)[n->entries.items[before].event].operand == event->operand) {
		n->entries.items[before].event = i;
		n->entries.items[before].segment = segment;
		return true;
	}
	node = node_for(n, m, event->task, chain);
	if (node == NO_ID)
		return false;
	before = add_entry(n, node, i, segment);
	if (event->op == EVENT_REQUEST)
		announced[event->task] = before;
	return before != NO_ID;
}

static bool add_events(struct analysis *a, struct nodes *n)
{
	uint32_t tasks = model__task_count(a->m);
	uint32_t *announced = malloc((tasks + 1ULL) * sizeof(*announced));
	bool ok = announced;

	a->forkjoin = forkjoin__new(a);
	ok = ok && a->forkjoin;
	if (announced)
		memset(announced, 0xff, (tasks + 1ULL) * sizeof(*announced));
	for (uint64_t i = 0; ok && i < model__event_count(a->m); i++) {
		const struct trace_event *event = &model__events(a->m)[i];

		if (event->op == EVENT_GAP)
			continue;
		ok = add_event(n, a->m, i, forkjoin__step(a->forkjoin, event), announced);
	}
	free(announced);
	return ok;
}

/* Without events: per task where tasks count, else one node for all. */
static bool add_chains(struct analysis *a, struct nodes *n)
{
	const struct model *m = a->m;

	for (uint32_t i = 0; a->options.live_kernel && i < model__chain_count(m); i++) {
		if (n->canonical[i] != NO_ID && node_for(n, m, NO_ID, i) == NO_ID)
			return false;
	}
	for (uint32_t i = 0; !a->options.live_kernel && i < model__task_chain_count(m); i++) {
		const struct task_chain *pair = model__task_chain(m, i);

		if (n->canonical[pair->chain] != NO_ID &&
		    node_for(n, m, pair->task, pair->chain) == NO_ID)
			return false;
	}
	return true;
}

/*
 * Beside the events: what a completion says of the locks that its task took before, which no event
 * of its own stands for. Every cycle over such a chain goes through a wait, so nobody replays it.
 */
static bool is_about_waits(const struct model *m, uint32_t id)
{
	const struct chain *chain = model__chain(m, id);
	uint32_t waits = 0;

	for (uint32_t i = 0; i < chain->held_count; i++) {
		uint32_t lock_class = model__instance(m, chain->held[i].instance)->lock_class;

		waits += lock_kind__is_wait(model__lock_class(m, lock_class)->kind);
	}
	return chain->held_count && waits == chain->held_count;
}

static bool add_waits(const struct analysis *a, struct nodes *n)
{
	const struct model *m = a->m;

	for (uint32_t i = 0; i < model__task_chain_count(m); i++) {
		const struct task_chain *pair = model__task_chain(m, i);

		if (n->canonical[pair->chain] != NO_ID && is_about_waits(m, pair->chain) &&
		    node_for(n, m, pair->task, pair->chain) == NO_ID)
			return false;
	}
	return true;
}

/* Which locks are wanted while which are held: tells at once whether a cycle of two can exist. */
static bool index_pairs(struct nodes *n, const struct model *m)
{
	for (uint32_t i = 0; i < model__dependency_count(m); i++) {
		const struct dependency *d = model__dependency(m, i);
		uint64_t key = idmap_pair(d->from, d->to);

		if (is_inside(n, d->from, d->to) && idmap__get(&n->pairs, key) == IDMAP_NONE &&
		    idmap__put(&n->pairs, key, i))
			return false;
	}
	return true;
}

static bool index_by_held(struct nodes *n, const struct model *m)
{
	uint32_t instances = model__instance_count(m), *at;

	n->held_start = calloc(instances + 2ULL, sizeof(*n->held_start));
	if (!n->held_start)
		return false;
	for (uint32_t pass = 0; pass < 2; pass++) {
		at = n->held_start + 1;
		for (uint32_t i = 0; i < n->items.count; i++) {
			const struct chain *chain = model__chain(m, n->items.items[i].chain);

			for (uint32_t j = 0; j < chain->held_count; j++) {
				uint32_t held = chain->held[j].instance;

				if (!is_inside(n, held, chain->wanted.instance))
					continue;
				if (pass)
					n->by_held[at[held]++] =
						(struct holder){i, chain->held[j].mode};
				else
					at[held + 1]++;
			}
		}
		if (pass)
			break;
		for (uint32_t i = 1; i <= instances; i++)
			n->held_start[i + 1] += n->held_start[i];
		n->held_total = n->held_start[instances + 1];
		n->by_held = malloc((n->held_total + 1ULL) * sizeof(*n->by_held));
		if (!n->by_held)
			return false;
	}
	return true;
}

/* Distinct (task, wanted, held set) of the whole trace: the size of the problem. */
static uint64_t count_abstract(const struct model *m)
{
	struct idmap seen = {0};
	uint64_t count = 0;

	for (uint32_t i = 0; i < model__task_chain_count(m); i++) {
		const struct task_chain *pair = model__task_chain(m, i);
		const struct chain *chain = model__chain(m, pair->chain);
		uint64_t key;

		if (chain->wanted.flags & HELD_TRY || !chain->held_count)
			continue;
		key = hash_mix(canonical_hash(chain), pair->task);
		if (idmap__get(&seen, key) != IDMAP_NONE)
			continue;
		if (idmap__put(&seen, key, 1))
			break;
		count++;
	}
	idmap__release(&seen);
	return count;
}

struct nodes *nodes__new(struct analysis *a, bool *empty)
{
	struct nodes *n = calloc(1, sizeof(*n));

	*empty = false;
	if (!n)
		return NULL;
	n->abstract_acquires = count_abstract(a->m);
	a->stats.abstract_acquires = n->abstract_acquires;
	n->component = instance_components(a->m, empty);
	if (!n->component || *empty || !find_canonical(n, a->m))
		goto failed;
	if (model__event_count(a->m) && !add_events(a, n))
		goto failed;
	if (!add_waits(a, n))
		goto failed;
	/* a live capture has chains that no recorded event shows */
	if ((a->options.live_kernel || !model__event_count(a->m)) && !add_chains(a, n))
		goto failed;
	if (index_by_held(n, a->m) && index_pairs(n, a->m))
		return n;
failed:
	nodes__free(n);
	return NULL;
}

void nodes__free(struct nodes *n)
{
	if (!n)
		return;
	free(n->items.items);
	free(n->entries.items);
	idmap__release(&n->ids);
	idmap__release(&n->pairs);
	free(n->canonical);
	free(n->component);
	free(n->by_held);
	free(n->held_start);
	free(n);
}
