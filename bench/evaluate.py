#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast is CIFAR-10's test split evaluated, beside ONNX Runtime and Pillow in Python? And what is the shipped model's confidence worth?

    bench/evaluate.py [--pairs 10] [--images 10000] [--heavy-images 2000] [--data FOLDER]

Needs the targets imago and imago-trainer, the shipped model, FOLDER/cifar-10-images.tar.zst (default: $IMAGO_DATA, else ../shared/data) and
`scripts/setup bench`.

One pair is `imago evaluate --as-served --timed-images 0`, the packed images of an earlier run deleted so that it decodes them again, and then the peer on the same
files and the same ONNX file with as many threads as there are cores, in the batches that it was fastest with in a first round. Two networks:
improved-cnn, small enough that reading the images counts (one epoch on a few images: what it answers says nothing, and accuracy is compared only
to see that both compute the same), on --images images; and the shipped cifar10, where the convolutions are nearly all of it, on --heavy-images.
`command` is the whole of it, from start to exit; `measuring` without the program's or the interpreter's start; for ours that is decoding and
packing plus the network's calls as `latency.batches` has them.

The confidence is measured once, on all 10,000: ECE with and without the temperature, which share can be answered at 99 %, and what the limit that
`imago models threshold` finds on the validation split comes to on the test split.
"""

import argparse
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from common import ROOT, new_workspace, spread, write_result

PYTHON = ROOT / ".deps" / "bench" / "bin" / "python"
PEER = ROOT / "bench" / "peers" / "onnxruntime_evaluate.py"
BATCHES = (64, 256)


def ours(program, model, data):
    shutil.rmtree(program.workspace / "datasets" / "cache", ignore_errors=True)
    started = time.perf_counter()
    report = program.json("evaluate", model, "--data", f"{data}:test", "--as-served", "--timed-images", "0")
    seconds = time.perf_counter() - started
    return {"command": report["n"] / seconds, "network": report["latency"]["batches"]["images_per_second"], "accuracy": report["accuracy"]}


def peer_job(program, model, data):
    package = program.workspace / "models" / model / "1"
    spec = json.loads((package / "spec.json").read_text())
    files = [[str(program.object_path(row)), row["label"]] for row in program.rows(data)[1] if row["split"] == "test"]
    return {"onnx": str(package / "model.onnx"), "mean": spec["preprocess"]["mean"], "stddev": spec["preprocess"]["stddev"],
            "width": spec["preprocess"]["width"], "height": spec["preprocess"]["height"], "threads": os.cpu_count(), "files": files}


def peer(job, batch):
    started = time.perf_counter()
    done = subprocess.run([PYTHON, PEER], input=json.dumps({**job, "batch": batch}), capture_output=True, text=True, timeout=600)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    answer = json.loads(done.stdout)
    return {"command": answer["images"] / seconds, "measuring": answer["images"] / answer["seconds"], "accuracy": answer["accuracy"]}


def compare(program, model, data, pairs):
    job = peer_job(program, model, data)
    few = {**job, "files": job["files"][:1000]}
    batch = max(BATCHES, key=lambda size: peer(few, size)["measuring"])
    ours(program, model, data)  # warms up
    rows = []
    for _ in range(pairs):
        a, b = ours(program, model, data), peer(job, batch)
        if abs(a["accuracy"] - b["accuracy"]) > 0.002:
            raise SystemExit(f"not the same network: accuracy {a['accuracy']} and {b['accuracy']}")
        rows.append((a, b))
        print(f"{model}: {a['command']:.0f} and {b['command']:.0f} images/s, the network alone {a['network']:.0f}", flush=True)
    return {"images": len(job["files"]), "peer_batch": batch, "accuracy": rows[0][0]["accuracy"],
            "imago_images_per_second": {key: spread([a[key] for a, _ in rows]) for key in ("command", "network")},
            "onnxruntime_images_per_second": {key: spread([b[key] for _, b in rows]) for key in ("command", "measuring")},
            "ratio_of_commands": spread([a["command"] / b["command"] for a, b in rows]),
            "ratio_to_the_peer_without_its_start": spread([a["command"] / b["measuring"] for a, b in rows])}


def limit_on_test(program, certainty):
    """The limit for 99 % that is found on the 1,000 images of validation, and what the test split is under it."""
    try:
        found = program.json("models", "threshold", "cifar10", "--accuracy", "0.99", "--certainty", certainty)
    except SystemExit as refused:
        return {"certainty": certainty, "refused": str(refused).splitlines()[-1]}
    report = program.json("evaluate", "cifar10", "--data", "cifar10:test", "--as-served", "--timed-images", "0")
    keys = ("least_confidence", "coverage", "coverage_interval", "accuracy", "accuracy_interval")
    return {"certainty": certainty, "fitted": found["abstention"]["fitted"], "on_test": {key: report["abstention"][key] for key in keys}}


def confidence(program):
    """What the shipped model's confidence is worth on the whole test split."""
    started = time.perf_counter()
    report = program.json("evaluate", "cifar10", "--data", "cifar10:test", "--as-served", "--timed-images", "0")
    seconds = time.perf_counter() - started
    at_99 = next(at for at in report["coverage"]["at"] if at["accuracy"] == 0.99)
    return {"n": report["n"], "accuracy": report["accuracy"], "temperature": report["temperature"], "command_seconds": round(seconds, 1),
            "ece": {"before": report["uncalibrated"]["expected_error"], "after": report["calibration"]["expected_error"]},
            "answered_at_99_percent": at_99,
            "limits_from_validation": [limit_on_test(program, certainty) for certainty in (0, 0.95)]}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pairs", type=int, default=10)
    arguments.add_argument("--images", type=int, default=10_000)
    arguments.add_argument("--heavy-images", type=int, default=2_000)
    arguments.add_argument("--program", default=ROOT / "build")
    arguments.add_argument("--data", default=os.environ.get("IMAGO_DATA", ROOT.parent / "shared" / "data"))
    options = arguments.parse_args()
    with new_workspace(options.program) as program:
        program.json("data", "import", "cifar10", "--from", options.data, "--split", "98/2/0")  # as the shipped model's was
        program.json("models", "import", ROOT / "models" / "cifar10.tar")
        for name, images in (("small", options.images), ("heavy", options.heavy_images)):
            program.import_part("cifar10", max(1, images // 10), name)
        program.json("train", "--data", "heavy", "--recipe", "improved-cnn", "--epochs", "1", "--model", "light")
        networks = {"improved-cnn": compare(program, "light", "small", options.pairs),
                    "cifar10 (airbench94)": compare(program, "cifar10", "heavy", options.pairs)}
        worth = confidence(program)
    versions = subprocess.run([PYTHON, "-c", "import onnxruntime, PIL, numpy; print(onnxruntime.__version__, PIL.__version__, numpy.__version__)"],
                              capture_output=True, text=True, check=True).stdout.split()
    print(json.dumps(worth, indent=1))
    write_result("evaluate", {
        "question": "images a second of `imago evaluate` against ONNX Runtime with Pillow on the same ONNX; what the shipped model's confidence is worth",
        "peer": dict(zip(("onnxruntime", "pillow", "numpy"), versions)),
        "threads": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "networks": networks,
        "confidence": worth,
    })


if __name__ == "__main__":
    main()
