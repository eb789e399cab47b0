# SPDX-License-Identifier: Apache-2.0
"""Noisy squares of four colours, drawn the same each time: a data set that takes seconds to learn."""

import numpy
from PIL import Image

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200), "gray": (90, 90, 90)}


def write_colours(folder, each=100):
    """`each` PNG files of 32 x 32 for each colour: folder/red/0.png, ..."""
    random = numpy.random.default_rng(1)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for i in range(each):
            pixels = numpy.clip(random.normal(colour, 60, (32, 32, 3)), 0, 255).astype(numpy.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder
