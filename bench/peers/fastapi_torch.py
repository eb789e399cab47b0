# SPDX-License-Identifier: Apache-2.0
"""The usual stack: FastAPI + uvicorn + PyTorch, the same network and weights, written as its documentation suggests.

    IMAGO_PACKAGE=models/cifar10/1 uvicorn fastapi_torch:app

Answers POST /predict (multipart `file`) and POST /predict_json ({"image": [3072 numbers]}).
"""

import io
import json
import os
import struct
from pathlib import Path

import numpy as np
import torch
from fastapi import FastAPI, File, UploadFile
from PIL import Image
from torch import nn

PACKAGE = Path(os.environ["IMAGO_PACKAGE"])


def read_safetensors(path):
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length])
    header.pop("__metadata__", None)
    body = raw[8 + length:]
    return {name: torch.from_numpy(np.frombuffer(body[slice(*row["data_offsets"])], np.float32).reshape(row["shape"]).copy())
            for name, row in header.items()}


class ImprovedCNN(nn.Module):
    """S2's network: three convolutions with pooling, then 1024 -> 512 -> 10."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(1024, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10))

    def forward(self, x):
        return self.classifier(self.features(x))


def load():
    weights = read_safetensors(PACKAGE / "weights.safetensors")
    model = ImprovedCNN()
    ours = list(weights.items())  # both orders are by layer; shapes settle which is which
    state = model.state_dict()
    for name, tensor in state.items():
        key = next(k for k, v in ours if v.shape == tensor.shape and k.split(".")[-1] == name.split(".")[-1])
        state[name] = weights[key]
        ours = [row for row in ours if row[0] != key]
    model.load_state_dict(state)
    return model.eval()


spec = json.loads((PACKAGE / "spec.json").read_text())
labels = spec["labels"]
mean = torch.tensor(spec["preprocess"]["mean"]).view(3, 1, 1)
std = torch.tensor(spec["preprocess"]["stddev"]).view(3, 1, 1)
model = load()
app = FastAPI()


def answer(pixels):
    batch = ((pixels - mean) / std).unsqueeze(0)
    with torch.inference_mode():
        probabilities = torch.softmax(model(batch), 1)[0]
    best = int(probabilities.argmax())
    return {"prediction": labels[best], "confidence": float(probabilities[best]), "probabilities": probabilities.tolist()}


@app.post("/predict")
def predict(file: UploadFile = File(...)):
    image = Image.open(io.BytesIO(file.file.read())).convert("RGB").resize((32, 32))
    return answer(torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255)


@app.post("/predict_json")
def predict_json(body: dict):
    return answer(torch.tensor(body["image"], dtype=torch.float32).view(32, 32, 3).permute(2, 0, 1))


@app.get("/health")
def health():
    return {"status": "ok"}
