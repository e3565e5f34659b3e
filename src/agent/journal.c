// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Structured journal entries. The MESSAGE_IDs are stable; never change: journalctl MESSAGE_ID=…,
 * the catalogue in src/systemd/vfiotrace.catalog and people's filters rely on them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"
#include "finding.h"
#include "report.h"
#include "util/message.h"
#include "util/text.h"

#define FIELDS_MAX 24
#define FIELD_SIZE 1024

static const char *const message_ids[JOURNAL_KINDS] = {
	[CODE_DEADLOCK] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a01",
	[CODE_RECURSION] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a02",
	[CODE_PREDICTED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a03",
	[CODE_PREDICTED_FAIR] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a04",
	[CODE_INSTANCE_INVERSION] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a05",
	[CODE_CLASS_INVERSION] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a06",
	[CODE_BAD_UNLOCK] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a07",
	[CODE_ORDER_VIOLATION] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a08",
	[CODE_SAME_CLASS_NESTING] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a09",
	[CODE_GATED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a0a",
	[CODE_ORDERED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a0b",
	[CODE_SAME_THREAD] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a0c",
	[CODE_READ_ONLY] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a0d",
	[CODE_POSSIBLE_DEADLOCK] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a0e",
	[CODE_HUNG_ON_LOCK] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a0f",
	[CODE_HUNG_ELSEWHERE] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a10",
	[CODE_IRQ_INVERSION] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a11",
	[CODE_LOCK_LEAK] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a12",
	[CODE_WAIT_INVERSION] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a13",
	[JOURNAL_STARTED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a20",
	[JOURNAL_STOPPED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a21",
	[JOURNAL_SHED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a22",
	[JOURNAL_RESTORED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a23",
	[JOURNAL_INCIDENT_FAILED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a24",
	[JOURNAL_HOOK_FAILED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a25",
	[JOURNAL_RELOADED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a26",
	[JOURNAL_RELOAD_FAILED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a27",
	[JOURNAL_PROBES] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a28",
	[JOURNAL_LOSSES] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a29",
	[JOURNAL_STALL] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a2a",
	[JOURNAL_RESOLVED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a2b",
	[JOURNAL_RESTARTED] = "5f0b2c6c4c1d4b0f9d1a7f36a1e40a2c",
};

const char *journal_message_id(unsigned int kind)
{
	return kind < JOURNAL_KINDS ? message_ids[kind] : NULL;
}

#ifndef VFIOTRACE_STATIC
#include <systemd/sd-journal.h>

static int send_entry(char text[][FIELD_SIZE], int count)
{
	struct iovec parts[FIELDS_MAX];

	/* without a journal the library says it was sent: ask for the socket first */
	if (access("/run/systemd/journal/socket", F_OK))
		return -errno;
	for (int i = 0; i < count; i++)
		parts[i] = (struct iovec){.iov_base = text[i], .iov_len = strlen(text[i])};
	return sd_journal_sendv(parts, count);
}

#else
#include <endian.h>
#include <stdint.h>

/* The native protocol: NAME, newline, length as 64 bits little endian, value, newline. */
static size_t encode(char *out, const char *field)
{
	size_t name = strcspn(field, "="), value = strlen(field + name + 1);
	uint64_t length = htole64(value);

	memcpy(out, field, name);
	out[name] = '\n';
	memcpy(out + name + 1, &length, sizeof(length));
	memcpy(out + name + 9, field + name + 1, value);
	out[name + 9 + value] = '\n';
	return name + value + 10;
}

static int send_entry(char text[][FIELD_SIZE], int count)
{
	static char packet[FIELDS_MAX * (FIELD_SIZE + 16)];
	struct sockaddr_un address = {.sun_family = AF_UNIX,
				      .sun_path = "/run/systemd/journal/socket"};
	size_t used = 0;
	int fd, status = 0;

	for (int i = 0; i < count; i++)
		used += encode(packet + used, text[i]);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, packet, used, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof(address)) <
	    0)
		status = -errno;
	close(fd);
	return status;
}
#endif

void journal_entry(unsigned int kind, int priority, const char *message,
		   const struct journal_field *fields, size_t count)
{
	static char text[FIELDS_MAX][FIELD_SIZE];
	const char *id = journal_message_id(kind);
	int used = 0;

	snprintf(text[used++], FIELD_SIZE, "MESSAGE=%s", text_safe(message));
	snprintf(text[used++], FIELD_SIZE, "PRIORITY=%d", priority);
	snprintf(text[used++], FIELD_SIZE, "SYSLOG_IDENTIFIER=vfiotrace");
	if (id)
		snprintf(text[used++], FIELD_SIZE, "MESSAGE_ID=%s", id);
	for (size_t i = 0; i < count && used < FIELDS_MAX; i++)
		snprintf(text[used++], FIELD_SIZE, "%s=%s", fields[i].name,
			 fields[i].value ? fields[i].value : "");
	if (send_entry(text, used))
		log_info("%s", text_safe(message));
}
