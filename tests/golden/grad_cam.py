# SPDX-License-Identifier: Apache-2.0
"""Writes what pytorch-grad-cam says of networks whose weights and image are made by a formula: the known answers of
src/nn/grad_cam_golden_test.cpp. Made with torch 2.15.0, torchvision 0.29.2 and grad-cam 1.5.7:

    pip install torch torchvision grad-cam; python tests/golden/grad_cam.py > tests/golden/grad_cam.json

Its maps are taken before it stretches them over the image and moves their smallest value to 0, which is its display's; they are
divided by their largest, as ours are. With arguments it compares what `imago explain` said of a trained mobilenet-v2 instead, and
prints the largest difference of the map and of the probability; the image has the size that the model takes:

    imago --json explain cats-dogs cat.png > ours.json; python tests/golden/grad_cam.py workspace/models/cats-dogs/1 cat.png ours.json
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from mobilenet_v2 import CLASSES, fill, pad_as_tensorflow, wave


class SimpleCnn(nn.Module):
    """Two convolutions and two linear layers: the gradient differs from place to place."""

    def __init__(self, side):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
        self.pool1, self.pool2 = nn.MaxPool2d(2), nn.MaxPool2d(2)
        self.fc1, self.fc2 = nn.Linear(64 * (side // 4) ** 2, 512), nn.Linear(512, CLASSES)

    def forward(self, x):
        x = self.pool2(torch.relu(self.conv2(self.pool1(torch.relu(self.conv1(x))))))
        return self.fc2(torch.relu(self.fc1(x.flatten(1))))


def heat_map(network, layer, image, class_index):
    """[rows, columns] in [0, 1]."""
    cam = GradCAM(model=network, target_layers=[layer])
    target = [ClassifierOutputTarget(class_index)]
    cam(input_tensor=image, targets=target)
    activations, gradients = (kept[-1].cpu().data.numpy() for kept in (cam.activations_and_grads.activations, cam.activations_and_grads.gradients))
    heat = np.maximum(cam.get_cam_image(image, layer, target, activations, gradients)[0], 0)
    cam.activations_and_grads.release()
    return heat / heat.max() if heat.max() > 0 else heat


def case(architecture, network, layer, side):
    network = network.eval()
    fill(network)
    image = wave(3, 3 * side * side).reshape(1, 3, side, side).to(torch.float32)
    return {"architecture": architecture, "side": side, "classes": CLASSES,
            "logits": [float(f"{x:.7g}") for x in network(image)[0].detach()],
            "heat_maps": [[float(f"{x:.7g}") for x in heat_map(network, layer, image, k).ravel()] for k in range(CLASSES)]}


def read_safetensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: torch.from_numpy(np.frombuffer(data[8 + size:], np.float32, int(np.prod(entry["shape"])), entry["data_offsets"][0])
                                   .reshape(entry["shape"]).copy()) for name, entry in header.items()}


def trained_mobilenet(package, spec):
    nodes = {node["name"]: node for node in spec["graph"]["nodes"]}
    network = torchvision.models.mobilenet_v2(num_classes=len(spec["labels"])).eval()
    if nodes["features.0.0"]["padding"] == [0, 0, 1, 1]:
        pad_as_tensorflow(network)
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = nodes[name]["eps"]
    missing = network.load_state_dict(read_safetensors(package / "weights.safetensors"), strict=False).missing_keys
    assert all(name.endswith("num_batches_tracked") for name in missing), missing
    return network


def compare(package, image, ours):
    spec, ours = json.loads((package / "spec.json").read_text()), json.loads(ours.read_text())
    mean, stddev = (torch.tensor(spec["preprocess"][name]).reshape(3, 1, 1) for name in ("mean", "stddev"))
    pixels = torch.from_numpy(np.array(Image.open(image).convert("RGB"))).permute(2, 0, 1) / 255
    network, planes = trained_mobilenet(package, spec), ((pixels - mean) / stddev).unsqueeze(0)
    heat = heat_map(network, network.features[-1], planes, ours["class_index"])
    probabilities = torch.softmax(network(planes)[0].detach() / spec["temperature"], 0).numpy()
    print(f"map {heat.shape}: {np.abs(heat - np.array(ours['heatmap'])).max():.2g},",
          f"probabilities: {np.abs(probabilities - np.array(list(ours['class_probabilities'].values()))).max():.2g}")


def main():
    simple, mobile = SimpleCnn(32), torchvision.models.mobilenet_v2(num_classes=CLASSES)
    cases = [case("simple-cnn", simple, simple.pool2, 32), case("mobilenet-v2", mobile, mobile.features[-1], 128)]
    print(json.dumps({"cases": cases}))


if __name__ == "__main__":
    compare(*map(Path, sys.argv[1:4])) if len(sys.argv) > 1 else main()
