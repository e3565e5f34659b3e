#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent on this machine: what it says to systemd and the journal, hostile clients while it traces,
short-lived tasks, reload, a unix socket, and that nothing of it remains."""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

here = os.path.dirname(os.path.abspath(__file__))
top = os.path.dirname(os.path.dirname(here))
sys.path.insert(0, here)
sys.dont_write_bytecode = True
import hostile as h  # noqa: E402

binary = os.path.join(top, os.environ.get("BUILD", "build"), "vfiotrace")
t = h.Tap()
work = tempfile.mkdtemp(prefix="vfiotrace-agent-")
state = os.path.join(work, "state")
os.mkdir(state, 0o700)
suppress = os.path.join(work, "suppress")
with open(suppress, "w", encoding="utf-8") as f:
    f.write("# nothing yet\n")


class Listener(threading.Thread):
    """Datagrams that arrive on a unix socket."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.got = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o777)
        self.start()

    def run(self):
        while True:
            self.got.append(self.socket.recv(65536))

    def has(self, word, seconds=30):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if any(word.encode() in packet for packet in list(self.got)):
                return True
            time.sleep(0.1)
        return False


def bpf_objects(pid):
    """(kind, id) of every BPF object this process holds."""
    found = set()
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{name}", encoding="utf-8") as info:
                for line in info:
                    key = line.split(":")[0]
                    if key in ("prog_id", "map_id", "link_id"):
                        found.add((key[:-3], line.split()[1]))
        except OSError:
            pass
    return found


def still_there(objects):
    tool = next((p for p in ("/usr/sbin/bpftool", "/usr/bin/bpftool") if os.path.exists(p)), "bpftool")
    return [o for o in sorted(objects)
            if subprocess.run([tool, o[0], "show", "id", o[1]], capture_output=True, check=False).returncode == 0]


def alive(pid):
    try:
        return h.status_of(pid, "State") != "Z"
    except OSError:
        return False


def start(*more, environment=None, prefix=()):
    return subprocess.Popen([*prefix, binary, "agent", "--force", "--state", state, *more],
                            env=dict(os.environ, **(environment or {})), stdout=subprocess.DEVNULL,
                            stderr=open(os.path.join(work, "err"), "w", encoding="utf-8"))


def said():
    with open(os.path.join(work, "err"), encoding="utf-8", errors="replace") as f:
        return f.read()


# --- refusals that need no kernel --------------------------------------------------------------
link = os.path.join(work, "link")
os.symlink(state, link)
bad = subprocess.run([binary, "agent", "-d", "1", "--state", link], capture_output=True, text=True, check=False)
t.ok(bad.returncode == 1 and "link" in bad.stderr, "a link in place of the state directory is refused")
bad = subprocess.run([binary, "agent", "-d", "1", "--state", state, "--listen", "localhost:http"],
                     capture_output=True, text=True, check=False)
t.ok(bad.returncode == 1 and "--listen" in bad.stderr, "an address that is not in numbers is refused")
bad = subprocess.run([binary, "agent", "-d", "1", "--state", state, "--hook", "echo x"], capture_output=True,
                     text=True, check=False)
t.ok(bad.returncode == 1 and "absolute" in bad.stderr, "a hook that is no absolute path is refused")
bad = subprocess.run([binary, "agent", "--max-overhead", "much"], capture_output=True, text=True, check=False)
t.ok(bad.returncode == 64, "--max-overhead that is no number is wrong usage")

# --- with a manager and a journal that are ours -----------------------------------------------------
manager = Listener(os.path.join(work, "notify"))
journal = Listener(os.path.join(work, "journal"))
mount = "mkdir -p /run/systemd/journal && touch /run/systemd/journal/socket && " \
        f"mount --bind {work}/journal /run/systemd/journal/socket && exec \"$@\""
inside = ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /run && " + mount, "sh"]
agent = start("--listen", "127.0.0.1:0", "--suppress", suppress, "--sample-interval", "5s", prefix=inside,
              environment={"NOTIFY_SOCKET": os.path.join(work, "notify"), "WATCHDOG_USEC": "4000000"})
if not manager.has("READY=1", 60):
    agent.kill()
    status = agent.wait()
    print("#", said()[-400:])
    if status == 77 or "check" in said():
        t.skip("the agent traces", "this kernel does not allow it")
        t.end()
        sys.exit(0)
t.ok(manager.has("READY=1", 1), "READY=1 once everything is attached")
t.ok(manager.has("STATUS="), "a status line follows")
t.ok(manager.has("WATCHDOG=1"), "the watchdog is fed")
t.ok(journal.has("5f0b2c6c4c1d4b0f9d1a7f36a1e40a20"), "the journal hears of the start under its MESSAGE_ID")
port = int(said().split("metrics on port ")[1].split()[0])
time.sleep(1)

with open(suppress, "w", encoding="utf-8") as f:
    f.write("nonsense\n")
agent.send_signal(signal.SIGHUP)
t.ok(manager.has("RELOADING=1"), "SIGHUP: RELOADING=1")
t.ok(journal.has("5f0b2c6c4c1d4b0f9d1a7f36a1e40a27"), "mistakes: the journal says that the old rules stay")
with open(suppress, "w", encoding="utf-8") as f:
    f.write("suppress a.lock > b.lock\n\treason tried in a test\n")
agent.send_signal(signal.SIGHUP)
t.ok(journal.has("5f0b2c6c4c1d4b0f9d1a7f36a1e40a26"), "none: reloaded")

