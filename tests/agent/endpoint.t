#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics endpoint alone under hostile clients: what they get, what a scraper sees, what stays."""
import os
import signal
import subprocess
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
sys.dont_write_bytecode = True
import hostile as h  # noqa: E402

build = os.environ.get("BUILD", "build")
program = os.path.join(here, "../..", build, "tests/endpoint_sample")
if not os.path.exists(program):
    subprocess.run(["make", "-s", "-C", os.path.join(here, "../.."), f"{build}/tests/endpoint_sample"],
                   check=True, stdout=sys.stderr)
t = h.Tap()
sample = subprocess.Popen([program, "127.0.0.1:0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True)
port = int(sample.stdout.readline())
time.sleep(0.5)
server = h.children(sample.pid)[0]

status, headers, body = h.get(port)
t.ok(status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4"),
     "without Accept: Prometheus text 0.0.4")
t.ok("# EOF" not in body and "# TYPE vfiotrace_losses_total counter" in body, "that text has no EOF mark")
status, headers, body = h.get(port, headers={"Accept": "application/openmetrics-text; version=1.0.0"})
t.ok(status == 200 and headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0"),
     "asked for: OpenMetrics 1.0")
t.ok(body.endswith("# EOF\n"), "that text ends with EOF")
t.ok(h.get(port, method="HEAD")[0] == 200, "HEAD is answered")
for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
    t.ok(h.get(port, method=method)[0] == 405, f"{method} is refused with 405")
for path in ("/../../etc/passwd", "/metrics/x", "/%2e%2e/%2e%2e/etc/shadow"):
    t.ok(h.get(port, path)[0] in (404, 400), f"{path} is not served")
t.ok(h.get(port, "/metrics?x=" + "y" * 200)[0] == 200, "a query is ignored")

t.ok(h.status_of(server, "Uid") == ("65534" if os.geteuid() == 0 else str(os.geteuid())),
     "its process is nobody")
t.ok(all(int(h.status_of(server, k), 16) == 0 for k in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb")),
     "without a capability in any set")
t.ok(h.status_of(server, "NoNewPrivs") == "1", "and cannot gain one")
fds = os.listdir(f"/proc/{server}/fd")
t.ok(len(fds) <= 3 + 5, f"it holds {len(fds)} descriptors")

code = h.oversized(port, b"GET /metrics HTTP/1.1\r\nX: ", 1 << 20)
t.ok(code in (0, 400, 413, 431), f"a header of 1 MiB is refused ({code})")
code = h.oversized(port, b"GET /", 1 << 20)
t.ok(code in (0, 400, 414), f"an address of 1 MiB is refused ({code})")
code = h.oversized(port, b"POST /metrics HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n", 8 << 20)
t.ok(code in (0, 405, 413), f"a body of 100 MB is refused ({code})")

scraper = h.Scraper(port)
opened = h.silent(port, 3000, 6)
scraper.stop()
t.ok(opened >= 2900 and scraper.bad == 0 and scraper.slowest < 3,
     f"{opened} silent connections: {scraper.good} scrapes, {scraper.bad} failed, slowest {scraper.slowest:.2f} s")
for e in scraper.errors[:3]:
    print("#", e)

scraper = h.Scraper(port)
cut = h.trickle(port, 100, 14)
scraper.stop()
t.ok(cut == 100 and scraper.bad == 0,
     f"100 clients of a byte a second: {cut} cut off, {scraper.good} scrapes, {scraper.bad} failed")

scraper = h.Scraper(port)
sent = h.half(port, 3000) + h.garbage(port, 3000)
scraper.stop()
t.ok(scraper.bad == 0, f"{sent} half requests and garbage: {scraper.good} scrapes, {scraper.bad} failed, "
     f"slowest {scraper.slowest:.2f} s")

scraper = h.Scraper(port)
answered = h.flood(port, 4)
scraper.stop()
t.ok(answered > 500 and scraper.bad == 0, f"a flood of {answered} requests in 4 s: {scraper.good} scrapes, "
     f"{scraper.bad} failed, slowest {scraper.slowest:.2f} s")

t.ok(server in h.children(sample.pid), "the process is the one that was started")
rss = int(h.status_of(server, "VmRSS"))
t.ok(rss < 65536, f"its memory is {rss} kB")
for waited in range(15):
    left = len(os.listdir(f"/proc/{server}/fd"))
    if left <= len(fds) + 2:
        break
    time.sleep(1)
t.ok(left <= len(fds) + 2, f"{left} descriptors {waited} s afterwards, {len(fds)} before")

os.kill(server, signal.SIGKILL)
time.sleep(4)
t.ok(h.get(port)[0] == 200, "killed, it is started again")
sample.stdin.close()
rest = dict(line.split() for line in sample.stdout.read().splitlines())
sample.wait(10)
t.ok(rest["restarts"] == "1", "once")
t.ok(int(rest["longest_pause_ms"]) < 1000,
     f"the publisher's longest pause between rounds of 100 ms was {rest['longest_pause_ms']} ms "
     f"({rest['requests']} requests answered)")
t.end()
