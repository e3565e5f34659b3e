#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Random small traces (mutex, read/write, recursive readers, trylock, fork/join, reads and writes,
# pending requests, waits for works and SRCU, page faults) judged by us and by exhaustion (oracle.py): no difference in any code, and every
# printed schedule runs. Once more padded and with budgets that end: no code claims beyond the truth.
#
# CI looks at 24,000 of them, VFIOTRACE_LONG=1 at 200,000. VFIOTRACE_SEED picks others.
import multiprocessing
import os
import random
import re
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
sys.dont_write_bytecode = True
from oracle import FAIR, HARD, MODES, RANK, Trace, judge as exhaust, link  # noqa: E402

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
        if style["waits"]:
            self.locks += ["work:W", "S"]  # what only waits want, and what only readers hold
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
        if self.style["waits"] and (lock == "S" or rng.random() < (0.5 if lock == "work:W" else 0.2)):
            self.wait(thread, lock, own)
            return
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

    def wait(self, thread, lock, own):
        """sync, flush or fault; an SRCU domain is either read or waited for."""
        op = {"S": "sync", "work:W": "flush"}.get(lock, "fault")
        if op == "sync" and self.rng.random() < 0.5:
            self.emit(thread, "rracq", lock)
            self.held[thread].append((lock, 2))
        elif self.free(thread, lock, MODES[op]) and not own:
            self.emit(thread, op, lock)

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
    style["waits"] = rng.random() < 0.25
    return Generator(rng, style).run()


def text_of(events):
    return "".join(f"{t}|{op}({operand})|{i}\n" for i, (t, op, operand) in enumerate(events))


class Answer:
    """What we say of one trace: codes and schedules by finding, and whether a budget ended anything."""

    def __init__(self, fields):
        self.codes, self.schedules = {}, {}
        self.is_complete = fields[7:9] == ["complete", "0"]


def ask(texts, *options):
    out = subprocess.run([program, "-m", "-s", *options], input="==\n".join(texts), capture_output=True, text=True)
    return read_answers(out.stdout)


def read_answers(text):
    answers = []
    for line in text.splitlines():
        fields = line.split("\t")
        if fields[0] == "trace":
            answers.append(Answer(fields))
        elif fields[0] == "finding":
            answers[-1].codes[fields[3]] = fields[1]
            steps = answers[-1].schedules.setdefault(fields[3], [])
        elif fields[0] == "step":
            steps.append(fields[1])
    return answers


def edges_of(name):
    classes = [re.sub(r"\(shared\)$", "", c) for c in name.split(":", 1)[1].split(">")]
    return {(a, b) for a, b in zip(classes, classes[1:] + classes[:1]) if a != b}


def plain_unlock(name):
    return re.sub(r"\(shared\)$", "", name) if name.startswith("unlock:") else name


def allowed(ours, theirs):
    """Where a budget ended a check: the code itself, or a lower one, never one that claims more."""
    if ours == theirs:
        return True
    if theirs is None:
        return False
    if RANK[theirs] > RANK["class-inversion"]:
        return ours in ("class-inversion", "read-only", None)
    return ours is None or RANK[theirs] < RANK[ours] <= RANK["class-inversion"]


def compare_undecided(expected, got):
    """What is claimed beyond the truth, in words."""
    pairs, longer, (stuck, stuck_cycles) = expected
    wrong = []
    got = {plain_unlock(name): code for name, code in got.items()}
    if any(code == "deadlock" for code in got.values()) != bool(stuck):
        wrong.append(f"deadlock: we {got}, they {sorted(stuck)}")
    truth = {**longer, **pairs}
    for name in sorted(set(truth) | {name for name, code in got.items() if code != "deadlock"}):
        exact = name.split(":")[0] not in ("inversion", "cycle") and name not in stuck_cycles
        if got.get(name) != truth.get(name) if exact else not allowed(got.get(name), truth.get(name)):
            wrong.append(f"{name}: we {got.get(name)}, they {truth.get(name)}")
    return wrong


