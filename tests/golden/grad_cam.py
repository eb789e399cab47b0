# SPDX-License-Identifier: Apache-2.0
"""Writes what pytorch-grad-cam says of networks whose weights and image are made by a formula: the known answers of
src/nn/grad_cam_golden_test.cpp. Made with torch 2.15.0, torchvision 0.29.2 and grad-cam 1.5.7:

    pip install torch torchvision grad-cam; python tests/golden/grad_cam.py > tests/golden/grad_cam.json

Its maps are taken before it stretches them over the image and moves their smallest value to 0, which is its display's; they are
divided by their largest, as ours are. With arguments, a model package and an image, it prints the largest difference from what
`imago explain` says instead:

    imago --json explain MODEL IMAGE --class 3 > ours.json; python tests/golden/grad_cam.py PACKAGE_FOLDER IMAGE ours.json
"""

import json
import sys

import numpy as np
import torch
import torchvision
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from mobilenet_v2 import CLASSES, fill, wave


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


def main():
    simple, mobile = SimpleCnn(32), torchvision.models.mobilenet_v2(num_classes=CLASSES)
    cases = [case("simple-cnn", simple, simple.pool2, 32), case("mobilenet-v2", mobile, mobile.features[-1], 128)]
    print(json.dumps({"cases": cases}))


if __name__ == "__main__":
    main()
