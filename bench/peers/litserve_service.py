# SPDX-License-Identifier: Apache-2.0
"""LitServe as its documentation has it: a process for each worker, batches of at most PEER_BATCH, ZeroMQ between the processes (`fast_queue`, for
hundreds of requests a second).

    PEER_PACKAGE=... PEER_ENGINE=torch PEER_THREADS=1 PEER_WORKERS=2 PEER_BATCH=16 litserve_service.py PORT
"""

import sys

import litserve
from served_network import BATCH, WORKERS, ServedNetwork

BATCH_TIMEOUT = 0.005  # seconds; less than an image waits anyway once all workers are busy


class Classify(litserve.LitAPI):
    def setup(self, device):
        self.network = ServedNetwork()

    def decode_request(self, request):
        return self.network.decode(request["file"].file.read())

    def predict(self, x):
        return self.network.answers([x])[0]

    def encode_response(self, output):
        return output


class ClassifyBatches(Classify):
    def batch(self, inputs):
        return inputs

    def predict(self, x):
        return self.network.answers(x)

    def unbatch(self, output):
        return output


if __name__ == "__main__":
    api = ClassifyBatches(max_batch_size=BATCH, batch_timeout=BATCH_TIMEOUT) if BATCH > 1 else Classify()
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=WORKERS, fast_queue=True)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="warning")