def compare(expected, got):
    """What differs, in words; nothing when all codes agree."""
    pairs, longer, (stuck, stuck_cycles) = expected
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


def pad(rng, events, share):
    """The same trace with more to walk: private writes and private locks, which change no answer."""
    padded, before = [], {}
    for event in events:
        thread = event[0]
        while rng.random() < share and before.get(thread) not in ("req", "rreq"):
            padded += rng.choice(([(thread, "w", "p" + thread)],
                                  [(thread, "acq", "Z" + thread), (thread, "rel", "Z" + thread)],
                                  [("P", "acq", "Z"), ("P", "rel", "Z")]))
        padded.append(event)
        before[thread] = event[1]
    return padded


RUN = re.compile(r"(in the order of the trace, )?(\S+) runs (?:its first )?(\d+) events?, until it .* at (\d+)$")
WAIT = re.compile(r"(\S+) waits for (\S+) at \d+, which (\S+) holds$")


class Replay:
    """Runs a printed schedule by the rules of locks, fork, join and reads; shares nothing with src/."""

    def __init__(self, events):
        self.events, self.trace = events, Trace(events)
        self.at = {t: 0 for t in self.trace.threads}
        self.held = {t: [] for t in self.trace.threads}
        self.writes, self.writer_of, last = {}, {}, {}
        for i, (_, op, operand) in enumerate(events):
            if op == "w":
                last[operand] = i
            elif op == "r":
                self.writer_of[i] = last.get(operand)

    def done(self, i):
        return self.trace.position[i] < self.at[self.events[i][0]]

    def run(self, i):
        """One event; why it cannot happen now, or nothing."""
        thread, op, operand = self.events[i]
        if i in self.trace.fork_of and not self.done(self.trace.fork_of[i]):
            return f"{i} before its fork"
        if op in ("acq", "racq", "rracq", "tryacq"):
            for other, locks in self.held.items():
                if other != thread and any(l == operand and 0 in (m, MODES[op]) for l, m in locks):
                    return f"{i}: {operand} is held by {other}"
            self.held[thread].append((operand, MODES[op]))
        elif op in ("rel", "rrel"):
            for entry in reversed(self.held[thread]):
                if entry[0] == operand and (entry[1] == 0) == (op == "rel"):
                    self.held[thread].remove(entry)
                    break
        elif op == "r" and self.writes.get(operand) != self.writer_of[i]:
            return f"{i} reads another write"
        elif op == "w":
            self.writes[operand] = i
        elif op == "join" and not all(self.done(j) for j in self.trace.of_thread[operand] if j < i):
            return f"{i} joins too early"
        self.at[thread] += 1
        return None

    def order_of(self, steps):
        """The events in the order that the steps tell; words when they cannot be followed."""
        order, at, whole = [], {t: 0 for t in self.trace.threads}, False
        for match in map(RUN.match, steps):
            if not match:
                return "unknown step"
            whole |= bool(match[1])
            part = self.trace.of_thread[match[2]][at[match[2]]:at[match[2]] + int(match[3])]
            at[match[2]] += int(match[3])
            order += part
            if len(part) != int(match[3]) or part[-1] != int(match[4]):
                return f"{match[0]}: that is {part}"
        return sorted(order) if whole else order

    def check(self, steps, fair):
        waits = [m for m in map(WAIT.match, steps) if m]
        order = self.order_of(steps[:len(steps) - len(waits)])
        if isinstance(order, str):
            return order
        for i in order:
            why = self.run(i)
            if why:
                return why
        if len(waits) < 2 or len({m[1] for m in waits}) < len(waits):
            return "no cycle of distinct tasks"
        for wait, following in zip(waits, waits[1:] + waits[:1]):
            ahead = self.trace.of_thread[wait[1]][self.at[wait[1]]:][:1]
            _, op, operand = self.events[ahead[0]] if ahead else (None, None, None)
            links = [link(MODES[op], mode) for lock, mode in self.held[wait[3]] if lock == operand] \
                if op in MODES and op != "tryacq" and operand == wait[2] else []
            if wait[3] != following[1] or max(links, default=0) < (FAIR if fair else HARD):
                return f"{wait[0]}: does not wait"
        return None


