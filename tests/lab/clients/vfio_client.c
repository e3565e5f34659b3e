// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VFIO/KVM user that does what it is told, word by word, so that a scenario decides the order in
 * which objects are made, used and closed. usage: vfio_client [-r ROUNDS] [-v] WORD...
 *
 *   vm kvmdev vcpu                 create a VM, its KVM-VFIO device, a vCPU
 *   container group=N              open /dev/vfio/vfio, /dev/vfio/N
 *   set_container iommu=1          VFIO_GROUP_SET_CONTAINER, VFIO_SET_IOMMU (1: type1, 3: type1v2)
 *   add del                        KVM_DEV_VFIO_FILE_ADD / _DEL of the group (or cdev)
 *   open=NAME                      VFIO_GROUP_GET_DEVICE_FD
 *   iommufd cdev=PATH bind ioas attach      the same by device cdev
 *   info irqs map unmap mmap reset status   VFIO_DEVICE_GET_INFO, SET_IRQS, MAP_DMA, UNMAP_DMA,
 * touch BAR 0, reset while it is mapped, VFIO_GROUP_GET_STATUS old_order x_then_y y_then_group
 * orders of the lab driver's control device close=OBJECT                   OBJECT one of vm kvmdev
 * vcpu container group device iommufd cdev sleep=MS print=TEXT await=PATH (until it exists) WORD@K
 * uses the K-th set of objects (0..7). bg:WORD runs in a thread; join waits for all threads. What
 * is left open at the end is closed in the order device, kvmdev, vcpu, vm, group, container.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfio_lab.h"
#include "iommufd_abi.h"

#define SETS 8
#define THREADS 16

/* The KVM-VFIO device's file attributes carry the same numbers as the older group ones. */
#define FILE_GROUP KVM_DEV_VFIO_GROUP
#define FILE_ADD KVM_DEV_VFIO_GROUP_ADD
#define FILE_DEL KVM_DEV_VFIO_GROUP_DEL

enum object { VM, KVMDEV, VCPU, CONTAINER, GROUP, DEVICE, IOMMUFD, CDEV, OBJECTS };
static const char *const object_names[OBJECTS] = {"vm",	   "kvmdev", "vcpu",	"container",
						  "group", "device", "iommufd", "cdev"};
static const enum object closing_order[OBJECTS] = {DEVICE, CDEV,  KVMDEV,    VCPU,
						   VM,	   GROUP, CONTAINER, IOMMUFD};

struct set {
	int fd[OBJECTS];
	uint32_t ioas;
	void *memory;
};

static struct set sets[SETS];
static pthread_t threads[THREADS];
static int n_threads;
static bool verbose;

static int keep(struct set *set, enum object object, int fd)
{
	if (fd < 0)
		return -1;
	set->fd[object] = fd;
	return 0;
}

static int kvm_ioctl(unsigned long request, unsigned long arg)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), fd;

	if (kvm < 0)
		return -1;
	fd = ioctl(kvm, request, arg);
	close(kvm);
	return fd;
}

static int do_vm(struct set *set, const char *arg)
{
	(void)arg;
	return keep(set, VM, kvm_ioctl(KVM_CREATE_VM, 0));
}

static int do_kvmdev(struct set *set, const char *arg)
{
	struct kvm_create_device create = {.type = KVM_DEV_TYPE_VFIO};

	(void)arg;
	if (ioctl(set->fd[VM], KVM_CREATE_DEVICE, &create))
		return -1;
	return keep(set, KVMDEV, create.fd);
}

static int do_vcpu(struct set *set, const char *arg)
{
	(void)arg;
	return keep(set, VCPU, ioctl(set->fd[VM], KVM_CREATE_VCPU, 0));
}

static int do_container(struct set *set, const char *arg)
{
	(void)arg;
	return keep(set, CONTAINER, open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC));
}

static int do_group(struct set *set, const char *arg)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%s", arg);
	return keep(set, GROUP, open(path, O_RDWR | O_CLOEXEC));
}

static int do_set_container(struct set *set, const char *arg)
{
	(void)arg;
	return ioctl(set->fd[GROUP], VFIO_GROUP_SET_CONTAINER, &set->fd[CONTAINER]);
}

static int do_iommu(struct set *set, const char *arg)
{
	return ioctl(set->fd[CONTAINER], VFIO_SET_IOMMU, (unsigned long)atoi(arg));
}

static int file_attribute(struct set *set, unsigned long which)
{
	int32_t fd = set->fd[GROUP] >= 0 ? set->fd[GROUP] : set->fd[CDEV];
	struct kvm_device_attr attr = {.group = FILE_GROUP, .attr = which, .addr = (uintptr_t)&fd};

	return ioctl(set->fd[KVMDEV], KVM_SET_DEVICE_ATTR, &attr);
}

