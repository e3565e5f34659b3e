// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * STD traces: one event a line, "thread|op(operand)|location"; operand of a lock is
 * CLASS[#INSTANCE][:SUBCLASS]. The format of RAPID and of the PLDI 2023 artifact, plus read/write
 * locks and instances.
 *
 * Waits: "sync" (SRCU), "flush" (work:F, workqueue:W) and "wait" (completion:C) want what they wait
 * for and hold nothing after; a worker holds work:F (acq) and workqueue:W (rracq), an SRCU reader
 * its domain (rracq). "complete(C)" says that its task held C while it took its last locks, so far
 * back as its "begin". "fault(L)" is a page fault that wants L, the mmap_lock, to read.
 *
 * Monitors are reentrant: an "acq" of a lock the thread holds exclusively only counts its depth. A
 * "req" of such a lock that is never followed by its "acq" is a task waiting for itself.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import/lines.h"
#include "import/std_names.h"

#define MAX_SUBCLASS 7
#define RECENT 16 /* acquisitions of a task that a completion of its may be waiting for */

/* --- the importer's state --------------------------------------------------------------------- */

/* A request that is sent on only once the thread's next event tells what it was. */
struct deferred {
	struct trace_event event;
	bool is_waiting;
};

/* The last locks that a task took since it began. */
struct recent {
	struct held_lock locks[RECENT];
	uint32_t count; /* all; the newest is at (count - 1) % RECENT */
};

struct std {
	struct model *m;
	struct line_reader *lines;
	struct names threads, locks, variables, locations;
	VECTOR(struct deferred) deferred; /* by thread number */
	VECTOR(struct recent *) recent;	  /* by thread number */
	uint32_t thread_count;
	struct idmap depth_ids; /* (task, instance) -> index in depth */
	VECTOR(uint32_t) depth; /* acquisitions beyond the first */
	uint64_t used;
	bool said_wait;
};

/* --- meanings --------------------------------------------------------------------------------- */

static uint32_t thread_of(struct std *s, struct token token)
{
	uint64_t key;
	struct meaning meaning;
	const char *comm;

	if (std_names__find(&s->threads, token, &key, &meaning))
		return meaning.id;
	comm = model__intern_n(s->m, token.text, token.length);
	if (!comm)
		return NO_ID;
	meaning = (struct meaning){.id = model__add_task(s->m, 0, ++s->thread_count, comm, 0, 0)};
	return std_names__add(&s->threads, s->m, token, key, &meaning) ? meaning.id : NO_ID;
}

static bool all_digits(const char *text, const char *end)
{
	if (text == end)
		return false;
	while (text < end && isdigit((unsigned char)*text))
		text++;
	return text == end;
}

static bool parse_instance(const char *text, const char *end, uint64_t *number)
{
	char copy[32], *stop;

	if (end == text || (size_t)(end - text) >= sizeof(copy) || !isdigit((unsigned char)*text))
		return false;
	memcpy(copy, text, (size_t)(end - text));
	copy[end - text] = '\0';
	errno = 0;
	*number = strtoull(copy, &stop, 0);
	return !errno && !*stop;
}

/* CLASS[#INSTANCE][:SUBCLASS]; complains and returns false when it is not that. */
static bool parse_lock(struct std *s, struct token token, struct token *class, uint64_t *instance,
		       uint8_t *subclass)
{
	const char *end = token.text + token.length;
	const char *colon = memrchr(token.text, ':', token.length);
	const char *hash;

	*instance = *subclass = 0;
	if (colon && all_digits(colon + 1, end)) {
		if (end - colon != 2 || colon[1] > '0' + MAX_SUBCLASS) {
			line_reader__complain(s->lines, s->lines->number,
					      "subclass \"%.*s\": expected 0 to %d",
					      (int)(end - colon - 1), colon + 1, MAX_SUBCLASS);
			return false;
		}
		*subclass = (uint8_t)(colon[1] - '0');
		end = colon;
	}
	hash = memrchr(token.text, '#', (size_t)(end - token.text));
	if (hash && !parse_instance(hash + 1, end, instance)) {
		line_reader__complain(s->lines, s->lines->number,
				      "instance \"%.*s\": expected a number of at most 64 bits",
				      (int)(end - hash - 1), hash + 1);
		return false;
	}
	*class = (struct token){token.text, (size_t)((hash ? hash : end) - token.text)};
	if (!class->length)
		line_reader__complain(s->lines, s->lines->number,
				      "expected a lock, CLASS[#INSTANCE][:SUBCLASS]");
	return class->length;
}

static bool lock_of(struct std *s, struct token token, struct meaning *meaning)
{
	uint64_t key, number;
	struct token class;
	uint8_t subclass;
	const char *name;

	if (std_names__find(&s->locks, token, &key, meaning))
		return true;
	if (!parse_lock(s, token, &class, &number, &subclass))
		return false;
	name = model__intern_n(s->m, class.text, class.length);
	*meaning = (struct meaning){.id = NO_ID, .subclass = subclass};
	if (name)
		meaning->id = model__add_class(s->m, name, LOCK_KIND_UNKNOWN, 0);
	if (meaning->id != NO_ID)
		meaning->id = model__add_instance(s->m, meaning->id, number, 0);
	return std_names__add(&s->locks, s->m, token, key, meaning);
}

static uint32_t variable_of(struct std *s, struct token token)
{
	uint64_t key;
	struct meaning meaning;
	const char *name;

	if (std_names__find(&s->variables, token, &key, &meaning))
		return meaning.id;
	name = model__intern_n(s->m, token.text, token.length);
	meaning = (struct meaning){.id = name ? model__add_variable(s->m, name) : NO_ID};
	return std_names__add(&s->variables, s->m, token, key, &meaning) ? meaning.id : NO_ID;
}

static uint32_t location_of(struct std *s, struct token token)
{
	struct frame frame = {0};
	struct meaning meaning;
	uint64_t key;

	if (!token.length)
		return NO_ID;
	if (std_names__find(&s->locations, token, &key, &meaning))
		return meaning.id;
	frame.symbol = model__intern_n(s->m, token.text, token.length);
	meaning = (struct meaning){.id = model__add_stack(s->m, STACK_LOCATION, &frame, 1)};
	return std_names__add(&s->locations, s->m, token, key, &meaning) ? meaning.id : NO_ID;
}

/* --- events ----------------------------------------------------------------------------------- */

static bool holds_exclusively(const struct std *s, uint32_t task, uint32_t instance)
{
	const struct held_lock *held = model__held(s->m, task);

	for (uint32_t i = model__held_count(s->m, task); i-- > 0;) {
		if (held[i].instance == instance && held[i].mode == LOCK_EXCLUSIVE)
			return true;
	}
	return false;
}

static uint32_t *depth_of(struct std *s, uint32_t task, uint32_t instance, bool create)
{
	uint32_t i = idmap__get(&s->depth_ids, idmap_pair(task, instance));

	if (i == IDMAP_NONE) {
		i = (uint32_t)s->depth.count;
		if (!create || !vector_push(&s->depth, 0) ||
		    idmap__put(&s->depth_ids, idmap_pair(task, instance), i))
			return NULL;
	}
	return &s->depth.items[i];
}

static struct deferred *deferred_of(struct std *s, uint32_t task)
{
	while (s->deferred.count <= task) {
		if (!vector_push(&s->deferred, (struct deferred){0}))
			return NULL;
	}
	return &s->deferred.items[task];
}

static void flush(struct std *s, struct deferred *deferred)
{
	if (!deferred->is_waiting)
		return;
	deferred->is_waiting = false;
	model__add_event(s->m, &deferred->event);
}

/* What became of the thread's last request, now that its next event is known. */
static void settle_request(struct std *s, struct deferred *deferred,
			   const struct trace_event *event, bool reentrant)
{
	bool granted = deferred->is_waiting && event->operand == deferred->event.operand &&
		       (event->op == EVENT_ACQUIRE || event->op == EVENT_TRY_ACQUIRE);

	if (granted && reentrant)
		deferred->is_waiting = false;
	else if (granted)
		deferred->event.mode = event->mode;
	flush(s, deferred);
}

static void add_event(struct std *s, const struct trace_event *event)
{
	struct deferred *deferred = deferred_of(s, event->task);
	bool is_lock = event->op <= EVENT_REQUEST;
	bool own = is_lock && event->op != EVENT_RELEASE && event->mode == LOCK_EXCLUSIVE &&
		   holds_exclusively(s, event->task, event->operand);
	uint32_t *depth;

	if (!deferred)
		return;
	if (deferred->is_waiting)
		settle_request(s, deferred, event, own);
	if (event->op == EVENT_REQUEST && (own || event->mode != LOCK_EXCLUSIVE)) {
		*deferred = (struct deferred){*event, true};
		return;
	}
	if (own) {
		depth = depth_of(s, event->task, event->operand, true);
		if (depth)
			++*depth;
		return;
	}
	if (event->op == EVENT_RELEASE && event->mode == LOCK_EXCLUSIVE) {
		depth = depth_of(s, event->task, event->operand, false);
		if (depth && *depth) {
			--*depth;
			return;
		}
	}
	model__add_event(s->m, event);
}

/* --- waits ------------------------------------------------------------------------------------ */

static struct recent *recent_of(struct std *s, uint32_t task)
{
	while (s->recent.count <= task) {
		if (!vector_push(&s->recent, NULL))
			return NULL;
	}
	if (!s->recent.items[task])
		s->recent.items[task] = calloc(1, sizeof(struct recent));
	return s->recent.items[task];
}

static void note_recent(struct std *s, const struct trace_event *event)
{
	struct recent *recent = recent_of(s, event->task);

	if (!recent)
		model__add_loss(s->m, LOSS_MEMORY, 1);
	else
		recent->locks[recent->count++ % RECENT] =
			(struct held_lock){.instance = event->operand,
					   .stack = event->stack,
					   .mode = event->mode,
					   .subclass = event->subclass};
}

static void forget_recent(struct std *s, uint32_t task)
{
	if (task < s->recent.count && s->recent.items[task])
		s->recent.items[task]->count = 0;
}

/*
 * Whoever waits for the completion waits for all that its task had to take before it got here. No
 * held set beside the completion: what the task held meanwhile is no guard, since the one who waits
 * for it cannot let it go.
 */
static void add_complete(struct std *s, const struct trace_event *event)
{
	struct held_lock completion = {
		.instance = event->operand, .stack = event->stack, .subclass = event->subclass};
	const struct recent *recent = recent_of(s, event->task);
	uint32_t count = recent ? recent->count : 0;

	for (uint32_t i = count > RECENT ? count - RECENT : 0; i < count; i++) {
		const struct held_lock *lock = &recent->locks[i % RECENT];

		if (lock->instance != completion.instance &&
		    model__add_chain(s->m, &completion, 1, lock, event->task, event->time, 1,
				     NO_ID) == NO_ID)
			model__add_loss(s->m, LOSS_MEMORY, 1);
	}
}

/* Kinds that only the operation tells; names that say it keep theirs. */
static void note_kind(struct std *s, const struct trace_event *event, enum wait_op wait)
{
	static const enum lock_kind kinds[] = {
		[WAIT_SYNC] = LOCK_KIND_SRCU,		[WAIT_FLUSH] = LOCK_KIND_WORK,
		[WAIT_FAULT] = LOCK_KIND_RWSEM,		[WAIT_DONE] = LOCK_KIND_COMPLETION,
		[WAIT_COMPLETE] = LOCK_KIND_COMPLETION,
	};
	uint32_t lock_class = model__instance(s->m, event->operand)->lock_class;

	model__add_class(s->m, model__lock_class(s->m, lock_class)->name, kinds[wait], 0);
}

static void add_wait(struct std *s, const struct trace_event *event, enum wait_op wait)
{
	struct deferred *deferred = deferred_of(s, event->task);
	struct trace_event after = *event;

	if (!deferred)
		return;
	note_kind(s, event, wait);
	model__set_fact(s->m, "trace.waits", "followed");
	settle_request(s, deferred, event, false);
	if (wait == WAIT_COMPLETE) {
		add_complete(s, event);
		return;
	}
	after.flags |= wait == WAIT_FAULT ? HELD_FAULT : 0;
	model__add_event(s->m, &after);
	after.op = EVENT_RELEASE;
	after.flags = 0;
	model__add_event(s->m, &after);
}

/* --- lines ------------------------------------------------------------------------------------ */

static struct token trim(const char *from, const char *to)
{
	while (from < to && isspace((unsigned char)*from))
		from++;
	while (from < to && isspace((unsigned char)to[-1]))
		to--;
	return (struct token){from, (size_t)(to - from)};
}

static bool fill_operand(struct std *s, const struct op *op, struct token operand,
			 struct trace_event *event)
{
	struct meaning lock;

	switch (op->operand) {
	case OPERAND_LOCK:
		if (!lock_of(s, operand, &lock))
			return false;
		event->operand = lock.id;
		event->subclass = lock.subclass;
		return true;
	case OPERAND_THREAD:
		event->operand = operand.length ? thread_of(s, operand) : NO_ID;
		break;
	case OPERAND_VARIABLE:
		event->operand = operand.length ? variable_of(s, operand) : NO_ID;
		break;
	case OPERAND_ANY:
		event->operand = NO_ID;
		return true;
	}
	if (event->operand == NO_ID)
		line_reader__complain(s->lines, s->lines->number, "expected %s(%s)", op->name,
				      op->operand == OPERAND_THREAD ? "thread" : "variable");
	return event->operand != NO_ID;
}

/* Condition variables order threads in ways that are not modelled; say so, once. */
static bool is_condition(struct std *s, struct token name, struct token operand)
{
	const struct import_options *options = s->lines->options;
	static const char completion[] = "completion";

	if (operand.length >= sizeof(completion) - 1 &&
	    !memcmp(operand.text, completion, sizeof(completion) - 1))
		return false;
	if (!(name.length == 4 && !memcmp(name.text, "wait", 4)) &&
	    !(name.length == 6 && !memcmp(name.text, "notify", 6)) &&
	    !(name.length == 9 && !memcmp(name.text, "notifyAll", 9)))
		return false;
	if (!s->said_wait && options && options->complain)
		options->complain(options->complain_context, s->lines->name, s->lines->number,
				  "wait and notify are not followed: reachability of deadlocks is "
				  "not decided for this trace");
	s->said_wait = true;
	model__set_fact(s->m, "trace.conditions", "ignored");
	return true;
}

static void parse_line(struct std *s)
{
	const char *line = s->lines->text, *end = line + s->lines->length;
	const char *bar = memchr(line, '|', s->lines->length), *second, *open, *close;
	struct token thread, name, operand;
	struct trace_event event = {0};
	const struct op *op;

	second = bar ? memchr(bar + 1, '|', (size_t)(end - bar - 1)) : NULL;
	thread = trim(line, bar ? bar : line);
	if (!bar || !thread.length) {
		line_reader__complain(s->lines, s->lines->number,
				      "expected \"thread|op(operand)|location\"");
		return;
	}
	open = memchr(bar, '(', (size_t)((second ? second : end) - bar));
	close = open ? memrchr(open, ')', (size_t)((second ? second : end) - open)) : NULL;
	name = trim(bar + 1, open ? open : second ? second : end);
	operand = close ? trim(open + 1, close) : (struct token){end, 0};
	if (is_condition(s, name, operand))
		return;
	op = name.length ? std_op__find(name) : NULL;
	if (!op || (!close && op->operand != OPERAND_ANY)) {
		line_reader__complain(s->lines, s->lines->number,
				      op ? "expected \"%.*s(operand)\""
					 : "unknown operation \"%.*s\": expected one of %s",
				      (int)(name.length < 64 ? name.length : 64), name.text,
				      std_ops_expected);
		return;
	}
	event.op = op->op;
	event.mode = op->mode;
	event.task = thread_of(s, thread);
	if (event.task == NO_ID || !fill_operand(s, op, operand, &event))
		return;
	event.stack = location_of(s, second ? trim(second + 1, end) : (struct token){end, 0});
	if (event.op == EVENT_BEGIN)
		forget_recent(s, event.task);
	if (op->wait)
		add_wait(s, &event, op->wait);
	else
		add_event(s, &event);
	if (!op->wait && event.op == EVENT_ACQUIRE)
		note_recent(s, &event);
	s->used++;
}

static void finish(struct std *s)
{
	for (uint64_t i = 0; i < s->deferred.count; i++)
		flush(s, &s->deferred.items[i]);
	std_names__release(&s->threads);
	std_names__release(&s->locks);
	std_names__release(&s->variables);
	std_names__release(&s->locations);
	idmap__release(&s->depth_ids);
	free(s->deferred.items);
	for (uint64_t i = 0; i < s->recent.count; i++)
		free(s->recent.items[i]);
	free(s->recent.items);
	free(s->depth.items);
}

int import_std(struct model *m, FILE *in, const char *name, const struct import_options *options)
{
	struct line_reader lines;
	struct std s = {.m = m, .lines = &lines};
	int error = line_reader__open(&lines, m, in, name, options);

	if (error)
		return error;
	model__keep_events(m, true);
	while (line_reader__next(&lines)) {
		struct token line = trim(lines.text, lines.text + lines.length);

		if (!line.length || *line.text == '#')
			continue;
		if (lines.too_long || lines.had_nul)
			line_reader__complain_mended(&lines);
		else
			parse_line(&s);
	}
	finish(&s);
	if (!s.used && !lines.complaints)
		line_reader__complain(
			&lines, lines.number,
			"no event in this trace; expected \"thread|op(operand)|location\"");
	error = lines.error;
	line_reader__close(&lines);
	return error ? error : s.used ? 0 : -EINVAL;
}
