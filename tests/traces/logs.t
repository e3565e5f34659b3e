#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Kernel logs as people pass them on: three reports under every wrapping, alone and nested, must say the
# same; reports of each kind, kernel and architecture must say what they say. Texts are made here.
import gzip
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from wrappings import wrappings  # noqa: E402

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
vfiotrace = os.path.join(os.environ.get("BUILD", "build"), "vfiotrace")
number = failed = 0


def check(good, text, detail=""):
    global number, failed
    number += 1
    failed += not good
    print(("ok" if good else "not ok"), number, "-", text)
    if not good and detail:
        print("#", str(detail)[:2000].replace("\n", "\n# "))


def analyze(data, *options):
    if isinstance(data, str):
        data = data.encode()
    done = subprocess.run([vfiotrace, "analyze", "-j", *options, "-"], input=data, capture_output=True, timeout=60)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def summary_of(records):
    """What was found, without times and addresses."""
    said = []
    for f in records:
        if f["type"] != "finding" or f["grade"] == "info":
            continue
        tasks = []
        for t in f.get("tasks") or []:
            wait = t.get("waits_for") or {}
            tid = t.get("tid") or (t.get("task") or {}).get("tid")
            tasks.append((tid, wait.get("what"), str(wait.get("site")).split("+")[0], wait.get("lock")))
        said.append((f["code"], tuple(str(c) for c in f["classes"]), tuple(tasks)))
    return sorted(said, key=str)


# --- three reports ---------------------------------------------------------------------------
hung = """INFO: task CPU 2/KVM:5120 blocked for more than 122 seconds.
      Not tainted 6.17.0-test #1
"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.
task:CPU 2/KVM       state:D stack:0     pid:5120  tgid:5100  ppid:1      task_flags:0x400040 flags:0x00080002
Call Trace:
 <TASK>
 __schedule+0x4d1/0xf60
 schedule+0x27/0x90
 schedule_preempt_disabled+0x15/0x30
 __mutex_lock.constprop.0+0x4c8/0x8e0
 panel_ioctl+0x31/0x70 [panel]
 __x64_sys_ioctl+0x96/0xc0
 entry_SYSCALL_64_after_hwframe+0x76/0x7e
 </TASK>
INFO: task CPU 2/KVM:5120 is blocked on a mutex likely owned by task panel-flush:77.
""".splitlines()
circular = """======================================================
WARNING: possible circular locking dependency detected
6.12.0-test #1 Not tainted
------------------------------------------------------
qemu-system-x86/900 is trying to acquire lock:
ffff888104dd13c8 (&kvm->lock){+.+.}-{4:4}, at: kvm_example_open+0x30/0x80 [kvm]

but task is already holding lock:
ffff888104dd2000 (&panel->lock){+.+.}-{4:4}, at: panel_open+0x20/0x90 [panel]

which lock already depends on the new lock.

the existing dependency chain (in reverse order) is:

-> #1 (&panel->lock){+.+.}-{4:4}:
       __mutex_lock+0xa2/0x928
       panel_release+0x4e/0xf8 [panel]
       entry_SYSCALL_64_after_hwframe+0x72/0xdc

-> #0 (&kvm->lock){+.+.}-{4:4}:
       __lock_acquire+0x420/0x7c8
       lock_acquire+0xb8/0x208
       __mutex_lock+0xa2/0x928
       kvm_example_open+0x30/0x80 [kvm]
       entry_SYSCALL_64_after_hwframe+0x72/0xdc

other info that might help us debug this:

1 lock held by qemu-system-x86/900:
 #0: ffff888104dd2000 (&panel->lock){+.+.}-{4:4}, at: panel_open+0x20/0x90 [panel]
""".splitlines()


def blocked(pid, comm, frame):
    return f"""task:{comm:<15} state:D stack:0     pid:{pid}   tgid:{pid}   ppid:1      flags:0x00000002
Call Trace:
 <TASK>
 __schedule+0x2f4/0x690
 schedule+0x5a/0xd0
 rwsem_down_write_slowpath+0x2a4/0x6f0
 down_write+0x6b/0x70
 {frame}+0x41/0xa0 [panel]
 </TASK>""".splitlines()


sysrq = ["sysrq: Show Blocked State"] + blocked(611, "first", "panel_resize") + blocked(612, "second", "panel_flip")
reports = {"hung task": hung, "circular": circular, "sysrq-w": sysrq}


