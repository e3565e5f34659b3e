/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * class_rules.h - what is known of a lock class by its name alone: whether it is a VFIO or KVM
 * lock, and whether it is too coarse for cycles of classes. Data rows with the reason.
 */
#ifndef VFIOTRACE_LOCKS_CLASS_RULES_H
#define VFIOTRACE_LOCKS_CLASS_RULES_H

#include "model.h"

/* CLASS_* flags of this name. Every source passes them to model__add_class. */
uint32_t class_rules__flags(const char *class_name);

#endif