static int do_add(struct set *set, const char *arg)
{
	(void)arg;
	return file_attribute(set, FILE_ADD);
}

static int do_del(struct set *set, const char *arg)
{
	(void)arg;
	return file_attribute(set, FILE_DEL);
}

static int do_open(struct set *set, const char *arg)
{
	return keep(set, DEVICE, ioctl(set->fd[GROUP], VFIO_GROUP_GET_DEVICE_FD, arg));
}

static int do_iommufd(struct set *set, const char *arg)
{
	(void)arg;
	return keep(set, IOMMUFD, open("/dev/iommu", O_RDWR | O_CLOEXEC));
}

static int do_cdev(struct set *set, const char *arg)
{
	return keep(set, CDEV, open(arg, O_RDWR | O_CLOEXEC));
}

static int do_bind(struct set *set, const char *arg)
{
	struct lab_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = set->fd[IOMMUFD]};

	(void)arg;
	return ioctl(set->fd[CDEV], LAB_DEVICE_BIND_IOMMUFD, &bind);
}

static int do_ioas(struct set *set, const char *arg)
{
	struct lab_ioas_alloc alloc = {.size = sizeof(alloc)};
	int err = ioctl(set->fd[IOMMUFD], LAB_IOAS_ALLOC, &alloc);

	(void)arg;
	set->ioas = alloc.out_ioas_id;
	return err;
}

static int do_attach(struct set *set, const char *arg)
{
	struct lab_attach_pt attach = {.argsz = sizeof(attach), .pt_id = set->ioas};

	(void)arg;
	return ioctl(set->fd[CDEV], LAB_DEVICE_ATTACH_PT, &attach);
}

static int device_of(struct set *set)
{
	return set->fd[DEVICE] >= 0 ? set->fd[DEVICE] : set->fd[CDEV];
}

static int do_info(struct set *set, const char *arg)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};

	(void)arg;
	return ioctl(device_of(set), VFIO_DEVICE_GET_INFO, &info);
}

static int do_irqs(struct set *set, const char *arg)
{
	char buffer[sizeof(struct vfio_irq_set) + sizeof(int32_t)] = {0};
	struct vfio_irq_set *irqs = (void *)buffer;
	int err, event = eventfd(0, EFD_CLOEXEC);

	(void)arg;
	irqs->argsz = sizeof(buffer);
	irqs->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	irqs->index = VFIO_PCI_MSI_IRQ_INDEX;
	irqs->count = 1;
	memcpy(irqs->data, &event, sizeof(int32_t));
	err = ioctl(device_of(set), VFIO_DEVICE_SET_IRQS, irqs);
	close(event);
	return err;
}

static int do_map(struct set *set, const char *arg)
{
	struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map), .iova = 0, .size = 1 << 20};

	(void)arg;
	set->memory =
		mmap(NULL, map.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map.vaddr = (uintptr_t)set->memory;
	map.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	return ioctl(set->fd[CONTAINER], VFIO_IOMMU_MAP_DMA, &map);
}

static int do_unmap(struct set *set, const char *arg)
{
	struct vfio_iommu_type1_dma_unmap unmap = {.argsz = sizeof(unmap), .size = 1 << 20};

	(void)arg;
	return ioctl(set->fd[CONTAINER], VFIO_IOMMU_UNMAP_DMA, &unmap);
}

/* BAR 0, touched, with or without a reset while it is mapped: afterwards it faults in again. */
static int touch_bar(struct set *set, bool reset)
{
	struct vfio_region_info region = {.argsz = sizeof(region),
					  .index = VFIO_PCI_BAR0_REGION_INDEX};
	uint16_t command = 0x0006; /* memory space, bus master */
	volatile uint32_t *bar;

	if (pwrite(device_of(set), &command, 2, ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) + 4) !=
	    2)
		return -1;
	if (ioctl(device_of(set), VFIO_DEVICE_GET_REGION_INFO, &region))
		return -1;
	bar = mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_SHARED, device_of(set),
		   region.offset);
	if (bar == MAP_FAILED)
		return -1;
	(void)bar[2];
	if (reset) {
		if (ioctl(device_of(set), VFIO_DEVICE_RESET))
			return -1;
		(void)bar[2];
	}
	return munmap((void *)bar, region.size);
}

static int do_mmap(struct set *set, const char *arg)
{
	(void)arg;
	return touch_bar(set, false);
}

static int do_reset(struct set *set, const char *arg)
{
	(void)arg;
	return touch_bar(set, true);
}

static int do_status(struct set *set, const char *arg)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};

	(void)arg;
	return ioctl(set->fd[GROUP], VFIO_GROUP_GET_STATUS, &status);
}

