// SPDX-License-Identifier: GPL-2.0-or-later
/* Owners of locks by lists and by stacks, see hung_private.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import/hung_private.h"

/* A lock is its address; one without an address is its name. */
static uint64_t key_of(const struct klog_lock *lock)
{
	return lock->address ? lock->address : hash_bytes(lock->name, strlen(lock->name)) | 1;
}

struct lock_users *lock_users__find(struct hung_emitter *e, const struct klog_lock *lock)
{
	uint32_t id = idmap__get(&e->user_ids, key_of(lock));

	return id == IDMAP_NONE ? NULL : &e->users.items[id];
}

void lock_users__note(struct hung_emitter *e, uint32_t at, uint32_t k)
{
	const struct hung_task *task = &e->tasks->items.items[at];
	const struct klog_lock *lock = &task->held[k];
	struct lock_users *users;

	if (k == task->wanted_list)
		return;
	users = lock_users__find(e, lock);
	if (!users) {
		if (!vector_reserve(&e->users, e->users.count + 1) || !e->users.items ||
		    idmap__put(&e->user_ids, key_of(lock), (uint32_t)e->users.count)) {
			e->err = -ENOMEM;
			return;
		}
		users = &e->users.items[e->users.count++];
		*users = (struct lock_users){0, 0, NO_ID, NO_ID};
	}
	if (k + 1 < task->held_count || task->wait.stack != NO_ID) {
		users->certain++;
		users->first_certain = users->certain == 1 ? at : users->first_certain;
	} else {
		users->possible++;
		users->first_possible = users->possible == 1 ? at : users->first_possible;
	}
}

uint32_t lock_users__owner(const struct lock_users *users)
{
	if (users->certain)
		return users->certain == 1 ? users->first_certain : NO_ID;
	return users->possible == 1 ? users->first_possible : NO_ID;
}

void class_holders__note(struct hung_emitter *e, uint32_t lock_class, uint32_t at)
{
	uint32_t id = idmap__get(&e->holder_ids, lock_class);
	struct class_holders *holders;

	if (id == IDMAP_NONE) {
		if (!vector_push(&e->holders, (struct class_holders){at, NO_ID, false}) ||
		    idmap__put(&e->holder_ids, lock_class, (uint32_t)e->holders.count - 1))
			e->err = -ENOMEM;
		return;
	}
	holders = &e->holders.items[id];
	if (holders->first == at || holders->second == at)
		return;
	if (holders->second == NO_ID)
		holders->second = at;
	else
		holders->more = true;
}

uint32_t class_holders__only(const struct hung_emitter *e, const struct hung_task *waiter)
{
	uint32_t id = idmap__get(&e->holder_ids, waiter->wanted_class), own, other;
	const struct class_holders *holders;

	if (id == IDMAP_NONE)
		return NO_ID;
	holders = &e->holders.items[id];
	own = (uint32_t)(waiter - e->tasks->items.items);
	other = holders->first == own ? holders->second : holders->first;
	/* nobody, or two of them: not decided */
	if (holders->more ||
	    (holders->first != own && holders->second != own && holders->second != NO_ID))
		return NO_ID;
	return other;
}

uint32_t hung_tasks__find(struct hung_emitter *e, uint32_t pid)
{
	uint32_t at;

	if (!e->has_pids)
		for (uint64_t i = 0; i < e->tasks->items.count && !e->err; i++)
			if (idmap__put(&e->by_pid, e->tasks->items.items[i].task.pid, (uint32_t)i))
				e->err = -ENOMEM;
	e->has_pids = true;
	at = idmap__get(&e->by_pid, pid);
	return at == IDMAP_NONE ? NO_ID : at;
}

void hung_emitter__release(struct hung_emitter *e)
{
	idmap__release(&e->by_pid);
	idmap__release(&e->user_ids);
	idmap__release(&e->holder_ids);
	free(e->users.items);
	free(e->holders.items);
}
