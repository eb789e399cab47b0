# SPDX-License-Identifier: Apache-2.0
"""Augmented batches as PyTorch's users make them: a DataLoader with torchvision.transforms.v2 over images in memory.

    torchvision_augment.py IMAGES.npy SECONDS BATCH WORKERS KIND    prints {"images_per_second": ...}

IMAGES.npy is uint8 [n, 32, 32, 3]. The transforms get uint8 tensors, their faster input. Each KIND is what bench/augment.py asks of the
loader under the same name. The workers are started before the clock.
"""

import json
import sys
import time

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, default_collate
from torchvision.transforms import v2

FLIP_AND_CROP = [v2.RandomCrop(32, padding=4, padding_mode="reflect"), v2.RandomHorizontalFlip()]
CHANGES = {
    "flip and crop": FLIP_AND_CROP,
    "rotation, zoom and colours": [v2.RandomHorizontalFlip(), v2.RandomAffine(15, scale=(0.9, 1.1), interpolation=v2.InterpolationMode.BILINEAR),
                                   v2.ColorJitter(0.2, 0.2, 0.2, 0.1)],
    "RandAugment": [*FLIP_AND_CROP, v2.RandAugment(2, 9, interpolation=v2.InterpolationMode.BILINEAR)],
    "mixup and cutmix": FLIP_AND_CROP,
}


class Images(Dataset):
    def __init__(self, path, kind):
        self.pixels = torch.from_numpy(np.load(path)).permute(0, 3, 1, 2).contiguous()
        self.transform = v2.Compose([*CHANGES[kind], v2.ToDtype(torch.float32, scale=True),
                                     v2.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))])

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, i):
        return self.transform(self.pixels[i]), i % 10


MIX = v2.RandomChoice([v2.MixUp(alpha=0.2, num_classes=10), v2.CutMix(alpha=1.0, num_classes=10)])


def mixed(items):
    return MIX(*default_collate(items))


def main():
    path, seconds, batch, workers, kind = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    torch.set_num_threads(1)
    loader = DataLoader(Images(path, kind), batch_size=batch, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0,
                        collate_fn=mixed if kind.startswith("mixup") else None)
    batches = iter(loader)
    next(batches)
    started = time.perf_counter()
    images = 0
    while time.perf_counter() - started < seconds:
        try:
            images += len(next(batches)[1])
        except StopIteration:
            batches = iter(loader)
    print(json.dumps({"images_per_second": images / (time.perf_counter() - started)}))


if __name__ == "__main__":
    main()
