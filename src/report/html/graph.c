// SPDX-License-Identifier: GPL-2.0-or-later
/* The page's data: classes, edges, and what they are made of, as compact arrays. */
#include <inttypes.h>

#include "report/escape.h"
#include "report/html/html_private.h"

/* [name, idiom, flags, mark] */
static void put_classes(FILE *out, const struct html_selection *s)
{
	char idiom[RENDER_SIZE];

	fputs("\"classes\":[", out);
	for (uint32_t i = 0; i < model__class_count(s->m); i++) {
		const struct lock_class *class = model__lock_class(s->m, i);

		fputs(i ? ",\n[" : "[", out);
		write_json_string(out, class->name);
		fputc(',', out);
		render_idiom(idiom, sizeof(idiom), class->name);
		write_json_string(out, idiom);
		fprintf(out, ",%u,%u]", class->flags, s->marks.classes[i]);
	}
	fputs("],\n", out);
}

/* [from, to, count, dependencies, flags, mark, modes, first, last] */
static void put_edges(FILE *out, const struct html_selection *s)
{
	bool any = false;

	fputs("\"edges\":[", out);
	for (uint32_t i = 0; i < s->marks.edge_count; i++) {
		const struct class_edge *e = model__class_edge(s->m, i);

		fprintf(out, "%s[%u,%u,%" PRIu64 ",%u,%u,%u,%u,", any ? ",\n" : "", e->from, e->to,
			e->count, e->dependency_count, e->flags, s->marks.edges[i], e->modes);
		html_time(out, s->m, e->first);
		fputc(',', out);
		html_time(out, s->m, e->last);
		fputc(']', out);
		any = true;
	}
	fputs("],\n", out);
}

/* "id":[class, address, object, generation, name] */
static void put_instances(FILE *out, const struct html_selection *s)
{
	bool any = false;

	fputs("\"instances\":{", out);
	for (uint32_t i = 0; i < model__instance_count(s->m); i++) {
		const struct lock_instance *instance = model__instance(s->m, i);

		if (!s->instances[i])
			continue;
		fprintf(out, "%s\"%u\":[%u,\"0x%" PRIx64 "\",", any ? ",\n" : "", i,
			instance->lock_class, instance->address);
		html_id(out, instance->object);
		fprintf(out, ",%u,", instance->generation);
		write_json_string(out, instance->name);
		fputc(']', out);
		any = true;
	}
	fputs("},\n", out);
}

static void put_lock(FILE *out, const struct model *m, const struct held_lock *lock)
{
	fputc('[', out);
	html_id(out, lock->instance);
	fputc(',', out);
	html_id(out, lock->stack);
	fprintf(out, ",%u,%u,%u]", lock->mode, lock->flags, model__held_class(m, lock));
}

/* "id":[[held …], wanted, path, count, first, last, first task, last task]; lock: [instance, stack,
 * mode, flags, class] */
static void put_chains(FILE *out, const struct html_selection *s)
{
	bool any = false;

	fputs("\"chains\":{", out);
	for (uint32_t i = 0; i < model__chain_count(s->m); i++) {
		const struct chain *c = model__chain(s->m, i);

		if (!s->chains[i])
			continue;
		fprintf(out, "%s\"%u\":[[", any ? ",\n" : "", i);
		for (uint32_t k = 0; k < c->held_count; k++) {
			fputs(k ? "," : "", out);
			put_lock(out, s->m, &c->held[k]);
		}
		fputs("],", out);
		put_lock(out, s->m, &c->wanted);
		fputc(',', out);
		html_id(out, c->path);
		fprintf(out, ",%" PRIu64 ",", c->count);
		html_time(out, s->m, c->first);
		fputc(',', out);
		html_time(out, s->m, c->last);
		fputc(',', out);
		html_id(out, c->first_task);
		fputc(',', out);
		html_id(out, c->last_task);
		fputc(']', out);
		any = true;
	}
	fputs("},\n", out);
}

/* [edge, from, to, from mode, to mode, count, first, last, first chain, last chain, chains, flags]
 */
static void put_dependencies(FILE *out, const struct html_selection *s)
{
	bool any = false;

	fputs("\"dependencies\":{", out);
	for (uint32_t i = 0; i < model__dependency_count(s->m); i++) {
		const struct dependency *d = model__dependency(s->m, i);

		if (!s->dependencies[i])
			continue;
		fprintf(out, "%s\"%u\":[", any ? ",\n" : "", i);
		html_id(out, d->class_edge);
		fprintf(out, ",%u,%u,%u,%u,%" PRIu64 ",", d->from, d->to, d->from_mode, d->to_mode,
			d->count);
		html_time(out, s->m, d->first);
		fputc(',', out);
		html_time(out, s->m, d->last);
		fputc(',', out);
		html_id(out, d->first_chain);
		fputc(',', out);
		html_id(out, d->last_chain);
		fprintf(out, ",%u,%u]", d->chain_count, d->flags);
		any = true;
	}
	fputs("},\n", out);
}

/* "id":[kind, frame …]; frame: [text, module, "file:line"] */
static void put_stacks(FILE *out, const struct html_selection *s)
{
	static const char *const kinds[] = {"none", "site", "full", "location"};
	bool any = false;
	char text[4 * RENDER_SIZE];

	fputs("\"stacks\":{", out);
	for (uint32_t i = 0; i < model__stack_count(s->m); i++) {
		struct stack stack = model__stack(s->m, i);

		if (!s->stacks[i])
			continue;
		fprintf(out, "%s\"%u\":[\"%s\"", any ? ",\n" : "", i, kinds[stack.kind]);
		for (uint32_t k = 0; k < stack.frame_count; k++) {
			struct frame frame = stack.frames[k];

			frame.module = frame.file = NULL;
			fputs(",[", out);
			write_json_string(out, render_frame(text, sizeof(text), &frame));
			fputc(',', out);
			write_json_string(out, stack.frames[k].module);
			fputc(',', out);
			text[0] = '\0';
			if (stack.frames[k].file)
				snprintf(text, sizeof(text), "%.200s:%u", stack.frames[k].file,
					 stack.frames[k].line);
			write_json_string(out, text);
			fputc(']', out);
		}
		fputc(']', out);
		any = true;
	}
	fputs("},\n", out);
}

void html_data_graph(FILE *out, const struct html_selection *s)
{
	put_classes(out, s);
	put_edges(out, s);
	put_instances(out, s);
	put_chains(out, s);
	put_dependencies(out, s);
	put_stacks(out, s);
}
