#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much of what is planted in real images does `imago data check` find, how much does it accuse wrongly, how long does it take?

    .deps/test/bin/python bench/check.py [--planted 200]
    .deps/test/bin/python bench/check.py --labels [--folds 3] [--set epochs=6] [--images 60000]

CIFAR-10 (60,000 images) and the cats and dogs photographs; copies of training images, changed and unchanged, are added to the
test split of each. Both have near copies of their own, which are no false alarms: whether an accused image is one is judged
here by other means than the program's (confirmed, below). With --labels, 2 % of CIFAR-10's labels are another, drawn at
random: how many of as many labels as were changed, the worst ones of the program's list, are among them?"""

import argparse
import io
import json
import os
import random
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from common import ROOT, write_result

IMAGO = Path(os.environ.get("IMAGO", ROOT / "build" / "imago"))


def jpeg60(image):
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=60)
    return Image.open(io.BytesIO(encoded.getvalue()))


def scaled(factor):
    return lambda image: image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC)


def cropped(image):
    x, y = max(1, round(image.width * 0.03)), max(1, round(image.height * 0.03))
    return image.crop((x, y, image.width - x, image.height - y))


CHANGES = {"jpeg q=60": jpeg60, "size - 10 %": scaled(0.9), "size + 10 %": scaled(1.1),
           "brightness + 10": lambda image: image.point(lambda value: min(255, value + 10)),
           "crop 3 % a side": cropped}


def unpack(archive, target):
    if archive.suffix == ".zst":
        stream = subprocess.Popen(["zstd", "-dcq", archive], stdout=subprocess.PIPE)
        with tarfile.open(fileobj=stream.stdout, mode="r|") as tar:
            tar.extractall(target)
        stream.wait()
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(target)


