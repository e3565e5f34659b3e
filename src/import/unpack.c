// SPDX-License-Identifier: GPL-2.0-or-later
/* Compressed input by its content, see unpack.h. */
#include <bzlib.h>
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "import/unpack.h"

#define INPUT_BYTES 65536
/* Logs shrink to a hundredth at best; what grows more than this is made to fill a disk. */
#define BOMB_BYTES (256ULL << 20)
#define BOMB_RATIO 400

enum packing { PLAIN, GZIP, XZ, ZSTD, BZIP2 };

struct unpack {
	int fd;
	enum packing packing;
	bool began, file_over, over;
	const char *trouble;
	uint64_t bytes_in, bytes_out;
	unsigned char *input;
	size_t at, filled;
	/* the decoder of `packing`; `open` once it was made */
	bool open;
	z_stream gzip;
	lzma_stream xz;
	bz_stream bzip2;
	ZSTD_DStream *zstd;
};

static const struct {
	const char *magic;
	size_t length;
	enum packing packing;
} magics[] = {
	{"\x1f\x8b", 2, GZIP},
	{"\xfd"
	 "7zXZ",
	 5, XZ},
	{"\x28\xb5\x2f\xfd", 4, ZSTD},
	{"BZh", 3, BZIP2},
};

struct unpack *unpack__open(int fd)
{
	struct unpack *u = calloc(1, sizeof(*u));

	if (u)
		u->input = malloc(INPUT_BYTES);
	if (u && u->input) {
		u->fd = fd;
		return u;
	}
	free(u);
	close(fd);
	return NULL;
}

static void end_decoder(struct unpack *u)
{
	if (u->open && u->packing == GZIP)
		inflateEnd(&u->gzip);
	if (u->open && u->packing == XZ)
		lzma_end(&u->xz);
	if (u->open && u->packing == BZIP2)
		BZ2_bzDecompressEnd(&u->bzip2);
	if (u->open && u->packing == ZSTD)
		ZSTD_freeDStream(u->zstd);
	u->open = false;
}

void unpack__close(struct unpack *u)
{
	if (!u)
		return;
	end_decoder(u);
	close(u->fd);
	free(u->input);
	free(u);
}

/* More of the file behind what is left of it; 0, or -errno. */
static int fill(struct unpack *u)
{
	ssize_t got;

	if (u->at == u->filled)
		u->at = u->filled = 0;
	if (u->file_over || u->filled == INPUT_BYTES)
		return 0;
	do
		got = read(u->fd, u->input + u->filled, INPUT_BYTES - u->filled);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	u->file_over = !got;
	u->filled += (size_t)got;
	u->bytes_in += (size_t)got;
	return 0;
}

static bool start_decoder(struct unpack *u)
{
	switch (u->packing) {
	case PLAIN:
		return true;
	case GZIP:
		memset(&u->gzip, 0, sizeof(u->gzip));
		u->open = inflateInit2(&u->gzip, 15 + 16) == Z_OK;
		break;
	case XZ:
		memset(&u->xz, 0, sizeof(u->xz));
		u->open = lzma_stream_decoder(&u->xz, UNPACK_MEMORY, LZMA_CONCATENATED) == LZMA_OK;
		break;
	case ZSTD:
		u->zstd = ZSTD_createDStream();
		u->open = u->zstd != NULL;
		break;
	case BZIP2:
		memset(&u->bzip2, 0, sizeof(u->bzip2));
		u->open = BZ2_bzDecompressInit(&u->bzip2, 0, 0) == BZ_OK;
		break;
	}
	return u->open;
}

static int begin(struct unpack *u)
{
	int err = 0;

	u->began = true;
	while (!err && !u->file_over && u->filled < 8)
		err = fill(u);
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (u->filled >= magics[i].length &&
		    !memcmp(u->input, magics[i].magic, magics[i].length))
			u->packing = magics[i].packing;
	/* "BZh" may begin a text: the level and the block's mark follow */
	if (u->packing == BZIP2 && (u->filled < 5 || u->input[3] < '1' || u->input[3] > '9' ||
				    (u->input[4] != '1' && u->input[4] != 0x17)))
		u->packing = PLAIN;
	if (err)
		return err;
	return start_decoder(u) ? 0 : -ENOMEM;
}

/* What one call of a decoder came to. */
struct step {
	size_t used, made;
	bool ended; /* of one stream; another may follow */
	bool damaged;
};

static struct step step_gzip(struct unpack *u, char *out, size_t size)
{
	struct step step = {0};
	int result;

	u->gzip.next_in = u->input + u->at;
	u->gzip.avail_in = (unsigned int)(u->filled - u->at);
	u->gzip.next_out = (unsigned char *)out;
	u->gzip.avail_out = (unsigned int)size;
	result = inflate(&u->gzip, Z_NO_FLUSH);
	step.used = u->filled - u->at - u->gzip.avail_in;
	step.made = size - u->gzip.avail_out;
	step.ended = result == Z_STREAM_END;
	step.damaged = result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR;
	return step;
}

