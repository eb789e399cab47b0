# SPDX-License-Identifier: Apache-2.0
"""The usual PyTorch training loop: S2's ImprovedCNN, Adam, a DataLoader with torchvision's transforms over images in memory.

    torch_train.py IMAGES.npy SECONDS WARMUP WORKERS    prints {"images_per_second": ...}

IMAGES.npy is uint8 [n, 32, 32, 3]; labels do not matter for speed. Images reach the transforms as PIL images, as torchvision's
CIFAR10 gives them. channels_last, all cores.
"""

import json
import os
import sys
import time

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2


class Images(Dataset):
    def __init__(self, path):
        self.pixels = np.load(path)
        self.transform = v2.Compose([
            v2.RandomCrop(32, padding=4, padding_mode="reflect"), v2.RandomHorizontalFlip(), v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True), v2.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))])

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, i):
        return self.transform(Image.fromarray(self.pixels[i])), i % 10


def main():
    path, seconds, warmup, workers = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(os.cpu_count())
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1024, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss()
    loader = DataLoader(Images(path), batch_size=64, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0)
    started = time.perf_counter()
    counted, counting_since = 0, None
    while True:
        for images, labels in loader:
            loss = loss_of(model(images.to(memory_format=torch.channels_last)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
            now = time.perf_counter()
            if counting_since is not None:
                counted += len(labels)
            elif now - started > warmup:
                counting_since = now
            if now - started > seconds:
                print(json.dumps({"images_per_second": counted / (now - counting_since)}), flush=True)
                os._exit(0)


if __name__ == "__main__":
    main()