for kind, lines in reports.items():
    status, records, complaints = analyze("\n".join(lines) + "\n")
    plain = summary_of(records)
    check(status == 2 and plain, f"{kind}: found in the plain text", (status, plain, complaints))
    for name, wrap in wrappings.items():
        status, records, complaints = analyze(wrap(lines))
        check(status == 2 and summary_of(records) == plain, f"{kind}: {name}: the same",
              (status, summary_of(records), plain, complaints))

# --- kinds of waits ----------------------------------------------------------------------------
# name, what, site, code, frames innermost first
waits = [
    ("a mutex", "mutex", "panel_open", "hung-on-lock", "__schedule schedule schedule_preempt_disabled __mutex_lock"),
    ("a mutex of 3.10", "mutex", "panel_open", "hung-on-lock",
     "schedule schedule_preempt_disabled __mutex_lock_slowpath mutex_lock"),
    ("a mutex whose functions are traced", "mutex", "panel_open", "hung-on-lock",
     "__schedule schedule schedule_preempt_disabled __mutex_lock bpf_trampoline_6442540215 mutex_lock bpf_trampoline_7"),
    ("a killable mutex", "mutex", "panel_open", "hung-on-lock", "__schedule schedule __mutex_lock_killable_slowpath"),
    ("a reader", "rwsem-read", "panel_open", "hung-on-lock", "__schedule schedule rwsem_down_read_slowpath down_read"),
    ("a reader of 3.10", "rwsem-read", "panel_open", "hung-on-lock",
     "__schedule schedule rwsem_down_failed_common rwsem_down_read_failed call_rwsem_down_read_failed down_read"),
    ("a writer", "rwsem-write", "panel_open", "hung-on-lock",
     "__schedule schedule rwsem_down_write_slowpath down_write_killable"),
    ("a semaphore", "semaphore", "panel_open", "hung-on-lock", "__schedule schedule schedule_timeout __down_common down"),
    ("a percpu_rw_semaphore", "percpu-rwsem", "panel_open", "hung-on-lock",
     "__schedule schedule percpu_rwsem_wait __percpu_down_read"),
    ("an rt_mutex", "rtmutex", "panel_open", "hung-on-lock", "__schedule schedule rt_mutex_slowlock rt_mutex_lock"),
    ("a completion", "completion", "panel_open", "hung-elsewhere",
     "__schedule schedule schedule_timeout wait_for_common wait_for_completion"),
    ("a work", "work", "panel_open", "hung-elsewhere",
     "__schedule schedule schedule_timeout __wait_for_common __flush_work flush_work"),
    ("a workqueue", "workqueue", "panel_open", "hung-elsewhere",
     "__schedule schedule schedule_timeout __wait_for_common __flush_workqueue drain_workqueue"),
    ("SRCU", "srcu", "panel_open", "hung-elsewhere",
     "__schedule schedule schedule_timeout __wait_for_common __synchronize_srcu synchronize_srcu"),
    ("RCU", "rcu", "panel_open", "hung-elsewhere",
     "__schedule schedule schedule_timeout __wait_for_common __wait_rcu_gp synchronize_rcu"),
    ("a folio", "folio", "panel_open", "hung-elsewhere", "__schedule schedule io_schedule folio_wait_bit_common"),
    ("a page of 4.x", "folio", "panel_open", "hung-elsewhere",
     "__schedule schedule io_schedule bit_wait_io __wait_on_bit_lock __lock_page"),
    ("I/O", "io", "panel_open", "hung-elsewhere", "__schedule schedule io_schedule"),
    ("an event", "event", "panel_wait_idle", "hung-elsewhere", "__schedule schedule"),
]


def frames_x86(names):
    return "".join(f" {name}+0x{0x40 + i:x}/0x{0x100 + i:x}\n" for i, name in enumerate(names))


def frames_old(names):
    return "".join(f" [<ffffffff8{1000000 + i:07d}>] {name}+0x40/0x100\n" for i, name in enumerate(names))


def frames_arm64(names):
    return " __switch_to+0xdc/0x108 (T)\n" + frames_x86(names)


def frames_arm32(names):
    pairs = zip(names, names[1:] + ["ret_fast_syscall"])
    return "".join(f"[<80c1{i:04x}>] ({a}) from [<80c2{i:04x}>] ({b}+0x60/0xdc)\n" for i, (a, b) in enumerate(pairs))


def frames_arm32_new(names):
    return "".join(f" {a} from {b}+0x60/0xdc\n" for a, b in zip(names, names[1:] + ["ret_fast_syscall"]))


