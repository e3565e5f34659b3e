// SPDX-License-Identifier: GPL-2.0-or-later
/* What a run has in each section of a diff, under names that survive a kernel upgrade. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

/* Functions that were renamed upstream; the commit of each is in the history of VFIO. */
static const char *const renamed[][2] = {
	{"vfio_device_open", "vfio_df_open"},			   /* 05f37e1c03b6, v6.6 */
	{"vfio_device_close", "vfio_df_close"},			   /* the same */
	{"_vfio_device_get_kvm_safe", "vfio_device_get_kvm_safe"}, /* 5c6de3ea7376, v6.6 */
	{"vfio_group_set_kvm", "vfio_file_set_kvm"},		   /* ba70a89f3c2a, v5.19 */
	{"vfio_pci_mmap_fault", "vfio_pci_mmap_huge_fault"},
};

static void align_function(char *function)
{
	function[strcspn(function, "+ ")] = 0; /* offset, module */
	function[strcspn(function, ".")] = 0;  /* .isra.0, .constprop.0, .part.0, .cold */
	for (size_t i = 0; i < sizeof(renamed) / sizeof(*renamed); i++)
		if (!strcmp(function, renamed[i][0]))
			strcpy(function, renamed[i][1]); /* callers leave room for the longest */
}

const char *diff__aligned_function(const char *name, char *out, size_t size)
{
	char function[192];

	snprintf(function, 128, "%s", name);
	align_function(function);
	snprintf(out, size, "%s", function);
	return out;
}

/* "kvm_debugfs_lock.4" is static in a function: the compiler numbered it. */
static void drop_number(char *name)
{
	char *dot = strrchr(name, '.');

	if (dot && dot != name && dot[1] && !dot[1 + strspn(dot + 1, "0123456789")])
		*dot = 0;
}

/* "kmalloc-1k+0x48(vfio_create_group.isra.0)": cache and offset are of one build only. */
const char *diff__aligned_name(const char *name, char *out, size_t size)
{
	const char *open = strchr(name, '(');
	char function[192];

	if (!open) {
		snprintf(out, size, "%s", name);
		drop_number(out);
		return out;
	}
	snprintf(function, 128, "%.*s", (int)strcspn(open + 1, ")"), open + 1);
	align_function(function);
	snprintf(out, size, "lock of %s", function);
	return out;
}

