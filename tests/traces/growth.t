#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Four times the input takes about four times the steps, in every direction that an input can grow:
# counted, not timed (growth.c), so the machine's speed and load do not matter.
import multiprocessing.pool
import os
import random
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
build = os.environ.get("BUILD", "build")
steps_build = build + "-steps"
program = os.path.join(steps_build, "growth")
TIMES = 4
MOST = 6.5  # n log n gives 4.6 at these sizes, n^1.5 gives 8, n^2 gives 16
FEW = 1000000  # steps: below, what is constant counts for too much
MEMORY = 800 << 10  # KiB, for inputs of a few MB
HANG = 600  # s; each run takes a few
# what a budget ends, and the steps it allows: four times the input may come nearer to it at first
BOUNDED = {"readers and writers in wait": 1500000000}


def compile_program():
    os.makedirs(steps_build, exist_ok=True)
    for part in ("bpf", "skel", ".deps", ".deps-test"):
        path = os.path.join(build, part)
        if os.path.exists(path):  # the kernel side is the same
            subprocess.run(["cp", "-au", path, steps_build + "/"], check=True)
    return subprocess.run(["make", "-s", f"-j{os.cpu_count()}", f"BUILD={steps_build}", "WARNINGS=-w", "CFLAGS=-O2",
                           "SANITIZE=-fsanitize-coverage=trace-pc", program], capture_output=True, text=True)


def nest(thread, *locks, places=(1, 2)):
    """Take the locks one in the other, and give them back."""
    taken = [f"{thread}|acq({lock})|{places[min(i, 1)]}\n" for i, lock in enumerate(locks)]
    return "".join(taken + [f"{thread}|rel({lock})|3\n" for lock in reversed(locks)])


def rounds(n, one):
    return "".join(one(i) for i in range(n))


def read(thread, lock, mode="racq"):
    return f"{thread}|{mode}({lock})|1\n"


def shuffled(n):
    rng, locks, out = random.Random(1), [f"L{i}" for i in range(30)], []
    for i in range(n):
        rng.shuffle(locks)
        out.append(nest(f"T{i % 7}", *locks))
    return "".join(out)


def against_the_order(n):
    """Each edge goes from a later class to an earlier one, blocks of them in turn."""
    first = rounds(n, lambda i: nest("T0", f"C{i}"))
    return first + rounds(n - 1, lambda i: nest("T0", f"C{n - 1 - i}", f"C{n - 2 - i}"))


def readers_before_writers(n):
    """n readers of one lock and n of its writers, all of them before a pattern can be reached."""
    out = rounds(n, lambda i: f"R{i}|racq(M)|1\nR{i}|rrel(M)|1\nR{i}|w(x{i})|1\n")
    out += rounds(n, lambda i: f"T1|r(x{i})|1\nT1|acq(M)|1\nT1|rel(M)|1\n")
    return out + rounds(40, lambda i: nest("T1", f"A{i % 20}", f"B{i % 20}") + nest("T2", f"B{i % 20}", f"A{i % 20}"))


def everybody(n, one):
    """n^2 rounds of one event set each: the input grows with n, so n is its root."""
    root = int(n ** 0.5)
    return "".join(one(i, j, f"T{(i * root + j) % 50}") for i in range(root) for j in range(root) if i != j)


