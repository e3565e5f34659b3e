// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Locks on demand. Write a program to /sys/kernel/debug/lock_lab/run and the writing task executes
 * it; what it still holds at the end is released, newest first. With "kthread " in front a kernel
 * thread executes it and the writer waits, with "bg " nobody waits.
 *
 *   m+a m-a          mutex_lock, mutex_unlock on mutex a (a..o, A..H static, x..z on the heap)
 *   mi+a mk+a mo+a   _interruptible, _killable, _io; mt+a trylock (the program ends if it fails)
 *   z+a  Z+a         atomic_dec_and_mutex_lock with a count of 1 (locks) or 2 (does not)
 *   r+p r-p w+p w-p  down_read, up_read, down_write, up_write on rwsem p (p..s, P..S)
 *   ri+ rk+ rt+ wk+ wt+   their variants; d+p downgrade_write
 *   c+   c-          cpus_read_lock, cpus_read_unlock
 *   n+x  f+x         allocate and initialise heap mutex x (the address goes to "result"), free it
 *   sleep=MS  sync=N (wait for N programs to get here)  many=N (N mutexes at once)
 *   pairs=N (N times lock and unlock a) nested=N (a, b inside; ns per round goes to "result")
 *   page=1 (map a fresh page of user memory)
 *   touch=1 (it faults in)  touch=2 (the same with page faults disabled, which must fail)
 *
 * A '?' instead of '+' goes on when the attempt fails. Errors are the write's errors.
 */
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#define MAX_PROGRAM 512
#define MAX_HELD 32
#define MANY 64

/* Not static: a lock's class is its symbol. Capital letters are for a second scenario under one
 * tracer. */
#define MUTEXES(X) X(a) X(b) X(c) X(d) X(e) X(f) X(g) X(h) X(i) X(j) X(k) X(l) X(m) X(n) X(o)
#define MORE_MUTEXES(X) X(A) X(B) X(C) X(D) X(E) X(F) X(G) X(H)
#define RWSEMS(X) X(p) X(q) X(r) X(s)
#define MORE_RWSEMS(X) X(P) X(Q) X(R) X(S)
/* clang-format off */
#define DEFINE(name) DEFINE_MUTEX(lab_mutex_##name);
MUTEXES(DEFINE)
MORE_MUTEXES(DEFINE)
#undef DEFINE
#define DEFINE(name) DECLARE_RWSEM(lab_rwsem_##name);
RWSEMS(DEFINE)
MORE_RWSEMS(DEFINE)
#undef DEFINE
/* clang-format on */
struct mutex lab_many[MANY];

struct lab_object {
	u64 payload[4];
	struct mutex lock;
};

#define ENTRY(name) &lab_mutex_##name,
static struct mutex *const mutexes[] = {MUTEXES(ENTRY)};
static struct mutex *const more_mutexes[] = {MORE_MUTEXES(ENTRY)};
#undef ENTRY
#define ENTRY(name) &lab_rwsem_##name,
static struct rw_semaphore *const rwsems[] = {RWSEMS(ENTRY)};
static struct rw_semaphore *const more_rwsems[] = {MORE_RWSEMS(ENTRY)};
#undef ENTRY
static struct lab_object *objects[3];
static struct kmem_cache *object_cache;
static struct dentry *directory;
static struct {
	spinlock_t lock;
	int present, round;
	wait_queue_head_t others;
} meeting = {
	.lock = __SPIN_LOCK_UNLOCKED(meeting.lock),
	.others = __WAIT_QUEUE_HEAD_INITIALIZER(meeting.others),
};
static char result[128];

/* One lock a program holds; kind is 'm', 'r', 'w' or 'c'. */
struct held {
	char kind;
	char name;
};

struct program {
	char text[MAX_PROGRAM];
	struct held held[MAX_HELD];
	int n_held;
	struct completion done;
	unsigned long page; /* of user memory, 0 none */
	int err;
	bool background;
};

static struct mutex *lab_mutex(char name)
{
	if (name >= 'x' && name <= 'z' && objects[name - 'x'])
		return &objects[name - 'x']->lock;
	if (name >= 'a' && name <= 'o')
		return mutexes[name - 'a'];
	return name >= 'A' && name <= 'H' ? more_mutexes[name - 'A'] : NULL;
}

static struct rw_semaphore *lab_rwsem(char name)
{
	if (name >= 'p' && name <= 's')
		return rwsems[name - 'p'];
	return name >= 'P' && name <= 'S' ? more_rwsems[name - 'P'] : NULL;
}

static int lock_mutex(const char *how, struct mutex *lock)
{
	atomic_t count = ATOMIC_INIT(how[0] == 'z' ? 1 : 2);

	if (how[0] == 'z' || how[0] == 'Z')
		return atomic_dec_and_mutex_lock(&count, lock) ? 0 : -EAGAIN;
	switch (how[1]) {
	case 'i':
		return mutex_lock_interruptible(lock);
	case 'k':
		return mutex_lock_killable(lock);
	case 't':
		return mutex_trylock(lock) ? 0 : -EBUSY;
	case 'o':
		mutex_lock_io(lock);
		return 0;
	default:
		mutex_lock(lock);
		return 0;
	}
}

