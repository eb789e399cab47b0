#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does an MLflow server slow training down: one that is alive, one that is gone, one that never answers?

    bench/tracking.py [--pairs 10] [--seconds 12] [--recipe improved-cnn] [--program build]

Needs `scripts/setup test` (.deps/mlflow) and CIFAR-10. One round is a training of the same length without a server and with each;
images a second are of the run's training time, validation included. The server that is alive shares the machine's cores; it is still
while the others are measured.
"""

import argparse
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from common import ROOT, merge_result, new_workspace, spread

MLFLOW = ROOT / ".deps" / "mlflow" / "bin"
KINDS = ("none", "alive", "gone", "silent")


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(url, process, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("mlflow server did not start")


@contextmanager
def mlflow_server():
    """The address of one on SQLite and a folder."""
    with tempfile.TemporaryDirectory() as folder:
        port = closed_port()
        environment = dict(os.environ, PATH=f"{MLFLOW}:{os.environ['PATH']}", MLFLOW_DISABLE_TELEMETRY="true",
                           MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
        process = subprocess.Popen(
            [MLFLOW / "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--backend-store-uri",
             f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/files"],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # its workers too
            process.wait(20)


@contextmanager
def silent_server():
    """Connections are taken up by the kernel, and nobody reads them."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(64)
        yield f"http://127.0.0.1:{s.getsockname()[1]}"


def images_per_second(program, options, address):
    environment = {"MLFLOW_TRACKING_URI": address, "MLFLOW_EXPERIMENT_NAME": "bench"} if address else {}
    done = program.json("train", "--data", "cifar10", "--recipe", options.recipe, "--max-minutes", options.seconds / 60, "--epochs", 1000, "--model",
                        "bench", "--set", "early_stopping_patience=0", limit=options.seconds + 600, **environment)
    run = program.json("runs", "show", done["run"])
    outcome = run["summary"]["outcome"]
    return outcome["steps"] * run["params"]["recipe"]["batch_size"] / outcome["seconds"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pairs", type=int, default=10)
    arguments.add_argument("--seconds", type=float, default=12)
    arguments.add_argument("--recipe", default="improved-cnn")
    arguments.add_argument("--program", type=Path, default=ROOT / "build")
    options = arguments.parse_args()
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    rates = {kind: [] for kind in KINDS}
    with new_workspace(options.program) as program, mlflow_server() as alive, silent_server() as silent:
        program.json("data", "import", "cifar10")
        images_per_second(program, argparse.Namespace(**{**vars(options), "seconds": 1}), None)  # packs the images
        addresses = {"none": None, "alive": alive, "gone": f"http://127.0.0.1:{closed_port()}", "silent": silent}
        for i in range(options.pairs):
            for kind in KINDS[i % len(KINDS):] + KINDS[:i % len(KINDS)]:  # nobody is always first
                rates[kind].append(images_per_second(program, options, addresses[kind]))
            print(", ".join(f"{kind} {values[-1]:.0f}" for kind, values in rates.items()), "images/s", flush=True)
    merge_result("tracking", options.recipe, {
        "question": "images a second of a training whose MLflow server is alive, gone or silent, against none",
        "images_per_second": {kind: spread(values) for kind, values in rates.items()},
        "ratio": {f"{kind} / none": spread([a / b for a, b in zip(rates[kind], rates["none"])]) for kind in KINDS[1:]},
    })


if __name__ == "__main__":
    main()
