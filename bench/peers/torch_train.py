# SPDX-License-Identifier: Apache-2.0
"""A recipe's training in PyTorch: its network, augmentation, loss, optimiser and batch.

    torch_train.py JOB    prints {"images_per_second", "peak_mib", "parameters"}

JOB is JSON: recipe, images (path of a uint8 .npy [n, height, width, 3]), classes, seconds, input, compile, bfloat16. `input` is how images
come: "0" or "2", a DataLoader with so many workers and torchvision's transforms on tensors, or "batch", a whole batch changed at once by
tensor operations (as airbench does). Labels do not matter for speed. channels_last, all cores, fused optimiser, torch.compile's defaults.
The rate is the recipe's first; look-ahead is left out.
"""

import json
import os
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from networks import NETWORKS, parameters
from window import Window, own_peak_mib


def read_images(path):
    """From the file as it is needed, as ours are."""
    return torch.from_numpy(np.load(path, mmap_mode="c"))


class SingleImages(Dataset):
    """For a DataLoader."""

    def __init__(self, pixels, recipe, classes):
        self.pixels, self.classes = pixels, classes
        augmentation, preprocess = recipe["augmentation"], recipe["preprocess"]
        self.transform = v2.Compose(list(self.changes(augmentation, preprocess["width"])) + [
            v2.ToDtype(torch.float32, scale=True), v2.Normalize(preprocess.get("mean", [0.0] * 3), preprocess.get("stddev", [1.0] * 3)),
            *([v2.RandomErasing(p=1.0, scale=(1 / 16, 1 / 16), ratio=(1.0, 1.0))] if "cutout" in augmentation else [])])

    @staticmethod
    def changes(augmentation, side):
        yield v2.RandomHorizontalFlip()
        if "crop_padding" in augmentation:
            yield v2.RandomCrop(side, padding=augmentation["crop_padding"], padding_mode="reflect")
        if "rotation" in augmentation:
            zoom = augmentation["zoom"]
            yield v2.RandomAffine(360 * augmentation["rotation"], scale=(1 - zoom, 1 + zoom), interpolation=v2.InterpolationMode.BILINEAR)

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, i):
        return self.transform(self.pixels[i].permute(2, 0, 1)), i % self.classes


class WholeBatches:
    """Flip and shift are one look-up in the uint8 images."""

    def __init__(self, pixels, recipe, classes):
        self.pixels, self.classes, self.size = pixels, classes, recipe["batch_size"]
        self.augmentation = recipe["augmentation"]
        mean, stddev = (torch.tensor(recipe["preprocess"].get(key, [value] * 3)) for key, value in (("mean", 0.0), ("stddev", 1.0)))
        self.shift, self.scale = -mean / stddev, 1 / (255 * stddev)

    def __iter__(self):
        order = torch.randperm(len(self.pixels))
        for i in range(0, len(order) - self.size + 1, self.size):
            chosen = order[i:i + self.size]
            yield self.changed(chosen), chosen % self.classes

    def lines(self, count, side, padding):
        """Which row or column of its image each one of the result is."""
        wanted = torch.arange(side) + torch.randint(-padding, padding + 1, (count, 1))
        return (side - 1) - ((side - 1) - wanted.abs()).abs()  # reflected at both ends

    def changed(self, chosen):
        count, (_, height, width, _) = len(chosen), self.pixels.shape
        padding = self.augmentation.get("crop_padding", 0)
        rows, columns = self.lines(count, height, padding), self.lines(count, width, padding)
        columns = torch.where(torch.rand(count, 1) < 0.5, columns, columns.flip(1))
        images = self.pixels[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]
        images = torch.addcmul(self.shift, images.float(), self.scale).permute(0, 3, 1, 2)
        if "rotation" in self.augmentation:
            images = self.turned(images)
        return self.with_holes(images) if "cutout" in self.augmentation else images

    def turned(self, images):
        count, rotation, zoom = len(images), self.augmentation["rotation"], self.augmentation["zoom"]
        angle = 2 * torch.pi * rotation * (2 * torch.rand(count) - 1)
        scale = 1 + zoom * (2 * torch.rand(count) - 1)
        cosine, sine, zero = angle.cos() / scale, angle.sin() / scale, torch.zeros(count)
        theta = torch.stack([cosine, -sine, zero, sine, cosine, zero], 1).view(count, 2, 3)
        grid = F.affine_grid(theta, images.shape, align_corners=False)
        return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)

    def with_holes(self, images):
        side, half = images.shape[-1], self.augmentation["cutout"] // 2
        offset = torch.arange(side) - torch.randint(0, side, (2, len(images), 1))
        inside = (offset >= -half) & (offset < half)
        return images.masked_fill(inside[0][:, None, :, None] & inside[1][:, None, None, :], 0.0)


def batches(job):
    pixels, recipe = read_images(job["images"]), job["recipe"]
    if job["input"] == "batch":
        return WholeBatches(pixels, recipe, job["classes"])
    workers = int(job["input"])
    return DataLoader(SingleImages(pixels, recipe, job["classes"]), batch_size=recipe["batch_size"], shuffle=True, drop_last=True,
                      num_workers=workers, persistent_workers=workers > 0)


def optimizer_of(model, recipe):
    settings, schedule = recipe["optimizer"], recipe["schedule"]
    rate = schedule["peak"] * (schedule.get("start_factor", 1.0))
    learned = [p for p in model.parameters() if p.requires_grad]
    if settings["kind"] == "adam":
        return torch.optim.Adam(learned, lr=rate, eps=settings.get("eps", 1e-8), fused=True)
    factor, decay = settings.get("norm_bias_lr_factor", 1.0), settings["weight_decay"]
    norms = {id(p) for module in model.modules() if isinstance(module, nn.BatchNorm2d) for p in module.parameters()}
    groups = [{"params": [p for p in learned if id(p) not in norms]},
              {"params": [p for p in learned if id(p) in norms], "lr": rate * factor, "weight_decay": decay / factor}]
    return torch.optim.SGD(groups, lr=rate, momentum=settings["momentum"], nesterov=True, weight_decay=decay, fused=True)


def main():
    job = json.loads(sys.argv[1])
    recipe = job["recipe"]
    torch.set_num_threads(os.cpu_count())
    model = NETWORKS[recipe["architecture"]["name"]](job["classes"]).to(memory_format=torch.channels_last).train()
    optimizer = optimizer_of(model, recipe)
    loss_of = nn.CrossEntropyLoss(label_smoothing=recipe.get("loss", {}).get("label_smoothing", 0.0))
    network = torch.compile(model) if job["compile"] else model
    window, step, loader = Window(job["seconds"]), 0, batches(job)
    while True:
        for images, labels in loader:
            images = images.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=job["bfloat16"]):
                loss = loss_of(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
            step += 1
            if window.note(step, time.perf_counter()):
                print(json.dumps({"images_per_second": window.steps_per_second() * recipe["batch_size"], "peak_mib": own_peak_mib(),
                                  "parameters": parameters(model)}), flush=True)
                os._exit(0)


if __name__ == "__main__":
    main()
