#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does an epoch cost the same for each image, however many there are?

    bench/epoch_cost.py [--pairs 3] [--sizes 2500,10000,50000] [--recipe improved-cnn] [--program build]

Data sets are as many of CIFAR-10's training images, a tenth each for validation and test. The time is from the end of the first epoch to
the end of the last, with validation, over a few epochs of small data sets and one of large ones: about as long a training for each.
"""

import argparse
import csv
import os
import subprocess
import tempfile
from pathlib import Path

from common import ROOT, merge_result, new_workspace, spread


def unpack(archive, folder):
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder], check=True, timeout=600)
    return {label: sorted(path for path in (folder / "train" / label).iterdir()) for label in sorted(os.listdir(folder / "train"))}


def import_part(program, folder, files, images):
    """A data set of the first images of every class."""
    table = folder / f"first{images}.csv"
    with open(table, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label"])
        rows.writerows([path.relative_to(folder), label] for label, paths in files.items() for path in paths[:images // len(files)])
    name = f"first-{images}"
    program.json("data", "import", table, "--name", name)
    return name


def microseconds_an_image(program, name, recipe, epochs):
    ends, images = [], None
    with program.training(name, {**recipe, "epochs": epochs, "max_minutes": 0, "early_stopping_patience": 0}, limit=3600) as (_, events):
        for event in events:
            if event["event"] == "start":
                images = event["train_images"]
            if event["event"] == "epoch":
                ends.append(event["elapsed"])
            if len(ends) == epochs:
                return 1e6 * (ends[-1] - ends[0]) / (epochs - 1) / images
    raise SystemExit(f"the training on {name} ended after {len(ends)} epochs")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pairs", type=int, default=3)
    arguments.add_argument("--sizes", default="2500,10000,50000")
    arguments.add_argument("--recipe", default="improved-cnn")
    arguments.add_argument("--program", type=Path, default=ROOT / "build")
    arguments.add_argument("--data", type=Path, default=Path(os.environ.get("IMAGO_DATA", ROOT.parent / "shared" / "data")))
    options = arguments.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    with new_workspace(options.program) as program, tempfile.TemporaryDirectory() as unpacked:
        files = unpack(options.data / "cifar-10-images.tar.zst", Path(unpacked))
        names = {size: import_part(program, Path(unpacked), files, size) for size in sizes}
        recipe = program.json("recipes", "show", options.recipe)["recipe"]
        costs = {size: [] for size in sizes}
        for _ in range(options.pairs):
            for size in sizes:
                costs[size].append(microseconds_an_image(program, names[size], recipe, 1 + max(sizes) // size))
                print(f"{size} images: {costs[size][-1]:.1f} us each an epoch", flush=True)
    merge_result("epoch_cost", options.recipe, {
        "question": "microseconds of an epoch for each training image, validation included",
        "microseconds_an_image": {size: spread(values) for size, values in costs.items()},
        "ratio": {f"{size} / {sizes[0]}": spread([a / b for a, b in zip(costs[size], costs[sizes[0]])]) for size in sizes[1:]},
    })


if __name__ == "__main__":
    main()
