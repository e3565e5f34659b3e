// SPDX-License-Identifier: GPL-2.0-or-later
/* Which names of lock classes may stay in a redacted recording. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/redact_private.h"

/* What the kernel's source can call a lock stays; a name that says anything else does not. */
static void test_redact_class_names(void **state)
{
	static const char *const stay[] = {
		"kvm.lock",
		"kvm_lock",
		"&kvm->lock",
		"&kvm->irqfds.lock",
		"kvm.arch.crypto.pqap_hook_rwsem",
		"&(&(kvm)->mmu_lock)->rlock",
		"(work_completion)(&vfio->work)",
		"(&(&x->work)->timer)",
		"(wq_completion)events",
		"&sb->s_type->i_mutex_key#14",
		"&type->s_umount_key#29",
		"sk_lock-AF_INET6",
		"rcu_read_lock",
		"kn->active#12",
		"fs_reclaim",
		"(console_sem).lock",
		"&irqfds[0].lock/1",
		"vfio_pci_core_device.memory_lock",
		"work:vfio_pci_core_runtime_resume",
		"completion:vfio_device.comp",
		"completion@kthread_stop",
	};
	static const char *const go[] = {
		"",
		"A",
		"lock of customer 7",
		"db01.example.com",
		"my.workstation",
		"lockheed",
		"(wq_completion)mlx5_health0000:5a:1c.7",
		"(wq_completion)customer",
		"workqueue:mlx5_health0000:5a:1c.7",
		"work:",
		"work:db01.example.com ",
		"completion:a-host",
		"&dev12345->lock",
		"&x->lock-host",
		"kvm.lock\n",
		"kvm.lock ",
		"caf\xc3\xa9_lock",
		"10.1.2.3",
		"unnamed(acme_open)",
		"&a_name_that_is_longer_than_any_that_the_kernel_has_for_a_lock->lock",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(stay) / sizeof(*stay); i++)
		if (!redact__is_kernel_class(stay[i]))
			fail_msg("%s should stay", stay[i]);
	for (size_t i = 0; i < sizeof(go) / sizeof(*go); i++)
		if (redact__is_kernel_class(go[i]))
			fail_msg("%s should go", go[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_redact_class_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
