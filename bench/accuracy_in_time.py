#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How accurate is a model after three minutes of training on a processor, and when does a run reach 90 % and 93 %?

    bench/accuracy_in_time.py [--minutes 3] [--seeds 3] [--recipe quick] [--program build]
    bench/accuracy_in_time.py --run RUN --workspace WORKSPACE
    bench/accuracy_in_time.py --shipped models/cifar10.json

The first trains on CIFAR-10 (JPEG copies) in a new workspace, and takes the accuracy on the test split; the others read the validation
accuracy of a run that there is, and of a model's file that ships or did (`git show COMMIT:models/cifar10.json`). Minutes are of training,
validation included, from the first step on.
"""

import argparse
import json
import os
from pathlib import Path

from common import ROOT, Program, merge_result, new_workspace, spread

MARKS = (0.90, 0.93)


def reached(points):
    return {f"{mark:.0%}": next((round(seconds, 1) for seconds, value in points if value >= mark), None) for mark in MARKS}


def of_training(report, lineage):
    """What a model's report and lineage tell of its training; seconds are those of training, over all its sittings."""
    training = report["training"]
    points = [(round(epoch["elapsed"], 1), epoch["val_accuracy"]) for epoch in training["history"]]
    return {"recipe": lineage["recipe"]["name"], "seed": lineage["seed"], "threads": lineage["threads"], "trained": lineage["created"],
            "trained_by": lineage["code_version"], "seconds": training["outcome"]["seconds"],
            "test_accuracy": report["test"]["accuracy"], "test_accuracy_by_views": report["accuracy_by_views"],
            "seconds_to_validation_accuracy": reached(points), "validation_accuracy": points}


def of_run(program, run_id):
    summary = program.json("runs", "show", run_id)["summary"]
    version = program.workspace / "models" / summary["model"] / str(summary["version"])
    return of_training(*(json.loads((version / f"{name}.json").read_text()) for name in ("report", "lineage")))


def train(options):
    runs = []
    with new_workspace(options.program) as program:
        program.json("data", "import", "cifar10")
        for seed in range(1, options.seeds + 1):
            done = program.json("train", "--data", "cifar10", "--recipe", options.recipe, "--max-minutes", options.minutes, "--seed", seed,
                                "--model", f"bench-{seed}", limit=60 * options.minutes + 1800)
            runs.append(of_run(program, done["run"]))
            print(f"seed {seed}: {runs[-1]['test_accuracy']:.2%} on the test split after {runs[-1]['seconds']:.0f} s", flush=True)
    merge_result("accuracy_in_time", f"{options.recipe}, {options.minutes:g} minutes", {
        "question": "accuracy on CIFAR-10's test split (JPEG copies) after so many minutes of training",
        "load_average": round(os.getloadavg()[0], 1),
        "test_accuracy": spread([run["test_accuracy"] for run in runs]),
        "runs": runs,
    })


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=3)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--recipe", default="quick")
    arguments.add_argument("--run")
    arguments.add_argument("--shipped", type=Path)
    arguments.add_argument("--workspace", default=os.environ.get("IMAGO_WORKSPACE", "workspace"))
    arguments.add_argument("--program", type=Path, default=ROOT / "build")
    options = arguments.parse_args()
    if options.run:
        found = of_run(Program(options.program, options.workspace), options.run)
    elif options.shipped:
        model = json.loads(options.shipped.read_text())
        found = {**of_training(model["report"], model["lineage"]), "machine": model["lineage"]["machine"]}  # not this one
    else:
        return train(options)
    print(found["seconds_to_validation_accuracy"])
    merge_result("accuracy_in_time", f"a run of {found['recipe']}, {found['seconds'] / 60:.0f} minutes", found)


if __name__ == "__main__":
    main()
