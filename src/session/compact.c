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

static int select_what_stays(struct session *s, struct selection *selection)
{
	int error = selection__class_order(selection, s->model);

	if (!error)
		error = selection__paths(selection, s->model, MOST_PATH_EVENTS);
	if (error)
		return error;
	selection__findings(selection, s->model, analysis__findings(s->analysis));
	return capture__select(s->capture, selection);
}

/* The ring must not run full meanwhile. */
static void read_ahead(void *context)
{
	struct session *s = context;

	capture__read_ahead(s->capture);
}

/* The new model and its findings, beside the old ones. On error nothing is left of them. */
static int make_smaller(struct session *s, const struct selection *selection, struct moves *moves)
{
	struct model *before = s->model;
	struct analysis *judged = s->analysis;
	struct replay_options options = {
		.only = selection, .moves = moves, .breathe = read_ahead, .context = s};
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
		analysis__look_again(s->analysis);
	carry_counts(analysis__findings(judged), analysis__findings(s->analysis));
	capture__adopt(s->capture, s->model, moves);
	read_ahead(s);
	analysis__free(judged);
	model__free(before);
	read_ahead(s);
	return 0;
}

int session__forget(struct session *s, uint32_t *chains_forgotten)
{
	/* nothing may be added to the model from here on, until it is replaced */
	struct selection *selection = selection__new(s->model);
	struct moves *moves = moves__new(s->model);
	uint32_t chains = model__chain_count(s->model);
	int error = -ENOMEM;

	if (s->store)
		error = -EOPNOTSUPP;
	else if (selection && moves)
		error = select_what_stays(s, selection);
	if (!error)
		error = make_smaller(s, selection, moves);
	if (!error)
		*chains_forgotten = chains - model__chain_count(s->model);
	capture__resume(s->capture);
	selection__free(selection);
	moves__free(moves);
	return error;
}
