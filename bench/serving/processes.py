# SPDX-License-Identifier: Apache-2.0
"""A server as a process with all its children: started, paused while others are measured, its memory, its end."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

START_LIMIT = 120.0  # seconds
SETTLE_LIMIT = 20.0
SETTLE_STEP = 0.1


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tree(pid):
    """It and its children's children."""
    pids = [pid]
    for one in pids:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                pids += map(int, children.read_text().split())
            except OSError:
                pass
    return pids


def kib(pid, *keys):
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(int(found[1]) for key in keys if (found := re.search(rf"^{key}:\s+(\d+) kB", status, re.M)))


def memory_mib(pid):
    """What all its processes have for themselves, and the mapped files of the largest: those the others mostly share. Of one process, its RSS."""
    pids = tree(pid)
    return round((sum(kib(one, "RssAnon", "RssShmem") for one in pids) + max(kib(one, "RssFile") for one in pids)) / 1024, 1)


def cpu_seconds(pid):
    ticks = 0
    for one in tree(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Service:
    """Ready once `health` answers 200. Its log is kept for when it does not."""

    def __init__(self, name, command, port, health, log, environment=None):
        self.name, self.port, self.log = name, port, log
        self.url = f"http://127.0.0.1:{port}"
        started = time.monotonic()
        with open(log, "w") as file:
            self.process = subprocess.Popen(list(map(str, command)), env={**os.environ, **(environment or {})}, stdout=file, stderr=subprocess.STDOUT)
        try:
            self.wait_for(health, started)
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.monotonic() - started
        self.idle_mib = memory_mib(self.process.pid)
        self.loaded_mib = 0.0

    def wait_for(self, health, started):
        while not self.answers(health):
            passed = time.monotonic() - started
            if self.process.poll() is not None or passed > START_LIMIT:
                raise SystemExit(f"{self.name} did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(min(0.05, max(0.001, passed / 50)))  # asking takes time that the server needs

    def answers(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=1) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def note_memory(self):
        self.loaded_mib = max(self.loaded_mib, memory_mib(self.process.pid))

    def memory(self):
        return {"idle": self.idle_mib, "under load": self.loaded_mib}

    def signal(self, number):
        for pid in tree(self.process.pid):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def settle(self):
        """Waits until it rests: some work off the requests of clients that have gone, which is no part of the next run."""
        end, before = time.monotonic() + SETTLE_LIMIT, cpu_seconds(self.process.pid)
        while time.monotonic() < end:
            time.sleep(SETTLE_STEP)
            now = cpu_seconds(self.process.pid)
            if now - before <= SETTLE_STEP / 5:
                return
            before = now

    def pause(self):
        """An idle server takes time too: all but the one that is measured stand still."""
        self.settle()
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def stop(self):
        """More than once does no harm."""
        if self.process.poll() is not None:
            return
        self.resume()
        children = tree(self.process.pid)[1:]
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(15)
        for pid in children:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
