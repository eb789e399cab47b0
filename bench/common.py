# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: the machine's description, the program and its trainer, a result file that says how it was made."""

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(os.environ.get("IMAGO_BENCH_RESULTS", ROOT / "bench" / "results"))  # elsewhere for a trial


def machine():
    processor = dict(re.findall(r"^([^\t\n]+)\t*: (.+)$", Path("/proc/cpuinfo").read_text().split("\n\n")[0], re.M))
    widest = next((name for name in ("avx512f", "avx2", "avx") if name in processor.get("flags", "").split()), "none")
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    return {"cpu": processor.get("model name", platform.processor()), "family": processor.get("cpu family"), "vectors": widest, "cores": os.cpu_count(),
            "memory_gib": round(memory / 2**20, 1), "kernel": platform.release(),
            "system": next(line.split('"')[1] for line in open("/etc/os-release") if line.startswith("PRETTY_NAME"))}


def commit():
    text = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return text.stdout.strip()


def spread(values):
    return {"n": len(values), "median": statistics.median(values), "min": min(values), "max": max(values)}


class Program:
    """`imago` and `imago-trainer` of one folder, on one workspace."""

    def __init__(self, folder, workspace):
        self.folder, self.workspace = Path(folder).resolve(), Path(workspace).resolve()

    def json(self, *arguments, limit=3600, **environment):
        """What a command answers."""
        done = subprocess.run([self.folder / "imago", "--workspace", self.workspace, "--json", *map(str, arguments)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=limit, env={**os.environ, **environment})
        if done.returncode != 0:
            raise SystemExit(done.stdout + done.stderr)
        return json.loads(done.stdout)

    def rows(self, name):
        """A data set's labels and its rows."""
        version = (self.workspace / "datasets" / name / "latest").read_text().strip()
        head, *rows = map(json.loads, (self.workspace / "datasets" / name / version / "manifest.jsonl").read_text().splitlines())
        return head["labels"], rows

    def object_path(self, row):
        return self.workspace / "datasets" / "objects" / row["sha256"][:2] / row["sha256"]

    def import_part(self, source, per_class, name):
        """A data set of the first test images of each class of `source`, and as many of the training images."""
        labels, rows = self.rows(source)
        with tempfile.TemporaryDirectory() as folder:
            for split in ("train", "test"):
                taken = {}
                for row in rows:
                    if row["split"] != split or taken.get(row["label"], 0) >= per_class:
                        continue
                    taken[row["label"]] = taken.get(row["label"], 0) + 1
                    target = Path(folder) / split / labels[row["label"]] / Path(row["path"]).name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(self.object_path(row), target)
            self.json("data", "import", folder, "--name", name)

    @contextmanager
    def training(self, data, recipe, limit=900):
        """The process id of a trainer and its events as they come (docs/formats/trainer.md). It is killed at the end, or after `limit` s."""
        with tempfile.TemporaryDirectory() as folder:
            job = {"datasets": str(self.workspace / "datasets"), "dataset": data, "run_folder": folder, "package_folder": folder + "/package",
                   "model_name": "bench", "model": "bench", "recipe": recipe, "seed": 1, "threads": os.cpu_count(), "resume": False}
            process = subprocess.Popen([self.folder / "imago-trainer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            guard = threading.Timer(limit, process.kill)
            guard.start()
            try:
                process.stdin.write(json.dumps(job))
                process.stdin.close()
                yield process.pid, map(json.loads, process.stdout)
            finally:
                guard.cancel()
                process.kill()
                process.wait()
                process.stdout.close()


@contextmanager
def new_workspace(program):
    """A Program with nothing yet; it goes away with all that it was given."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield Program(program, folder)


def described(body):
    """`body` holds the figures; how they came about is added here."""
    words = [Path(word).name if word.startswith("/") else word for word in sys.argv[1:]]  # where a folder lies says nothing to others
    return {"command": "bench/" + " ".join([Path(sys.argv[0]).name, *words]), "date": time.strftime("%Y-%m-%d"), "commit": commit(),
            "machine": machine(), **body}


def write(path, result):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"wrote {path}")


def write_result(name, body):
    """NAME.json in RESULTS."""
    write(RESULTS / f"{name}.json", described(body))


def merge_result(name, part, body):
    """PART of NAME.json, whose other parts stay as they are: each says how it was made."""
    path = RESULTS / f"{name}.json"
    parts = json.loads(path.read_text()) if path.exists() else {}
    write(path, {**parts, part: described(body)})
