// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages in JSON lines. No tree is built and nothing nested is refused: all that is looked for is
 * the string behind the key that holds the text, else the longest string there is.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "import/json_text.h"

/* Keys for the text of a line: journald, Docker, Kubernetes, fluentd, GELF, cloud collectors. */
static const char *const message_keys[] = {"MESSAGE",	  "log",	   "message", "msg", "_raw",
					   "textPayload", "short_message", "line",    "data"};

struct string {
	char *start, *end; /* between its quotes */
};

/* `p` is behind the opening quote */
static struct string find_string(char *p)
{
	struct string s = {p, p};

	while (*s.end && *s.end != '"')
		s.end += s.end[0] == '\\' && s.end[1] ? 2 : 1;
	return s;
}

static size_t put_escape(char **from, char *to)
{
	static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *found = strchr(plain, (*from)[1]);
	char digits[5] = "";
	unsigned long c;

	if ((*from)[1] == 'u' && strlen(*from) >= 6) {
		memcpy(digits, *from + 2, 4);
		c = strtoul(digits, NULL, 16);
		*from += 6;
		*to = c && c < 0x80 ? (char)c : '?';
		return 1;
	}
	if (!(*from)[1])
		return *to = *(*from)++, 1;
	*to = found ? meant[found - plain] : (*from)[1];
	*from += 2;
	return 1;
}

static char *unescape(struct string s)
{
	char *to = s.start, *from = s.start;

	while (from < s.end)
		if (*from == '\\')
			to += put_escape(&from, to);
		else
			*to++ = *from++;
	while (to > s.start && to[-1] == '\n')
		to--;
	*to = '\0';
	return s.start;
}

/* journald writes a message that is no text as numbers of bytes: [27,91,51] */
static char *from_numbers(char *p)
{
	char *start = p, *to = p;

	for (p++; *p && *p != ']';) {
		char *end;
		long value = strtol(p, &end, 10);

		if (end == p)
			break;
		*to++ = value > 0 && value < 256 ? (char)value : '?';
		p = end + strspn(end, ", ");
	}
	*to = '\0';
	return start;
}

static int rank_of(struct string key)
{
	for (size_t i = 0; i < sizeof(message_keys) / sizeof(message_keys[0]); i++)
		if (strlen(message_keys[i]) == (size_t)(key.end - key.start) &&
		    !memcmp(message_keys[i], key.start, strlen(message_keys[i])))
			return (int)(sizeof(message_keys) / sizeof(message_keys[0]) - i);
	return 0;
}

static char *search(char *p)
{
	struct string best = {NULL, NULL}, key = {p, p};
	bool has_key = false;
	int best_rank = -1;

	while ((p = strpbrk(p, "\"[{,"))) {
		struct string s;

		if (*p == '[' && has_key && rank_of(key) && isdigit((unsigned char)p[1]))
			return from_numbers(p);
		if (*p != '"') {
			has_key = has_key && *p != ',';
			p++;
			continue;
		}
		s = find_string(p + 1);
		if (!*s.end)
			break; /* cut */
		p = s.end + 1 + strspn(s.end + 1, " \t");
		if (*p == ':') {
			key = s;
			has_key = true;
			p++;
			continue;
		}
		if (has_key && (rank_of(key) > best_rank ||
				(!best_rank && s.end - s.start > best.end - best.start))) {
			best = s;
			best_rank = rank_of(key);
		}
		has_key = false;
	}
	return best.start ? unescape(best) : NULL;
}

/* `    "MESSAGE" : "text",` of an object that is printed over several lines */
static char *field(char *start, char *line)
{
	struct string key = find_string(start + 1);
	char *p = *key.end ? key.end + 1 : key.end;

	p += strspn(p, " \t");
	if (*p != ':')
		return line;
	if (!rank_of(key))
		return NULL;
	p += 1 + strspn(p + 1, " \t");
	return *p == '"' ? unescape(find_string(p + 1)) : line;
}

char *json_text__message(char *line)
{
	char *start = line + strspn(line, " \t,[\036");

	if (!strncmp(start, "data: {", 7)) /* server-sent events */
		start += 6;
	if (*start == '"')
		return field(start, line);
	/* an object of several lines: nothing but its end, and the beginning of the next */
	if ((*start == '{' || *start == '}') && !start[strspn(start, "{}[], \t")])
		return NULL;
	if (*start != '{')
		return line;
	if (start[1 + strspn(start + 1, " \t")] != '"')
		return line;
	return search(start);
}
