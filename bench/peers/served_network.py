# SPDX-License-Identifier: Apache-2.0
"""What the peers' services share: a package's network in PyTorch, ONNX Runtime or OpenVINO, decoding with Pillow, and the answer.

The environment says what to serve: PEER_PACKAGE (a model package), PEER_ENGINE (torch, onnxruntime or openvino), PEER_THREADS (of one process's
inferences) and PEER_BATCH (images in one inference at most).
"""

import io
import json
import os
import struct
import threading
from pathlib import Path

import numpy as np
from PIL import Image

BATCH = int(os.environ.get("PEER_BATCH", 1))
WORKERS = int(os.environ.get("PEER_WORKERS", 1))


def read_safetensors(path):
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length])
    header.pop("__metadata__", None)
    body = raw[8 + length:]
    return {name: np.frombuffer(body[slice(*row["data_offsets"])], np.float32).reshape(row["shape"]).copy() for name, row in header.items()}


def pad_one_side(module, padding):
    """Convolve as the graph says, where its padding differs from side to side; PyTorch's convolutions pad both alike."""
    from torch.nn import functional

    top, left, bottom, right = padding
    module.padding = (0, 0)
    module.register_forward_pre_hook(lambda _, inputs: (functional.pad(inputs[0], [left, right, top, bottom]),))


def torch_network(spec, weights):
    """Layer by layer, in the order in which both have them."""
    import torch
    from networks import NETWORKS
    from torch import nn

    outputs = [node["out_features"] for node in spec["graph"]["nodes"] if node["kind"] == "linear"][-1]
    model = NETWORKS[spec["graph"]["architecture"]](outputs)
    modules = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.BatchNorm2d, nn.Linear))]
    nodes = [node for node in spec["graph"]["nodes"] if node["kind"] in ("conv2d", "batch_norm2d", "linear")]
    for module, node in zip(modules, nodes, strict=True):
        state = {name: torch.from_numpy(weights[f"{node['name']}.{name}"]) for name in module.state_dict() if name != "num_batches_tracked"}
        module.load_state_dict(state, strict=False)
        if node["kind"] == "conv2d" and len(set(node["padding"])) > 1:
            pad_one_side(module, node["padding"])
    return model.eval()


def torch_engine(package, spec, threads):
    import torch

    torch.set_num_threads(threads)
    model = torch_network(spec, read_safetensors(package / "weights.safetensors"))

    def infer(batch):
        with torch.inference_mode():
            return model(torch.from_numpy(batch)).numpy()

    return infer


def onnxruntime_engine(package, spec, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(package / "model.onnx", options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch})[0]


def openvino_engine(package, spec, threads):
    """An inference request for each thread of the service, which the hint THROUGHPUT is for; of a fixed shape where there are no batches."""
    import openvino

    core = openvino.Core()
    model = core.read_model(package / "model.onnx")
    if BATCH == 1:
        model.reshape([1, 3, spec["preprocess"]["height"], spec["preprocess"]["width"]])
    compiled = core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_NUM_THREADS": threads})
    own = threading.local()

    def infer(batch):
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        return own.request.infer([batch], share_inputs=True)[compiled.output(0)].copy()

    return infer


ENGINES = {"torch": torch_engine, "onnxruntime": onnxruntime_engine, "openvino": openvino_engine}


class ServedNetwork:
    """Safe from several threads."""

    def __init__(self):
        package = Path(os.environ["PEER_PACKAGE"])
        spec = json.loads((package / "spec.json").read_text())
        self.labels, self.temperature = spec["labels"], spec.get("temperature", 1.0)
        self.size = (spec["preprocess"]["width"], spec["preprocess"]["height"])
        self.mean, self.stddev = (np.array(spec["preprocess"][key], np.float32).reshape(3, 1, 1) for key in ("mean", "stddev"))
        self.infer = ENGINES[os.environ["PEER_ENGINE"]](package, spec, int(os.environ["PEER_THREADS"]))

    def normalised(self, pixels):
        """@param pixels [height, width, 3] from 0 to 1."""
        return (pixels.transpose(2, 0, 1) - self.mean) / self.stddev

    def from_image(self, image):
        image = image.convert("RGB")
        if image.size != self.size:
            image = image.resize(self.size, Image.Resampling.BILINEAR)
        return self.normalised(np.asarray(image, np.float32) / 255)

    def decode(self, data):
        return self.from_image(Image.open(io.BytesIO(data)))

    def from_numbers(self, numbers):
        width, height = self.size
        return self.normalised(np.array(numbers, np.float32).reshape(height, width, 3))

    def answers(self, inputs):
        """@param inputs one of the above each. One inference for all."""
        logits = self.infer(np.ascontiguousarray(np.stack(inputs), np.float32)) / self.temperature
        if logits.shape[1] == 1:  # of the second of two classes
            logits = np.concatenate([np.zeros_like(logits), logits], 1)
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return [self.answer(row) for row in powers / powers.sum(1, keepdims=True)]

    def answer(self, probabilities):
        best = int(probabilities.argmax())
        return {"prediction": self.labels[best], "confidence": float(probabilities[best]), "probabilities": probabilities.tolist()}
