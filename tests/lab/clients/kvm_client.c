// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMs without VFIO. usage:
 *   kvm_client hold N SECONDS      create N VMs, print "ready", keep them, end
 *   kvm_client vms SECONDS [PAUSE]       create and destroy VMs
 *   kvm_client devices SECONDS [PAUSE]   on one VM, create and close KVM-VFIO devices
 * The loops pause for PAUSE ms between rounds and print how many rounds they made.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static int create_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;

	if (kvm < 0)
		err(77, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		err(1, "KVM_CREATE_VM");
	close(kvm);
	return vm;
}

static void hold(int n, int seconds)
{
	struct rlimit limit = {65536, 65536};

	setrlimit(RLIMIT_NOFILE, &limit);
	while (n-- > 0)
		create_vm();
	printf("ready\n");
	fflush(stdout);
	sleep(seconds);
}

static void vm_round(int vm)
{
	(void)vm;
	close(create_vm());
}

static void device_round(int vm)
{
	struct kvm_create_device create = {.type = KVM_DEV_TYPE_VFIO};

	if (ioctl(vm, KVM_CREATE_DEVICE, &create))
		err(1, "KVM_CREATE_DEVICE");
	close(create.fd);
}

static void loop(void (*round)(int vm), int seconds, int pause_ms)
{
	time_t end = time(NULL) + seconds;
	unsigned long rounds = 0;
	int vm = create_vm();

	while (time(NULL) < end) {
		round(vm);
		rounds++;
		if (pause_ms)
			usleep((useconds_t)pause_ms * 1000);
	}
	printf("%lu\n", rounds);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "hold"))
		hold(atoi(argv[2]), atoi(argv[3]));
	else if (argc >= 3 && !strcmp(argv[1], "vms"))
		loop(vm_round, atoi(argv[2]), argc > 3 ? atoi(argv[3]) : 0);
	else if (argc >= 3 && !strcmp(argv[1], "devices"))
		loop(device_round, atoi(argv[2]), argc > 3 ? atoi(argv[3]) : 0);
	else
		errx(64, "usage: kvm_client hold N SECONDS | vms SECONDS | devices SECONDS");
	return 0;
}