static int lock_rwsem(const char *how, struct rw_semaphore *lock)
{
	bool write = how[0] == 'w';

	switch (how[1]) {
	case 'i':
		return down_read_interruptible(lock);
	case 'k':
		return write ? down_write_killable(lock) : down_read_killable(lock);
	case 't':
		return (write ? down_write_trylock(lock) : down_read_trylock(lock)) ? 0 : -EBUSY;
	default:
		if (write)
			down_write(lock);
		else
			down_read(lock);
		return 0;
	}
}

static int acquire(struct program *program, const char *how, char name)
{
	struct rw_semaphore *rwsem = lab_rwsem(name);
	struct mutex *mutex = lab_mutex(name);
	char kind = how[0] == 'z' ? 'm' : how[0];
	int err;

	if (program->n_held == MAX_HELD)
		return -E2BIG;
	if (kind == 'c') {
		cpus_read_lock();
		err = 0;
	} else if ((kind == 'm' || kind == 'Z') && mutex) {
		err = lock_mutex(how, mutex);
	} else if ((kind == 'r' || kind == 'w') && rwsem) {
		err = lock_rwsem(how, rwsem);
	} else {
		return -EINVAL;
	}
	if (kind == 'Z') /* not taken, and that is what was asked for */
		return err == -EAGAIN ? 0 : -EIO;
	if (!err)
		program->held[program->n_held++] = (struct held){kind, name};
	return err;
}

static void drop(struct held held)
{
	if (held.kind == 'c')
		cpus_read_unlock();
	else if (held.kind == 'm')
		mutex_unlock(lab_mutex(held.name));
	else if (held.kind == 'r')
		up_read(lab_rwsem(held.name));
	else
		up_write(lab_rwsem(held.name));
}

static int release(struct program *program, char kind, char name)
{
	int i;

	for (i = program->n_held - 1; i >= 0; i--)
		if (program->held[i].kind == kind && (kind == 'c' || program->held[i].name == name))
			break;
	if (i < 0)
		return -EINVAL;
	drop(program->held[i]);
	program->n_held--;
	for (; i < program->n_held; i++)
		program->held[i] = program->held[i + 1];
	return 0;
}

static int downgrade(struct program *program, char name)
{
	int i;

	for (i = 0; i < program->n_held; i++) {
		if (program->held[i].kind == 'w' && program->held[i].name == name) {
			downgrade_write(lab_rwsem(name));
			program->held[i].kind = 'r';
			return 0;
		}
	}
	return -EINVAL;
}

static int new_object(char name)
{
	struct lab_object **slot = &objects[name - 'x'];
	size_t used = strlen(result);

	if (name < 'x' || name > 'z' || *slot)
		return -EINVAL;
	*slot = kmem_cache_alloc(object_cache, GFP_KERNEL);
	if (!*slot)
		return -ENOMEM;
	mutex_init(&(*slot)->lock);
	snprintf(result + used, sizeof(result) - used, "%c %px\n", name, &(*slot)->lock);
	return 0;
}

static int free_object(char name)
{
	struct lab_object **slot = &objects[name - 'x'];

	if (name < 'x' || name > 'z' || !*slot)
		return -EINVAL;
	kmem_cache_free(object_cache, *slot);
	*slot = NULL;
	return 0;
}

/* Whoever comes last opens the round for all; one that is killed before that has not come. */
static int wait_for_others(int n)
{
	int mine, err;

	spin_lock(&meeting.lock);
	mine = meeting.round;
	if (++meeting.present >= n) {
		meeting.present = 0;
		meeting.round++;
	}
	spin_unlock(&meeting.lock);
	wake_up_all(&meeting.others);
	err = wait_event_killable(meeting.others, READ_ONCE(meeting.round) != mine);
	if (err) {
		spin_lock(&meeting.lock);
		if (meeting.round == mine)
			meeting.present--;
		spin_unlock(&meeting.lock);
	}
	return err;
}

static void hold_many(int n)
{
	int i;

	n = clamp(n, 0, MANY);
	for (i = 0; i < n; i++)
		mutex_lock(&lab_many[i]);
	for (i = n - 1; i >= 0; i--)
		mutex_unlock(&lab_many[i]);
}

static void many_rounds(int n, bool nested)
{
	u64 began = ktime_get_ns();
	int i;

	for (i = 0; i < n; i++) {
		mutex_lock(&lab_mutex_a);
		if (nested) {
			mutex_lock(&lab_mutex_b);
			mutex_unlock(&lab_mutex_b);
		}
		mutex_unlock(&lab_mutex_a);
		if (!(i & 1023))
			cond_resched();
	}
	if (n > 0)
		snprintf(result, sizeof(result), "%llu\n", (ktime_get_ns() - began) / n);
}

static int map_page(struct program *program)
{
	if (!current->mm || program->page)
		return -EINVAL;
	program->page =
		vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	return IS_ERR_VALUE(program->page) ? (int)program->page : 0;
}

