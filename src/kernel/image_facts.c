// SPDX-License-Identifier: GPL-2.0-or-later
/* Facts of the host that an image is of: the same names as of a running one (facts.c). */
#include <stdio.h>
#include <string.h>

#include "kernel/image.h"

#define CMDLINE_BYTES 4096

static void set_command_line(struct kernel *k, const struct fact_sink *out)
{
	char text[CMDLINE_BYTES];
	uint64_t at = 0;

	memory__u64(&k->image->memory, kernel__symbol(k, "saved_command_line"), &at);
	if (!memory__string(&k->image->memory, at, text, sizeof(text)))
		out->set(out->model, "kernel.cmdline", text);
}

static void set_taint(struct kernel *k, const struct fact_sink *out)
{
	uint64_t mask;
	char text[32];

	if (memory__u64(&k->image->memory, kernel__symbol(k, "tainted_mask"), &mask))
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)mask);
	out->set(out->model, "kernel.tainted", text);
}

/* The kernel makes its number when somebody asks for it first; merge tells boots apart by it. */
static void set_boot_id(struct kernel *k, const struct fact_sink *out)
{
	static const uint8_t none[16];
	uint8_t id[16];
	char text[40];
	size_t used = 0;

	if (memory__read(&k->image->memory, kernel__symbol(k, "sysctl_bootid"), id, sizeof(id)) ||
	    !memcmp(id, none, sizeof(id)))
		return;
	for (int i = 0; i < 16; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%02x",
					 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
	out->set(out->model, "host.boot_id", text);
}

static void set_modules(struct kernel *k, const struct fact_sink *out)
{
	for (uint32_t i = 0; i < k->module_count; i++) {
		const char *name = k->modules[i].name, *taint = k->modules[i].taint;
		const uint8_t *id = k->image->modules[i].build_id;
		char key[192], text[2 * BUILD_ID_BYTES + 1] = "";

		if (strncmp(name, "vfio", 4) && strncmp(name, "kvm", 3) &&
		    strncmp(name, "mdev", 4) && !strchr(taint, 'O'))
			continue;
		snprintf(key, sizeof(key), "module.%.100s.origin", name);
		out->set(out->model, key,
			 strchr(taint, 'O')   ? "out-of-tree"
			 : strchr(taint, 'E') ? "unsigned"
					      : "distribution");
		for (int byte = 0; byte < BUILD_ID_BYTES; byte++)
			snprintf(text + (size_t)byte * 2, 3, "%02x", id[byte]);
		snprintf(key, sizeof(key), "module.%.100s.build_id", name);
		out->set(out->model, key, text);
	}
}

void image_facts__set(struct kernel *k, const struct fact_sink *out)
{
	char id[64];

	out->set(out->model, "kernel.release", k->release);
	out->set(out->model, "kernel.version", k->version_text);
	out->set(out->model, "arch", k->arch);
	out->set(out->model, "host.name", k->image->node);
	image_note__text(k->image->note, "BUILD-ID", id, sizeof(id));
	if (*id)
		out->set(out->model, "kernel.build_id", id);
	set_command_line(k, out);
	set_taint(k, out);
	set_boot_id(k, out);
	set_modules(k, out);
}
