#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# lockdep's own self-test table (lib/locking-selftest.c) as traces: we report exactly where it does,
# for exclusive locks, recursive readers (rwlock) and plain readers (rwsem), whatever the grade (one
# class nested in itself is info here); and two deadlocks that
# lockdep misses. One task throughout, as there; analysed as from a live kernel.
#
# Left out: "init held" (a trace has no init), interrupt states and wait contexts (spinlocks only),
# ww_mutex acquire contexts.
import itertools
import os
import re
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
judge = os.path.join(os.environ.get("BUILD", "build"), "judge")

# a testcase is a sequence of sections; in each the locks are taken in order, then released.
# L: the column's lock, W: write, R: read, M: a mutex, T: trylock; X1 is instance 1 of class X.
table = [
    # name, sections, excl, rlock, rsem (True: must report)
    ("AA", ["LX1 LX2"], True, False, True),
    ("ABBA", ["LA LB", "LB LA"], True, False, True),
    ("ABBCCA", ["LA LB", "LB LC", "LC LA"], True, False, True),
    ("ABCABC", ["LA LB", "LC LA", "LB LC"], True, False, True),
    ("ABBCCDDA", ["LA LB", "LB LC", "LC LD", "LD LA"], True, False, True),
    ("ABCDBDDA", ["LA LB", "LC LD", "LB LD", "LD LA"], True, False, True),
    ("ABCDBCDA", ["LA LB", "LC LD", "LB LC", "LD LA"], True, False, True),
    ("double unlock", ["LA U"], True, True, True),
    ("AA1", ["RX1 RX1"], None, False, True),
    ("AA1B", ["RX1 RX2"], None, False, True),
    ("AA2", ["RX1 WX2"], None, True, True),
    ("AA3", ["WX1 RX2"], None, True, True),
    ("ABBA1", ["RX MY", "MY WX"], None, True, True),
    ("chaincache_ABBA1", ["RX MY", "MY RX", "MY WX"], None, True, True),
    ("ABBA2", ["RX MY", "MY RX"], None, False, True),
    ("ABBA3", ["WX MY", "MY WX"], None, True, True),
    ("ww block/block", ["MO1 MO2"], True, None, None),
    ("ww try/block", ["TO1 MO2"], True, None, None),
    ("ww block/try", ["MO1 TO2"], False, None, None),
    ("ww try/try", ["TO1 TO2"], False, None, None),
    ("ww spin/block", ["MA", "MO MA", "MA MO"], True, None, None),
    ("ww spin/try", ["MA", "TO MA", "MA TO"], False, None, None),
]
for name, sections, verdict in [
    ("W1R2_W2R3_W3R1", ["WX RY", "WY RZ", "WZ RX"], True),
    ("W1W2_R2R3_W3R1", ["WX WY", "RY RZ", "WZ RX"], True),
    ("W1W2_R2R3_R3W1", ["WX WY", "RY RZ", "RZ WX"], False),
    ("W1R2_R2R3_W3W1", ["WX RY", "RY RZ", "WZ WX"], False),
]:
    for i, order in enumerate(itertools.permutations(sections)):
        table.append((f"{name}_{i + 1}", list(order), None, verdict, None))
missed = [
    # a recursive reader in between ends lockdep's walk over the held locks: D -> C is never stored
    ("a recursive reader between D and C", ["WD RB WC", "WC WD"]),
    # B is first reached by a recursive reader, its strong paths are lost
    ("a class first reached through a weak edge", ["WA RB", "WA WC", "WC WB", "RB WA"]),
]

acquire = {"W": "acq", "M": "acq", "T": "tryacq"}
columns = {"excl": ("acq", "acq"), "rlock": ("rracq", "rracq"), "rsem": ("racq", "racq")}


def trace(sections, column):
    plain, read = columns[column]
    lines = []
    for section in sections:
        taken = []
        for word in section.split():
            if word == "U":
                taken.append(taken[-1])
                continue
            op = {"L": plain, "R": read}.get(word[0]) or acquire[word[0]]
            lock = re.sub(r"(\d+)$", r"#\1", word[1:])
            lines.append(f"T1|{op}({lock})|{len(lines) + 1}")
            taken.append((op, lock))
        for op, lock in reversed(taken):
            release = "rrel" if op in ("racq", "rracq") else "rel"
            lines.append(f"T1|{release}({lock})|{len(lines) + 1}")
    return "\n".join(lines) + "\n"


cases = []
for name, sections, *verdicts in table:
    for column, verdict in zip(columns, verdicts):
        if verdict is not None:
            cases.append((f"{name} {column}", trace(sections, column), verdict))
for name, sections in missed:
    cases.append((f"missed by lockdep: {name}", trace(sections, "rlock"), True))

out = subprocess.run([judge, "-l", "-m"], input="==\n".join(c[1] for c in cases),
                     capture_output=True, text=True).stdout
blocks = [[]]
for line in out.splitlines():
    if line.startswith("trace\t") and any(b.startswith("trace\t") for b in blocks[-1]):
        blocks.append([])
    blocks[-1].append(line)
failed = 0
for number, (case, block) in enumerate(itertools.zip_longest(cases, blocks, fillvalue=[]), 1):
    name, text, verdict = case
    reported = [line for line in block if line.startswith("finding\t")]
    good = bool(reported) == verdict and any(line.startswith("trace\t") for line in block)
    failed += not good
    print("ok" if good else "not ok", number, "-", name, "FAIL" if verdict else "ok")
    if not good:
        print("#", text.replace("\n", " "), "->", block)
print(f"1..{len(cases)}")
sys.exit(failed != 0)