static int touch_page(struct program *program, bool may_fault)
{
	char byte = 1;
	int err;

	if (!program->page)
		return -EINVAL;
	if (!may_fault)
		pagefault_disable();
	err = copy_to_user((void __user *)program->page, &byte, 1) ? -EFAULT : 0;
	if (!may_fault)
		pagefault_enable();
	return may_fault ? err : err ? 0 : -EEXIST; /* it was to be absent */
}

static int count_step(struct program *program, const char *word, int n)
{
	if (n <= 0)
		return -EINVAL;
	if (!strcmp(word, "sleep"))
		msleep(n);
	else if (!strcmp(word, "page"))
		return map_page(program);
	else if (!strcmp(word, "touch"))
		return touch_page(program, n == 1);
	else if (!strcmp(word, "sync"))
		return wait_for_others(n);
	else if (!strcmp(word, "many"))
		hold_many(n);
	else if (!strcmp(word, "pairs") || !strcmp(word, "nested"))
		many_rounds(n, word[0] == 'n');
	else
		return -EINVAL;
	return 0;
}

static int step(struct program *program, char *token)
{
	size_t sign = strcspn(token, "+-?=");
	char op = token[sign], name = op ? token[sign + 1] : 0;
	int n, err;

	if (!sign || !op)
		return -EINVAL;
	if (op == '=') {
		token[sign] = '\0';
		return kstrtoint(token + sign + 1, 10, &n) ? -EINVAL
							   : count_step(program, token, n);
	}
	if (op == '-')
		return release(program, token[0], name);
	switch (token[0]) {
	case 'd':
		return downgrade(program, name);
	case 'n':
		return new_object(name);
	case 'f':
		return free_object(name);
	default:
		err = acquire(program, token, name);
		return op == '?' ? 0 : err;
	}
}

static int execute(struct program *program)
{
	char *rest = program->text, *token;
	int err = 0;

	while (!err && (token = strsep(&rest, " \n")))
		if (*token)
			err = step(program, token);
	while (program->n_held)
		drop(program->held[--program->n_held]);
	if (program->page && !IS_ERR_VALUE(program->page))
		vm_munmap(program->page, PAGE_SIZE);
	return err;
}

static int kthread_main(void *data)
{
	struct program *program = data;

	program->err = execute(program);
	if (program->background)
		kfree(program);
	else
		complete(&program->done);
	return 0;
}

/* A program in the background frees itself: *own says whether it is still the caller's. */
static int run_in_thread(struct program *program, bool *own)
{
	bool background = program->background;
	struct task_struct *task;

	init_completion(&program->done);
	__module_get(THIS_MODULE); /* for good: nobody knows when a background program is through */
	task = kthread_run(kthread_main, program, "lock_lab");
	if (IS_ERR(task))
		return PTR_ERR(task);
	*own = !background;
	if (background)
		return 0;
	wait_for_completion(&program->done);
	return program->err;
}

static ssize_t run_write(struct file *file, const char __user *buffer, size_t size, loff_t *offset)
{
	struct program *program;
	bool thread, own = true;
	int err;

	if (size >= MAX_PROGRAM)
		return -E2BIG;
	program = kzalloc(sizeof(*program), GFP_KERNEL);
	if (!program)
		return -ENOMEM;
	err = copy_from_user(program->text, buffer, size) ? -EFAULT : 0;
	if (err)
		goto cleanup;
	thread = str_has_prefix(program->text, "kthread ");
	program->background = str_has_prefix(program->text, "bg ");
	if (thread || program->background) {
		memset(program->text, ' ', thread ? 7 : 2);
		err = run_in_thread(program, &own);
	} else {
		err = execute(program);
	}
cleanup:
	if (own)
		kfree(program);
	return err ? err : size;
}

static ssize_t result_read(struct file *file, char __user *buffer, size_t size, loff_t *offset)
{
	return simple_read_from_buffer(buffer, size, offset, result, strlen(result));
}

static ssize_t result_write(struct file *file, const char __user *buffer, size_t size,
			    loff_t *offset)
{
	result[0] = '\0';
	return size;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.write = run_write,
};

static const struct file_operations result_fops = {
	.owner = THIS_MODULE,
	.read = result_read,
	.write = result_write,
};

/* A cache with a constructor is never merged with another: what is freed is what is reused. */
static void construct(void *object)
{
	memset(object, 0, sizeof(struct lab_object));
}

static int __init lock_lab_init(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		mutex_init(&lab_many[i]);
	object_cache = kmem_cache_create("lab_object", sizeof(struct lab_object), 0, 0, construct);
	if (!object_cache)
		return -ENOMEM;
	directory = debugfs_create_dir("lock_lab", NULL);
	debugfs_create_file("run", 0200, directory, NULL, &run_fops);
	debugfs_create_file("result", 0600, directory, NULL, &result_fops);
	return 0;
}

static void __exit lock_lab_exit(void)
{
	int i;

	debugfs_remove_recursive(directory);
	for (i = 0; i < ARRAY_SIZE(objects); i++)
		if (objects[i])
			kmem_cache_free(object_cache, objects[i]);
	kmem_cache_destroy(object_cache);
}

module_init(lock_lab_init);
module_exit(lock_lab_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Lock programs on demand");
