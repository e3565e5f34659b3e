// SPDX-License-Identifier: GPL-2.0-or-later
/* A long run: the model is made smaller while everything stays attached. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session/session.h"

/* Runs of paths that are kept beside references to VMs that are still open. */
#define MOST_PATH_EVENTS 4096

/* Findings that the order graph cannot reproduce. */
static int existing_deadlocks(const struct finding_list *all, struct finding_list *out)
{
	out->items = calloc(all->count + 1ULL, sizeof(*out->items));
	if (!out->items)
		return -ENOMEM;
	for (uint32_t i = 0; i < all->count; i++)
		if (all->items[i]->kind == FINDING_DEADLOCK)
			out->items[out->count++] = all->items[i];
	return 0;
}

static void carry_on(const struct finding *was, struct finding *now)
{
	now->count = was->count > now->count ? was->count : now->count;
	now->first = was->first && was->first < now->first ? was->first : now->first;
	now->resolved = was->resolved;
	now->resolved_at = was->resolved_at;
}

static const struct finding *same_finding(const struct finding_list *list, const char *key)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i]->key, key))
			return list->items[i];
	return NULL;
}

/* A long cycle is not looked at with each pair of locks: made again it may have been passed by. */
static bool is_weaker(const struct finding_list *before, const struct finding_list *after)
{
	for (uint32_t i = 0; i < before->count; i++) {
		const struct finding *now = same_finding(after, before->items[i]->key);

		if (!now || now->grade < before->items[i]->grade)
			return true;
	}
	return false;
}

static void carry_counts(const struct finding_list *before, const struct finding_list *after)
{
	for (uint32_t i = 0; i < after->count; i++) {
		const struct finding *was = same_finding(before, after->items[i]->key);

		if (was)
			carry_on(was, after->items[i]);
	}
}

static int select_kept(struct session *s, struct keep_set *keep)
{
	int error = keep_set__class_order(keep, s->model);

	if (!error)
		error = keep_set__paths(keep, s->model, MOST_PATH_EVENTS);
	if (error)
		return error;
	keep_set__findings(keep, s->model, analysis__findings(s->analysis));
	return capture__select(s->capture, keep);
}

/* The ring must not run full meanwhile. */
static void prefetch(void *context)
{
	struct session *s = context;

	capture__prefetch(s->capture);
}

/* The new model and its findings, beside the old ones. On error nothing is left of them. */
static int compact(struct session *s, const struct keep_set *keep, struct id_remap *remap)
{
	struct model *before = s->model;
	struct analysis *judged = s->analysis;
	struct replay_options options = {
		.only = keep, .remap = remap, .yield = prefetch, .context = s};
	struct finding_list once = {0};
	int error = existing_deadlocks(analysis__findings(judged), &once);

	if (!error)
		error = session__new_model(s);
	if (!error) {
		s->analysis = session__new_analysis(s, s->rules, s->suppressions);
		error = s->analysis ? 0 : -ENOMEM;
	}
	if (!error)
		error = model__replay(s->model, before, &once, s->analysis, &options);
	free(once.items);
	if (!error && model__loss(s->model, LOSS_MEMORY) > model__loss(before, LOSS_MEMORY))
		error = -ENOMEM;
	if (error) {
		analysis__free(s->analysis == judged ? NULL : s->analysis);
		model__free(s->model == before ? NULL : s->model);
		s->model = before;
		s->analysis = judged;
		return error;
	}
	if (is_weaker(analysis__findings(judged), analysis__findings(s->analysis)))
		analysis__reevaluate(s->analysis);
	carry_counts(analysis__findings(judged), analysis__findings(s->analysis));
	capture__switch_model(s->capture, s->model, remap);
	prefetch(s);
	analysis__free(judged);
	model__free(before);
	prefetch(s);
	return 0;
}

int session__compact(struct session *s, uint32_t *chains_evicted)
{
	/* nothing may be added to the model from here on, until it is replaced */
	struct keep_set *keep = keep_set__new(s->model);
	struct id_remap *remap = id_remap__new(s->model);
	uint32_t chains = model__chain_count(s->model);
	int error = -ENOMEM;

	if (s->store)
		error = -EOPNOTSUPP;
	else if (keep && remap)
		error = select_kept(s, keep);
	if (!error)
		error = compact(s, keep, remap);
	if (!error)
		*chains_evicted = chains - model__chain_count(s->model);
	capture__resume(s->capture);
	keep_set__free(keep);
	id_remap__free(remap);
	return error;
}
