#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How accurate is a model after three minutes of training on a processor, and when does a run reach 90 % and 93 %?

    bench/accuracy_in_time.py [--minutes 3] [--seeds 3] [--recipe quick] [--program build]
    bench/accuracy_in_time.py --run RUN --workspace WORKSPACE

The first trains on CIFAR-10 (JPEG copies) in a new workspace, and takes the accuracy on the test split; the second reads the validation
accuracy of a run that there is. Minutes are of training, validation included, from the first step on.
"""

import argparse
import json
import os
from datetime import datetime
from pathlib import Path

from common import ROOT, Program, merge_result, new_workspace, spread

MARKS = (0.90, 0.93)


def curve(run):
    """Seconds of training and validation accuracy at the end of each epoch, and how the seconds are known."""
    points = run["metrics"]["val_accuracy"]
    times = [datetime.fromisoformat(point["time"]).timestamp() for point in points]
    seconds = run["summary"]["outcome"]["seconds"]
    if times[-1] - times[0] < seconds:
        return [(seconds - (times[-1] - time), point["value"]) for time, point in zip(times, points)], "clock"
    # It was interrupted and resumed; epochs take the same time each.
    return [(seconds * point["step"] / points[-1]["step"], point["value"]) for point in points], "share of epochs"


def reached(points):
    return {f"{mark:.0%}": next((round(seconds, 1) for seconds, value in points if value >= mark), None) for mark in MARKS}


def of_run(program, run_id):
    run = program.json("runs", "show", run_id)
    points, by = curve(run)
    version = program.workspace / "models" / run["summary"]["model"] / str(run["summary"]["version"])
    by_views = json.loads((version / "report.json").read_text())["accuracy_by_views"]
    return {"recipe": run["params"]["recipe"]["name"], "seed": run["params"]["seed"], "threads": run["params"]["threads"],
            "seconds": run["summary"]["outcome"]["seconds"], "test_accuracy": run["summary"]["test_accuracy"],
            "test_accuracy_by_views": by_views, "seconds_known_by": by,
            "seconds_to_validation_accuracy": reached(points), "validation_accuracy": [[round(s, 1), value] for s, value in points]}


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
    arguments.add_argument("--workspace", default=os.environ.get("IMAGO_WORKSPACE", "workspace"))
    arguments.add_argument("--program", type=Path, default=ROOT / "build")
    options = arguments.parse_args()
    if not options.run:
        return train(options)
    found = of_run(Program(options.program, options.workspace), options.run)
    print(found["seconds_to_validation_accuracy"])
    merge_result("accuracy_in_time", f"a run of {found['recipe']}, {found['seconds'] / 60:.0f} minutes", found)


if __name__ == "__main__":
    main()
