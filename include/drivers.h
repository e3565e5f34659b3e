/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drivers.h - which drivers' devices the paths ran with: coverage per path and driver.
 *
 * Purpose: that a device of one driver was opened says nothing about another driver's open. Derived
 * from what a model (and so a recording, also an older one) has: the runs of paths with the device
 * or group of each, the devices' drivers, and the facts "vfio.driver.NAME" (its module; a device
 * of this host is bound to it) and "vfio.driver.NAME.open" (its own open function and that one's
 * module).
 *
 * What counts as a run: it succeeded, and the driver had a part in it. The second open of a device
 * that is open already calls no driver, and get_kvm that found no VM referenced none.
 *
 * Life cycle: driver_table__make, read, driver_table__free. Strings are the model's. NULL: out of
 * memory.
 */
#ifndef VFIOTRACE_DRIVERS_H
#define VFIOTRACE_DRIVERS_H

#include "model.h"

struct driver_coverage {
	const char *driver;	   /* "vfio-pci" */
	const char *module;	   /* "vfio_pci"; NULL: not known */
	const char *open;	   /* its open function and that one's module, "f m"; NULL */
	bool is_bound;		   /* a device of the host that the model is of is bound to it */
	uint64_t hits[PATH_COUNT]; /* runs that it had a part in */
	/* runs with a group that has its devices: which of them it was is not known */
	uint64_t maybe[PATH_COUNT];
};

struct driver_table {
	struct driver_coverage *rows; /* by name */
	uint32_t count;
	uint64_t succeeded[PATH_COUNT], failed[PATH_COUNT]; /* runs whatever the driver */
};

struct driver_table *driver_table__make(const struct model *m);
void driver_table__free(struct driver_table *table);
const struct driver_coverage *driver_table__find(const struct driver_table *table,
						 const char *driver);
/* "vfio-pci 3, vfio_lab 2" of a path into `out`, which is returned; NULL when there is none. */
const char *driver_table__describe(const struct driver_table *table, enum path_id path, char *out,
				   size_t size);

#endif
