#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many requests a second does `imago serve` answer, beside FastAPI + PyTorch and beside the bare engine?

    bench/serve.py [--pairs 10] [--seconds 4] [--model cifar10-improved]

Needs a workspace with a trained `improved-cnn` under the model's name, build/bench_engine (cmake -DIMAGO_BENCHMARKS=ON),
and `scripts/setup bench`. All servers run on this machine's loopback and share its cores with the load generator (wrk),
which reads every answer and counts those without a prediction. One pair is: ours, then the peer, a few seconds each.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from common import ROOT, spread, write_result

BENCH_PYTHON = ROOT / ".deps" / "bench" / "bin"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def memory_mib(pid):
    """Resident memory of a process and its children."""
    total = 0
    for child in [str(pid), *subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()]:
        status = Path(f"/proc/{child}/status").read_text()
        total += int(re.search(r"VmRSS:\s+(\d+)", status).group(1))
    return round(total / 1024, 1)


class Service:
    def __init__(self, name, command, port, environment, health):
        self.name, self.port = name, port
        started = time.monotonic()
        self.process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{health}", timeout=1) as answer:
                    if answer.status == 200:
                        break
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() - started > 120:
                raise SystemExit(f"{name} did not start")
            time.sleep(0.01)
        self.start_seconds = round(time.monotonic() - started, 3)
        self.idle_mib = memory_mib(self.process.pid)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def load(port, form, path, target, connections, seconds):
    """One run of wrk: its figures, and an end to everything when an answer was wrong."""
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", ROOT / "bench" / "lua" / "post.lua",
                           f"http://127.0.0.1:{port}", "--", path, target, form], capture_output=True, text=True, check=True)
    figures = json.loads(re.search(r"RESULT (.*)", done.stdout).group(1))
    if figures["wrong"] or figures["socket_errors"] or not figures["requests"]:
        raise SystemExit(f"wrong answers on port {port}: {figures}")
    return {"rps": figures["requests"] / figures["seconds"], "p50_ms": figures["p50_ms"], "p99_ms": figures["p99_ms"]}


def engine(package, images, batch, seconds):
    done = subprocess.run([ROOT / "build" / "bench_engine", package, str(seconds), str(batch), str(os.cpu_count()), *images],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["images_per_second"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pairs", type=int, default=10)
    arguments.add_argument("--seconds", type=int, default=4)
    arguments.add_argument("--model", default="cifar10-improved")
    arguments.add_argument("--workspace", default=os.environ.get("IMAGO_WORKSPACE", "workspace"))
    options = arguments.parse_args()
    package = sorted((Path(options.workspace) / "models" / options.model).iterdir())[-1]
    images = sorted(str(p) for p in (package / "golden").iterdir() if p.suffix in {".jpg", ".png"})
    pixels = subprocess.run([BENCH_PYTHON / "python", "-c", "import sys,json;from PIL import Image;import numpy as np;"
                             "a=np.asarray(Image.open(sys.argv[1]).convert('RGB').resize((32,32)));"
                             "print(json.dumps({'image':(a.flatten()/255).round(6).tolist()}))", images[0]], capture_output=True, text=True, check=True).stdout
    json_file = Path(tempfile.mkdtemp()) / "image.json"
    json_file.write_text(pixels)

    ports = [free_port(), free_port()]
    ours = Service("imago", [ROOT / "build" / "imago", "--workspace", options.workspace, "serve", "--model", options.model, "--port", str(ports[0])],
                   ports[0], {}, "/ready")
    peer = Service("FastAPI + PyTorch", [BENCH_PYTHON / "uvicorn", "--app-dir", ROOT / "bench" / "peers", "--port", str(ports[1]), "--log-level", "warning",
                                         "fastapi_torch:app"], ports[1], {"IMAGO_PACKAGE": str(package)}, "/health")
    figures, engine_rates = [], {1: [], 8: []}
    try:
        for name, form, path, targets in [("multipart JPEG 32x32", "multipart", images[0], ("/predict", "/predict")),
                                            ("JSON array of 3072 numbers", "json", str(json_file), ("/predict", "/predict_json"))]:
            for connections in (1, 32):
                rows = {"imago": [], "peer": []}
                for pair in range(options.pairs + 1):
                    a = load(ours.port, form, path, targets[0], connections, options.seconds)
                    b = load(peer.port, form, path, targets[1], connections, options.seconds)
                    if pair:  # the first pair warms both up
                        rows["imago"].append(a)
                        rows["peer"].append(b)
                ratios = [a["rps"] / b["rps"] for a, b in zip(rows["imago"], rows["peer"])]
                figures.append({"form": name, "connections": connections, "ratio": spread(ratios),
                                **{who: {key: spread([row[key] for row in run]) for key in run[0]} for who, run in rows.items()}})
                print(name, connections, "connections:", f"{figures[-1]['imago']['rps']['median']:.0f} req/s, "
                      f"{figures[-1]['peer']['rps']['median']:.0f} req/s, ratio {figures[-1]['ratio']['median']:.1f}", flush=True)
        for _ in range(options.pairs):
            for batch in engine_rates:
                engine_rates[batch].append(engine(package, images, batch, options.seconds / 2))
        loaded = {"imago": memory_mib(ours.process.pid), "peer": memory_mib(peer.process.pid)}
    finally:
        ours.stop()
        peer.stop()
        shutil.rmtree(json_file.parent)
    write_result("serve", {
        "question": "requests a second of /predict with improved-cnn, against FastAPI + PyTorch with the same weights and the bare engine",
        "load": f"wrk, 1 thread, {options.seconds} s a run, on the same cores",
        "figures": figures,
        "bare_engine_images_per_second": {f"batch {batch}": spread(rates) for batch, rates in engine_rates.items()},
        "start_seconds": {"imago": ours.start_seconds, "peer": peer.start_seconds},
        "memory_mib": {"imago idle": ours.idle_mib, "peer idle": peer.idle_mib, "imago after load": loaded["imago"], "peer after load": loaded["peer"]},
    })


if __name__ == "__main__":
    main()
