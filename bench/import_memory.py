#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much memory and time does `imago data import` take for 1,000, 10,000 and 60,000 real images, and for 1,000,000 rows?

    .deps/test/bin/python bench/import_memory.py [--sizes 1000,10000,60000] [--rows 1000000] [--repeats 3]

Real images: distinct JPEGs of CIFAR-10, in a tar archive written for each size. Rows: an archive whose files are the same few images again
and again, each under a path of its own: what is decoded is small, what is kept of each row is not. Memory is the peak resident set of the
import's process (VmHWM, read every 5 ms: what wait4 tells begins with the memory of the process that started it); seconds per image are of
the whole command."""

import argparse
import io
import os
import re
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

from common import ROOT, spread, write_result

IMAGO = ROOT / "build" / "imago"
CLASSES = 10


def cifar_jpegs(archive):
    """Encoded images of CIFAR-10, in the archive's order."""
    stream = subprocess.Popen(["zstd", "-dcq", archive], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=stream.stdout, mode="r|") as tar:
        for member in tar:
            if member.isfile() and member.name.endswith((".jpg", ".png")):
                yield tar.extractfile(member).read()
    stream.terminate()
    stream.wait()


def write_archive(path, images):
    """A tar of CLASS/NUMBER.jpg for each of `images`, without keeping them."""
    with tarfile.open(path, "w") as tar:
        for i, image in enumerate(images):
            info = tarfile.TarInfo(f"class{i % CLASSES}/{i:07}.jpg")
            info.size = len(image)
            tar.addfile(info, io.BytesIO(image))
            tar.members.clear()


def take(images, count):
    for _, image in zip(range(count), images):
        yield image


def peak_kib(pid):
    """0 when it has just ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except ProcessLookupError:
        return 0
    return int(found[1]) if found else 0


def import_once(archive, folder):
    """Seconds and peak resident set in MiB of one import into a new workspace."""
    workspace = tempfile.mkdtemp(dir=folder)
    began = time.monotonic()
    process = subprocess.Popen([IMAGO, "--workspace", workspace, "--json", "data", "import", archive, "--name", "bench"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_kib(process.pid))
        time.sleep(0.005)
    seconds = time.monotonic() - began
    assert process.returncode == 0, f"the import of {archive} ended with {process.returncode}"
    subprocess.run(["rm", "-rf", workspace], check=True)
    return seconds, peak / 1024


def measure(archive, count, repeats, folder):
    runs = [import_once(archive, folder) for _ in range(repeats)]
    return {"images": count, "peak_mib": spread([round(mib, 1) for _, mib in runs]),
            "microseconds_per_image": spread([round(seconds / count * 1e6, 1) for seconds, _ in runs])}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,60000")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("IMAGO_DATA", ROOT.parent / "shared" / "data")))
    options = parser.parse_args()
    cifar = options.data / "cifar-10-images.tar.zst"
    body = {"question": "Peak memory and time per image of an import", "real": [], "rows": []}
    with tempfile.TemporaryDirectory(prefix="import-memory-") as folder:
        archive = Path(folder) / "images.tar"
        for count in map(int, options.sizes.split(",")):
            write_archive(archive, take(cifar_jpegs(cifar), count))
            body["real"].append(measure(archive, count, options.repeats, folder))
            print(body["real"][-1], flush=True)
        few = list(take(cifar_jpegs(cifar), 10 * CLASSES))
        for count in (options.rows // 1000, options.rows // 100, options.rows // 10, options.rows):
            write_archive(archive, (few[i % len(few)] for i in range(count)))
            body["rows"].append(measure(archive, count, 1 if count > 100_000 else options.repeats, folder))
            print(body["rows"][-1], flush=True)
    write_result("import_memory", body)


if __name__ == "__main__":
    main()
