# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts by exhaustion, for small traces: written from the definitions, shares nothing with src/.

Every combination of events that closes a cycle is looked at one by one; whether a deadlock is
reachable is decided by walking through every reordering of the trace that keeps reads, fork/join
and the order of conflicting critical sections.
"""
import itertools

EXCLUSIVE, SHARED, RECURSIVE = 0, 1, 2
MODES = {"acq": EXCLUSIVE, "req": EXCLUSIVE, "tryacq": EXCLUSIVE, "racq": SHARED, "rreq": SHARED,
         "rracq": RECURSIVE, "sync": EXCLUSIVE, "flush": EXCLUSIVE, "fault": SHARED}
REQUESTS = ("req", "rreq")
WAITS = ("sync", "flush", "fault")  # want it and hold nothing after
CODES = ["deadlock", "recursion", "predicted", "predicted-fair", "instance-inversion",
         "wait-inversion", "class-inversion", "bad-unlock", "order-violation", "same-class-nesting", "gated", "ordered",
         "same-thread", "read-only"]
RANK = {code: i for i, code in enumerate(CODES)}
NONE, FAIR, HARD = 0, 1, 2


def link(wanted, held):
    if wanted == EXCLUSIVE or held == EXCLUSIVE:
        return HARD
    return FAIR if wanted == SHARED else NONE


def hold(mode):
    return EXCLUSIVE if mode == EXCLUSIVE else SHARED


class Occurrence:
    """One blocking acquisition or ungranted request: who, what was held, what was wanted."""

    def __init__(self, index, thread, held, wanted, mode):
        self.index, self.thread, self.held, self.wanted, self.mode = index, thread, held, wanted, mode


class Trace:
    def __init__(self, events):
        self.events = events  # (thread, op, operand)
        self.threads = sorted({e[0] for e in events} | {e[2] for e in events if e[1] in ("fork", "join")})
        self.of_thread = {t: [i for i, e in enumerate(events) if e[0] == t] for t in self.threads}
        self.position = {}
        for indexes in self.of_thread.values():
            for position, i in enumerate(indexes):
                self.position[i] = position
        self.occurrences, self.bad_releases, self.held_at_end, self.pending = [], [], {}, {}
        self.writers = set()
        self.has_waits = any(e[1] in WAITS for e in events)
        self.wait_classes = {lock_class(e[2]) for e in events if e[1] == "sync" or e[2].startswith("work:")}
        self.replay()
        self.order()

    # --- held sets ---
    def replay(self):
        held = {t: [] for t in self.threads}
        for t in self.threads:
            for position, i in enumerate(self.of_thread[t]):
                _, op, lock = self.events[i]
                if op in MODES:
                    mode = MODES[op]
                    if mode == EXCLUSIVE:
                        self.writers.add(lock)
                    if op in ("req", "rreq"):
                        following = self.of_thread[t][position + 1:position + 2]
                        after = self.events[following[0]] if following else None
                        if after and after[2] == lock and after[1] in ("acq", "racq", "rracq"):
                            continue  # the acquisition stands for it
                        if after is None:
                            self.pending[t] = (lock, mode)
                    if op != "tryacq":
                        self.occurrences.append(Occurrence(i, t, list(held[t]), lock, mode))
                    if op not in REQUESTS + WAITS:
                        held[t].append((lock, mode))
                elif op in ("rel", "rrel"):
                    exclusive = op == "rel"
                    for entry in reversed(held[t]):
                        if entry[0] == lock and (entry[1] == EXCLUSIVE) == exclusive:
                            held[t].remove(entry)
                            break
                    else:
                        self.bad_releases.append((t, lock))
        self.held_at_end = held
        self.occurrences.sort(key=lambda s: s.index)
        self.writer_classes = {lock.split("#")[0] for lock in self.writers}

    # --- fork/join order ---
    def order(self):
        count = len(self.events)
        before = [set() for _ in range(count)]
        last, forks = {}, {}
        self.fork_of, self.join_of_unborn = {}, {}
        for i, (t, op, operand) in enumerate(self.events):
            if t in last:
                before[i] |= before[last[t]] | {last[t]}
            if t in forks:
                self.fork_of[i] = forks[t]
                before[i] |= before[forks[t]] | {forks.pop(t)}
            if op == "join" and operand in forks:
                self.join_of_unborn[i] = forks[operand]
                before[i] |= before[forks[operand]] | {forks[operand]}
            if op == "join" and operand in last:
                before[i] |= before[last[operand]] | {last[operand]}
            if op == "fork":
                forks[operand] = i
            last[t] = i
        self.before = before

    def concurrent(self, a, b):
        return a not in self.before[b] and b not in self.before[a]

    # --- reorderings ---
    def sync_preserving(self, blocked):
        """Can all these occurrences be reached with none of them executed?"""
        stops = {s.thread: self.position[s.index] for s in blocked}
        if len(stops) < len(blocked):
            return False
        reads = {}
        last_write = {}
        for i, (_, op, operand) in enumerate(self.events):
            if op == "r":
                reads[i] = last_write.get(operand)
            elif op == "w":
                last_write[operand] = i
        start = (tuple(0 for _ in self.threads), ())
        seen, stack = {start}, [start]
        while stack:
            positions, writes = stack.pop()
            where = dict(zip(self.threads, positions))
            if all(where[t] == stop for t, stop in stops.items()):
                return True
            done = {i for t in self.threads for i in self.of_thread[t][:where[t]]}
            for k, t in enumerate(self.threads):
                if where[t] == len(self.of_thread[t]) or where[t] == stops.get(t):
                    continue
                i = self.of_thread[t][where[t]]
                if not self.enabled(i, done, dict(writes), reads):
                    continue
                after = dict(writes)
                if self.events[i][1] == "w":
                    after[self.events[i][2]] = i
                state = (positions[:k] + (positions[k] + 1,) + positions[k + 1:],
                         tuple(sorted(after.items())))
                if state not in seen:
                    seen.add(state)
                    stack.append(state)
        return False

    def enabled(self, i, done, writes, reads):
        t, op, operand = self.events[i]
        if i in self.fork_of and self.fork_of[i] not in done:
            return False
        if op == "r":
            return writes.get(operand) == reads[i]
        if op == "join":
            if self.join_of_unborn.get(i, i) not in done | {i}:
                return False
            return all(j in done for j in self.of_thread.get(operand, []) if j < i)
        if op in ("acq", "racq", "rracq", "tryacq"):
            mode = MODES[op]
            for j in done:
                u, other, lock = self.events[j]
                if lock != operand or other not in ("acq", "racq", "rracq", "tryacq") or u == t:
                    continue
                if mode != EXCLUSIVE and MODES[other] != EXCLUSIVE:
                    continue
                if j > i or not self.released(j, done):
                    return False
        return True

    def released(self, acquire, done):
        t, _, lock = self.events[acquire]
        depth = 0
        for i in self.of_thread[t][self.position[acquire]:]:
            _, op, operand = self.events[i]
            if operand != lock:
                continue
            if op in ("acq", "racq", "rracq", "tryacq"):
                depth += 1
            elif op in ("rel", "rrel"):
                depth -= 1
                if not depth:
                    return i in done
        return False


def lock_class(lock):
    return lock.split("#")[0]


def key(kind, elements):
    """Rotation-canonical by (class, hold mode)."""
    best = min(elements[i:] + elements[:i] for i in range(len(elements)))
    return kind + ":" + ">".join(c + ("(shared)" if mode else "") for c, mode in best)


def kind_of(length):
    return "inversion" if length == 2 else "cycle"


class Links:
    """Occurrences indexed by (held lock, hold mode)."""

    def __init__(self, trace):
        self.trace = trace
        self.arcs = []  # (occurrence, held lock, mode held)
        for s in trace.occurrences:
            for lock, mode in s.held:
                if lock != s.wanted:
                    self.arcs.append((s, lock, mode))

    def instance_cycles(self, length):
        """Every closed walk of this many occurrences over distinct locks, each once."""
        arcs = self.arcs

        def grow(path):
            if len(path) == length:
                first = path[0]
                if path[-1][0].wanted == first[1] and link(path[-1][0].mode, first[2]) != NONE:
                    yield tuple(path)
                return
            wanted = path[-1][0].wanted
            taken = {arc[0].wanted for arc in path}
            for arc in arcs:
                if arc[1] == wanted and link(path[-1][0].mode, arc[2]) != NONE and \
                        arc[0].wanted not in taken and id(arc) > id(path[0]):
                    yield from grow(path + [arc])

        for arc in arcs:
            yield from grow([arc])


def judge(trace, longest=6):
    """{key: code} of pairs and singles, {key: code} of longer cycles, set of deadlocked threads."""
    pairs, longer = {}, {}
    links = Links(trace)
    grouped = {}
    for length in range(2, longest + 1):
        for path in links.instance_cycles(length):
            elements = [(lock_class(lock), hold(mode)) for _, lock, mode in path]
            grouped.setdefault((length, key(kind_of(length), elements)), []).append(path)
    for (length, name), paths in grouped.items():
        code = decide(trace, paths)
        (pairs if length == 2 else longer)[name] = code
    class_pairs(trace, links, pairs)
    class_cycles(trace, links, longer, longest)
    singles(trace, pairs)
    stuck = deadlocked(trace)
    return pairs, longer, stuck


def decide(trace, paths):
    best, any_distinct, any_ungated, any_unordered = None, False, False, False
    for path in paths:
        occurrences = [arc[0] for arc in path]
        if len({s.thread for s in occurrences}) < len(occurrences):
            continue
        any_distinct = True
        gated = False
        for a, b in itertools.combinations(occurrences, 2):
            for lock, mode in a.held:
                for other, other_mode in b.held:
                    gated |= lock == other and EXCLUSIVE in (mode, other_mode)
        if gated:
            continue
        any_ungated = True
        if not all(trace.concurrent(a.index, b.index) for a, b in itertools.combinations(occurrences, 2)):
            continue
        any_unordered = True
        fair = False
        supported = True
        for i, s in enumerate(occurrences):
            if link(s.mode, path[(i + 1) % len(path)][2]) == FAIR:
                fair = True
                supported &= s.wanted in trace.writers
        if not supported:
            continue
        through_wait = any(lock_class(arc[1]) in trace.wait_classes for arc in path)
        code = "wait-inversion" if through_wait else "instance-inversion"
        wanted = "predicted-fair" if fair else "predicted"
        if not trace.has_waits and not through_wait and \
                (best is None or RANK[wanted] < RANK[best]) and trace.sync_preserving(occurrences):
            code = wanted
        if best is None or RANK[code] < RANK[best]:
            best = code
    if best:
        return best
    if not any_distinct:
        return "same-thread"
    if not any_ungated:
        return "gated"
    return "read-only" if any_unordered else "ordered"


def class_dependencies(links):
    """{(from class, hold mode, to class): set of wanted modes}"""
    found = {}
    for s, lock, mode in links.arcs:
        if lock_class(lock) != lock_class(s.wanted):
            found.setdefault((lock_class(lock), hold(mode), lock_class(s.wanted)), set()).add(s.mode)
    return found


def class_code(trace, dependencies, elements):
    """A cycle of classes without any instance cycle: class-inversion, read-only, or None if weak."""
    code = "class-inversion"
    for i, (name, mode) in enumerate(elements):
        following, held = elements[(i + 1) % len(elements)]
        wanted = dependencies.get((name, mode, following))
        if not wanted:
            return None
        strongest = max(link(w, held) for w in wanted)
        if strongest == NONE:
            return None
        if strongest == FAIR and following not in trace.writer_classes:
            code = "read-only"
    return code


def class_pairs(trace, links, pairs):
    dependencies = class_dependencies(links)
    for (a, mode, b), (c, other, d) in itertools.product(dependencies, repeat=2):
        if a == d and b == c:
            elements = [(a, mode), (b, other)]
            code = class_code(trace, dependencies, elements)
            if code:
                pairs.setdefault(key("inversion", elements), code)


def class_cycles(trace, links, longer, longest):
    dependencies = class_dependencies(links)

    def grow(elements):
        for (name, mode, to) in dependencies:
            if name != elements[-1][2]:
                continue
            if len(elements) >= 2 and to == elements[0][0]:
                cycle = [(e[0], e[1]) for e in elements] + [(name, mode)]
                code = class_code(trace, dependencies, cycle)
                if code:
                    longer.setdefault(key("cycle", cycle), code)
            if len(elements) + 1 < longest and to not in {e[0] for e in elements} | {name}:
                grow(elements + [(name, mode, to)])

    for arc in dependencies:
        grow([arc])


def singles(trace, pairs):
    for s in trace.occurrences:
        for lock, mode in s.held:
            if lock == s.wanted and link(s.mode, mode) != NONE:
                pairs[key("recursion", [(lock_class(lock), hold(mode))])] = "recursion"
    nested = {}
    for s in trace.occurrences:
        for lock, mode in s.held:
            if lock != s.wanted and lock_class(lock) == lock_class(s.wanted):
                nested.setdefault(lock_class(lock), []).append((lock, mode, s.wanted, s.mode))
    for name, dependencies in nested.items():
        both = any(a[0] == b[2] and a[2] == b[0] and link(a[3], b[1]) != NONE and
                   link(b[3], a[1]) != NONE for a in dependencies for b in dependencies)
        blocking = {hold(d[1]) for d in dependencies if link(d[3], d[1]) != NONE}
        for mode in blocking if not both else ():
            pairs[key("nesting", [(name, mode)])] = "same-class-nesting"
    for _, lock in trace.bad_releases:
        pairs[f"unlock:{lock_class(lock)}"] = "bad-unlock"


def deadlocked(trace):
    """Threads on a wait-for cycle at the end of the trace, and its (class, hold mode) cycles."""
    blockers = {}
    for t, (lock, mode) in trace.pending.items():
        queued = any(u != t and wanted == (lock, EXCLUSIVE) for u, wanted in trace.pending.items())
        for u in trace.threads:
            for held, held_mode in trace.held_at_end[u]:
                strength = link(mode, held_mode)
                if held == lock and (strength == HARD or (strength == FAIR and queued)):
                    blockers.setdefault(t, {})[u] = (lock_class(lock), hold(held_mode))
    cycles, threads = set(), set()

    def grow(path):
        for u, element in blockers.get(path[-1][0], {}).items():
            if u == path[0][0]:
                # element i: what thread i + 1 holds and thread i waits for
                elements = [e for _, e in path[1:]] + [element]
                kind = {1: "recursion", 2: "inversion"}.get(len(elements), "cycle")
                cycles.add(key(kind, elements))
                threads.update(t for t, _ in path)
            elif u not in {t for t, _ in path}:
                grow(path + [(u, element)])

    for t in blockers:
        grow([(t, None)])
    return threads, cycles
