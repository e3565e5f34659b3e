// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The steps and the orders they are put in. Steps are done one at a time, whichever thread does
 * them: two threads inside at once could cause the very deadlock that is looked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "exercise/exercise_private.h"
#include "exercise/iommufd_abi.h"

enum object { VM, KVMDEV, CONTAINER, GROUP, DEVICE, IOMMUFD, CDEV, OBJECTS };

struct hands {
	const struct exercise_run *run;
	int fd[OBJECTS];
	uint32_t ioas;
};

static int keep(struct hands *h, enum object object, int fd)
{
	if (fd < 0)
		return -errno;
	h->fd[object] = fd;
	return 0;
}

static int result(int returned)
{
	return returned < 0 ? -errno : 0;
}

static int make_vm(struct hands *h)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), error;

	if (kvm < 0)
		return -errno;
	error = keep(h, VM, ioctl(kvm, KVM_CREATE_VM, 0));
	close(kvm);
	return error;
}

static int make_kvmdev(struct hands *h)
{
	struct kvm_create_device create = {.type = KVM_DEV_TYPE_VFIO};

	if (ioctl(h->fd[VM], KVM_CREATE_DEVICE, &create))
		return -errno;
	return keep(h, KVMDEV, (int)create.fd);
}

static int make_container(struct hands *h)
{
	return keep(h, CONTAINER, open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC));
}

static int open_group(struct hands *h)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	int error = keep(h, GROUP, open(h->run->device.group_path, O_RDWR | O_CLOEXEC));

	if (error)
		return error;
	if (ioctl(h->fd[GROUP], VFIO_GROUP_GET_STATUS, &status))
		return -errno;
	/* another device of the group has a host driver: VFIO would refuse everything */
	return status.flags & VFIO_GROUP_FLAGS_VIABLE ? 0 : -EPERM;
}

static int set_container(struct hands *h)
{
	return result(ioctl(h->fd[GROUP], VFIO_GROUP_SET_CONTAINER, &h->fd[CONTAINER]));
}

static int set_iommu(struct hands *h)
{
	int error =
		result(ioctl(h->fd[CONTAINER], VFIO_SET_IOMMU, (unsigned long)VFIO_TYPE1v2_IOMMU));

	return error ? result(ioctl(h->fd[CONTAINER], VFIO_SET_IOMMU,
				    (unsigned long)VFIO_TYPE1_IOMMU))
		     : 0;
}

static int set_kvm_attribute(struct hands *h, uint64_t what)
{
	int32_t fd = h->fd[CDEV] >= 0 ? h->fd[CDEV] : h->fd[GROUP];
	struct kvm_device_attr attribute = {
		.group = KVM_DEV_VFIO_GROUP, .attr = what, .addr = (uintptr_t)&fd};

	return result(ioctl(h->fd[KVMDEV], KVM_SET_DEVICE_ATTR, &attribute));
}

static int add(struct hands *h)
{
	return set_kvm_attribute(h, KVM_DEV_VFIO_GROUP_ADD);
}

static int del(struct hands *h)
{
	return set_kvm_attribute(h, KVM_DEV_VFIO_GROUP_DEL);
}

static int open_device(struct hands *h)
{
	return keep(h, DEVICE, ioctl(h->fd[GROUP], VFIO_GROUP_GET_DEVICE_FD, h->run->device.name));
}

static int open_iommufd(struct hands *h)
{
	return keep(h, IOMMUFD, open("/dev/iommu", O_RDWR | O_CLOEXEC));
}

static int open_cdev(struct hands *h)
{
	return keep(h, CDEV, open(h->run->device.cdev_path, O_RDWR | O_CLOEXEC));
}

static int bind_iommufd(struct hands *h)
{
	struct cdev_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = h->fd[IOMMUFD]};

	return result(ioctl(h->fd[CDEV], CDEV_BIND_IOMMUFD, &bind));
}

