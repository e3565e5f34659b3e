// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is a known fix in this kernel? Read from what the fix left behind: a member of a struct, a
 * function added or removed. The catalogue says what to look for; several markers may be given,
 * separated by commas, and the first that can be decided decides.
 */
#include <stdio.h>
#include <string.h>

#include "kernel/kernel_private.h"

struct marker {
	enum fix_state state;
	char text[96];
};

/* The module a function of this name would be in. */
static const char *owner_of(const char *function)
{
	static const struct {
		const char *prefix, *module;
	} owners[] = {{"vfio_pci_core", "vfio_pci_core"},
		      {"vfio_iommu_type1", "vfio_iommu_type1"},
		      {"iommufd", "iommufd"},
		      {"irq_bypass", "irqbypass"},
		      {"vfio", "vfio"},
		      {"_vfio", "vfio"},
		      {"kvm", "kvm"}};

	for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++)
		if (!strncmp(function, owners[i].prefix, strlen(owners[i].prefix)))
			return owners[i].module;
	return NULL;
}

bool kernel__would_see(struct kernel *k, const char *module, bool is_function)
{
	if (is_function && module && kernel__module_btf(k, module, true))
		return true;
	if (module && !kernel__module_loaded(k, module))
		return false;
	return !symbols__hidden(k) && (is_function || symbols__has_data(k));
}

static void look_for_symbol(struct kernel *k, const char *name, bool is_function, bool wanted,
			    struct marker *marker)
{
	const char *module = owner_of(name);
	bool there = kernel__symbol(k, name) || kernel__function_known(k, name);

	if (!there && !kernel__would_see(k, module, is_function)) {
		marker->state = FIX_UNKNOWN;
		snprintf(marker->text, sizeof(marker->text),
			 "unknown until %s is loaded: modprobe %s", module ? module : "its module",
			 module ? module : "it");
		return;
	}
	marker->state = there == wanted ? FIX_PRESENT : FIX_MISSING;
	snprintf(marker->text, sizeof(marker->text), "%s symbol %s", there ? "has" : "no", name);
}

static void look_for_member(struct kernel *k, const char *path, struct marker *marker)
{
	const char *dot = strchr(path, '.');
	char type[64];

	snprintf(type, sizeof(type), "%.*s", dot ? (int)(dot - path) : 0, path);
	if (!dot || !kernel__has_struct(k, type)) {
		const char *module = owner_of(type);

		marker->state = FIX_UNKNOWN;
		if (module && kernel__module_loaded(k, module))
			snprintf(marker->text, sizeof(marker->text), "unknown: no BTF of struct %s",
				 type);
		else
			snprintf(marker->text, sizeof(marker->text),
				 "unknown until %s is loaded: modprobe %s",
				 module ? module : "its module", module ? module : "it");
		return;
	}
	marker->state = kernel__has_member(k, type, dot + 1) ? FIX_PRESENT : FIX_MISSING;
	snprintf(marker->text, sizeof(marker->text), "struct %s %s %s", type,
		 marker->state == FIX_PRESENT ? "has" : "has no", dot + 1);
}

static void look_for_marker(struct kernel *k, const char *evidence, struct marker *marker)
{
	char kind[32] = "", what[96] = "";

	marker->state = FIX_UNKNOWN;
	snprintf(marker->text, sizeof(marker->text),
		 "unknown: it left no marker in BTF or symbols");
	if (sscanf(evidence, " %31[a-z-] %95[^, ]", kind, what) < 2)
		return;
	if (!strcmp(kind, "btf-member"))
		look_for_member(k, what, marker);
	else if (!strcmp(kind, "btf-function"))
		look_for_symbol(k, what, true, true, marker);
	else if (!strcmp(kind, "symbol"))
		look_for_symbol(k, what, false, true, marker);
	else if (!strcmp(kind, "no-symbol"))
		look_for_symbol(k, what, false, false, marker);
}

static void decide(struct kernel *k, const char *evidence, struct fix *fix)
{
	struct marker marker;
	size_t used = 0;

	fix->state = FIX_UNKNOWN;
	fix->evidence[0] = 0;
	for (const char *at = evidence; at && *at; at = strchr(at, ',')) {
		at += *at == ',';
		look_for_marker(k, at, &marker);
		if (fix->state == FIX_UNKNOWN)
			fix->state = marker.state;
		used += (size_t)snprintf(fix->evidence + used, sizeof(fix->evidence) - used, "%s%s",
					 used ? ", " : "", marker.text);
		if (used >= sizeof(fix->evidence))
			break;
	}
}

/* No proof, distributions add and revert; said so that "unknown" is not the last word. */
static void mention_release(const struct kernel *k, struct fix *fix)
{
	const char *fixed_in = fix->row->fixed_in;
	size_t used = strlen(fix->evidence);
	uint32_t version;

	if (fix->state != FIX_UNKNOWN || !fixed_in || *fixed_in != 'v')
		return;
	version = kernel_version__parse(fixed_in + 1);
	if (version)
		snprintf(fix->evidence + used, sizeof(fix->evidence) - used,
			 "; releases from %.12s on have it, this is %s", fixed_in,
			 k->version < version ? "older" : "newer");
}

static bool is_for(const char *architectures, const char *arch)
{
	size_t length = strlen(arch);
	const char *at = architectures;

	while (at && (at = strstr(at, arch))) {
		if ((at == architectures || at[-1] == ' ') && (!at[length] || at[length] == ' '))
			return true;
		at += length;
	}
	return !architectures;
}

/* One fix may have several rows, one for each cycle it ended. */
static bool is_listed(const struct fix *fixes, uint32_t count, const char *commit)
{
	for (uint32_t i = 0; i < count; i++)
		if (!strcmp(fixes[i].row->commit, commit))
			return true;
	return false;
}

uint32_t kernel__fixes(struct kernel *k, struct fix *out, uint32_t max)
{
	const struct catalogue *catalogue = catalogue__builtin();
	uint32_t count = 0;

	for (uint32_t i = 0; catalogue && i < catalogue->count && count < max; i++) {
		const struct catalogue_row *row = &catalogue->rows[i];

		if (!is_for(row->architectures, k->arch) || is_listed(out, count, row->commit))
			continue;
		out[count].row = row;
		decide(k, row->evidence, &out[count]);
		mention_release(k, &out[count++]);
	}
	return count;
}

void kernel__fix_facts(struct kernel *k, const struct fact_sink *out)
{
	static const char *const states[] = {
		[FIX_PRESENT] = "present", [FIX_MISSING] = "missing", [FIX_UNKNOWN] = "unknown"};
	struct fix fixes[64];
	uint32_t count = kernel__fixes(k, fixes, 64);

	for (uint32_t i = 0; i < count; i++) {
		char key[80];

		snprintf(key, sizeof(key), "fix.%s", fixes[i].row->commit);
		out->set(out->model, key, states[fixes[i].state]);
	}
}
