// SPDX-License-Identifier: GPL-2.0-or-later
/* Times, durations, names of locks, tasks and frames: the words every renderer shares. */
#include "report/graph/render.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NSEC_PER_SEC 1000000000ULL

char *render_duration(char *buffer, size_t size, uint64_t ns)
{
	static const struct {
		uint64_t unit;
		const char *name;
	} units[] = {{NSEC_PER_SEC, "s"}, {1000000, "ms"}, {1000, "us"}};

	if (ns >= 600 * NSEC_PER_SEC) {
		uint64_t minutes = ns / NSEC_PER_SEC / 60;

		snprintf(buffer, size, "%" PRIu64 " h %02u min", minutes / 60,
			 (unsigned int)(minutes % 60));
		return buffer;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ns < units[i].unit)
			continue;
		snprintf(buffer, size, "%.3g %s", (double)ns / (double)units[i].unit,
			 units[i].name);
		if (ns >= 1000 * units[i].unit || strchr(buffer, 'e'))
			snprintf(buffer, size, "%.0f %s", (double)ns / (double)units[i].unit,
				 units[i].name);
		return buffer;
	}
	snprintf(buffer, size, "%" PRIu64 " ns", ns);
	return buffer;
}

char *render_count(char *buffer, size_t size, uint64_t n)
{
	char digits[32], grouped[48];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, n), used = 0;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			grouped[used++] = ',';
		grouped[used++] = digits[i];
	}
	grouped[used] = '\0';
	snprintf(buffer, size, "%s", grouped);
	return buffer;
}

char *render_time(char *buffer, size_t size, const struct model *m, uint64_t mono)
{
	const struct model_clock *clock = model__clock(m);
	char date[64], duration[RENDER_SIZE];
	uint64_t real;
	time_t seconds;
	struct tm tm;

	buffer[0] = '\0';
	if (!mono || !clock->has_time)
		return buffer;
	if (!clock->realtime_offset) {
		uint64_t since = mono > clock->start ? mono - clock->start : 0;

		snprintf(buffer, size, "+%s", render_duration(duration, sizeof(duration), since));
		return buffer;
	}
	real = mono + (uint64_t)clock->realtime_offset;
	seconds = (time_t)(real / NSEC_PER_SEC);
	if (!gmtime_r(&seconds, &tm))
		return buffer;
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(buffer, size, "%s.%06u UTC", date, (unsigned int)(real % NSEC_PER_SEC / 1000));
	return buffer;
}

/* The variable name kernel code uses for a pointer to the struct. */
static const struct {
	const char *type, *variable;
} idioms[] = {
	{"kvm", "kvm"},
	{"kvm_vcpu", "vcpu"},
	{"kvm_vfio", "kv"},
	{"vfio_group", "group"},
	{"vfio_device", "device"},
	{"vfio_device_set", "dev_set"},
	{"vfio_device_file", "df"},
	{"vfio_container", "container"},
	{"vfio_iommu", "iommu"},
	{"vfio_pci_core_device", "vdev"},
	{"iommu_group", "group"},
	{"iommufd_ctx", "ictx"},
	{"mm_struct", "mm"},
	{"inode", "inode"},
	{"device", "dev"},
	{"ap_matrix_dev", "matrix_dev"},
	{"ap_matrix_mdev", "matrix_mdev"},
	{"intel_vgpu", "vgpu"},
};

bool render_idiom(char *buffer, size_t size, const char *class_name)
{
	const char *dot = class_name ? strchr(class_name, '.') : NULL;

	for (size_t i = 0; dot && i < sizeof(idioms) / sizeof(idioms[0]); i++) {
		size_t length = (size_t)(dot - class_name);

		if (strlen(idioms[i].type) == length &&
		    !strncmp(idioms[i].type, class_name, length)) {
			int member = (int)strcspn(dot + 1, ":");

			snprintf(buffer, size, "%s->%.*s", idioms[i].variable, member, dot + 1);
			return true;
		}
	}
	buffer[0] = '\0';
	return false;
}

const char *render_class_name(const struct model *m, uint32_t lock_class)
{
	const struct lock_class *class =
		lock_class < model__class_count(m) ? model__lock_class(m, lock_class) : NULL;

	return class && class->name ? class->name : "?";
}

const char *render_mode(uint8_t mode)
{
	static const char *const names[LOCK_MODES] = {"exclusive", "shared", "shared, recursive"};

	return mode < LOCK_MODES ? names[mode] : "?";
}

const char *render_mode_short(uint8_t mode)
{
	static const char *const names[LOCK_MODES] = {"", "(R)", "(R, recursive)"};

	return mode < LOCK_MODES ? names[mode] : "";
}

char *render_instance(char *buffer, size_t size, const struct model *m, uint32_t instance)
{
	const struct lock_instance *i;
	int used = 0;

	buffer[0] = '\0';
	if (instance >= model__instance_count(m))
		return buffer;
	i = model__instance(m, instance);
	if (i->name)
		used = snprintf(buffer, size, "%.160s", i->name);
	if (i->address && used >= 0 && (size_t)used < size)
		used += snprintf(buffer + used, size - (size_t)used, "%s0x%" PRIx64,
				 used ? " " : "", i->address);
	/* Sources without addresses use the generation for something else. */
	if (i->generation && i->address && used > 0 && (size_t)used < size)
		snprintf(buffer + used, size - (size_t)used, " generation %u", i->generation + 1);
	return buffer;
}

char *render_frame(char *buffer, size_t size, const struct frame *frame)
{
	int used;

	if (!frame->symbol) {
		snprintf(buffer, size, "0x%" PRIx64, frame->ip);
		return buffer;
	}
	used = snprintf(buffer, size, "%.120s", frame->symbol);
	if (frame->offset && (size_t)used < size)
		used += snprintf(buffer + used, size - (size_t)used, "+0x%x", frame->offset);
	if (frame->module && (size_t)used < size)
		used += snprintf(buffer + used, size - (size_t)used, " [%.40s]", frame->module);
	if (frame->file && (size_t)used < size)
		snprintf(buffer + used, size - (size_t)used, "  %.80s:%u", frame->file,
			 frame->line);
	return buffer;
}

char *render_task(char *buffer, size_t size, const struct model *m, uint32_t task)
{
	const struct task *t;

	buffer[0] = '\0';
	if (task >= model__task_count(m))
		return buffer;
	t = model__task(m, task);
	if (t->flags & TASK_AGGREGATED && t->pid)
		snprintf(buffer, size, "%.64s pid %u, any of its threads", t->comm ? t->comm : "?",
			 t->pid);
	else if (t->pid)
		snprintf(buffer, size, "%.64s pid %u tid %u", t->comm ? t->comm : "?", t->pid,
			 t->tid);
	else if (t->tid)
		snprintf(buffer, size, "%.64s tid %u", t->comm ? t->comm : "?", t->tid);
	else
		snprintf(buffer, size, "%.64s", t->comm ? t->comm : "?");
	return buffer;
}

const char *render_path_name(uint32_t path)
{
	return path < PATH_COUNT ? path_names[path] : NULL;
}

bool render_has_coverage(const struct model *m)
{
	for (int i = 0; i < PATH_COUNT; i++) {
		const struct coverage *c = model__coverage(m, i);

		if (c->state != COVERAGE_UNPROBED || c->probe || c->reason)
			return true;
	}
	return false;
}

const struct finding **render_sorted(const struct finding_list *list)
{
	const struct finding **sorted = calloc(list->count + 1, sizeof(*sorted));

	if (sorted)
		finding_list__sorted(list, sorted);
	return sorted;
}
