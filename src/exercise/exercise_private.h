/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exercise_private.h - what the exercise's files share. */
#ifndef VFIOTRACE_EXERCISE_PRIVATE_H
#define VFIOTRACE_EXERCISE_PRIVATE_H

#include <limits.h>
#include <signal.h>

#include "exercise.h"

struct exercise_device {
	char name[128]; /* as VFIO_GROUP_GET_DEVICE_FD wants it */
	int group;	/* -1: none */
	char group_path[64];
	char cdev_path[64]; /* empty: this kernel or device has none */
};

/* device.c: 0 or -errno with a sentence in `message`. */
int exercise_device__find(const char *text, struct exercise_device *out, char *message,
			  size_t size);
int exercise_device__in_use(const struct exercise_device *device, char *message, size_t size);

/* steps.c: the child's work. Progress and failure go to `report` as lines. */
struct exercise_run {
	struct exercise_device device;
	uint32_t rounds;
	int report; /* pipe */
	volatile sig_atomic_t *stop;
};
int exercise_steps__run(const struct exercise_run *run);

#endif
