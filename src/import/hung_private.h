/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hung_private.h - who has and who wants which lock, while blocked tasks become a model. */
#ifndef VFIOTRACE_IMPORT_HUNG_PRIVATE_H
#define VFIOTRACE_IMPORT_HUNG_PRIVATE_H

#include "import/hung.h"
#include "util/idmap.h"

/* The tasks in whose lists one lock stands, but for those that want it. */
struct lock_users {
	uint32_t certain;  /* have it: it is not the last of their list, or their stack tells */
	uint32_t possible; /* the last of their list, and no stack says whether they wait for it */
	uint32_t first_certain, first_possible; /* indexes of tasks, NO_ID: none */
};

/* Tasks whose stack says that they hold some lock of the class. */
struct class_holders {
	uint32_t first, second; /* indexes, NO_ID: none */
	bool more;
};

struct hung_emitter {
	struct hung_tasks *tasks;
	struct klog_reader *log;
	struct model *m;
	uint32_t kernel_version;
	struct idmap by_pid; /* index of the task; made when it is first asked for */
	bool has_pids;
	struct idmap user_ids; /* lock -> index in users */
	VECTOR(struct lock_users) users;
	struct idmap holder_ids; /* class -> index in holders */
	VECTOR(struct class_holders) holders;
	int err;
};

/* Entry `k` of the list of task `at`. */
void lock_users__note(struct hung_emitter *e, uint32_t at, uint32_t k);
struct lock_users *lock_users__find(struct hung_emitter *e, const struct klog_lock *lock);
/* The one task that has it, NO_ID: none, several, or not decided. */
uint32_t lock_users__owner(const struct lock_users *users);

void class_holders__note(struct hung_emitter *e, uint32_t lock_class, uint32_t at);
/* The one task, but for `waiter`, whose stack says that it holds the class that is wanted. */
uint32_t class_holders__only(const struct hung_emitter *e, const struct hung_task *waiter);

uint32_t hung_tasks__find(struct hung_emitter *e, uint32_t pid); /* index or NO_ID */
void hung_emitter__release(struct hung_emitter *e);

#endif
