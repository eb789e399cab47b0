#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many images a second become a data set that can be trained on, beside torchvision's ImageFolder and OpenCV in Python?

    bench/import.py [--pairs 10] [--cifar10 FOLDER] [--photographs FOLDER] [--scaling]

FOLDER: cifar-10-images.tar.zst and cats-dogs.tar, unpacked. Needs the targets imago and bench_pack, and `scripts/setup bench`.

Ours is `imago data import FOLDER` as a user runs it (start of the program, hash, check by decoding, store, manifest), then the packing that
training does first (decode, resize, write the .npy). The peers decode and resize into an array in memory, and keep nothing: torchvision in a
DataLoader with 2 workers; OpenCV in one process and in two, of which the faster counts in each pair. Files come from memory (the
page cache), and all that is written goes to --scratch, by default memory too: the disk is the same for everybody who uses it. --scaling adds
our import and packing of CIFAR-10's first 1,000, 10,000 and 60,000 images.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from common import ROOT, spread, write_result

PYTHON = ROOT / ".deps" / "bench" / "bin" / "python"
PEERS = ROOT / "bench" / "peers"
WORKERS = 2


def run(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


def timed(command):
    return json.loads(run(command))


def ours(options, folder, side):
    """Seconds of the import and of the packing, and how many images."""
    with tempfile.TemporaryDirectory(dir=options.scratch) as workspace:
        started = time.perf_counter()
        run([options.program, "--workspace", workspace, "data", "import", folder, "--name", "images"])
        imported = time.perf_counter() - started
        packed = timed([options.pack, Path(workspace) / "datasets", "images", side])
    return imported, packed["seconds"], packed["images"]


def peer(script, *arguments):
    return timed([PYTHON, PEERS / script, *arguments])["seconds"]


def pair(options, folder, side):
    """Images a second of everybody, one after the other."""
    folders = [folder / "train", folder / "test"] if (folder / "train").is_dir() else [folder]
    imported, packed, images = ours(options, folder, side)
    torchvision = peer("torchvision_import.py", side, WORKERS, *folders)
    opencv = min(peer("opencv_import.py", side, processes, *folders) for processes in (1, 2))
    return {"imago import": images / imported, "imago pack": images / packed, "imago import and pack": images / (imported + packed),
            "torchvision": images / torchvision, "OpenCV": images / opencv}


def part_of(folder, images, place):
    """A folder with copies of the first images of each class."""
    classes = sorted(path for path in folder.glob("*/*") if path.is_dir())
    share = images / sum(1 for _ in folder.glob("*/*/*"))
    for kind in classes:
        target = place / kind.relative_to(folder)
        target.mkdir(parents=True)
        files = sorted(kind.iterdir())
        for file in files[:round(len(files) * share)]:
            shutil.copyfile(file, target / file.name)
    return place


def scaling(options):
    rows = {}
    for images in (1_000, 10_000, 60_000):
        with tempfile.TemporaryDirectory(dir=options.scratch) as place:
            folder = part_of(options.cifar10, images, Path(place) / "part")
            runs = [ours(options, folder, 32) for _ in range(3)]
        assert runs[0][2] == images, runs[0]
        rows[images] = {"import": spread([1e6 * imported / images for imported, _, _ in runs]),
                        "pack": spread([1e6 * packed / images for _, packed, _ in runs])}
        print(f"{images} images: {rows[images]['import']['median']:.0f} us each to import, {rows[images]['pack']['median']:.0f} to pack", flush=True)
    return rows


def measure(options, folder, side):
    pairs = []
    for _ in range(options.pairs):
        pairs.append(pair(options, folder, side))
        print(", ".join(f"{who} {rate:.0f}" for who, rate in pairs[-1].items()), "images/s", flush=True)
    figures = {who: spread([row[who] for row in pairs]) for who in pairs[0]}
    ratios = {f"{mine} / {other}": spread([row[mine] / row[other] for row in pairs])
              for mine in ("imago import and pack", "imago pack") for other in ("torchvision", "OpenCV")}
    return {"side": side, "images_per_second": figures, "ratio": ratios}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pairs", type=int, default=10)
    arguments.add_argument("--cifar10", type=Path)
    arguments.add_argument("--photographs", type=Path)
    arguments.add_argument("--scaling", action="store_true")
    arguments.add_argument("--scratch", default="/dev/shm")
    arguments.add_argument("--program", default=ROOT / "build" / "imago")
    arguments.add_argument("--pack", default=ROOT / "build" / "bench_pack")
    options = arguments.parse_args()
    sets = [(name, folder, side) for name, folder, side in
            (("CIFAR-10 (JPEG copies)", options.cifar10, 32), ("2,000 photographs", options.photographs, 224)) if folder]
    body = {name: measure(options, folder.resolve(), side) for name, folder, side in sets}
    if options.scaling:
        body["microseconds_an_image"] = scaling(options)
    versions = run([PYTHON, "-c", "import torch, torchvision, PIL, cv2; print(torch.__version__, torchvision.__version__, PIL.__version__, "
                                  "cv2.__version__)"]).split()
    write_result("import", {
        "question": "images a second imported (hashed, checked, stored) and packed, against ImageFolder and OpenCV, which decode and resize only",
        "peer": dict(zip(("torch", "torchvision", "pillow", "opencv"), versions)),
        "workers": WORKERS,
        "scratch": "memory" if str(options.scratch).startswith("/dev/shm") else "disk",
        "load_average": round(os.getloadavg()[0], 1),
        **body,
    })


if __name__ == "__main__":
    main()
