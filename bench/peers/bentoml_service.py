# SPDX-License-Identifier: Apache-2.0
"""BentoML as its documentation has it: a service with so many workers, its adaptive batching with PEER_BATCH above 1.

    PEER_PACKAGE=... PEER_ENGINE=torch PEER_THREADS=1 PEER_WORKERS=2 PEER_BATCH=32 bentoml serve bentoml_service:Classify

A batchable endpoint takes a list and answers with one: here of one image.
"""

import bentoml
from PIL.Image import Image
from served_network import BATCH, WORKERS, ServedNetwork

service = bentoml.service(name="classify", workers=WORKERS, traffic={"timeout": 60})

if BATCH > 1:

    @service
    class Classify:
        def __init__(self):
            self.network = ServedNetwork()

        @bentoml.api(batchable=True, max_batch_size=BATCH, route="/predict")
        def predict(self, file: list[Image]) -> list[dict]:
            return self.network.answers([self.network.from_image(image) for image in file])

else:

    @service
    class Classify:
        def __init__(self):
            self.network = ServedNetwork()

        @bentoml.api(route="/predict")
        def predict(self, file: Image) -> dict:
            return self.network.answers([self.network.from_image(file)])[0]