STD = {
    "threads": (4000, lambda n: rounds(n, lambda i: nest(f"T{i}", "A", "B"))),
    "threads in both orders": (2000, lambda n: rounds(n, lambda i: nest(f"T{i}", *("AB" if i % 2 else "BA")))),
    "threads that start one another": (400, lambda n: rounds(n, lambda i: f"T{i}|fork(T{i + 1})|1\n" +
                                                              nest(f"T{i}", *("AB" if i % 2 else "BA")))),
    "threads started and joined by one": (1500, lambda n: rounds(n, lambda i: f"T|fork(T{i})|1\n" + nest(f"T{i}", *("AB" if i % 2 else "BA"))) +
                                          rounds(n, lambda i: f"T|join(T{i})|1\n")),
    "classes in one order": (5000, lambda n: rounds(n, lambda i: nest("T0", f"C{i}", f"C{i + 1}"))),
    "classes against the order they were met in": (4000, against_the_order),
    "instances": (5000, lambda n: rounds(n, lambda i: nest("T0", f"A#{i}", f"B#{i}"))),
    "instances in both orders": (3000, lambda n: rounds(n, lambda i: nest(f"T{i % 2}", *(f"AB"[k ^ i % 2] + f"#{i // 2}" for k in (0, 1))))),
    "classes in both orders": (1000, lambda n: rounds(n, lambda i: nest("T0", f"A{i}", f"B{i}") + nest("T1", f"B{i}", f"A{i}"))),
    "every class after every other": (700, lambda n: everybody(n, lambda i, j, t: nest(t, f"L{i}", f"L{j}"))),
    "every instance after every other": (900, lambda n: everybody(n, lambda i, j, t: nest(t, f"L#{i}", f"L#{j}"))),
    "one cycle of n classes": (1500, lambda n: rounds(n, lambda i: nest(f"T{i}", f"L{i}", f"L{(i + 1) % n}"))),
    "cycles under guards": (8000, lambda n: rounds(n, lambda i: nest(f"T{i % 400}", f"G#{i // 2 % 10}", *(f"AB"[k ^ i % 2] + str(i % 300) for k in (0, 1))))),
    "guards of one pair": (1500, lambda n: rounds(n, lambda i: nest("T0", f"G#{i}", "A", "B") + nest("T1", f"G#{i}", "B", "A"))),
    "instances of one class, nested": (5000, lambda n: rounds(n, lambda i: nest("T0", f"A#{i}", f"A#{i + 1}"))),
    "instances of one class, nested both ways": (2000, lambda n: rounds(n, lambda i: nest("T0", f"A#{i}", f"A#{i + 1}") + nest("T1", f"A#{i + 1}", f"A#{i}"))),
    "readers of one class, nested both ways": (2500, lambda n: rounds(n, lambda i: f"T0|rracq(A#{i})|1\nT0|rracq(A#{i + 1})|1\nT0|rrel(A#{i + 1})|1\nT0|rrel(A#{i})|1\n" +
                                                                      f"T1|rracq(A#{i + 1})|1\nT1|rracq(A#{i})|1\nT1|rrel(A#{i})|1\nT1|rrel(A#{i + 1})|1\n")),
    "orders of thirty locks": (6, shuffled),
    "locks that are never given back": (120, lambda n: rounds(n, lambda i: f"T0|acq(L{i})|1\n")),
    "locks taken twice": (300, lambda n: rounds(n, lambda i: f"T{i % 2}|acq(L{i})|1\n" * 2)),
    "releases of what is not held": (1500, lambda n: rounds(n, lambda i: f"T{i % 1000}|rel(L{i})|1\n")),
    "variables": (3000, lambda n: rounds(n, lambda i: f"T{i % 100}|w(v{i})|1\n" + nest(f"T{i % 100}", *("AB" if i % 10 else "BA")) + f"T{i % 100}|r(v{i * 7 % n})|1\n")),
    "places": (4000, lambda n: rounds(n, lambda i: nest(f"T{i % 2}", *("AB" if i % 2 else "BA"), places=(f"p{i}", f"q{i}")))),
    "a ring of waiting tasks": (2000, lambda n: rounds(n, lambda i: f"T{i}|acq(L{i})|1\n") + rounds(n, lambda i: f"T{i}|req(L{(i + 1) % n})|1\n")),
    "readers that want to write": (1000, lambda n: rounds(n, lambda i: read(f"T{i}", "R")) + rounds(n, lambda i: f"T{i}|req(R)|1\n")),
    "readers and writers in wait": (1500, lambda n: rounds(n, lambda i: read(f"T{i}", "R") + f"T{i}|acq(L{i})|1\n") +
                                    rounds(n, lambda i: f"T{i}|{'req(R)' if i % 2 else f'req(L{(i * 7 + 1) % n})'}|1\n")),
    "readers of a lock that a prediction closes": (2000, readers_before_writers),
    "names made for one hash": (4000, lambda n: rounds(n, lambda i: f"T0|acq({i:08}\xdb\x28\xb4\xa0\xd1\x7e\x03\xe7)|1\n" + f"T0|rel({i:08}\xdb\x28\xb4\xa0\xd1\x7e\x03\xe7)|1\n")),
    "addresses made for one hash": (4000, lambda n: rounds(n, lambda i: nest("T0", f"C{i}#0xa0761d6478bd642f"))),
}


