# SPDX-License-Identifier: Apache-2.0
"""Photographs as a client that knows the network's size sends them.

    pictures.py FOLDER SIDE FILE...     writes FOLDER/N.jpg, SIDE x SIDE, and for small ones FOLDER/N.json: {"image": [numbers from 0 to 1]}
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image

LARGEST_AS_NUMBERS = 64


def main():
    folder, side = Path(sys.argv[1]), int(sys.argv[2])
    for i, file in enumerate(sys.argv[3:]):
        target = folder / f"{i}.jpg"
        image = Image.open(file).convert("RGB")
        if image.size == (side, side):
            shutil.copyfile(file, target)
        else:
            image.resize((side, side), Image.Resampling.BILINEAR).save(target, quality=90)
        if side <= LARGEST_AS_NUMBERS:
            pixels = np.asarray(Image.open(target).convert("RGB")).flatten() / 255
            target.with_suffix(".json").write_text(json.dumps({"image": pixels.round(6).tolist()}))


if __name__ == "__main__":
    main()
