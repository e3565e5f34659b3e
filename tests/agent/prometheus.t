#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""promtool on metrics and alert rules, and a real Prometheus that scrapes the endpoint and fires."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
top = os.path.dirname(os.path.dirname(here))
sys.path.insert(0, here)
sys.dont_write_bytecode = True
import hostile as h  # noqa: E402
from prometheus_server import Prometheus, fetch, wait_for  # noqa: E402

t = h.Tap()
binaries = fetch()
if not binaries:
    t.ok(False, "Debian's prometheus package can be fetched")
    t.end()
    sys.exit(1)
promtool = os.path.join(binaries, "promtool")
build = os.environ.get("BUILD", "build")
program = os.path.join(top, build, "tests/endpoint_sample")
if not os.path.exists(program):
    subprocess.run(["make", "-s", "-C", top, f"{build}/tests/endpoint_sample"], check=True, stdout=sys.stderr)
work = tempfile.mkdtemp(prefix="vfiotrace-prometheus-")
shutil.copy(os.path.join(top, "src/metrics/vfiotrace.rules.yml"), work)
shutil.copy(os.path.join(here, "alerts.test.yml"), work)


def run(*arguments, stdin=None):
    done = subprocess.run(arguments, cwd=work, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode:
        for line in done.stdout.splitlines():
            print("#", line)
    return done.returncode == 0


t.ok(run(promtool, "check", "rules", "vfiotrace.rules.yml"), "promtool check rules")
t.ok(run(promtool, "test", "rules", "alerts.test.yml"), "promtool test rules: each alert fires for what it is for")
with open(os.path.join(work, "vfiotrace.rules.yml"), encoding="utf-8") as f:
    text = f.read()
t.ok(text.count("- alert:") == text.count("runbook:"), f"each of the {text.count('- alert:')} alerts has a runbook")

sample = subprocess.Popen([program, "127.0.0.1:0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
port = int(sample.stdout.readline())
time.sleep(0.5)
body = h.get(port)[2]
t.ok(run(promtool, "check", "metrics", stdin=body), "promtool check metrics")
with open(os.path.join(top, "src/metrics/dashboard.json"), encoding="utf-8") as f:
    dashboard = json.load(f)
shown = set()
for panel in dashboard["panels"]:
    for target in panel["targets"]:
        for word in target["expr"].replace("(", " ").replace("{", " ").replace("[", " ").split():
            if word.startswith("vfiotrace_"):
                shown.add(word)
missing = [name for name in sorted(shown) if f"\n{name}" not in "\n" + body and "_hold_" not in name
           and f"# TYPE {name} " not in body]
t.ok(shown and not missing, f"each of the {len(shown)} metrics of the dashboard exists {missing or ''}")

server = Prometheus(binaries, port)
target = wait_for(lambda: [x for x in server.api("targets")["activeTargets"] if x["health"] == "up"])
t.ok(bool(target), "a real Prometheus scrapes it: target is up")
value = wait_for(lambda: server.api("query", query='vfiotrace_lock_wait_seconds_count{class="vfio_group.group_lock"}')["result"])
t.ok(bool(value) and value[0]["value"][1] == "2", "and knows the wait histogram")
value = wait_for(lambda: server.api("query", query="histogram_quantile(0.5, vfiotrace_lock_wait_seconds_bucket)")["result"])
t.ok(bool(value) and 0.001 < float(value[0]["value"][1]) < 0.01, "whose median is where it belongs")
kinds = wait_for(lambda: server.api("metadata").get("vfiotrace_lock_wait_seconds"))
t.ok(bool(kinds) and kinds[0]["type"] == "histogram" and kinds[0]["unit"] == "seconds", "type and unit arrive (OpenMetrics)")
quiet = [a for a in server.api("alerts")["alerts"] if a["labels"]["alertname"] == "VfiotraceInversion"]
t.ok(not quiet, "no alert while nothing was found")
sample.stdin.write("inversion\n")
sample.stdin.flush()
firing = wait_for(lambda: server.firing("VfiotraceInversion"))
t.ok(bool(firing) and firing[0]["labels"]["from"] == "kvm.lock", "an inversion makes the alert fire")
server.stop()
sample.stdin.close()
sample.wait(10)
shutil.rmtree(work, ignore_errors=True)
t.end()
