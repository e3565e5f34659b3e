/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exercise.h - drive the VFIO/KVM paths on a device nobody uses, so that a verdict has coverage.
 *
 * Purpose: a VM without memory or vCPUs, its KVM-VFIO device, and the device through its group and
 * (where the kernel has it) its cdev, opened and closed in every order that matters, by one thread
 * and handed from thread to thread. Two steps never run at the same time: on an unfixed kernel the
 * orders are seen, the deadlock they allow is not caused. Nothing is bound, unbound or written;
 * everything it holds are file descriptors of one child process, which are closed in a safe order
 * when it is told to stop and by the kernel when it is killed.
 *
 * Life cycle: exercise__open (finds the device, refuses one in use), exercise__go once tracing is
 * ready, exercise__poll until it is no longer running, exercise__close (stops it first). Open it
 * before threads are started: it forks.
 *
 * Errors: exercise__open writes a sentence that names the remedy or who has the device; -EBUSY in
 * use, -ENOENT no such device, -ENODEV not bound to VFIO, -ENOTSUP no KVM here.
 */
#ifndef VFIOTRACE_EXERCISE_H
#define VFIOTRACE_EXERCISE_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

struct exercise;

enum exercise_state {
	EXERCISE_RUNNING,
	EXERCISE_DONE,
	EXERCISE_FAILED, /* a step was refused: exercise__message says which */
	EXERCISE_STUCK,	 /* no step ended for 20 s: a task of it hangs in the kernel */
};

/* `device`: PCI address, "group N", or the name of a VFIO device (mdev UUID, vfioN, vfio_lab.0). */
struct exercise *exercise__open(const char *device, uint32_t rounds, int *error, char *message,
				size_t size);
int exercise__go(struct exercise *e);
enum exercise_state exercise__poll(struct exercise *e);
const char *exercise__message(const struct exercise *e); /* what it does, or why it failed */
const char *exercise__device(const struct exercise *e);	 /* "0000:65:00.0 (group 12, cdev vfio0)" */
void exercise__stop(struct exercise *e);		 /* asks; poll tells when */
void exercise__close(struct exercise *e);

#endif