static const char *own(struct diff *d, const char *text)
{
	char **grown;

	/* the last one is often the same again */
	if (d->name_count && !strcmp(d->names[d->name_count - 1], text))
		return d->names[d->name_count - 1];
	grown = realloc(d->names, (d->name_count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	d->names = grown;
	d->names[d->name_count] = strdup(text);
	return d->names[d->name_count] ? d->names[d->name_count++] : NULL;
}

static struct diff_entry *add(struct diff_list *list, const char *name)
{
	struct diff_entry *grown;

	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 32;
		grown = realloc(list->items, list->capacity * sizeof(*grown));
		if (!grown)
			return NULL;
		list->items = grown;
	}
	list->items[list->count] = (struct diff_entry){.name = own(list->owner, name)};
	return list->items[list->count].name ? &list->items[list->count++] : NULL;
}

static const char *class_name(const struct model *m, uint32_t id, char *out, size_t size)
{
	return diff__aligned_name(model__lock_class(m, id)->name, out, size);
}

static int collect_classes(const struct model *m, struct diff_list *out)
{
	char name[256];

	for (uint32_t c = 0; c < model__class_count(m); c++)
		if (!add(out, class_name(m, c, name, sizeof(name))))
			return -1;
	return 0;
}

static int collect_dependencies(const struct model *m, struct diff_list *out)
{
	char from[256], to[256], name[520];

	for (uint32_t e = 0; e < model__class_edge_count(m); e++) {
		const struct class_edge *edge = model__class_edge(m, e);
		struct diff_entry *entry;

		class_name(m, edge->from, from, sizeof(from));
		class_name(m, edge->to, to, sizeof(to));
		snprintf(name, sizeof(name), "%s -> %s", from, to);
		entry = add(out, name);
		if (!entry)
			return -1;
		entry->from = own(out->owner, from);
		entry->to = own(out->owner, to);
		entry->value = edge->modes;
		entry->count = edge->count;
		if (!entry->from || !entry->to)
			return -1;
	}
	return 0;
}

/* The rotation that starts with the smallest name, so that both runs spell a cycle alike. */
static void cycle_name(const struct model *m, const struct finding *f, char *out, size_t size)
{
	char best[256] = "", name[256];
	uint32_t start = 0;
	size_t used;

	for (uint32_t i = 0; i < f->length; i++) {
		class_name(m, f->classes[i], name, sizeof(name));
		if (!i || strcmp(name, best) < 0) {
			strcpy(best, name);
			start = i;
		}
	}
	used = (size_t)snprintf(out, size, "%s", best);
	for (uint32_t i = 1; i <= f->length && used < size; i++)
		used += (size_t)snprintf(
			out + used, size - used, " -> %s",
			class_name(m, f->classes[(start + i) % f->length], name, sizeof(name)));
}

static int collect_cycles(const struct diff_side *side, struct diff_list *out)
{
	char name[2048];

	for (uint32_t i = 0; side->findings && i < side->findings->count; i++) {
		const struct finding *f = side->findings->items[i];
		struct diff_entry *entry;

		if (!f->length || f->kind == FINDING_HANG)
			continue;
		cycle_name(side->m, f, name, sizeof(name));
		entry = add(out, name);
		if (!entry)
			return -1;
		entry->value = 1ull << f->code;
		entry->count = f->count;
		entry->words = finding_code_names[f->code];
		entry->is_bad = f->grade >= GRADE_WARNING && !f->suppressed;
	}
	return 0;
}

/* Of "CPU 6/KVM" the number says nothing: which one of many it was. */
static void comm_pattern(const char *comm, char *out, size_t size)
{
	size_t used = 0;

	while (*comm && used + 1 < size) {
		size_t digits = strspn(comm, "0123456789");

		out[used++] = digits ? '*' : *comm;
		comm += digits ? digits : 1;
	}
	out[used] = 0;
}

static void hang_name(const struct model *m, const struct finding *f, char *out, size_t size)
{
	const struct task_wait *wait = f->tasks[0].wait;
	const char *comm = model__task(m, f->tasks[0].task)->comm;
	char lock[256] = "", function[192] = "?", task[64];

	if (wait->lock_class != NO_ID)
		class_name(m, wait->lock_class, lock, sizeof(lock));
	if (wait->site)
		diff__aligned_function(wait->site, function, sizeof(function));
	comm_pattern(comm ? comm : "?", task, sizeof(task));
	snprintf(out, size, "%s in %s, %s%s%s", task, function, wait_what_names[wait->what],
		 *lock ? " " : "", lock);
}

static int collect_hangs(const struct diff_side *side, struct diff_list *out)
{
	char name[640];

	for (uint32_t i = 0; side->findings && i < side->findings->count; i++) {
		const struct finding *f = side->findings->items[i];
		struct diff_entry *entry;

		if (f->kind != FINDING_HANG)
			continue;
		hang_name(side->m, f, name, sizeof(name));
		entry = add(out, name);
		if (!entry)
			return -1;
		entry->value = 1ull << f->code;
		entry->count = f->count;
		entry->words = finding_code_names[f->code];
		entry->is_bad = f->grade >= GRADE_WARNING && !f->suppressed;
	}
	return 0;
}

static int collect_coverage(const struct model *m, struct diff_list *out)
{
	for (int path = 0; path < PATH_COUNT; path++) {
		const struct coverage *c = model__coverage(m, (enum path_id)path);
		struct diff_entry *entry = add(out, path_names[path]);

		if (!entry)
			return -1;
		entry->value = 1ull << c->state;
		entry->count = c->hits;
		entry->words = c->probe;
	}
	return 0;
}

static int collect_durations(const struct model *m, bool is_hold, struct diff_list *out)
{
	char name[256];

	for (uint32_t i = 0; i < model__duration_count(m); i++) {
		const struct duration_row *row = model__duration(m, i);
		struct diff_entry *entry;

		if (!row->is_hold != !is_hold || row->instance == NO_ID)
			continue;
		entry = add(out, class_name(m, model__instance(m, row->instance)->lock_class, name,
					    sizeof(name)));
		if (!entry)
			return -1;
		entry->count = row->time.count;
		entry->total = row->time.total;
	}
	return 0;
}

int diff__collect(enum diff_section section, const struct diff_side *side, struct diff_list *out)
{
	switch (section) {
	case DIFF_CYCLES:
		return collect_cycles(side, out);
	case DIFF_HANGS:
		return collect_hangs(side, out);
	case DIFF_DEPENDENCIES:
		return collect_dependencies(side->m, out);
	case DIFF_CLASSES:
		return collect_classes(side->m, out);
	case DIFF_COVERAGE:
		return collect_coverage(side->m, out);
	case DIFF_WAITS:
		return collect_durations(side->m, false, out);
	default:
		return collect_durations(side->m, true, out);
	}
}

static char *words(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *words(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return text;
}

static char *describe_modes(uint64_t modes)
{
	static const char *const names[] = {"exclusive", "shared", "recursive"};
	char text[256] = "";

	for (int from = 0; from < LOCK_MODES; from++)
		for (int to = 0; to < LOCK_MODES; to++)
			if (modes & 1ull << (from * LOCK_MODES + to))
				snprintf(text + strlen(text), sizeof(text) - strlen(text),
					 "%s%s -> %s", *text ? ", " : "", names[from], names[to]);
	return strdup(text);
}

char *diff__describe(enum diff_section section, const struct diff_entry *entry)
{
	int state = 0;

	switch (section) {
	case DIFF_CYCLES:
	case DIFF_HANGS:
		return words("%s, seen %" PRIu64, entry->words, entry->count);
	case DIFF_DEPENDENCIES:
		return describe_modes(entry->value);
	case DIFF_CLASSES:
		return words("seen");
	case DIFF_COVERAGE:
		while (entry->value >> (state + 1))
			state++;
		return entry->words
			       ? words("%s %" PRIu64 " (%s)", coverage_state_names[state],
				       entry->count, entry->words)
			       : words("%s %" PRIu64, coverage_state_names[state], entry->count);
	default:
		return words("mean %" PRIu64 " ns of %" PRIu64,
			     entry->count ? entry->total / entry->count : 0, entry->count);
	}
}