# --- hostile clients while it traces, and as many short-lived tasks as go ------------------------------


def churn(seconds):
    """Short-lived processes as fast as they go."""
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        for _ in range(50):
            pid = os.posix_spawn("/bin/true", ["true"], {})
            os.waitpid(pid, 0)
            count += 1
    return count


rss = int(h.status_of(agent.pid, "VmRSS"))
scraper = h.Scraper(port)
tasks = []
worker = threading.Thread(target=lambda: tasks.append(churn(8)))
worker.start()
silent = h.silent(port, 2000, 3)
garbage = h.half(port, 1500) + h.garbage(port, 1500)
flood = h.flood(port, 3)
worker.join()
scraper.stop()
t.ok(scraper.bad == 0 and scraper.good > 20,
     f"{silent} silent, {garbage} broken clients, a flood of {flood}, {tasks[0]} short-lived tasks: "
     f"{scraper.good} scrapes, {scraper.bad} failed, slowest {scraper.slowest:.2f} s")
time.sleep(6)
_, _, body = h.get(port)
losses = sum(float(line.split()[-1]) for line in body.splitlines()
             if line.startswith("vfiotrace_losses_total") and "probe_missing" not in line)
t.ok(losses == 0, f"nothing was lost meanwhile ({losses:.0f})")
t.ok(agent.poll() is None and "vfiotrace_endpoint_restarts_total 0" in body, "both processes are the ones that were started")
grown = int(h.status_of(agent.pid, "VmRSS")) - rss
t.ok(grown < 32768, f"its memory: {rss} kB before, {grown:+d} kB")
overhead = [line for line in body.splitlines() if line.startswith("vfiotrace_overhead_ratio")]
t.ok(any('part="kernel"' in line for line in overhead), f"own cost is measured: {'; '.join(overhead)}")
agent.send_signal(signal.SIGUSR1)
for _ in range(100):
    files = [n for n in os.listdir(state) if n.endswith(".vfiotrace")]
    if files:
        break
    time.sleep(0.1)
t.ok(len(files) == 1 and "snapshot" in files[0], "SIGUSR1 writes an incident file of what is known")
report = subprocess.run([binary, "report", os.path.join(state, files[0])] if files else ["false"],
                        capture_output=True, text=True, check=False)
known = subprocess.run([binary, "--help"], capture_output=True, text=True, check=False).stdout
if "\n  report " in known:
    t.ok(report.returncode in (0, 2, 4) and report.stdout != "", "which vfiotrace report reads")
else:
    t.skip("which vfiotrace report reads", "report is not built")

held = bpf_objects(agent.pid)
agent.terminate()
status = agent.wait(30)
t.ok(status in (0, 2, 4), f"SIGTERM ends it with the findings' exit status ({status})")
t.ok(manager.has("STOPPING=1", 1), "STOPPING=1")
t.ok(journal.has("5f0b2c6c4c1d4b0f9d1a7f36a1e40a21", 5), "and the journal hears of the end")
time.sleep(1)
left = still_there(held)
t.ok(len(held) > 3 and not left, f"of its {len(held)} programs, maps and links none remains {left or ''}")
try:
    h.get(port, timeout=2)
    t.ok(False, "and nobody listens")
except OSError:
    t.ok(True, "and nobody listens")

# --- killed hard, and a unix socket ---------------------------------------------------------------------
path = os.path.join(work, "metrics.sock")
os.chmod(work, 0o755)
agent = start("--listen", "unix:" + path)
for _ in range(300):
    if "watching" in said():
        break
    time.sleep(0.1)
s = socket.socket(socket.AF_UNIX)
s.connect(path)
s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
answer = b""
s.settimeout(5)
while chunk := s.recv(65536):
    answer += chunk
t.ok(answer.startswith(b"HTTP/1.1 200") and b"vfiotrace_build_info" in answer, "metrics on a unix socket")
endpoint, held = h.children(agent.pid), bpf_objects(agent.pid)
agent.kill()
agent.wait()
time.sleep(1.5)
t.ok(endpoint and not any(alive(pid) for pid in endpoint), "killed hard, its endpoint ends with it")
left = still_there(held)
t.ok(len(held) > 3 and not left, f"and the kernel keeps nothing {left or ''}")
agent = start("--listen", "unix:" + path, "-d", "1")
t.ok(agent.wait(60) in (0, 2, 4), "the socket it left is no obstacle to the next start")

# --- bounds: a budget nobody can keep, memory that is always too much -------------------------------------
agent = start("--listen", "127.0.0.1:0", "--max-overhead", "0.000001%", "--max-memory", "8M")
for _ in range(300):
    if "watching" in said():
        break
    time.sleep(0.1)
port = int(said().split("metrics on port ")[1].split()[0])
body = ""
for _ in range(45):
    time.sleep(1)
    try:
        body = h.get(port)[2]
    except OSError:
        continue
    if 'vfiotrace_shed{part="scope"} 1' in body and "vfiotrace_model_restarts_total 0" not in body:
        break
t.ok('vfiotrace_shed{part="scope"} 1' in body and "of a CPU against a budget" in said(),
     "over its budget it gives up a part and says so")
t.ok("vfiotrace_model_restarts_total" in body and "vfiotrace_model_restarts_total 0" not in body and agent.poll() is None,
     "over its memory the model is reset and the agent goes on")
agent.terminate()
t.ok(agent.wait(30) in (0, 2, 4), "and ends in order")
subprocess.run(["rm", "-rf", work], check=False)
t.end()
