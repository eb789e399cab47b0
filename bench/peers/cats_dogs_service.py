# SPDX-License-Identifier: Apache-2.0
"""The service of S3's cats and dogs, rebuilt from its description: one endpoint that is a coroutine and runs the network on the event loop, loaded at
the first request, torchvision's transforms to 224 x 224, PyTorch with as many threads as it likes, a line of log for each answer.

    PEER_PACKAGE=... uvicorn cats_dogs_service:app
"""

import io
import json
import logging
import os
import time
from functools import cache
from pathlib import Path

import torch
from fastapi import FastAPI, File, UploadFile
from PIL import Image
from torchvision import transforms

from served_network import read_safetensors, torch_network

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("cats-dogs")
app = FastAPI()
counted = {"requests": 0, "seconds": 0.0}
to_tensor = transforms.Compose([transforms.Resize((224, 224)), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])


@cache
def network():
    package = Path(os.environ["PEER_PACKAGE"])
    return torch_network(json.loads((package / "spec.json").read_text()), read_safetensors(package / "weights.safetensors"))


@app.post("/predict")
async def predict(file: UploadFile = File(...)):
    started = time.time()
    counted["requests"] += 1
    pixels = to_tensor(Image.open(io.BytesIO(await file.read())).convert("RGB"))
    with torch.no_grad():
        dog = torch.sigmoid(network()(pixels.unsqueeze(0))).item()
    label, seconds = "dog" if dog >= 0.5 else "cat", time.time() - started
    counted["seconds"] += seconds
    log.info("label=%s probability=%.4f seconds=%.4f", label, dog, seconds)
    return {"probability_dog": dog, "predicted_label": label, "latency_seconds": seconds}


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/metrics")
def metrics():
    return {"total_requests": counted["requests"], "average_latency_seconds": counted["seconds"] / max(1, counted["requests"])}