def perf(n):
    line = "t {tid}/{tid} [000] {time}.000000: lock:lock_{what}: 0x{address:x} {name}\n"
    out = []
    for i in range(n):
        pair = (i, i + n) if i % 2 else (i + n - 1, i - 1)
        for what, order in (("acquire", pair), ("release", pair[::-1])):
            for lock in order:
                out.append(line.format(tid=100 + i, time=i + 1, what=what, address=4096 + lock * 8, name=f"&l{lock}"))
    return "".join(out)


def hung(n):
    one = ("[  {t}.000000] INFO: task t{i}:{pid} blocked for more than 120 seconds.\n"
           "[  {t}.000000] task:t{i}   state:D stack:0     pid:{pid} ppid:1      flags:0x00004000\n"
           "[  {t}.000000] Call Trace:\n[  {t}.000000]  __schedule+0x1/0x2\n[  {t}.000000]  mutex_lock+0x1/0x2\n"
           "[  {t}.000000]  kvm_vfio_set_group+0x1/0x2 [kvm]\n")
    return "".join(one.format(t=100 + i, i=i, pid=1000 + i) for i in range(n))


def splats(n):
    with open("tests/traces/splat/" + sorted(os.listdir("tests/traces/splat"))[0], errors="replace") as file:
        text = file.read()
    return text * n


OTHERS = {
    "perf": ("perf script: tasks and locks in both orders", 1500, perf),
    "hung": ("hung tasks in a kernel log", 800, hung),
    "splat": ("lockdep reports in a kernel log", 100, splats),
}


def count(text, form):
    data = text.encode("latin-1", "replace")
    out = subprocess.run([program, form], input=data, capture_output=True, timeout=HANG)
    if out.returncode:
        raise RuntimeError(f"exit status {out.returncode}: {out.stderr.decode(errors='replace')[-300:]}")
    return {name: int(value) for name, value in (line.split("\t") for line in out.stdout.decode().splitlines())}


def compare(make, n, form, few):
    small, big = count(make(n), form), count(make(TIMES * n), form)
    wrong = [f"{part}: {small[part]} steps, then {steps}: {steps / max(small[part], 1):.1f} times as many"
             for part, steps in big.items()
             if part not in ("memory", "findings") and steps > few and steps > MOST * small[part]]
    if big["memory"] > MEMORY:
        wrong.append(f"{big['memory'] >> 10} MiB")
    return wrong, big


def judge(direction):
    form, name, n, make = direction
    try:
        return compare(make, n, form, BOUNDED.get(name, FEW))
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return [str(error)], {}


def main():
    work = [("std", name, n, make) for name, (n, make) in STD.items()]
    work += [(form, name, n, make) for form, (name, n, make) in OTHERS.items()]
    only = sys.argv[1:]
    work = [w for w in work if not only or w[1] in only]
    print(f"1..{len(work) + 1}")
    made = compile_program()
    print("not ok" if made.returncode else "ok", "1 - the build that counts steps")
    if made.returncode:
        print("# " + made.stderr[-2000:].replace("\n", "\n# "))
        return 1
    failed = 0
    with multiprocessing.pool.ThreadPool(os.cpu_count()) as pool:
        for number, ((_, name, _, _), (wrong, big)) in enumerate(zip(work, pool.imap(judge, work)), 2):
            failed += bool(wrong)
            print("not ok" if wrong else "ok", number, f"- {name}:", "bounded" if name in BOUNDED else "linear")
            if only:
                wrong.append(str(big))
            for line in wrong:
                print("#", line)
            sys.stdout.flush()
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
