#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many augmented training images a second reach the learner, beside torchvision.transforms.v2 in a DataLoader with as many workers?

    bench/augment.py [--pairs 10] [--seconds 6] [--data cifar10] [--workers 2]

Needs a workspace with the data set, the target bench_augment and `scripts/setup bench`. For every kind of augmentation one pair is: our
loader with so many threads, then PyTorch's with so many workers; batches of 64 images, normalised, that nobody learns from.
"""

import argparse
import json
import os
import subprocess
from pathlib import Path

from common import ROOT, spread, write_result

PYTHON = ROOT / ".deps" / "bench" / "bin" / "python"
BATCH = 64
KINDS = {  # peers/torchvision_augment.py has the same by the same names
    "flip and crop": {"flip": "random", "crop_padding": 4},
    "rotation, zoom and colours": {"flip": "random", "rotation": 15, "zoom": 0.1, "brightness": 0.2, "contrast": 0.2, "saturation": 0.2, "hue": 0.1},
    "RandAugment": {"flip": "random", "crop_padding": 4, "randaugment_operations": 2, "randaugment_magnitude": 9},
    "mixup and cutmix": {"flip": "random", "crop_padding": 4, "mixup": 0.2, "cutmix": 1.0},
}


def rate(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return json.loads(done.stdout)["images_per_second"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pairs", type=int, default=10)
    arguments.add_argument("--seconds", type=float, default=6)
    arguments.add_argument("--data", default="cifar10")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--program", default=ROOT / "build" / "bench_augment")
    arguments.add_argument("--workspace", default=os.environ.get("IMAGO_WORKSPACE", "workspace"))
    options = arguments.parse_args()
    datasets = Path(options.workspace).resolve() / "datasets"

    def ours(kind, seconds):
        return rate([options.program, datasets, options.data, seconds, BATCH, options.workers, json.dumps(KINDS[kind])])

    def peer(kind):
        return rate([PYTHON, ROOT / "bench" / "peers" / "torchvision_augment.py", images, options.seconds, BATCH, options.workers, kind])

    ours("flip and crop", 0.5)  # makes the packed images if they are not there
    images = max((datasets / "cache").rglob("*.npy"), key=lambda path: path.stat().st_size)
    rows = {kind: {"imago": [], "torchvision": []} for kind in KINDS}
    for _ in range(options.pairs):
        for kind, row in rows.items():
            row["imago"].append(ours(kind, options.seconds))
            row["torchvision"].append(peer(kind))
            print(f"{kind}: {row['imago'][-1]:.0f} {row['torchvision'][-1]:.0f} images/s, ratio {row['imago'][-1] / row['torchvision'][-1]:.1f}",
                  flush=True)
    versions = subprocess.run([PYTHON, "-c", "import torch, torchvision; print(torch.__version__, torchvision.__version__)"], capture_output=True,
                              text=True, check=True).stdout.split()
    write_result("augment", {
        "question": "augmented, normalised images a second in batches of 64, against torchvision.transforms.v2 in a DataLoader",
        "peer": {"torch": versions[0], "torchvision": versions[1]},
        "workers": options.workers,
        "images_per_second": {kind: {who: spread(values) for who, values in row.items()} for kind, row in rows.items()},
        "ratio": {kind: spread([a / b for a, b in zip(row["imago"], row["torchvision"])]) for kind, row in rows.items()},
    })


if __name__ == "__main__":
    main()