static int control(struct set *set, unsigned long request)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};
	struct vfio_lab_order order = {
		.vm_fd = set->fd[VM], .group_fd = set->fd[GROUP], .status = (uintptr_t)&status};
	int err, fd = open("/dev/vfio_lab", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	err = ioctl(fd, request, &order);
	close(fd);
	return err;
}

static int do_old_order(struct set *set, const char *arg)
{
	(void)arg;
	return control(set, VFIO_LAB_OLD_ORDER);
}

static int do_x_then_y(struct set *set, const char *arg)
{
	(void)arg;
	return control(set, VFIO_LAB_X_THEN_Y);
}

static int do_y_then_group(struct set *set, const char *arg)
{
	(void)arg;
	return control(set, VFIO_LAB_Y_THEN_GROUP);
}

static int close_one(struct set *set, enum object object)
{
	int fd = set->fd[object];

	set->fd[object] = -1;
	return fd < 0 ? 0 : close(fd);
}

static int do_close(struct set *set, const char *arg)
{
	for (int i = 0; i < OBJECTS; i++)
		if (!strcmp(arg, object_names[i]))
			return close_one(set, i);
	errno = EINVAL;
	return -1;
}

static int do_sleep(struct set *set, const char *arg)
{
	(void)set;
	return usleep(atoi(arg) * 1000);
}

static int do_await(struct set *set, const char *arg)
{
	(void)set;
	for (int i = 0; i < 1200 && access(arg, F_OK); i++)
		usleep(100000);
	return access(arg, F_OK);
}

static int do_print(struct set *set, const char *arg)
{
	(void)set;
	printf("%s\n", arg);
	return fflush(stdout);
}

static const struct {
	const char *word;
	int (*run)(struct set *set, const char *arg);
} words[] = {
	{"vm", do_vm},
	{"kvmdev", do_kvmdev},
	{"vcpu", do_vcpu},
	{"container", do_container},
	{"group", do_group},
	{"set_container", do_set_container},
	{"iommu", do_iommu},
	{"add", do_add},
	{"del", do_del},
	{"open", do_open},
	{"iommufd", do_iommufd},
	{"cdev", do_cdev},
	{"bind", do_bind},
	{"ioas", do_ioas},
	{"attach", do_attach},
	{"info", do_info},
	{"irqs", do_irqs},
	{"map", do_map},
	{"unmap", do_unmap},
	{"mmap", do_mmap},
	{"reset", do_reset},
	{"status", do_status},
	{"old_order", do_old_order},
	{"x_then_y", do_x_then_y},
	{"y_then_group", do_y_then_group},
	{"close", do_close},
	{"sleep", do_sleep},
	{"print", do_print},
	{"await", do_await},
};

static void run_word(const char *text)
{
	char word[256], *arg, *at;
	struct set *set = sets;

	snprintf(word, sizeof(word), "%s", text);
	at = strrchr(word, '@');
	if (at && at[1] >= '0' && at[1] < '0' + SETS && !at[2]) {
		set = &sets[at[1] - '0'];
		*at = '\0';
	}
	arg = strchr(word, '=');
	if (arg)
		*arg++ = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, word))
			continue;
		if (verbose)
			fprintf(stderr, "vfio_client[%d]: %s\n", gettid(), text);
		if (words[i].run(set, arg ? arg : ""))
			err(1, "%s", text);
		return;
	}
	errx(64, "unknown word %s", text);
}

static void *thread_main(void *word)
{
	char name[16];

	snprintf(name, sizeof(name), "%s", (const char *)word);
	pthread_setname_np(pthread_self(), name);
	run_word(word);
	return NULL;
}

static void join(void)
{
	while (n_threads)
		pthread_join(threads[--n_threads], NULL);
}

static void round_of(char **list)
{
	for (int i = 0; i < SETS; i++)
		for (int j = 0; j < OBJECTS; j++)
			sets[i].fd[j] = -1;
	for (; *list; list++) {
		if (!strcmp(*list, "join"))
			join();
		else if (strncmp(*list, "bg:", 3))
			run_word(*list);
		else if (n_threads == THREADS ||
			 pthread_create(&threads[n_threads++], NULL, thread_main, *list + 3))
			errx(1, "no thread for %s", *list);
	}
	join();
	for (int i = 0; i < SETS; i++) {
		for (int j = 0; j < OBJECTS; j++)
			close_one(&sets[i], closing_order[j]);
		if (sets[i].memory)
			munmap(sets[i].memory, 1 << 20);
		sets[i].memory = NULL;
	}
}

int main(int argc, char **argv)
{
	int option, rounds = 1;

	while ((option = getopt(argc, argv, "+r:v")) != -1) {
		if (option == 'r')
			rounds = atoi(optarg);
		else if (option == 'v')
			verbose = true;
		else
			return 64;
	}
	while (rounds-- > 0)
		round_of(argv + optind);
	return 0;
}
