#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Random small traces (mutex, read/write, recursive readers, trylock, fork/join, reads and writes,
# pending requests) judged by us and by exhaustion (oracle.py): no difference in any code.
#
# CI looks at 24,000 of them, VFIOTRACE_LONG=1 at 200,000. VFIOTRACE_SEED picks others.
import os
import random
import re
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
sys.dont_write_bytecode = True
from oracle import RANK, Trace, judge as exhaust  # noqa: E402

os.chdir(os.path.join(here, "..", ".."))
program = os.path.join(os.environ.get("BUILD", "build"), "judge")
total = 200000 if os.environ.get("VFIOTRACE_LONG") == "1" else 24000
seed = int(os.environ.get("VFIOTRACE_SEED", "1"))
BATCH = 200


class Generator:
    """Runs a random program: what it writes down really happened."""

    def __init__(self, rng, style):
        self.rng, self.style = rng, style
        self.threads = [f"T{i}" for i in range(rng.choice((2, 2, 3, 3, 4)))]
        classes = "ABCD"[:rng.choice((2, 3, 3, 4))]
        self.locks = [c + (f"#{n}" if n else "") for c in classes
                      for n in range(rng.choice((1, 1, 2)) if style["instances"] else 1)]
        self.held = {t: [] for t in self.threads}
        self.stuck = {}
        self.events = []
        self.waiting_for_fork = set()
        if style["fork"]:
            self.waiting_for_fork = set(self.threads[1:])
        self.joined = set()

    def holders(self, lock, but):
        return [(t, m) for t in self.threads if t != but for (l, m) in self.held[t] if l == lock]

    def free(self, thread, lock, mode):
        return not any(m == 0 or mode == 0 for _, m in self.holders(lock, thread))

    def emit(self, thread, op, operand):
        self.events.append((thread, op, operand))

    def take(self, thread):
        rng = self.rng
        lock = rng.choice(self.locks)
        own = [m for (l, m) in self.held[thread] if l == lock]
        modes = [(0, "acq", "req")]
        if self.style["readers"]:
            modes += [(1, "racq", "rreq"), (2, "rracq", "rreq")]
        mode, op, request = rng.choice(modes)
        if own and (mode == 0 or 0 in own or rng.random() < 0.7):
            return  # upgrades never end; reentrance has its own test
        if mode == 0 and rng.random() < self.style["try"]:
            if self.free(thread, lock, mode):
                self.emit(thread, "tryacq", lock)
                self.held[thread].append((lock, mode))
            return
        if not self.free(thread, lock, mode):
            if rng.random() < self.style["hang"]:
                self.emit(thread, request, lock)
                self.stuck[thread] = (lock, mode, op)
            return
        if rng.random() < 0.3:
            self.emit(thread, request, lock)
        self.emit(thread, op, lock)
        self.held[thread].append((lock, mode))

    def drop(self, thread):
        if not self.held[thread]:
            if self.rng.random() < self.style["bad"]:
                self.emit(thread, "rel", self.rng.choice(self.locks))
            return
        at = -1 if self.rng.random() < 0.8 else self.rng.randrange(len(self.held[thread]))
        lock, mode = self.held[thread].pop(at)
        self.emit(thread, "rel" if mode == 0 else "rrel", lock)

    def step(self):
        rng = self.rng
        ready = [t for t in self.threads if t not in self.waiting_for_fork | self.joined]
        thread = rng.choice(ready)
        if thread in self.stuck:
            lock, mode, op = self.stuck[thread]
            if self.free(thread, lock, mode):
                self.emit(thread, op, lock)
                self.held[thread].append((lock, mode))
                del self.stuck[thread]
            return
        what = rng.random()
        if self.waiting_for_fork and what < 0.25:
            child = rng.choice(sorted(self.waiting_for_fork))
            self.waiting_for_fork.discard(child)
            self.emit(thread, "fork", child)
        elif self.style["fork"] and what > 0.95:
            others = [t for t in ready if t not in (thread, self.threads[0])
                      and not self.held[t] and t not in self.stuck]
            if others:
                child = rng.choice(others)
                self.joined.add(child)
                self.emit(thread, "join", child)
        elif what < 0.25 + self.style["variables"] and what >= 0.25:
            self.emit(thread, rng.choice("rw"), rng.choice("xy"))
        elif rng.random() < 0.65 and len(self.held[thread]) < 3:
            self.take(thread)
        else:
            self.drop(thread)

    def run(self):
        length = self.rng.randrange(10, 36)
        for _ in range(120):
            if len(self.events) >= length:
                break
            self.step()
        if self.rng.random() < 0.7:
            for thread in self.threads:
                while self.held[thread] and thread not in self.stuck:
                    self.drop(thread)
        return self.events


