# SPDX-License-Identifier: Apache-2.0
"""A folder of images read by OpenCV in Python: imread, resize, into one numpy array.

    opencv_import.py SIDE PROCESSES FOLDER...    prints {"images": ..., "seconds": ...}

Ends with uint8 [n, side, side, 3] in memory, which the processes share when there are several. Importing OpenCV is not counted;
listing the folders is, and so is starting the processes.
"""

import json
import mmap
import multiprocessing
import sys
import time
from pathlib import Path

import cv2
import numpy as np


def read(files, pixels):
    side = pixels.shape[1]
    for i, file in enumerate(files):
        image = cv2.imread(file, cv2.IMREAD_COLOR_RGB)
        if image.shape[:2] != (side, side):
            image = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        pixels[i] = image


def main():
    side, processes, folders = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    started = time.perf_counter()
    files = sorted(str(file) for folder in folders for file in Path(folder).rglob("*.jpg"))
    shape = (len(files), side, side, 3)
    if processes == 1:
        read(files, np.empty(shape, np.uint8))
    else:
        cv2.setNumThreads(1)
        pixels = np.frombuffer(mmap.mmap(-1, len(files) * side * side * 3), np.uint8).reshape(shape)
        fork = multiprocessing.get_context("fork")
        parts = [slice(i * len(files) // processes, (i + 1) * len(files) // processes) for i in range(processes)]
        running = [fork.Process(target=read, args=(files[part], pixels[part])) for part in parts]
        for process in running:
            process.start()
        for process in running:
            process.join()
        if any(process.exitcode != 0 for process in running):
            raise SystemExit("a process failed")
    print(json.dumps({"images": len(files), "seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
