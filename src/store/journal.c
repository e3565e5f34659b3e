// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rollback journal that a crashed writer leaves: the pages as they were before its last
 * transaction (format: sqlite.org/fileformat2.html, section 3). It may as well have been planted,
 * so it is believed only when it is a plain file of the recording's owner (or root's), fits the
 * recording, and names no other file: SQLite deletes what a journal names as its super-journal, and
 * no writer of ours has one. Nothing is written back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/recording_file.h"
#include "util/input.h"

#define HEADER_BYTES 28
#define RECORD_EXTRA 8 /* page number before the page, checksum behind it */
#define UNTIL_THE_END 0xffffffffU
#define MOST_PAGES (64u << 20) /* for each of which 8 bytes are kept ready */

static const unsigned char journal_magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};

struct journal {
	struct recording_file *file;
	uint64_t size, at;
	uint32_t sector_size, nonce, records; /* of the current segment */
	uint32_t page_count, page_size;	      /* of the recording before the transaction */
	unsigned char *record;
};

static uint32_t number_at(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static bool read_exactly(int fd, void *buffer, size_t size, uint64_t offset)
{
	return pread(fd, buffer, size, (off_t)offset) == (ssize_t)size;
}

static bool is_power_of_two(uint32_t number)
{
	return number && !(number & (number - 1));
}

/* The next header: false where there is none, which is the end. */
static bool next_segment(struct journal *j)
{
	unsigned char head[HEADER_BYTES];

	if (j->at) /* headers start at a sector */
		j->at = (j->at + j->sector_size - 1) / j->sector_size * j->sector_size;
	if (j->at + HEADER_BYTES > j->size ||
	    !read_exactly(j->file->journal, head, sizeof(head), j->at) ||
	    memcmp(head, journal_magic, sizeof(journal_magic)))
		return false;
	j->records = number_at(head + 8);
	j->nonce = number_at(head + 12);
	if (!j->at) {
		j->page_count = number_at(head + 16);
		j->sector_size = number_at(head + 20);
		j->page_size = number_at(head + 24);
	}
	j->at += j->sector_size;
	if (j->records == UNTIL_THE_END)
		j->records = (uint32_t)((j->size - (j->at < j->size ? j->at : j->size)) /
					(j->file->page_size + RECORD_EXTRA));
	return true;
}

/* SQLite's: every 200th byte from the end, so that a page half written is told from a whole one. */
static bool is_whole(const struct journal *j)
{
	const unsigned char *page = j->record + 4;
	uint32_t sum = j->nonce;

	for (uint32_t at = j->file->page_size - 200; at > 0 && at < j->file->page_size; at -= 200)
		sum += page[at];
	return sum == number_at(page + j->file->page_size);
}

/* false: here ends what was written before the crash. */
static bool take_record(struct journal *j)
{
	const uint32_t page_size = j->file->page_size;
	uint32_t page;

	if (j->at + page_size + RECORD_EXTRA > j->size ||
	    !read_exactly(j->file->journal, j->record, page_size + RECORD_EXTRA, j->at))
		return false;
	page = number_at(j->record);
	if (!page || !is_whole(j))
		return false;
	if (page <= j->page_count && !j->file->saved[page - 1])
		j->file->saved[page - 1] = j->at + 4; /* the first is the oldest */
	j->at += page_size + RECORD_EXTRA;
	return true;
}

static void take_records(struct journal *j)
{
	bool more = true;

	do {
		for (uint32_t i = 0; i < j->records && more; i++)
			more = take_record(j);
	} while (more && next_segment(j));
}

static int refuse(const char *path, const struct store_message *message, const char *why)
{
	return store_fail(
		message, -EBADMSG,
		"%s-journal: %s; it cannot be used to mend the recording. Remove it if you "
		"know that nothing was cut short, or copy the recording elsewhere",
		path, why);
}

/* Is this what a writer of this recording left? NULL, or why not. */
static const char *distrust(const struct journal *j, const struct stat *about)
{
	unsigned char tail[8];
	struct stat recording;
	const uint64_t page_bytes = j->file->page_size + RECORD_EXTRA;

	if (fstat(j->file->fd, &recording))
		return strerror(errno);
	/* not whoever reads: root reads as nobody, and nobody's files are anybody's */
	if (about->st_uid != recording.st_uid && about->st_uid)
		return "belongs to another user than the recording";
	if (read_exactly(j->file->journal, tail, sizeof(tail), j->size - sizeof(tail)) &&
	    !memcmp(tail, journal_magic, sizeof(tail)))
		return "names another file (a super-journal), which no journal of vfiotrace does";
	if (j->page_size != j->file->page_size || j->sector_size < 32 || j->sector_size > 65536 ||
	    !is_power_of_two(j->sector_size) || j->page_count > j->file->page_count)
		return "is of another recording";
	if (j->page_count > MOST_PAGES)
		return "is of a recording that is too large to be mended";
	/* each page once, and a header for each at the very most */
	if (j->size > (uint64_t)j->file->page_count * (page_bytes + j->sector_size) + (1 << 20))
		return "is larger than one of this recording can be";
	return NULL;
}

static int use_journal(struct journal *j, const char *path, const struct store_message *message)
{
	struct recording_file *file = j->file;

	file->saved = calloc((size_t)j->page_count + 1, sizeof(*file->saved));
	j->record = malloc(file->page_size + RECORD_EXTRA);
	if (!file->saved || !j->record)
		return store_fail(message, -ENOMEM, "%s: out of memory", path);
	take_records(j);
	file->page_count = j->page_count;
	file->size = (uint64_t)j->page_count * file->page_size;
	return 0;
}

int recording_journal__open(const char *path, struct recording_file *file,
			    const struct store_message *message)
{
	struct journal j = {.file = file};
	struct stat about;
	char why[200];
	const char *doubt;
	int error;

	file->journal = input_open_beside(path, "-journal", why, sizeof(why));
	if (file->journal == -ENOENT)
		return 0;
	if (file->journal < 0)
		return refuse(path, message, why);
	if (fstat(file->journal, &about))
		return refuse(path, message, strerror(errno));
	j.size = (uint64_t)about.st_size;
	/* of a writer that lives and has not begun to change the file, or one that ended in order
	 */
	if (recording_file__has_writer(file) || !next_segment(&j))
		return 0;
	doubt = distrust(&j, &about);
	if (doubt)
		return refuse(path, message, doubt);
	error = use_journal(&j, path, message);
	free(j.record);
	return error;
}
