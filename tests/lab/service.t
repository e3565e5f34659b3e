#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package in a guest with systemd, under a mixed load, then with the bug; scraped meanwhile by a
real Prometheus on this machine whose alert must fire. VFIOTRACE_LONG=1 loads it for an hour, then resets its model under load."""
import glob
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
top = os.path.dirname(os.path.dirname(here))
sys.path.insert(0, os.path.join(top, "tests/agent"))
sys.dont_write_bytecode = True
import hostile as h  # noqa: E402
from prometheus_server import Prometheus, fetch, free_port, wait_for  # noqa: E402

t = h.Tap()
build = os.path.join(top, os.environ.get("BUILD", "build"))
seconds = int(os.environ.get("VFIOTRACE_SERVICE_SECONDS", "3600" if os.environ.get("VFIOTRACE_LONG") else "90"))
kernel = os.environ.get("VFIOTRACE_SERVICE_KERNEL", "6.1")
work = tempfile.mkdtemp(prefix="vfiotrace-service-")
results = os.path.join(work, "results")
MIB = 1048576


def package():
    """Path of the package of this tree."""
    subprocess.run([os.path.join(top, "tests/locked-make"), os.environ.get("BUILD", "build"), "deb"], stdout=sys.stderr, check=True)
    return glob.glob(os.path.join(build, "deb/vfiotrace_*.deb"))[0]


def text(name):
    try:
        with open(os.path.join(results, "service", name), encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def lines(name):
    return text(name).splitlines()


def metric(name, series):
    """Sum of the series of this name, with or without labels; NaN, which is equal to nothing, if there is none."""
    values = [float(line.split()[-1]) for line in lines(name)
              if line.startswith((series + " ", series + "{")) or line.rsplit(" ", 1)[0] == series]
    return sum(values) if values else math.nan


def release(port):
    """QEMU accepts before the guest listens: only what the guest says counts."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        return s.recv(16) != b""


def watch_it(server, guest, port):
    """While the guest runs: wait for the alert, let the guest go on. Returns what Prometheus knew."""
    limit = seconds + 600
    up = wait_for(lambda: guest.poll() is not None or server.value("vfiotrace_resident_memory_bytes"), 900)
    t.ok(up and guest.poll() is None, "a real Prometheus scrapes the service in the guest")
    firing = wait_for(lambda: guest.poll() is not None or server.firing("VfiotraceInversion"), limit, 1)
    t.ok(isinstance(firing, list) and {firing[0]["labels"]["from"], firing[0]["labels"]["to"]} ==
         {"kvm.lock", "vfio_group.group_lock"}, "its alert VfiotraceInversion fires for the two locks of the bug")
    others = {a["labels"]["alertname"] for a in server.api("alerts")["alerts"]} - {"VfiotraceInversion"}
    t.ok(not others, f"and no other alert does {others or ''}")
    window = f"{seconds}s"
    known = {
        "scrapes": server.value(f"sum_over_time(up[{seconds + 420}s])"),
        "cpu": server.value(f"max(rate(vfiotrace_cpu_seconds_total[{window}]))"),
        "kernel": server.value(f'max_over_time(vfiotrace_overhead_ratio{{part="kernel"}}[{window}])'),
    }
    wait_for(lambda: release(port), 120, 1)
    return known


