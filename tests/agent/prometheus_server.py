# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Prometheus with our alert rules, scraping one port of this machine. Used by prometheus.t and
the lab's service.t."""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

here = os.path.dirname(os.path.abspath(__file__))
top = os.path.dirname(os.path.dirname(here))


def fetch():
    """Directory of prometheus and promtool, or None."""
    found = subprocess.run([os.path.join(here, "fetch-prometheus")], stdout=subprocess.PIPE, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, seconds=40, pause=0.5):
    """What it returned once that is true, or None when the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            got = what()
            if got:
                return got
        except (OSError, KeyError, ValueError):
            pass
        time.sleep(pause)
    return None


class Prometheus:
    def __init__(self, binaries, target, interval="1s"):
        self.work = tempfile.mkdtemp(prefix="vfiotrace-prometheus-")
        self.port = free_port()
        shutil.copy(os.path.join(top, "src/metrics/vfiotrace.rules.yml"), self.work)
        with open(os.path.join(self.work, "prometheus.yml"), "w", encoding="utf-8") as f:
            f.write(f"""global: {{scrape_interval: {interval}, evaluation_interval: {interval}}}
rule_files: [vfiotrace.rules.yml]
scrape_configs:
  - job_name: vfiotrace
    static_configs: [{{targets: ["127.0.0.1:{target}"]}}]
""")
        with open(os.path.join(self.work, "log"), "w", encoding="utf-8") as log:
            self.server = subprocess.Popen(
                [os.path.join(binaries, "prometheus"), "--config.file=prometheus.yml",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--storage.tsdb.path=data"],
                cwd=self.work, stdout=log, stderr=log)

    def api(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        return self.api("query", query=expression)["result"]

    def value(self, expression):
        """The number of the only series of the answer, or None."""
        result = self.query(expression)
        return float(result[0]["value"][1]) if len(result) == 1 else None

    def firing(self, name):
        return [a for a in self.api("alerts")["alerts"]
                if a["state"] == "firing" and a["labels"]["alertname"] == name]

    def stop(self):
        self.server.terminate()
        self.server.wait(20)
        shutil.rmtree(self.work, ignore_errors=True)