static int attach(struct hands *h)
{
	struct iommufd_ioas_alloc alloc = {.size = sizeof(alloc)};
	struct cdev_attach_pt attach_pt = {.argsz = sizeof(attach_pt)};

	if (ioctl(h->fd[IOMMUFD], IOMMUFD_IOAS_ALLOC, &alloc))
		return -errno;
	attach_pt.pt_id = alloc.out_ioas_id;
	return result(ioctl(h->fd[CDEV], CDEV_ATTACH_PT, &attach_pt));
}

static int close_object(struct hands *h, enum object object)
{
	int fd = h->fd[object];

	h->fd[object] = -1;
	return fd < 0 ? 0 : result(close(fd));
}

static int close_device(struct hands *h)
{
	return close_object(h, h->fd[CDEV] >= 0 ? CDEV : DEVICE);
}

static int close_kvmdev(struct hands *h)
{
	return close_object(h, KVMDEV);
}

static int close_vm(struct hands *h)
{
	return close_object(h, VM);
}

struct step {
	const char *name;
	int (*run)(struct hands *h);
};
#define STEP(function, words) static const struct step s_##function = {words, function}
STEP(make_vm, "create a VM");
STEP(make_kvmdev, "create its KVM-VFIO device");
STEP(make_container, "open /dev/vfio/vfio");
STEP(open_group, "open the group (all its devices must be bound to VFIO)");
STEP(set_container, "put the group into a container");
STEP(set_iommu, "set the container's IOMMU type (vfio_iommu_type1)");
STEP(add, "add it to the KVM-VFIO device");
STEP(del, "remove it from the KVM-VFIO device");
STEP(open_device, "open the device");
STEP(open_iommufd, "open /dev/iommu");
STEP(open_cdev, "open the device cdev");
STEP(bind_iommufd, "bind the cdev to iommufd");
STEP(attach, "attach the cdev to an address space");
STEP(close_device, "close the device");
STEP(close_kvmdev, "close the KVM-VFIO device");
STEP(close_vm, "close the VM");

struct order {
	const char *name;
	bool cdev;
	bool may_be_refused; /* some drivers open only with a VM: then the rest is left out */
	const struct step *steps[16];
};

#define BY_GROUP                                                                                   \
	&s_make_vm, &s_make_kvmdev, &s_make_container, &s_open_group, &s_set_container, &s_set_iommu
#define BY_CDEV &s_make_vm, &s_make_kvmdev, &s_open_iommufd, &s_open_cdev
static const struct order orders[] = {
	{"device before KVM device, VM last",
	 false,
	 false,
	 {BY_GROUP, &s_add, &s_open_device, &s_close_device, &s_close_kvmdev, &s_close_vm}},
	{"KVM device before device, VM last",
	 false,
	 false,
	 {BY_GROUP, &s_add, &s_open_device, &s_close_kvmdev, &s_close_device, &s_close_vm}},
	{"device last",
	 false,
	 false,
	 {BY_GROUP, &s_add, &s_open_device, &s_close_kvmdev, &s_close_vm, &s_close_device}},
	{"removed from KVM first",
	 false,
	 false,
	 {BY_GROUP, &s_add, &s_open_device, &s_del, &s_close_device, &s_close_kvmdev, &s_close_vm}},
	{"opened before KVM knows it",
	 false,
	 true,
	 {BY_GROUP, &s_open_device, &s_add, &s_del, &s_close_device, &s_close_kvmdev, &s_close_vm}},
	{"cdev: device before KVM device, VM last",
	 true,
	 false,
	 {BY_CDEV, &s_add, &s_bind_iommufd, &s_attach, &s_close_device, &s_close_kvmdev,
	  &s_close_vm}},
	{"cdev: KVM device before device, VM last",
	 true,
	 false,
	 {BY_CDEV, &s_add, &s_bind_iommufd, &s_attach, &s_close_kvmdev, &s_close_device,
	  &s_close_vm}},
	{"cdev: device last",
	 true,
	 false,
	 {BY_CDEV, &s_add, &s_bind_iommufd, &s_attach, &s_close_kvmdev, &s_close_vm,
	  &s_close_device}},
};

/* --- threads: one baton, passed from step to step
 * ---------------------------------------------------- */

