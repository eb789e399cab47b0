# SPDX-License-Identifier: Apache-2.0
"""Prints the logits that torchvision's MobileNetV2 gives for weights and an image made by a formula, with torch's and with
TensorFlow's padding: the known answers of src/nn/mobilenet_v2_test.cpp. Made with torch 2.15.0 and torchvision 0.29.2:

    pip install torch torchvision; python tests/golden/mobilenet_v2.py
"""

import math

import torch
import torchvision

SIDE = 64
CLASSES = 5


def wave(k, size):
    """sin(0.1 k + 0.7 i), the same in any language."""
    return torch.tensor([math.sin(0.1 * k + 0.7 * i) for i in range(size)], dtype=torch.float64)


def fill(network):
    names = sorted(name for name in network.state_dict() if not name.endswith("num_batches_tracked"))
    state = network.state_dict()
    for k, name in enumerate(names):
        tensor = state[name]
        values = wave(k, tensor.numel()).reshape(tensor.shape)
        if tensor.dim() > 1:
            values = values * math.sqrt(8.0 / (tensor.numel() / tensor.shape[0]))
        elif name.endswith("running_var"):
            values = 1.0 + 0.5 * values
        elif name.endswith(".weight"):
            values = 1.0 + 0.2 * values
        else:
            values = 0.1 * values
        tensor.copy_(values.to(torch.float32))


def pad_as_tensorflow(network):
    """Every side is even here: nothing before, 1 after."""
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d) and module.stride == (2, 2):
            module.padding = (0, 0)
            module.register_forward_pre_hook(
                lambda self, inputs: (torch.nn.functional.pad(inputs[0], [0, 1, 0, 1]),))


def main():
    image = wave(3, 3 * SIDE * SIDE).reshape(1, 3, SIDE, SIDE).to(torch.float32)
    for padding in ("torch", "tensorflow"):
        network = torchvision.models.mobilenet_v2(num_classes=CLASSES).eval()
        fill(network)
        if padding == "tensorflow":
            pad_as_tensorflow(network)
        with torch.no_grad():
            print(padding, [float(f"{x:.6g}") for x in network(image)[0]])


if __name__ == "__main__":
    main()
