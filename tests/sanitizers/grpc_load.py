# SPDX-License-Identifier: Apache-2.0
"""Asks over gRPC until its standard input ends, in several threads; prints how many calls ended how. Run with tritonclient's own Python:

    grpc_load.py HOST:PORT KEY MODEL IMAGE
"""

import collections
import json
import sys
import threading

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException


def asks(address, key, model, image):
    """Sound and unsound calls in turn, some of which are given up before the answer."""
    headers = {"x-api-key": key}
    files = np.array([image] * 4, dtype=np.object_)
    sound, unsound = (triton.InferInput(name, [4], "BYTES") for name in ("image", "images"))
    for tensor in (sound, unsound):
        tensor.set_data_from_numpy(files)
    client = triton.InferenceServerClient(address)
    yield from (
        lambda: client.infer(model, [sound], headers=headers),
        lambda: client.infer(model, [unsound], headers=headers),
        lambda: client.infer(model, [sound]),
        lambda: client.infer(model, [sound], headers=headers, client_timeout=0.002),
        lambda: client.infer(model, [sound], headers=headers, timeout=1),
        lambda: client.is_server_ready(headers=headers),
        lambda: client.get_model_metadata(model, headers=headers),
        lambda: client.get_inference_statistics(model, headers=headers),
        lambda: client.get_model_repository_index(headers=headers),
    )


def repeat(calls, ended, stop):
    while not stop.is_set():
        for call in calls:
            try:
                call()
                ended["OK"] += 1
            except InferenceServerException as error:
                ended[str(error.status())] += 1


def main():
    address, key, model, path = sys.argv[1:]
    with open(path, "rb") as file:
        image = file.read()
    stop, ended = threading.Event(), [collections.Counter() for _ in range(3)]
    threads = [threading.Thread(target=repeat, args=(list(asks(address, key, model, image)), counter, stop)) for counter in ended]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps(sum(ended, collections.Counter())))


if __name__ == "__main__":
    main()
