#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Logs of the lab's own hangs (tests/lab/scenarios/hung-tasks, deadlock; one of a kernel with lockdep), for which the
# right answer is known because the lab made them: who waits for what, who owns it, what never ends. Each as it is,
# formatted by the real dmesg, and in every wrapping that people pass logs on in.
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from wrappings import wrappings  # noqa: E402

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
vfiotrace = os.path.join(os.environ.get("BUILD", "build"), "vfiotrace")
number = failed = 0

# What the scenario made: waits of tasks that are on no deadlock (what, owner if the log says it), deadlocks, exit status.
# A task that holds a lock and waits for company is blocked in no lock; the detector does not report it, for a signal
# ends its wait, and 6.1 does not leave on its stack what it waits for.
logs = {
    "lab-7.2-detector.log": {
        "exit": 3, "deadlocks": [[624, 625], [627, 628], [630]],
        "hangs": {633: ("rwsem-write", 631), 635: ("rwsem-read", 631), 638: ("mutex", 636), 639: ("mutex", 636)}},
    "lab-6.1-detector.log": {
        "exit": 2, "deadlocks": [],
        "hangs": {118: ("mutex", None), 119: ("mutex", None), 121: ("rwsem-write", None), 122: ("mutex", None),
                  124: ("mutex", None), 127: ("rwsem-write", None), 129: ("rwsem-read", None), 132: ("mutex", None),
                  133: ("mutex", None)}},
    # lockdep's list names every lock and who has it
    "lab-6.1-lockdep-lists.log": {
        "exit": 2, "deadlocks": [],
        "hangs": {104: ("unknown", None), 106: ("rwsem-write", 104), 108: ("rwsem-read", 104), 109: ("unknown", None),
                  111: ("mutex", 109), 112: ("mutex", 109)}},
    # the group lock has an owner by what functions of VFIO hold; which mutex the lab's driver wants is in no table
    "lab-6.1-vfio-detector.log": {"exit": 2, "deadlocks": [], "hangs": {732: ("mutex", None), 737: ("mutex", 732)}},
    "lab-6.1-vfio-sysrq-w.log": {"exit": 2, "deadlocks": [], "hangs": {732: ("mutex", None), 737: ("mutex", 732)}},
    "lab-6.12-sysrq-w.log": {
        "exit": 2, "deadlocks": [],
        "hangs": {495: ("mutex", None), 496: ("mutex", None), 498: ("rwsem-write", None), 499: ("mutex", None),
                  501: ("mutex", None), 502: ("event", None), 504: ("rwsem-write", None), 506: ("rwsem-read", None),
                  507: ("event", None), 509: ("mutex", None), 510: ("mutex", None)}},
}


def check(good, text, detail=""):
    global number, failed
    number += 1
    failed += not good
    print(("ok" if good else "not ok"), number, "-", text)
    if not good:
        print("#", str(detail)[:2000].replace("\n", "\n# "))


def answer(data):
    done = subprocess.run([vfiotrace, "analyze", "-j", "-"], input=data, capture_output=True, timeout=60)
    said = {"exit": done.returncode, "deadlocks": [], "hangs": {}}
    for record in map(json.loads, done.stdout.splitlines()):
        if record["type"] != "finding" or record["grade"] == "info":
            continue
        if record["kind"] == "deadlock":
            said["deadlocks"].append(sorted(t["tid"] for t in record["tasks"]))
        elif record["kind"] == "hang":
            t = record["tasks"][0]
            owner = t["owner"] or {}
            said["hangs"][t["tid"]] = (t["waits_for"]["what"], owner.get("tid", (owner.get("task") or {}).get("tid")))
        else:
            said.setdefault("others", []).append((record["code"], record["classes"]))
    said["deadlocks"].sort()
    return said, done.stderr.decode()


def tell(name, how, data):
    said, complaints = answer(data.encode() if isinstance(data, str) else data)
    check(said == logs[name], f"{name}: {how}: what the lab made hang", (said, complaints))


stamp = re.compile(r"^\[ *[0-9.]+\] ?")
names = list(logs)
for i, name in enumerate(names):
    with open(f"tests/traces/hung/{name}", encoding="utf-8") as file:
        text = file.read()
    tell(name, "as it is", text)
    lines = [stamp.sub("", line) for line in text.splitlines()]
    for k, (how, wrap) in enumerate(wrappings.items()):
        if k % len(names) == i:
            tell(name, how, wrap(lines))
    with tempfile.NamedTemporaryFile("w", suffix=".raw") as raw:
        raw.writelines(f"<{4 if n % 3 else 6}>{line}\n" for n, line in enumerate(text.splitlines()))
        raw.flush()
        options = ["-T", "-H", "-d", "-e", "-x", "-t", "-r", "-P", "--time-format=iso", "--time-format=delta"]
        for k, option in enumerate(options):
            if k % len(names) != i:
                continue
            made = subprocess.run(["dmesg", "-F", raw.name, option], capture_output=True, check=True)
            tell(name, f"dmesg {option}", made.stdout)

print(f"1..{number}")
sys.exit(failed != 0)
