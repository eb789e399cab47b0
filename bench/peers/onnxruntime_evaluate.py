# SPDX-License-Identifier: Apache-2.0
"""A split measured as people do it in Python: Pillow decodes, NumPy normalises, ONNX Runtime computes.

    onnxruntime_evaluate.py < JOB       prints {"images", "seconds", "accuracy", "batch"}

JOB is {"onnx", "mean", "stddev", "width", "height", "threads", "batch", "files": [[path, class], ...]} as JSON. While the network computes a
batch, a pool of as many threads decodes the next one. `seconds` is from the first file to the last answer: imports and the session's start are not
in it.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
from PIL import Image


def main():
    job = json.load(sys.stdin)
    mean, stddev = (np.array(job[key], np.float32).reshape(3, 1, 1) for key in ("mean", "stddev"))
    size = (job["width"], job["height"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = job["threads"]
    session = onnxruntime.InferenceSession(job["onnx"], options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def decode(path):
        image = Image.open(path).convert("RGB")
        if image.size != size:
            image = image.resize(size)
        return (np.asarray(image, np.float32).transpose(2, 0, 1) / 255 - mean) / stddev

    def load(pool, files):
        return [pool.submit(decode, path) for path, _ in files]

    started, right = time.perf_counter(), 0
    with ThreadPoolExecutor(job["threads"]) as pool:
        batches = [job["files"][i:i + job["batch"]] for i in range(0, len(job["files"]), job["batch"])]
        waiting = load(pool, batches[0])
        for i, files in enumerate(batches):
            pixels = np.stack([one.result() for one in waiting])
            waiting = load(pool, batches[i + 1]) if i + 1 < len(batches) else []
            scores = session.run(None, {name: pixels})[0]
            right += int((scores.argmax(1) == [label for _, label in files]).sum())
    seconds = time.perf_counter() - started
    print(json.dumps({"images": len(job["files"]), "seconds": seconds, "accuracy": right / len(job["files"]), "batch": job["batch"]}))


if __name__ == "__main__":
    main()