def replay_all(events, answer):
    wrong = []
    for name, code in answer.codes.items():
        if code not in ("predicted", "predicted-fair"):
            continue
        why = Replay(events).check(answer.schedules[name], code == "predicted-fair")
        if why:
            wrong.append(f"{name}: the schedule cannot happen: {why}: {answer.schedules[name]}")
    return wrong


def whole_batch(first):
    """Traces as they are: every code must be the truth."""
    traces = [generate(i) for i in range(first, first + BATCH)]
    answers = ask([text_of(t) for t in traces])
    trouble = [] if len(answers) == BATCH else [f"only {len(answers)} answers"]
    seen = {}
    for i, (events, answer) in enumerate(zip(traces, answers)):
        for code in answer.codes.values():
            seen[code] = seen.get(code, 0) + 1
        wrong = compare(exhaust(Trace(events)), answer.codes) + replay_all(events, answer)
        if not answer.is_complete:
            wrong.append("not decided, in a trace this small")
        if wrong:
            trouble.append(f"trace {first + i}: " + "; ".join(wrong) + "\n" + text_of(events))
    return trouble, seen


# budgets divided by 2 to this: the first two are more than any of these traces can use up
SHIFTS = (2, 4, 10, 12, 14, 16, 17, 18, 19, 20, 21, 22, 23, 25, 28)


def padded_batch(first):
    """Longer traces, smaller budgets: the truth, or not decided and no claim beyond it."""
    shift = SHIFTS[first // BATCH % len(SHIFTS)]
    rng = random.Random(first)
    small = [generate(i) for i in range(first, first + BATCH)]
    traces = [pad(rng, events, rng.choice((0.5, 0.9, 0.97))) for events in small]
    answers = ask([text_of(t) for t in traces], "-b", str(shift))
    trouble = [] if len(answers) == BATCH else [f"only {len(answers)} answers"]
    seen = {}
    for i, (events, answer) in enumerate(zip(traces, answers)):
        check = compare if answer.is_complete else compare_undecided
        wrong = check(exhaust(Trace(small[i])), answer.codes) + replay_all(events, answer)
        if shift < 10 and not answer.is_complete:
            wrong.append("not decided, though no budget can have been used up")
        word = "decided" if answer.is_complete else "undecided"
        seen[word] = seen.get(word, 0) + 1
        if wrong:
            trouble.append(f"trace {first + i}, -b {shift}: " + "; ".join(wrong) + "\n" + text_of(events))
    return trouble, seen


def run_batch(work):
    return (padded_batch if work[0] else whole_batch)(work[1])


def main():
    start = int(os.environ.get("VFIOTRACE_FIRST", "0"))
    work = [(False, first) for first in range(start, start + total, BATCH)]
    work += [(True, first) for first in range(start, start + total // 8, BATCH)]
    failed = number = 0
    seen = {}
    print(f"1..{len(work) + 2}")
    with multiprocessing.Pool(os.cpu_count()) as pool:
        for (is_padded, first), (trouble, codes) in zip(work, pool.imap(run_batch, work)):
            for code, count in codes.items():
                seen[code] = seen.get(code, 0) + count
            number += 1
            failed += bool(trouble)
            print("not ok" if trouble else "ok", number, f"- traces {first} to {first + BATCH - 1}" +
                  (", padded, with small budgets" if is_padded else ""))
            for line in "\n".join(trouble[:3]).splitlines():
                print("#", line)
    wanted = {"deadlock", "recursion", "predicted", "predicted-fair", "instance-inversion", "wait-inversion", "class-inversion",
              "bad-unlock", "same-class-nesting", "gated", "ordered", "same-thread", "read-only"}
    for words, text in ((wanted, "every code was met"), ({"decided", "undecided"}, "budgets ended, and did not")):
        number += 1
        failed += not words <= set(seen)
        print("ok" if words <= set(seen) else "not ok", number, f"- {text}:",
              " ".join(f"{code}={count}" for code, count in sorted(seen.items()) if code in words))
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
