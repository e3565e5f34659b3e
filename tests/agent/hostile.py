# SPDX-License-Identifier: GPL-2.0-or-later
"""Hostile HTTP clients, and what a scraper sees meanwhile. Used by endpoint.t and agent.t."""
import http.client
import os
import random
import resource
import socket
import threading
import time

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))


def connect(port, timeout=10):
    s = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    return s


def get(port, path="/metrics", method="GET", headers=None, timeout=8):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        c.request(method, path, headers=headers or {})
        r = c.getresponse()
        return r.status, dict(r.getheaders()), r.read().decode()
    finally:
        c.close()


class Scraper(threading.Thread):
    """Scrapes every 100 ms until told to stop; counts failures and the slowest answer."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.done = port, threading.Event()
        self.good = self.bad = 0
        self.slowest = 0.0
        self.errors = []
        self.start()

    def run(self):
        while not self.done.wait(0.1):
            began = time.monotonic()
            try:
                status, _, body = get(self.port)
                ok = status == 200 and "vfiotrace_build_info" in body
            except OSError as error:
                ok = False
                self.errors.append(repr(error))
            except http.client.HTTPException as error:
                ok = False
                self.errors.append(repr(error))
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.good += ok
            self.bad += not ok

    def stop(self):
        self.done.set()
        self.join(20)
        return self


def silent(port, count, seconds):
    """Thousands of connections that never say a word."""
    held = []
    for _ in range(count):
        try:
            held.append(connect(port, 5))
        except OSError:
            pass
    time.sleep(seconds)
    opened = len(held)
    for s in held:
        s.close()
    return opened


def trickle(port, count, seconds):
    """A byte a second: within the silence limit, beyond the deadline. Returns how many were cut."""
    held = [connect(port) for _ in range(count)]
    cut, until = 0, time.monotonic() + seconds
    text = b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 1000
    at = 0
    while time.monotonic() < until and held:
        for s in list(held):
            try:
                s.sendall(text[at:at + 1])
            except OSError:
                held.remove(s)
                s.close()
                cut += 1
        at += 1
        time.sleep(1)
    for s in held:
        s.settimeout(0.2)
        try:
            if s.recv(10) == b"":
                cut += 1
        except socket.timeout:
            pass
        except OSError:
            cut += 1
        s.close()
    return cut


def half(port, count):
    for i in range(count):
        try:
            s = connect(port, 5)
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n"[:1 + i % 32])
            s.close()
        except OSError:
            pass
    return count


def garbage(port, count, seed=7):
    r = random.Random(seed)
    for _ in range(count):
        try:
            s = connect(port, 5)
            s.sendall(r.randbytes(r.randint(1, 2000)))
            s.close()
        except OSError:
            pass
    return count


def oversized(port, head, size):
    """Send a request whose head is far too long; returns the status or 0 when it was cut."""
    s = connect(port)
    try:
        s.sendall(head)
        sent = 0
        while sent < size:
            s.sendall(b"x" * 65536)
            sent += 65536
        s.sendall(b"\r\n\r\n")
    except OSError:
        pass
    try:
        answer = s.recv(64)
        return int(answer.split()[1]) if answer.startswith(b"HTTP") else 0
    except (OSError, ValueError, IndexError):
        return 0
    finally:
        s.close()


def flood(port, seconds, threads=4):
    """Whole requests as fast as they go."""
    until = time.monotonic() + seconds
    done = [0] * threads

    def run(i):
        while time.monotonic() < until:
            try:
                get(port, timeout=5)
                done[i] += 1
            except (OSError, http.client.HTTPException):
                pass

    workers = [threading.Thread(target=run, args=(i,)) for i in range(threads)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    return sum(done)


def status_of(pid, key):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith(key + ":"):
                return line.split()[1]
    return ""


def children(pid):
    out = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if status_of(name, "PPid") == str(pid):
                    out.append(int(name))
            except OSError:
                pass
    return out


class Tap:
    def __init__(self):
        self.count = 0

    def ok(self, good, text):
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {text}", flush=True)
        return good

    def skip(self, text, why):
        self.count += 1
        print(f"ok {self.count} - {text} # SKIP {why}", flush=True)

    def end(self):
        print(f"1..{self.count}", flush=True)
