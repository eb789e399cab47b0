# SPDX-License-Identifier: Apache-2.0
"""Sends requests that may be anything to a server of its own, and says how it took them.

The server is the real one, on a workspace with two models and a small data set. In place of its trainer there is a script that fails or
explains at once: the requests are what is tried here, not trainings.
"""

import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import request_seeds

ROOT = Path(__file__).resolve().parents[2]
COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}
MOST_GROWTH_MIB = 96  # of the server's memory, from the second quarter of the time to the last
TRAINER = """#!/bin/sh
if [ "$1" = explain ]; then
  cat > /dev/null
  echo '{"event":"explained","explanations":[{"class_index":0,"predicted_index":0,"probabilities":[1,0,0],"layer":"x","method":"x","heatmap":[[0,1],[1,0]]}]}'
  exit 0
fi
exit 1
"""


def imago(workspace, *arguments):
    done = subprocess.run([ROOT / "build" / "imago", "--workspace", workspace, *map(str, arguments)], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"imago {' '.join(map(str, arguments))}: {done.stderr}"


def prepare(folder):
    """A workspace with `small`, trained a little, `other` in two versions, of which the first is the same, and what is sent to them."""
    for label, colour in COLOURS.items():
        (folder / "images" / label).mkdir(parents=True)
        for i in range(30):
            (folder / "images" / label / f"{i}.png").write_bytes(request_seeds.png(*(min(255, c + i) for c in colour)))
    workspace = folder / "workspace"
    imago(workspace, "data", "import", folder / "images", "--name", request_seeds.DATASET)
    imago(workspace, "train", "--data", request_seeds.DATASET, "--recipe", "quick", "--epochs", 1, "--model", request_seeds.MODEL)
    imago(workspace, "models", "export", f"{request_seeds.MODEL}:1", folder / "model.tar")
    imago(workspace, "models", "import", folder / "model.tar", "--name", request_seeds.OTHER)
    imago(workspace, "train", "--data", request_seeds.DATASET, "--recipe", "quick", "--epochs", 1, "--seed", 2, "--model", request_seeds.OTHER)
    (folder / "seeds").mkdir()
    request_seeds.write(folder / "seeds")
    return workspace


class Watch:
    """The memory of a process, looked at until it is told to stop."""

    def __init__(self, process):
        self.mib = []
        self._process, self._stop = process, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self):
        while not self._stop.wait(0.2) and self._process.poll() is None:
            self.mib.append(in_status(self._process.pid, "VmRSS") // 1024)

    def stop(self):
        """Ends, and says how much it was: medians, as a large image comes and goes."""
        self._stop.set()
        self._thread.join()
        quarters = [self.mib[len(self.mib) * i // 4 : len(self.mib) * (i + 1) // 4 + 1] for i in range(4)]
        second, last = (statistics.median(quarters[i] or [0]) for i in (1, 3))
        return {"second_quarter": second, "last_quarter": last, "peak": max(self.mib, default=0)}


def in_status(pid, key):
    try:
        return next(int(line.split()[1]) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(key + ":"))
    except (OSError, StopIteration):
        return 0


def add_header(folder, line):
    """To every seed that was written into `folder`."""
    for path in (folder / "probe", *folder.glob("often/*"), *folder.glob("rare/*")):
        first, rest = path.read_bytes().split(b"\r\n", 1)
        path.write_bytes(first + b"\r\n" + line.encode() + b"\r\n" + rest)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(build, folder, workspace, environment, *options, trainer=None):
    """A server of that build, ready, and its port. Its trainer is `trainer`, or the script above."""
    programs = folder / "programs"
    programs.mkdir()
    shutil.copy2(build / "imago", programs / "imago")
    if trainer:
        (programs / "imago-trainer").symlink_to(trainer)
    else:
        (programs / "imago-trainer").write_text(TRAINER)
        (programs / "imago-trainer").chmod(0o755)
    port = free_port()
    command = [programs / "imago", "--workspace", workspace, "serve", "--port", str(port), "--model", request_seeds.MODEL, "--model", request_seeds.OTHER, *options]
    with (folder / "server.txt").open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **environment})
    for _ in range(600):
        assert process.poll() is None, (folder / "server.txt").read_text()
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5)
            return process, port
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not become ready within 60 s")


def run(count, build=ROOT / "build", seed=1, connections=32, environment=None, patience=3600, keep=None):
    """The client's report, with what became of the server. Its `faults` are empty when nothing is wrong; what was found goes to `keep`."""
    with tempfile.TemporaryDirectory(prefix="fuzz-requests-") as name:
        folder = Path(name)
        workspace = prepare(folder)
        process, port = start(build, folder, workspace, environment or {})
        watch = Watch(process)
        started = time.monotonic()
        try:
            client = [ROOT / "build" / "tests" / "fuzz_requests", port, folder / "seeds", count, seed, connections]
            done = subprocess.run(list(map(str, client)), capture_output=True, text=True, timeout=patience, stdin=subprocess.DEVNULL)
            assert done.returncode in (0, 1), f"fuzz_requests: {done.returncode}: {done.stderr}"
            report = json.loads(done.stdout)
            report["seconds"] = round(time.monotonic() - started, 1)
            report["server_mib"] = watch.stop()
            judge_server(report, process, port, folder, sanitized=bool(environment))
        finally:
            watch.stop()
            process.kill()
            process.wait()
        if keep and report["faults"]:
            shutil.rmtree(keep, ignore_errors=True)
            shutil.copytree(folder / "seeds" / "faults", keep)
            shutil.copy(folder / "server.txt", keep)
        return report


def judge_server(report, process, port, folder, sanitized):
    """After all that it must be ready, no larger than it was, and end as it should."""
    faults = report["faults"]
    if process.poll() is not None:
        faults.append(f"the server ended with {process.returncode}: {(folder / 'server.txt').read_text()[-2000:]}")
        return
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=10)
    except OSError as error:
        faults.append(f"the server is not ready: {error}")
    memory = report["server_mib"]
    if not sanitized and memory["last_quarter"] - memory["second_quarter"] > MOST_GROWTH_MIB:
        faults.append(f"the server grew: {memory}")
    process.send_signal(signal.SIGTERM)
    try:
        status = process.wait(timeout=90)
    except subprocess.TimeoutExpired:
        status = "no end within 90 s"
    if status != 0:
        faults.append(f"the server ended with {status}: {(folder / 'server.txt').read_text()[-2000:]}")
    report["log_errors"] = sum(" error" in line or "[error]" in line for line in (folder / "server.txt").read_text(errors="replace").splitlines())
