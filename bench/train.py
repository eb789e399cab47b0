#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many images a second does training improved-cnn take in, augmentation on, beside the usual PyTorch loop?

    bench/train.py [--pairs 10] [--seconds 12] [--data cifar10]

Needs a workspace with the data set and `scripts/setup bench`. One pair is: imago-trainer, then PyTorch from PyPI with the same network,
optimiser, batch and cores. Both count images between a warm-up of a quarter of the time and the end. The peer runs with 0 and with 2
DataLoader workers first, and then with the faster.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

from common import ROOT, spread, write_result

PYTHON = ROOT / ".deps" / "bench" / "bin" / "python"


def ours(job, seconds):
    """Images a second from the trainer's own events: steps done between the end of the warm-up and the last event."""
    done = subprocess.run([ROOT / "build" / "imago-trainer"], input=json.dumps(job), capture_output=True, text=True, check=True)
    steps = [event for event in map(json.loads, done.stdout.splitlines()) if event["event"] == "step" and event["elapsed"] > seconds / 4]
    first, last = steps[0], steps[-1]
    return (last["step"] - first["step"]) * job["recipe"]["batch_size"] / (last["elapsed"] - first["elapsed"])


def peer(images, seconds, workers):
    done = subprocess.run([PYTHON, ROOT / "bench" / "peers" / "torch_train.py", images, str(seconds), str(seconds / 4), str(workers)],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["images_per_second"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pairs", type=int, default=10)
    arguments.add_argument("--seconds", type=float, default=12)
    arguments.add_argument("--data", default="cifar10")
    arguments.add_argument("--workspace", default=os.environ.get("IMAGO_WORKSPACE", "workspace"))
    options = arguments.parse_args()
    workspace = Path(options.workspace).resolve()
    recipe = json.loads(subprocess.run([ROOT / "build" / "imago", "--json", "recipes", "show", "improved-cnn"], capture_output=True, text=True,
                                       check=True).stdout)
    with tempfile.TemporaryDirectory() as folder:
        # A budget stops the run; the last epoch's validation lies outside the steps that are counted.
        job = {"datasets": str(workspace / "datasets"), "dataset": options.data, "run_folder": folder + "/run", "package_folder": folder + "/package",
               "model_name": "bench", "model": "bench", "seed": 1, "threads": os.cpu_count(), "resume": False,
               "recipe": {**recipe, "epochs": 1000, "max_minutes": options.seconds / 60, "early_stopping_patience": 0}}
        ours(job, options.seconds)
        images = max((workspace / "datasets" / "cache").rglob("*.npy"), key=lambda path: path.stat().st_size)
        workers = max((0, 2), key=lambda n: peer(images, options.seconds, n))
        rows = {"imago": [], "PyTorch": []}
        for _ in range(options.pairs):
            rows["imago"].append(ours(job, options.seconds))
            rows["PyTorch"].append(peer(images, options.seconds, workers))
            print(f"{rows['imago'][-1]:.0f} {rows['PyTorch'][-1]:.0f} images/s, ratio {rows['imago'][-1] / rows['PyTorch'][-1]:.2f}", flush=True)
    ratios = [a / b for a, b in zip(rows["imago"], rows["PyTorch"])]
    versions = subprocess.run([PYTHON, "-c", "import torch, torchvision; print(torch.__version__, torchvision.__version__)"], capture_output=True,
                              text=True, check=True).stdout.split()
    write_result("train", {
        "question": "images a second while training improved-cnn with flip and crop, batch 64, against PyTorch eager with a DataLoader",
        "peer": {"torch": versions[0], "torchvision": versions[1], "dataloader_workers": workers},
        "threads": os.cpu_count(),
        "images_per_second": {who: spread(values) for who, values in rows.items()},
        "ratio": spread(ratios),
    })


if __name__ == "__main__":
    main()
