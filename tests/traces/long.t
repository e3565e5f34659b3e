#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Traces past the real budgets of the prediction: what is called predicted happens in them, too.
import importlib.machinery
import importlib.util
import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("small", os.path.join(here, "random.t"))
small = importlib.util.module_from_spec(importlib.util.spec_from_loader("small", loader))
loader.exec_module(small)
number = failed = 0
LONG = 3000000  # events; prediction calls a trace long from 2,000,000 on


def check(trouble, text):
    global number, failed
    number += 1
    failed += bool(trouble)
    print("not ok" if trouble else "ok", number, "-", text)
    for line in str(trouble).splitlines()[:12] if trouble else ():
        print("#", line)


def ask(text, *options):
    out = subprocess.run([small.program, "-m", "-s", *options], input=text, capture_output=True, text=True)
    return out.returncode, out.stdout


# T1 and T2 may deadlock behind a queued writer. T3 and T4 take the same locks so that nothing would
# have to queue, but T4 reads what T3 writes after it let go of both.
FAIR_ONLY = """W|acq(A)|1
W|rel(A)|1
W|acq(B)|1
W|rel(B)|1
T1|racq(A)|2
T1|racq(B)|3
T1|rrel(B)|4
T1|rrel(A)|5
T2|racq(B)|6
T2|racq(A)|7
T2|rrel(A)|8
T2|rrel(B)|9
T3|racq(A)|10
T3|acq(B)|11
T3|rel(B)|12
T3|rrel(A)|13
T3|w(x)|14
T4|r(x)|15
T4|racq(B)|16
T4|acq(A)|17
T4|rel(A)|18
T4|rrel(B)|19
"""
for padding, text in ((0, "a short trace"), (1000000, "a trace of more than two million events")):
    _, out = ask("P|acq(Z)|0\nP|rel(Z)|0\n" * padding + FAIR_ONLY)
    codes = [line.split("\t")[1] for line in out.splitlines() if line.startswith("finding")]
    check(codes != ["predicted-fair"] and out, f"{text}: what only a fair lock would block stays predicted-fair")

with open(os.path.join(here, "long", "crossed-readers.std")) as file:
    status, out = ask(file.read())
check(status and f"exit status {status}\n{out}", "more patterns than the budget checks: no crash")
check("\tcut\t" not in out and out, "more patterns than the budget checks: the end of the search is told")


def longest(events):
    """The trace as text, with as much private work of its own threads in it as makes it long."""
    parts, before = [], {}
    for i, (thread, op, operand) in enumerate(events):
        if before.get(thread) not in ("req", "rreq"):
            parts.append(f"{thread}|w(p{thread})|p\n" * (LONG // len(events)))
        parts.append(f"{thread}|{op}({operand})|{i}\n")
        before[thread] = op
    return "".join(parts)


first = 0
for wanted in ("predicted", "instance-inversion", "predicted-fair"):
    while True:
        events = small.generate(first)
        expected = small.exhaust(small.Trace(events))
        first += 1
        if wanted in expected[0].values():
            break
    text = longest(events)
    _, out = ask(text)
    answer = small.read_answers(out)[0]
    compare = small.compare if answer.is_complete else small.compare_undecided
    trouble = compare(expected, answer.codes)
    check("; ".join(trouble) + "\n" + small.text_of(events) if trouble else "",
          f"trace {first - 1} padded to {text.count(chr(10))} events: {wanted} as in the short one")
print(f"1..{number}")
sys.exit(failed != 0)
