# SPDX-License-Identifier: Apache-2.0
"""A folder of images as PyTorch's users read it: ImageFolder (Pillow decodes), Resize, a DataLoader's workers.

    torchvision_import.py SIDE WORKERS FOLDER...    prints {"images": ..., "seconds": ...}

Ends with uint8 [n, 3, side, side] in memory. Importing torch is not counted; listing the folders is, and so is starting the workers.
"""

import json
import sys
import time

import torch
from torch.utils.data import ConcatDataset, DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

BATCH = 64


def main():
    side, workers, folders = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    torch.set_num_threads(1)
    transform = v2.Compose([v2.Resize((side, side)), v2.PILToTensor()])
    started = time.perf_counter()
    images = ConcatDataset([ImageFolder(folder, transform) for folder in folders])
    pixels = torch.empty((len(images), 3, side, side), dtype=torch.uint8)
    done = 0
    for batch, _ in DataLoader(images, batch_size=BATCH, num_workers=workers):
        pixels[done:done + len(batch)] = batch
        done += len(batch)
    print(json.dumps({"images": done, "seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
