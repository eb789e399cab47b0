# SPDX-License-Identifier: Apache-2.0
"""Augmentation from the command line: the sheet that shows it, the settings that are refused, a model trained with it."""

import struct
import zlib

import pytest

from conftest import Program

EVERYTHING = ["--set", "augmentation.rotation=15", "--set", "augmentation.zoom=0.1", "--set", "augmentation.hue=0.1",
              "--set", "augmentation.randaugment_operations=2", "--set", "augmentation.mixup=0.2", "--set", "augmentation.cutmix=1"]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    program = Program(tmp_path_factory.mktemp("augmentation"))
    program.run("data", "import", "shapes")
    return program


def cells(path, columns, rows):
    """The images of a sheet, by (row, column), as bytes. The sheet is 8-bit RGB, read with zlib alone."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert (depth, colour) == (8, 2)
    packed, at = b"", 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    raw, lines, before = zlib.decompress(packed), [], bytearray(width * 3)
    for y in range(height):
        filter_kind, line = raw[y * (width * 3 + 1)], bytearray(raw[y * (width * 3 + 1) + 1:(y + 1) * (width * 3 + 1)])
        for x in range(len(line)):
            left, up, corner = (line[x - 3] if x >= 3 else 0), before[x], (before[x - 3] if x >= 3 else 0)
            paeth = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
            line[x] = (line[x] + (0, left, up, (left + up) // 2, paeth)[filter_kind]) % 256
        lines.append(line)
        before = line
    across, down = (width - 4) // columns, (height - 4) // rows
    return {(row, column): b"".join(bytes(line[(column * across + 4) * 3:(column + 1) * across * 3])
                                    for line in lines[row * down + 4:(row + 1) * down])
            for row in range(rows) for column in range(columns)}


def test_a_sheet_shows_every_image_as_it_is_and_as_training_sees_it(shapes, tmp_path):
    out = tmp_path / "sheet.png"
    made = shapes.json("data", "preview", "shapes", "--augment", "quick", *EVERYTHING, "--out", out, "--count", "3", "--draws", "2")
    assert (made["images"], made["draws"], made["path"]) == (3, 2, str(out))
    assert made["augmentation"]["rotation"] == pytest.approx(15 / 360)
    images = cells(out, columns=3, rows=3)
    assert len(set(images.values())) == 9, "every draw is another image"
    again = tmp_path / "again.png"
    shapes.run("data", "preview", "shapes", "--augment", "quick", *EVERYTHING, "--out", again, "--count", "3", "--draws", "2")
    assert again.read_bytes() == out.read_bytes(), "the same seed draws the same"
    shapes.run("data", "preview", "shapes", "--augment", "simple-cnn", "--set", "augmentation={}", "--out", again, "--count", "3", "--draws", "2")
    plain = cells(again, columns=3, rows=3)
    for row in range(3):
        assert plain[row, 0] == plain[row, 1] == plain[row, 2], "without augmentation nothing changes"


def test_settings_that_cannot_be_are_refused_by_name(shapes, tmp_path):
    for setting, message in (("rotation=0.75", "augmentation.rotation is 0.75"), ("mixup=-1", "augmentation.mixup is -1"),
                             ("twist=1", "no setting 'twist'"), ("randaugment_magnitude=31", "from 0 to 30")):
        out = tmp_path / "none.png"
        done = shapes.run("data", "preview", "shapes", "--set", f"augmentation.{setting}", "--out", out, check=False)
        assert done.returncode != 0 and message in done.stderr
        assert not out.exists()


def test_a_sheet_too_large_is_refused(shapes, tmp_path):
    done = shapes.run("data", "preview", "shapes", "--count", "1000", "--draws", "1000", "--out", tmp_path / "large.png", check=False)
    assert done.returncode != 0 and "too large" in done.stderr


def test_training_with_mixed_images_registers_a_model(shapes):
    report = shapes.json("train", "--data", "shapes", "--recipe", "improved-cnn-bn", "--epochs", "1", "--set", "augmentation.mixup=0.2",
                         "--set", "augmentation.cutmix=1")
    assert report["test"]["accuracy"] > 0.15, "chance is 0.1"
