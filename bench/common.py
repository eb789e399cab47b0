# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: the machine's description, interleaved pairs, a result file that says how it was made."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(os.environ.get("IMAGO_BENCH_RESULTS", ROOT / "bench" / "results"))  # elsewhere for a trial


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    return {"cpu": model, "cores": os.cpu_count(), "memory_gib": round(memory / 2**20, 1), "kernel": platform.release(),
            "system": next(line.split('"')[1] for line in open("/etc/os-release") if line.startswith("PRETTY_NAME"))}


def commit():
    text = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return text.stdout.strip()


def spread(values):
    return {"n": len(values), "median": statistics.median(values), "min": min(values), "max": max(values)}


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