def plant(source, count):
    """Adds copies to the test split; returns {copy: (original, change)}."""
    train = sorted((source / "train").rglob("*.jpg"))
    chosen = random.Random(1).sample(train, count * (len(CHANGES) + 1))
    planted = {}
    for i, original in enumerate(chosen):
        change = ["exact", *CHANGES][i // count]
        copy = source / "test" / original.parent.name / f"planted{i}{'.jpg' if change == 'exact' else '.png'}"
        if change == "exact":
            copy.write_bytes(original.read_bytes())
        else:
            CHANGES[change](Image.open(original).convert("RGB")).save(copy)
        planted[str(copy.relative_to(source))] = (str(original.relative_to(source)), change)
    return planted


def imago(workspace, *arguments):
    done = subprocess.run([IMAGO, "--workspace", workspace, "--json", *map(str, arguments)], capture_output=True, text=True,
                          timeout=7200, check=True)
    return json.loads(done.stdout)


SIDE = 32
SHIFT = 3
CONFIRMED = 0.75  # below 0.36 for 300 random pairs, above 0.94 for 500 planted copies; by eye, mixed from 0.6 to 0.75


def opened(path):
    return Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def details(image):
    """What a blurred copy lacks: edges and textures. The program compares coarse thumbnails, with their colours."""
    gray = image.convert("L")
    return np.asarray(gray, np.float32) - np.asarray(gray.filter(ImageFilter.GaussianBlur(2)), np.float32)


def correlation(a, b):
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else 0.0


def likeness(a, b):
    """The best correlation of the details over shifts by up to three pixels and three scales of `b`."""
    edge = SHIFT + 1
    middle = details(a)[edge:-edge, edge:-edge]
    best = -1.0
    for zoom in (1.0, 30 / 32, 32 / 30):
        corner = (SIDE - SIDE / zoom) / 2
        moved = details(b.transform((SIDE, SIDE), Image.Transform.AFFINE, (1 / zoom, 0, corner, 0, 1 / zoom, corner),
                                    Image.Resampling.BICUBIC))
        for y in range(1, 2 * SHIFT + 2):
            for x in range(1, 2 * SHIFT + 2):
                best = max(best, correlation(middle, moved[y:y + SIDE - 2 * edge, x:x + SIDE - 2 * edge]))
    return best


def best_matches(source, groups, planted):
    """{image that nobody planted: how much the likest other of its groups is like it}"""
    best = {}
    for group in groups:
        images = {path: opened(source / path) for path in group}
        for i, one in enumerate(group):
            for other in group[:i]:
                alike = likeness(images[one], images[other])
                for path in (one, other):
                    best[path] = max(best.get(path, -1.0), alike)
    return {path: alike for path, alike in best.items() if path not in planted}


def groups(report, check):
    return [[image["path"] for image in item["images"]] for found in report["findings"] if found["check"] == check
            for item in found["items"]]


def measure(folder, name, source, count):
    planted = plant(source, count)
    workspace = folder / f"workspace-{name}"
    imago(workspace, "data", "import", source, "--name", name)
    start, cpu = time.monotonic(), sum(os.times()[2:4])
    report = imago(workspace, "data", "check", name, "--report", folder / f"{name}.html")
    seconds, cpu = time.monotonic() - start, sum(os.times()[2:4]) - cpu
    together = {}
    for check in ("duplicate_exact", "duplicate_near"):
        for group in groups(report, check):
            for path in group:
                together.setdefault(path, set()).update(group)
    found = {change: sum(original in together.get(copy, ()) for copy, (original, how) in planted.items() if how == change) / count
             for change in ["exact", *CHANGES]}
    involved = set(planted) | {original for original, _ in planted.values()}
    others = report["images"] - len(involved)
    matches = best_matches(source, groups(report, "duplicate_near"), involved)
    doubtful = sum(alike < CONFIRMED for alike in matches.values())
    return {"images": report["images"], "seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2), "planted_of_each": count,
            "found": found, "others": others, "own_near_copies": len(matches) - doubtful,
            "own_near_copies_share": round((len(matches) - doubtful) / others, 5), "false_alarms": doubtful,
            "false_alarm_share": round(doubtful / others, 5)}


def flip_labels(source, share):
    """Moves a share of the images to the folder of another class; returns their new paths."""
    generator = random.Random(1)
    files = sorted(source.rglob("*.jpg"))
    labels = sorted({file.parent.name for file in files})
    flipped = set()
    for file in generator.sample(files, round(share * len(files))):
        other = generator.choice([label for label in labels if label != file.parent.name])
        target = file.parent.parent / other / f"{file.parent.name}-{file.name}"
        file.rename(target)
        flipped.add(str(target.relative_to(source)))
    return flipped


def thin_out(source, images):
    files = sorted(source.rglob("*.jpg"))
    for file in random.Random(2).sample(files, len(files) - images):
        file.unlink()


def measure_labels(folder, source, options):
    if options.images < 60000:
        thin_out(source, options.images)
    flipped = flip_labels(source, 0.02)
    workspace = folder / "workspace"
    imago(workspace, "data", "import", source, "--name", "flipped")
    start, cpu = time.monotonic(), sum(os.times()[2:4])
    settings = [argument for setting in options.set for argument in ("--set", setting)]
    report = imago(workspace, "data", "check", "flipped", "--suspicious-labels", "--folds", options.folds, *settings)
    seconds, cpu = time.monotonic() - start, sum(os.times()[2:4]) - cpu
    named = next(found for found in report["findings"] if found["check"] == "suspicious_label")
    paths = [item["images"][0]["path"] for item in named["items"]]
    right = [path in flipped for path in paths]
    count = len(flipped)
    return {"images": report["images"], "flipped": count, "folds": options.folds, "settings": options.set, "seconds": round(seconds),
            "cpu_seconds": round(cpu), "named": len(paths), "precision_at_number_flipped": round(sum(right[:count]) / count, 4),
            "precision_at_half_of_it": round(sum(right[:count // 2]) / (count // 2), 4),
            "precision_of_all_named": round(sum(right) / len(paths), 4), "recall_of_all_named": round(sum(right) / count, 4)}


def unpack_cifar(options, folder):
    unpack(options.data / "cifar-10-images.tar.zst", folder / "cifar")
    return next(path.parent for path in (folder / "cifar").rglob("train") if path.is_dir())


def unpack_photographs(options, folder):
    unpack(options.data / "cats-dogs.tar", folder / "all")
    for file in sorted((folder / "all").rglob("*.jpg")):
        split = "test" if int(file.stem) % 5 == 0 else "train"
        target = folder / "photos" / split / file.parent.name / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        file.rename(target)
    return folder / "photos"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planted", type=int, default=200, help="copies of each kind")
    parser.add_argument("--labels", action="store_true", help="measure suspicious labels instead")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--images", type=int, default=60000, help="with --labels: so many of CIFAR-10's")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of the recipe that --labels trains")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("IMAGO_DATA", ROOT.parent / "shared" / "data")))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imago-check-") as temporary:
        folder = Path(temporary)
        if options.labels:
            measured = measure_labels(folder, unpack_cifar(options, folder), options)
            print(json.dumps(measured, indent=2))
            write_result("check_labels", {"note": "2 % of CIFAR-10's labels (JPEG copies) changed to another, uniformly", "data": measured})
            return
        results = {"cifar10": measure(folder, "cifar10", unpack_cifar(options, folder), options.planted)}
        print(json.dumps(results, indent=2), flush=True)
        results["cats-dogs"] = measure(folder, "photos", unpack_photographs(options, folder), min(options.planted, 100))
    print(json.dumps(results["cats-dogs"], indent=2))
    write_result("check", {"note": "false alarms: images that nobody planted and that are named as near copies, but whose details, aligned, "
                                   f"correlate by less than {CONFIRMED} with every other image of their group", "data": results})


if __name__ == "__main__":
    main()