def check_memory():
    """The model evicts locks that are gone, so that it stays as large as it was in the middle of the run."""
    rows = [[int(word) for word in line.split()] for line in lines("memory")]
    if not rows or any(len(row) != 3 for row in rows):
        t.ok(False, "memory: the guest has no figures, or not all the time (did the service end?)")
        return
    group = max(row[2] for row in rows)
    half, end = (max(row[1] for row in part) for part in (rows[:len(rows) // 2 + 1], rows[len(rows) // 2:]))
    records, compactions, chains, took = (metric("metrics.load", f"vfiotrace_{name}_total") for name in
                                          ("records", "model_compactions", "chains_evicted", "model_compaction_seconds"))
    t.ok(end < half + 8 * 1024 and compactions > 0 and metric("metrics.load", "vfiotrace_model_restarts_total") == 0,
         f"memory is flat: {rows[0][1]} KiB resident at first, at most {half} KiB in the first half and {end} in the second; "
         f"{records:.0f} records, {chains:.0f} chains evicted in {compactions:.0f} times, {took / compactions if compactions else 0:.2f} s each; "
         f"its cgroup {group // MIB} MiB with all maps")


def check_start():
    t.ok(metric("metrics.start", 'vfiotrace_attach_level{level="fentry"}') == 1,
         "enabled and started before KVM and VFIO are loaded, it attaches direct calls")
    t.ok("Uid:\t0" not in text("status") and re.search(r"CapEff:\s*000000c400200000", text("status"))
         and re.search(r"NoNewPrivs:\s*1", text("status")),
         "as a user of its own; after attach CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN and CAP_SYSLOG are left")
    attached = metric("metrics.load", 'vfiotrace_probes{state="attached"}')
    t.ok(attached >= 30 and metric("metrics.load", 'vfiotrace_probes{state="failed"}') == 0,
         f"the probes of modules that came later are attached too: {attached:.0f} in all")


def check_load(known):
    rounds = {name: len(lines("load." + name)) for name in ("qemu", "modules", "vms", "mutexes")}
    t.ok(all(rounds.values()) and "error" not in text("load.err"),
         f"{seconds} s of load: " + ", ".join(f"{name} {count} rounds" for name, count in rounds.items()))
    events = metric("metrics.load", "vfiotrace_acquisitions_total")
    losses = metric("metrics.end", "vfiotrace_losses_total")
    skips = metric("metrics.end", "vfiotrace_probe_skips_total")
    known_chains = metric("metrics.load", "vfiotrace_known_chain_hits_total")
    t.ok(events > 10000 and 0 < known_chains < events and losses == 0,
         f"{events:.0f} acquisitions, {known_chains:.0f} of chains known already, {losses:.0f} losses, {skips:.0f} skipped runs")
    t.ok(not any(line.startswith("vfiotrace_inversions{") for line in lines("metrics.load"))
         and metric("metrics.load", "vfiotrace_incidents_total") == 0, "and nothing was found in a load without the bug")
    check_memory()
    t.ok(known["cpu"] is not None and known["kernel"] is not None,
         f"its cost as Prometheus has it: {known['cpu'] or 0:.4f} CPUs in user space, at most {known['kernel'] or 0:.4f} "
         f"in the programs (emulated), {known['scrapes'] or 0:.0f} scrapes")


def check_inversion():
    t.ok(any(line.startswith("vfiotrace_inversions{") and line.endswith(" 1") for line in lines("metrics.inversion")),
         "the inversion is a metric")
    t.ok(re.search(r"-rw------- .*T[0-9]+Z-class-inversion-[0-9a-f]{16}\.vfiotrace$", text("state.list"), re.M),
         "and an incident file, mode 0600, in the state directory")
    report = subprocess.run([os.path.join(build, "vfiotrace"), "report", os.path.join(results, "service/incident.vfiotrace")],
                            capture_output=True, text=True, check=False)
    t.ok("group_lock" in report.stdout and "2b48f52f2bff" in report.stdout, "which vfiotrace report explains")
    t.ok(re.search(r"^1 /var/lib/\S*class-inversion\S* class-inversion warning$", text("hook.out"), re.M),
         "the hook ran with that file")
    entries = [json.loads(line) for line in lines("journal.json")]
    t.ok(len(entries) == 1 and entries[0].get("VFIOTRACE_CODE") == "class-inversion"
         and "kvm.lock" in entries[0].get("VFIOTRACE_CLASSES", "") and "_SYSTEMD_UNIT" in entries[0],
         "the journal has one structured entry of it")
    t.ok("Locks of these classes were taken in opposite orders" in text("journal.explained"), "which journalctl -x explains")
    t.ok(metric("metrics.end", "vfiotrace_reloads_total") == 1, "systemctl reload read the rules again")


def check_stop():
    t.ok(text("stop.exit").strip() == "0" and "Result=success" in text("stop.result"),
         f"systemctl stop ends it in order ({' '.join(lines('stop.result'))})")
    before, during, after = (len(lines("objects." + when)) for when in ("before", "during", "after"))
    t.ok(during > before and after <= before and not text("kprobes.after") and not text("pins.after"),
         f"no program, map, link, pin or probe remains: {before} lines of bpftool before, {during} during, {after} after")
    bad = [line for line in lines("journal") if re.search("watchdog|oom|traceback|denied", line, re.I)]
    t.ok(not bad, f"the journal tells of no restart, watchdog or refusal {bad[:3] or ''}")


def check_reset():
    attached = metric("metrics.reset", 'vfiotrace_probes{state="attached"}')
    events = metric("metrics.reset", "vfiotrace_acquisitions_total") - metric("metrics.reset.before", "vfiotrace_acquisitions_total")
    t.ok(metric("metrics.reset", "vfiotrace_model_restarts_total") >= 1 and attached >= 30 and events >= 1000
         and metric("metrics.reset", 'vfiotrace_attach_level{level="fentry"}') == 1 and "NRestarts=0" in text("reset.result"),
         f"a model that was reset watches as before, with the capabilities that are left: {attached:.0f} probes, {events:.0f} acquisitions more")
    gap = re.search(r"nothing was seen for ([0-9.]+) s", text("journal.reset"))
    t.ok(gap and "Watchdog" not in text("journal.reset"), f"the journal says how long nothing was seen: {gap and gap[1]} s under load (emulated)")


def main():
    binaries = fetch()
    if not binaries:
        t.ok(False, "Debian's prometheus package can be fetched")
        return
    with open(os.path.join(work, "seconds"), "w", encoding="utf-8") as f:
        f.write(f"{seconds}\n")
    scrape, go_on = free_port(), free_port()
    bpftool = next((p for p in ("/usr/sbin/bpftool", "/usr/bin/bpftool") if os.path.exists(p)), "bpftool")
    with open(os.path.join(work, "log"), "w", encoding="utf-8") as log:
        guest = subprocess.Popen(
            [os.path.join(here, "run-guest"), kernel, "--qemu", "--systemd", package(), "--port", f"{scrape}:9757",
             "--port", f"{go_on}:9758", "-w", bpftool, "-f", os.path.join(work, "seconds"), "-o", results,
             "-t", str(seconds + 600), "service"], stdout=log, stderr=log)
    server = Prometheus(binaries, scrape, "2s")
    try:
        known = watch_it(server, guest, go_on)
    finally:
        server.stop()
    status = guest.wait()
    if status == 77:
        t.skip("everything", f"kernel {kernel} or systemd is not present")
        return
    t.ok(status == 0, f"the guest ran to its end and the kernel did not complain (status {status})")
    t.ok(text("exit").strip() == "0" and text("host").strip() == "seen", "so did the scenario")
    if status or text("exit").strip() != "0":
        with open(os.path.join(work, "log"), encoding="utf-8", errors="replace") as f:
            print("# " + "\n# ".join(f.read().splitlines()[-40:] + lines("stderr")[-40:]))
        return
    check_start()
    check_load(known)
    check_inversion()
    check_stop()
    if seconds > 600:
        check_reset()


try:
    main()
finally:
    if os.environ.get("VFIOTRACE_LAB_KEEP"):
        shutil.copytree(work, os.path.join(os.environ["VFIOTRACE_LAB_KEEP"], "service"), dirs_exist_ok=True)
    shutil.rmtree(work, ignore_errors=True)
t.end()