def frames_powerpc(names):
    return "[c000201a8690f720] [c000201a8690f760] 0xc000201a8690f760 (unreliable)\n" + "".join(
        f"[c000201a8690f{i:03x}] [c00000000001f{i:03x}] {name}+0x2e4/0x4f0\n" for i, name in enumerate(names))


def frames_s390(names):
    return "".join(f" [<0000000120b6a{i:03x}>] {name}+0x2d6/0x800 \n" for i, name in enumerate(names))


def frames_decoded(names):
    return "".join(f" {name} (kernel/x/{name}.c:{i + 1} (discriminator 2) include/linux/y.h:7) \n"
                   for i, name in enumerate(names))


new = "task:{comm:<15} state:D stack:0     pid:{pid}   tgid:{pid}   ppid:1      flags:0x00000002\n"
middle = "{comm:<15} D    0 {pid:5d}      1 0x80000080\n"
old = "{comm:<15} D ffff88003fc13680     0 {pid:5d}      1 0x00000080\n"
architectures = {
    "x86 6.x": (new, "Call Trace:\n", frames_x86), "x86 5.x": (middle, "Call Trace:\n", frames_x86),
    "x86 3.10": (old, "Call Trace:\n", frames_old), "arm64": (new, "Call trace:\n", frames_arm64),
    "arm32 5.x": (new, "Backtrace: \n", frames_arm32), "arm32 6.x": (new, "Call trace: \n", frames_arm32_new),
    "powerpc": (new, "Call Trace:\n", frames_powerpc), "s390": (new, "Call Trace:\n", frames_s390),
    "decoded": (new, "Call Trace:\n", frames_decoded),
}
for arch, (heading, trace, frames) in architectures.items():
    for name, what, site, code, inner in waits:
        text = ("INFO: task my helper:4711 blocked for more than 243 seconds.\n      Not tainted 6.6.0-test #1\n" +
                heading.format(comm="my helper", pid=4711) + trace + frames(inner.split() + [site, "panel_ioctl"]))
        status, records, complaints = analyze(text)
        found = [f for f in records if f["type"] == "finding"]
        task = found[0]["tasks"][0] if len(found) == 1 and found[0]["tasks"] else {}
        wait = task.get("waits_for") or {}
        check(status == 2 and len(found) == 1 and found[0]["code"] == code and wait.get("what") == what and
              str(wait.get("site")).split("+")[0] == site, f"{arch}: a task that waits for {name}",
              (status, found, complaints))

# --- what belongs to whom ----------------------------------------------------------------------
text = "\n".join(hung + ["watchdog: BUG: soft lockup - CPU#3 stuck for 26s! [other:999]", "Call Trace:",
                         " dump_stack_lvl+0x44/0x5c", " panel_elsewhere+0x1/0x2"]) + "\n"
status, records, complaints = analyze(text)
check(summary_of(records) == summary_of(analyze("\n".join(hung) + "\n")[1]),
      "a soft lockup's stack is not that of the hung task before it", records)
check("left out: soft lockup" in complaints, "a soft lockup is named and left out", complaints)

status, records, complaints = analyze("rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\n\trcu: 3-...!: (1 GPs behind)\n")
check(status == 4 and "RCU stall" in complaints, "an RCU stall alone: named, exit 4", (status, complaints))

status, records, complaints = analyze("\n".join(hung * 3) + "\n")
found = [f for f in records if f["type"] == "finding"]
check(len(found) == 1 and found[0]["count"] == 3, "the same wait three times is one finding that counts", found)

status, records, complaints = analyze("\n".join(circular[:16]) + "\n")
check(status in (2, 4) and records[-1].get("partial") is True, "a report that is cut: partial, never clean",
      (status, records))

status, records, complaints = analyze("hello\n" * 10)
check(status == 1 and "hung-task" in complaints, "what is no log: refused, and what was looked for is named", complaints)

# --- size --------------------------------------------------------------------------------------
many = "".join("\n".join(hung).replace("5120", str(10000 + i)) + "\n" for i in range(100000))
done = subprocess.run(["prlimit", "--as=1500000000", "--cpu=60", "timeout", "120", vfiotrace, "analyze", "-"], input=many.encode(),
                      capture_output=True)
check(done.returncode == 2, "100,000 reports in one log: bounded in time and memory", done.stderr[-500:])
bomb = gzip.compress(b"\n".join(x.encode() for x in hung) + b"\n" + b"\0" * (400 << 20))
status, records, complaints = analyze(bomb)
check(status == 2 and "400 times" in complaints, "a gzip bomb behind a report: given up and said, the report stays",
      (status, complaints))

print(f"1..{number}")
sys.exit(failed != 0)