#define WORKERS 3
struct baton {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct hands *hands;
	const struct step *step; /* NULL: nothing to do */
	int worker;		 /* whose turn; -1: everybody ends */
	int error;
};
struct worker {
	struct baton *baton;
	int number;
	pthread_t thread;
};

static void *work(void *argument)
{
	struct worker *self = argument;
	struct baton *b = self->baton;

	pthread_mutex_lock(&b->mutex);
	while (b->worker >= 0) {
		if (b->step && b->worker == self->number) {
			b->error = b->step->run(b->hands);
			b->step = NULL;
			pthread_cond_broadcast(&b->changed);
		} else {
			pthread_cond_wait(&b->changed, &b->mutex);
		}
	}
	pthread_mutex_unlock(&b->mutex);
	return NULL;
}

static int hand_over(struct baton *b, int worker, const struct step *step)
{
	int error;

	pthread_mutex_lock(&b->mutex);
	b->worker = worker;
	b->step = step;
	pthread_cond_broadcast(&b->changed);
	while (b->step)
		pthread_cond_wait(&b->changed, &b->mutex);
	error = b->error;
	pthread_mutex_unlock(&b->mutex);
	return error;
}

static void dismiss(struct baton *b, struct worker *workers, int count)
{
	pthread_mutex_lock(&b->mutex);
	b->worker = -1;
	pthread_cond_broadcast(&b->changed);
	pthread_mutex_unlock(&b->mutex);
	for (int i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
}

/* What is still open goes in an order that drops the VM's last reference outside of VFIO. */
static void put_back(struct hands *h)
{
	static const enum object order[] = {DEVICE, CDEV, KVMDEV, VM, GROUP, CONTAINER, IOMMUFD};

	for (size_t i = 0; i < OBJECTS; i++)
		close_object(h, order[i]);
}

static void say(const struct exercise_run *run, char kind, const char *order, const char *step,
		int error)
{
	char line[256];
	int length = snprintf(line, sizeof(line), error ? "%c%s: %s: %s\n" : "%c%s: %s\n", kind,
			      order, step, strerror(-error));

	if (length > 0 && write(run->report, line, (size_t)length) < 0)
		*run->stop = 1; /* nobody listens any more */
}

static int run_order(struct hands *h, const struct order *order, struct baton *baton)
{
	int error = 0;

	for (size_t i = 0; !error && order->steps[i] && !*h->run->stop; i++) {
		const struct step *step = order->steps[i];

		say(h->run, '.', order->name, step->name, 0);
		error = baton ? hand_over(baton, (int)i % WORKERS, step) : step->run(h);
		if (!error)
			continue;
		if (order->may_be_refused && step == &s_open_device)
			error = 0;
		else
			say(h->run, '!', order->name, step->name, error);
		break;
	}
	put_back(h);
	return error;
}

static int run_orders(struct hands *h, struct baton *baton)
{
	const struct exercise_device *device = &h->run->device;
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(orders) / sizeof(*orders) && !*h->run->stop; i++) {
		if (!(orders[i].cdev ? device->cdev_path : device->group_path)[0])
			continue;
		error = run_order(h, &orders[i], baton);
	}
	return error;
}

int exercise_steps__run(const struct exercise_run *run)
{
	struct hands hands = {.run = run};
	struct baton baton = {.mutex = PTHREAD_MUTEX_INITIALIZER,
			      .changed = PTHREAD_COND_INITIALIZER,
			      .hands = &hands};
	struct worker workers[WORKERS];
	int started = 0, error = 0;

	memset(hands.fd, 0xff, sizeof(hands.fd));
	for (; started < WORKERS; started++) {
		workers[started] = (struct worker){.baton = &baton, .number = started};
		if (pthread_create(&workers[started].thread, NULL, work, &workers[started]))
			break;
	}
	for (uint32_t round = 0; !error && round < run->rounds && !*run->stop; round++) {
		error = run_orders(&hands, NULL);
		if (!error && started == WORKERS)
			error = run_orders(&hands, &baton);
	}
	dismiss(&baton, workers, started);
	return error;
}
