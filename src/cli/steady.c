// SPDX-License-Identifier: GPL-2.0-or-later
/* Owners that stay, see steady.h. Every look has a model of its own, so pairs are kept by address. */
#include "cli/steady.h"

#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

struct pair_key {
	uint64_t lock, start_time;
	uint32_t tid, reserved;
};

struct pair {
	struct pair_key key;
	uint32_t look; /* the latest that showed it */
	UT_hash_handle hh;
};

struct steady {
	struct pair *pairs;
	uint32_t looks;
};

struct steady *steady__new(void)
{
	return calloc(1, sizeof(struct steady));
}

void steady__free(struct steady *s)
{
	struct pair *p, *next;

	if (!s)
		return;
	HASH_ITER(hh, s->pairs, p, next) {
		HASH_DEL(s->pairs, p);
		free(p);
	}
	free(s);
}

static struct pair *find(struct steady *s, const struct model *m, const struct census_lock *l,
			 struct pair_key *key)
{
	const struct task *t = model__task(m, l->owner);
	struct pair *p;

	*key = (struct pair_key){ .lock = model__instance(m, l->instance)->address,
				  .start_time = t->start_time, .tid = t->tid };
	HASH_FIND(hh, s->pairs, key, sizeof(*key), p);
	return p;
}

int steady__keep(struct steady *s, const struct model *m, const struct census *c)
{
	s->looks++;
	for (uint32_t i = 0; i < c->lock_count; i++) {
		struct pair_key key;
		struct pair *p;

		if (c->locks[i].owner == NO_ID)
			continue;
		p = find(s, m, &c->locks[i], &key);
		if (p) {
			if (p->look == s->looks - 1)
				p->look = s->looks;
			continue;
		}
		if (s->looks > 1) /* was not there at first: too late to stay all the while */
			continue;
		p = calloc(1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		p->key = key;
		p->look = s->looks;
		HASH_ADD(hh, s->pairs, key, sizeof(p->key), p);
	}
	return 0;
}

int steady__filter(struct steady *s, const struct model *m, struct census *c)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->lock_count; i++) {
		struct pair_key key;
		struct pair *p = c->locks[i].owner == NO_ID ? NULL
							     : find(s, m, &c->locks[i], &key);

		if (p && p->look == s->looks)
			c->locks[kept++] = c->locks[i];
	}
	c->lock_count = kept;
	return 0;
}