def generate(number):
    rng = random.Random(seed * 1000003 + number)
    style = {"readers": rng.random() < 0.5, "fork": rng.random() < 0.4,
             "instances": rng.random() < 0.4, "variables": rng.choice((0, 0, 0.1, 0.2)),
             "try": rng.choice((0, 0, 0.3)), "hang": rng.choice((0, 0.3, 0.8)),
             "bad": rng.choice((0, 0, 0.1))}
    return Generator(rng, style).run()


def text_of(events):
    return "".join(f"{t}|{op}({operand})|{i}\n" for i, (t, op, operand) in enumerate(events))


def ask(texts):
    out = subprocess.run([program, "-m"], input="==\n".join(texts), capture_output=True, text=True)
    answers = []
    for line in out.stdout.splitlines():
        fields = line.split("\t")
        if fields[0] == "trace":
            answers.append({})
        elif fields[0] == "finding":
            answers[-1][fields[3]] = fields[1]
    return answers


def edges_of(name):
    classes = [re.sub(r"\(shared\)$", "", c) for c in name.split(":", 1)[1].split(">")]
    return {(a, b) for a, b in zip(classes, classes[1:] + classes[:1]) if a != b}


def plain_unlock(name):
    return re.sub(r"\(shared\)$", "", name) if name.startswith("unlock:") else name


def compare(events, got):
    """What differs, in words; nothing when all codes agree."""
    trace = Trace(events)
    pairs, longer, (stuck, stuck_cycles) = exhaust(trace)
    got = {plain_unlock(name): code for name, code in got.items()}
    wrong = []
    deadlocks = {name for name, code in got.items() if code == "deadlock"}
    if bool(deadlocks) != bool(stuck):
        wrong.append(f"deadlock: we {sorted(deadlocks)}, they {sorted(stuck)}")
    ours = {name: code for name, code in got.items() if code != "deadlock"}
    short = {n: c for n, c in ours.items() if not n.startswith("cycle:")}
    for name in sorted(set(pairs) | set(short)):
        if name in stuck_cycles and name not in short:
            continue  # the deadlock stands for it
        if pairs.get(name) != short.get(name):
            wrong.append(f"{name}: we {short.get(name)}, they {pairs.get(name)}")
    for name, code in ours.items():
        if name.startswith("cycle:") and longer.get(name) != code:
            wrong.append(f"{name}: we {code}, they {longer.get(name)}")
    for name, code in longer.items():
        if RANK[code] > RANK["class-inversion"] or name in stuck_cycles or name in ours:
            continue
        # left out: some other report, at least as bad, must explain one of its dependencies
        if not any(RANK[other] <= RANK[code] and
                   (set() if found.startswith("deadlock") else edges_of(found)) & edges_of(name)
                   for found, other in got.items() if found.split(":")[0] in ("inversion", "cycle")):
            if not deadlocks:
                wrong.append(f"{name}: they {code}, we nothing that explains it")
    return wrong


failed = number = 0
seen = {}
start = int(os.environ.get("VFIOTRACE_FIRST", "0"))
print(f"1..{total // BATCH + 1}")
for first in range(start, start + total, BATCH):
    traces = [generate(i) for i in range(first, first + BATCH)]
    answers = ask([text_of(t) for t in traces])
    trouble = [] if len(answers) == BATCH else [f"only {len(answers)} answers"]
    for i, (events, got) in enumerate(zip(traces, answers)):
        for code in got.values():
            seen[code] = seen.get(code, 0) + 1
        wrong = compare(events, got)
        if wrong:
            trouble.append(f"trace {first + i}: " + "; ".join(wrong) + "\n" + text_of(events))
    number += 1
    failed += bool(trouble)
    print("not ok" if trouble else "ok", number, f"- traces {first} to {first + BATCH - 1}")
    for line in "\n".join(trouble[:3]).splitlines():
        print("#", line)
number += 1
wanted = {"deadlock", "recursion", "predicted", "predicted-fair", "instance-inversion", "class-inversion",
          "bad-unlock", "same-class-nesting", "gated", "ordered", "same-thread", "read-only"}
print("ok" if wanted <= set(seen) else "not ok", number, "- every code was met:",
      " ".join(f"{code}={count}" for code, count in sorted(seen.items())))
sys.exit(failed != 0 or not wanted <= set(seen))
