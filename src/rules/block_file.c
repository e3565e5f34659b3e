// SPDX-License-Identifier: GPL-2.0-or-later
/* Statements with indented attributes: what rules files and the catalogue are written in. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/block_file.h"

#define BLOCK_CLASSES_MAX 64

void block_file__complain(struct block_file *file, uint32_t line, const char *format, ...)
{
	char text[512];
	va_list arguments;

	file->refused++;
	if (!file->complain)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	file->complain(file->context, file->name, line, text);
}

/* Cut a comment and trailing blanks. Inside a line '#' needs blanks around it, so that class names
 * such as "key#2" and reasons such as "ticket #12" stay whole. */
static void trim(char *line)
{
	bool quoted = false;
	size_t length;

	for (char *p = line; *p; p++) {
		if (*p == '"')
			quoted = !quoted;
		if (*p == '#' && !quoted &&
		    (p == line ||
		     (isspace((unsigned char)p[-1]) && (!p[1] || isspace((unsigned char)p[1]))))) {
			*p = '\0';
			break;
		}
	}
	length = strlen(line);
	while (length && isspace((unsigned char)line[length - 1]))
		line[--length] = '\0';
}

static struct block_field split_field(char *line, uint32_t number)
{
	struct block_field field = {.line = number};

	line += strspn(line, " \t");
	field.key = line;
	line += strcspn(line, " \t");
	if (*line)
		*line++ = '\0';
	field.value = line + strspn(line, " \t");
	return field;
}

static struct block *add_block(struct block_file *file)
{
	struct block *grown = reallocarray(file->blocks, file->count + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	file->blocks = grown;
	memset(&grown[file->count], 0, sizeof(*grown));
	return &grown[file->count++];
}

static int add_line(struct block_file *file, char *line, uint32_t number)
{
	bool indented = *line == ' ' || *line == '\t';
	struct block_field field;
	struct block *block;

	trim(line);
	if (!line[strspn(line, " \t")])
		return 0;
	if (!indented) {
		block = add_block(file);
		if (!block)
			return -ENOMEM;
		block->head = split_field(line, number);
		return 0;
	}
	if (!file->count) {
		block_file__complain(file, number,
				     "an attribute without a statement above it; statements start "
				     "in the first column");
		return 0;
	}
	block = &file->blocks[file->count - 1];
	if (block->attribute_count == BLOCK_ATTRIBUTES) {
		block->broken = true;
		block_file__complain(file, number, "more than %d attributes in one statement",
				     BLOCK_ATTRIBUTES);
		return 0;
	}
	field = split_field(line, number);
	if (block__find(block, field.key)) {
		block->broken = true;
		block_file__complain(file, number, "\"%s\" is given twice in one statement",
				     field.key);
		return 0;
	}
	block->attributes[block->attribute_count++] = field;
	return 0;
}

int block_file__parse(struct block_file *file, const char *name, const char *text, size_t length,
		      complain_fn complain, void *context)
{
	uint32_t number = 0;
	char *line, *rest;
	int err = 0;

	memset(file, 0, sizeof(*file));
	file->name = name;
	file->complain = complain;
	file->context = context;
	file->text = malloc(length + 1);
	if (!file->text)
		return -ENOMEM;
	memcpy(file->text, text, length);
	file->text[length] = '\0';
	for (size_t i = 0; i < length; i++)
		if (!file->text[i])
			file->text[i] = '?';
	rest = file->text;
	while (!err && (line = strsep(&rest, "\n")))
		err = add_line(file, line, ++number);
	if (err)
		block_file__free(file);
	return err;
}

void block_file__free(struct block_file *file)
{
	free(file->blocks);
	free(file->text);
	file->blocks = NULL;
	file->text = NULL;
	file->count = 0;
}

const struct block_field *block__find(const struct block *block, const char *key)
{
	for (uint32_t i = 0; i < block->attribute_count; i++)
		if (!strcmp(block->attributes[i].key, key))
			return &block->attributes[i];
	return NULL;
}

static char *next_class(const char **at)
{
	const char *p = *at + strspn(*at, " \t"), *start = p;
	char *name;

	if (*p == '"') {
		start = ++p;
		p = strchr(p, '"');
		if (!p || p == start)
			return NULL;
		name = strndup(start, (size_t)(p - start));
		p++;
	} else {
		/* "->" separates too, but '-' and '>' alone may be part of an unquoted name */
		while (*p && !isspace((unsigned char)*p) && *p != '>' && strncmp(p, "->", 2))
			p++;
		if (p == start)
			return NULL;
		name = strndup(start, (size_t)(p - start));
	}
	*at = p + strspn(p, " \t");
	return name;
}

uint32_t block_split_classes(const char *value, const char ***classes)
{
	const char *at = value;
	uint32_t count = 0;

	*classes = calloc(BLOCK_CLASSES_MAX, sizeof(**classes));
	if (!*classes)
		return 0;
	while (count < BLOCK_CLASSES_MAX) {
		char *name = next_class(&at);

		if (!name)
			break;
		(*classes)[count++] = name;
		if (!*at)
			return count;
		if (!strncmp(at, "->", 2))
			at += 2;
		else if (*at == '>')
			at++;
		else
			break;
	}
	block_free_classes(*classes, count);
	*classes = NULL;
	return 0;
}

void block_free_classes(const char **classes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free((char *)classes[i]);
	free(classes);
}
