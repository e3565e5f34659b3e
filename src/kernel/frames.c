// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses to frames: symbol, offset, module; file and line where debug info is installed. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <elfutils/libdwfl.h>

#include "kernel/kernel_private.h"

bool frames__have_debug_info(const struct kernel *k)
{
	static const char *const places[] = {"/usr/lib/debug/boot/vmlinux-%s",
					     "/usr/lib/debug/lib/modules/%s/vmlinux",
					     "/usr/lib/debug/lib/modules/%s/kernel",
					     "/lib/modules/%s/build/vmlinux", "/boot/vmlinux-%s"};
	const char *server = getenv("DEBUGINFOD_URLS");
	char path[512];

	if (k->image) /* libdwfl looks at the running kernel */
		return false;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), places[i], k->release);
		if (!access(path, R_OK))
			return true;
	}
	return server && *server; /* asked for by whoever set it: lookups may go to the network */
}

static Dwfl *open_dwfl(struct kernel *k)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_linux_kernel_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_linux_kernel_module_section_address,
	};
	Dwfl *dwfl;

	if (k->dwfl_tried || !frames__have_debug_info(k)) {
		k->dwfl_tried = true;
		return k->dwfl;
	}
	k->dwfl_tried = true;
	dwfl = dwfl_begin(&callbacks);
	if (!dwfl)
		return NULL;
	dwfl_report_begin(dwfl);
	dwfl_linux_kernel_report_kernel(dwfl);
	dwfl_linux_kernel_report_modules(dwfl);
	dwfl_report_end(dwfl, NULL, NULL);
	k->dwfl = dwfl;
	return dwfl;
}

static void add_line(struct kernel *k, uint64_t ip, struct frame *out)
{
	Dwfl *dwfl = open_dwfl(k);
	/* A return address points behind the call; the call is what people look for. */
	Dwarf_Addr address = out->offset ? ip - 1 : ip;
	Dwfl_Module *module = dwfl ? dwfl_addrmodule(dwfl, address) : NULL;
	Dwfl_Line *line = module ? dwfl_module_getsrc(module, address) : NULL;
	int number = 0;
	const char *file = line ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;

	if (!file)
		return;
	out->file = kernel__keep(k, file);
	out->line = number > 0 ? (uint32_t)number : 0;
}

void kernel__fill_frame(struct kernel *k, uint64_t ip, struct frame *out)
{
	struct kernel_symbol symbol;
	uint32_t offset;

	memset(out, 0, sizeof(*out));
	out->ip = ip;
	if (!kernel__resolve(k, ip, &symbol, &offset))
		return;
	/* kept, so that frames survive a refresh of the symbols */
	out->symbol = kernel__keep(k, symbol.name);
	out->module = symbol.module;
	out->offset = offset;
	add_line(k, ip, out);
}

void frames__close(struct kernel *k)
{
	if (k->dwfl)
		dwfl_end(k->dwfl);
	k->dwfl = NULL;
	k->dwfl_tried = false;
}

static bool is_trampoline(const struct frame *frame)
{
	return !frame->symbol || !strncmp(frame->symbol, "bpf_trampoline_", 15) ||
	       !strncmp(frame->symbol, "bpf_prog_", 9) ||
	       !strncmp(frame->symbol, "arch_ftrace", 11) || !strncmp(frame->symbol, "ftrace_", 7);
}

uint32_t kernel__clean_frames(struct frame *frames, uint32_t count)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (!is_trampoline(&frames[i])) {
			frames[used++] = frames[i];
			continue;
		}
		if (used && i + 1 < count && frames[i + 1].symbol &&
		    frames[i + 1].offset <= KERNEL_ENTRY_BYTES &&
		    !strcmp(frames[i + 1].symbol, frames[used - 1].symbol))
			i++;
	}
	return used;
}