static struct step step_xz(struct unpack *u, char *out, size_t size)
{
	struct step step = {0};
	lzma_ret result;

	u->xz.next_in = u->input + u->at;
	u->xz.avail_in = u->filled - u->at;
	u->xz.next_out = (uint8_t *)out;
	u->xz.avail_out = size;
	result = lzma_code(&u->xz, u->file_over ? LZMA_FINISH : LZMA_RUN);
	step.used = u->filled - u->at - u->xz.avail_in;
	step.made = size - u->xz.avail_out;
	step.ended = result == LZMA_STREAM_END;
	step.damaged = result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR;
	return step;
}

static struct step step_bzip2(struct unpack *u, char *out, size_t size)
{
	struct step step = {0};
	int result;

	u->bzip2.next_in = (char *)u->input + u->at;
	u->bzip2.avail_in = (unsigned int)(u->filled - u->at);
	u->bzip2.next_out = out;
	u->bzip2.avail_out = (unsigned int)size;
	result = BZ2_bzDecompress(&u->bzip2);
	step.used = u->filled - u->at - u->bzip2.avail_in;
	step.made = size - u->bzip2.avail_out;
	step.ended = result == BZ_STREAM_END;
	step.damaged = result != BZ_OK && result != BZ_STREAM_END;
	return step;
}

static struct step step_zstd(struct unpack *u, char *out, size_t size)
{
	ZSTD_inBuffer in = {u->input + u->at, u->filled - u->at, 0};
	ZSTD_outBuffer made = {out, size, 0};
	size_t result = ZSTD_decompressStream(u->zstd, &made, &in);

	return (struct step){in.pos, made.pos, result == 0, ZSTD_isError(result)};
}

static struct step step(struct unpack *u, char *out, size_t size)
{
	switch (u->packing) {
	case GZIP:
		return step_gzip(u, out, size);
	case XZ:
		return step_xz(u, out, size);
	case ZSTD:
		return step_zstd(u, out, size);
	case BZIP2:
		return step_bzip2(u, out, size);
	case PLAIN:
		break;
	}
	return (struct step){.damaged = true};
}

/* Behind one stream: another one, or nothing (padding is ignored). */
static bool next_stream(struct unpack *u)
{
	if (u->packing == ZSTD || u->packing == XZ)
		return u->packing == ZSTD && (u->at < u->filled || !u->file_over);
	while (u->filled - u->at < 2 && !u->file_over) {
		memmove(u->input, u->input + u->at, u->filled - u->at);
		u->filled -= u->at;
		u->at = 0;
		if (fill(u))
			return false;
	}
	if (u->filled - u->at < 2 ||
	    memcmp(u->input + u->at, u->packing == GZIP ? "\x1f\x8b" : "BZ", 2))
		return false;
	end_decoder(u);
	return start_decoder(u);
}

static ssize_t read_plain(struct unpack *u, char *buffer, size_t size)
{
	size_t count = u->filled - u->at;

	count = count < size ? count : size;
	memcpy(buffer, u->input + u->at, count);
	u->at += count;
	u->over = !count;
	return (ssize_t)count;
}

static ssize_t read_packed(struct unpack *u, char *buffer, size_t size)
{
	struct step done = step(u, buffer, size);

	u->at += done.used;
	u->bytes_out += done.made;
	if (done.ended && !next_stream(u))
		u->over = true;
	else if (done.damaged)
		u->trouble = "the compressed file is damaged: only what comes before the damage "
			     "was read; fetch it again";
	else if (!done.ended && !done.made && !done.used && u->file_over)
		u->trouble = "the compressed file is cut: only what comes before the cut was read; "
			     "fetch it again";
	else if (u->bytes_out > BOMB_BYTES && u->bytes_out / BOMB_RATIO > u->bytes_in)
		u->trouble = "the compressed file grows to more than 400 times its size: given up; "
			     "unpack it and look at what is in it";
	u->over = u->over || u->trouble;
	return (ssize_t)done.made;
}

ssize_t unpack__read(struct unpack *u, char *buffer, size_t size)
{
	ssize_t got = 0;
	int err = u->began ? 0 : begin(u);

	if (size > 1U << 30)
		size = 1U << 30;
	while (!err && !got && !u->over) {
		if (u->at == u->filled)
			err = fill(u);
		if (!err)
			got = u->packing == PLAIN ? read_plain(u, buffer, size)
						  : read_packed(u, buffer, size);
	}
	return got ? got : err;
}

bool unpack__is_plain(struct unpack *u)
{
	return (u->began || !begin(u)) && u->packing == PLAIN;
}

const char *unpack__trouble(const struct unpack *u)
{
	return u->trouble;
}
