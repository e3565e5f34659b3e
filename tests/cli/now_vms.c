// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Real VMs for the census to find: now_vms VMS FILES LOOPERS
 * Opens VMS VMs (each with one vcpu and a KVM-VFIO device), FILES other files, and starts LOOPERS
 * threads that create and close a KVM-VFIO device of the first VM for ever: closing holds kvm->lock
 * across synchronize_rcu (since 6.12), so that the lock has an owner and waiters. Prints "ready"
 * and waits.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

static int create_device(int vm)
{
	struct kvm_create_device device = {.type = KVM_DEV_TYPE_VFIO};

	return ioctl(vm, KVM_CREATE_DEVICE, &device) ? -1 : (int)device.fd;
}

static void *loop(void *argument)
{
	int vm = (int)(intptr_t)argument;

	for (;;) {
		int fd = create_device(vm);

		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

static void raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	int vms = argc > 1 ? atoi(argv[1]) : 1, files = argc > 2 ? atoi(argv[2]) : 0;
	int loopers = argc > 3 ? atoi(argv[3]) : 0, kvm, first = -1;

	raise_limit();
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return 77;
	for (int i = 0; i < vms; i++) {
		int vm = ioctl(kvm, KVM_CREATE_VM, 0);

		if (vm < 0) {
			perror("KVM_CREATE_VM");
			return 77;
		}
		if (first < 0)
			first = vm;
		ioctl(vm, KVM_CREATE_VCPU, 0);
		/* keep one on every VM but the first, which the loopers use */
		if (i)
			create_device(vm);
	}
	for (int i = 0; i < files; i++)
		if (open("/dev/null", O_RDONLY) < 0)
			break;
	for (int i = 0; i < loopers; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, loop, (void *)(intptr_t)first);
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
