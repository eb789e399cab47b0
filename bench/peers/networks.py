# SPDX-License-Identifier: Apache-2.0
"""The recipes' networks in PyTorch, as their sources have them: S2's ImprovedCNN, S1's three blocks, S3's with a global average,
Page's ResNet-9, Jordan's airbench94, torchvision's MobileNetV2.

    networks.py NETWORK...    prints {network: parameters} for ten classes
"""

import json
import sys

from torch import nn
from torchvision.models import mobilenet_v2


def conv(inputs, outputs, bias=True):
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)


def improved_cnn(classes):
    return nn.Sequential(conv(3, 32), nn.ReLU(), nn.MaxPool2d(2), conv(32, 64), nn.ReLU(), nn.MaxPool2d(2), conv(64, 64), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(1024, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, classes))


def three_block_cnn(classes):
    layers = []
    for inputs, outputs in ((3, 32), (32, 64), (64, 128)):
        layers += [conv(inputs, outputs), nn.ReLU(), nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(2048, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, classes))


def gap_cnn(outputs):
    """S3's network; its last layer has one logit for two classes."""
    layers = []
    for inputs, channels in ((3, 32), (32, 64), (64, 128)):
        layers += [conv(inputs, channels), nn.BatchNorm2d(channels), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, outputs))


class Scaled(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


def head(width, classes, factor):
    return [nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(width, classes, bias=False), Scaled(factor)]


def resnet9(classes):
    def block(inputs, outputs, *more):
        return [conv(inputs, outputs, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(), *more]

    return nn.Sequential(*block(3, 64), *block(64, 128, nn.MaxPool2d(2)), Residual(*block(128, 128), *block(128, 128)),
                         *block(128, 256, nn.MaxPool2d(2)), *block(256, 512, nn.MaxPool2d(2)), Residual(*block(512, 512), *block(512, 512)),
                         *head(512, classes, 0.125))


def shift_norm(channels):
    """BatchNorm that learns no scale."""
    norm = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
    norm.register_parameter("weight", None)
    return norm


def airbench94(classes):
    whiten = nn.Conv2d(3, 24, 2)
    whiten.weight.requires_grad = False
    layers = [whiten, nn.GELU()]
    for inputs, outputs in ((24, 64), (64, 256), (256, 256)):
        layers += [conv(inputs, outputs, bias=False), nn.MaxPool2d(2), shift_norm(outputs), nn.GELU(),
                   conv(outputs, outputs, bias=False), shift_norm(outputs), nn.GELU()]
    return nn.Sequential(*layers, *head(256, classes, 1 / 9))


NETWORKS = {"improved-cnn": improved_cnn, "three-block-cnn": three_block_cnn, "gap-cnn": gap_cnn, "resnet9": resnet9, "airbench94": airbench94,
            "mobilenet-v2": lambda classes: mobilenet_v2(num_classes=classes)}


def parameters(model):
    return sum(p.numel() for p in model.parameters())


if __name__ == "__main__":
    print(json.dumps({name: parameters(NETWORKS[name](10)) for name in sys.argv[1:]}))
