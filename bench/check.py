#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much of what is planted in real images does `imago data check` find, how much does it accuse wrongly, how long does it take?

    .deps/test/bin/python bench/check.py [--planted 200] [--workspace FOLDER]

CIFAR-10 (60,000 images) and the cats and dogs photographs; copies of training images, changed and unchanged, are added to the
test split of each."""

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

from PIL import Image

from common import ROOT, write_result

IMAGO = ROOT / "build" / "imago"


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
            tar.extractall(target, filter="data")
        stream.wait()
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(target, filter="data")


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
                          timeout=1800, check=True)
    return json.loads(done.stdout)


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
    accused = set(together) - involved
    rest = report["images"] - len(involved)
    return {"images": report["images"], "seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2), "planted_of_each": count,
            "found": found, "others_accused": len(accused), "others": rest, "others_accused_share": accused and len(accused) / rest or 0.0}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planted", type=int, default=200, help="copies of each kind")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("IMAGO_DATA", ROOT.parent / "shared" / "data")))
    options = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory(prefix="imago-check-") as temporary:
        folder = Path(temporary)
        unpack(options.data / "cifar-10-images.tar.zst", folder / "cifar")
        source = next(path.parent for path in (folder / "cifar").rglob("train") if path.is_dir())
        results["cifar10"] = measure(folder, "cifar10", source, options.planted)
        print(json.dumps(results, indent=2), flush=True)
        unpack(options.data / "cats-dogs.tar", folder / "all")
        for file in sorted((folder / "all").rglob("*.jpg")):
            split = "test" if int(file.stem) % 5 == 0 else "train"
            target = folder / "photos" / split / file.parent.name / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            file.rename(target)
        results["cats-dogs"] = measure(folder, "photos", folder / "photos", min(options.planted, 100))
    print(json.dumps(results["cats-dogs"], indent=2))
    write_result("check", {"note": "others_accused are images that nobody planted, the data sets' own near copies among them",
                           "data": results})


if __name__ == "__main__":
    main()
