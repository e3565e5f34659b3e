// SPDX-License-Identifier: GPL-2.0-or-later
/* Words of STD traces. */
#include <stdlib.h>
#include <string.h>

#include "import/std_names.h"

/* Up to seven bytes are their own key; longer ones are hashed and compared. */
static uint64_t token_key(struct token token)
{
	uint64_t key = 0;

	if (token.length > 7)
		return hash_bytes(token.text, token.length) | 1ULL << 63;
	memcpy(&key, token.text, token.length);
	return key;
}

bool std_names__find(const struct names *names, struct token token, uint64_t *key,
		     struct meaning *found)
{
	uint32_t i;

	*key = token_key(token);
	if (token.length <= 7) {
		*found = (struct meaning){.id = idmap__get(&names->exact, *key)};
		if (found->id != IDMAP_NONE)
			return true;
	}
	for (; (i = idmap__get(&names->ids, *key)) != IDMAP_NONE; ++*key) {
		*found = names->items.items[i];
		if (token.length <= 7 ||
		    (!strncmp(found->text, token.text, token.length) && !found->text[token.length]))
			return true;
	}
	return false;
}

bool std_names__add(struct names *names, struct model *m, struct token token, uint64_t key,
		    const struct meaning *fresh)
{
	struct meaning meaning = *fresh;

	if (meaning.id == NO_ID)
		return false;
	if (token.length <= 7 && !meaning.subclass)
		return !idmap__put(&names->exact, key, meaning.id);
	if (token.length > 7)
		meaning.text = model__intern_n(m, token.text, token.length);
	return (token.length <= 7 || meaning.text) &&
	       vector_reserve(&names->items, names->items.count + 1) &&
	       !idmap__put(&names->ids, key, (uint32_t)names->items.count) &&
	       vector_push(&names->items, meaning);
}

void std_names__release(struct names *names)
{
	idmap__release(&names->exact);
	idmap__release(&names->ids);
	free(names->items.items);
}

static const struct op ops[] = {
	{"acq", EVENT_ACQUIRE, LOCK_EXCLUSIVE, OPERAND_LOCK, NO_WAIT},
	{"rel", EVENT_RELEASE, LOCK_EXCLUSIVE, OPERAND_LOCK, NO_WAIT},
	{"r", EVENT_READ, 0, OPERAND_VARIABLE, NO_WAIT},
	{"w", EVENT_WRITE, 0, OPERAND_VARIABLE, NO_WAIT},
	{"req", EVENT_REQUEST, LOCK_EXCLUSIVE, OPERAND_LOCK, NO_WAIT},
	{"racq", EVENT_ACQUIRE, LOCK_SHARED, OPERAND_LOCK, NO_WAIT},
	{"rrel", EVENT_RELEASE, LOCK_SHARED, OPERAND_LOCK, NO_WAIT},
	{"rreq", EVENT_REQUEST, LOCK_SHARED, OPERAND_LOCK, NO_WAIT},
	{"rracq", EVENT_ACQUIRE, LOCK_SHARED_RECURSIVE, OPERAND_LOCK, NO_WAIT},
	{"tryacq", EVENT_TRY_ACQUIRE, LOCK_EXCLUSIVE, OPERAND_LOCK, NO_WAIT},
	{"fork", EVENT_FORK, 0, OPERAND_THREAD, NO_WAIT},
	{"join", EVENT_JOIN, 0, OPERAND_THREAD, NO_WAIT},
	{"begin", EVENT_BEGIN, 0, OPERAND_ANY, NO_WAIT},
	{"end", EVENT_END, 0, OPERAND_ANY, NO_WAIT},
	{"sync", EVENT_ACQUIRE, LOCK_EXCLUSIVE, OPERAND_LOCK, WAIT_SYNC},
	{"flush", EVENT_ACQUIRE, LOCK_EXCLUSIVE, OPERAND_LOCK, WAIT_FLUSH},
	{"fault", EVENT_ACQUIRE, LOCK_SHARED, OPERAND_LOCK, WAIT_FAULT},
	{"wait", EVENT_ACQUIRE, LOCK_EXCLUSIVE, OPERAND_LOCK, WAIT_DONE},
	{"complete", EVENT_RELEASE, LOCK_EXCLUSIVE, OPERAND_LOCK, WAIT_COMPLETE},
};

const char std_ops_expected[] = "acq rel racq rrel rracq tryacq req rreq fork join r w begin end "
				"sync flush fault wait complete";

const struct op *std_op__find(struct token name)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (name.text[0] == ops[i].name[0] && strlen(ops[i].name) == name.length &&
		    !memcmp(ops[i].name, name.text, name.length))
			return &ops[i];
	}
	return NULL;
}
