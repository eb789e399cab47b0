# SPDX-License-Identifier: Apache-2.0
"""Importing from the command line: what is told of every file, the split, and an import that is cut off."""

import io
import json
import os
import pty
import random
import re
import signal
import struct
import subprocess
import time
import zlib

import pytest
from PIL import Image, ImageDraw

from conftest import IMAGO, Program


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "workspace")


def picture(seed, size=(48, 40)):
    """Blobs that look like no others."""
    chance = random.Random(seed)
    image = Image.new("RGB", (192, 160), tuple(chance.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(8):
        x, y, r = chance.randrange(192), chance.randrange(160), chance.randrange(15, 60)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(chance.randrange(256) for _ in range(3)))
    return image.resize(size, Image.Resampling.LANCZOS)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def slow_pngs(folder, count, side=1000):
    """Small files that take some time to decode, no two with the same bytes."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + (bytes(range(250)) * 12)[:side * 3]) * side, 1))
    for label in ("cat", "dog"):
        (folder / label).mkdir(parents=True)
        for i in range(count // 2):
            text = chunk(b"tEXt", b"Comment\0" + f"{label} {i}".encode())
            (folder / label / f"{i}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + text + pixels + chunk(b"IEND", b""))
    return folder


def test_every_file_is_told_of_kept_fixed_or_refused(program, tmp_path):
    source = tmp_path / "photos"
    for label in ("cat", "dog"):
        (source / label).mkdir(parents=True)
        for i in range(4):
            picture(f"{label} {i}").save(source / label / f"{i}.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture("turned").save(source / "cat" / "turned.jpg", exif=exif)
    picture("other").save(source / "cat" / "other.jpg", "PNG")
    picture("inks").convert("CMYK").save(source / "dog" / "inks.jpg")
    picture("film").save(source / "dog" / "film.gif", save_all=True, append_images=[picture("film 2")])
    (source / "dog" / "broken.jpg").write_bytes(b"no image at all")
    cut = io.BytesIO()
    picture("cut").save(cut, "PNG")
    (source / "dog" / "cut.png").write_bytes(cut.getvalue()[:-60])

    text = program.run("data", "import", source, "--name", "photos").stdout
    for words in ("kept            12", "of these fixed", "turned as its EXIF data says", "CMYK converted to RGB",
                  "only the first frame of an animation", "its ending names another format", "refused", "not an image we read",
                  "dog/broken.jpg: not an image we read: starts with 'no image'", "imago data show photos --refused"):
        assert words in text, words + "\n" + text
    report = program.json("data", "import", source, "--name", "photos")
    assert report["was_there"] and report["kept"] == 12 and report["refused_count"] == 2 and report["fixed_count"] == 4
    assert report["fixed_by_reason"]["CMYK converted to RGB"] == 1
    assert [file["path"] for file in report["refused"]] == ["dog/broken.jpg", "dog/cut.png"]
    shown = program.run("data", "show", "photos", "--refused").stdout
    assert "dog/cut.png: broken PNG" in shown and "cat/turned.jpg: turned as its EXIF data says" in shown
    files = program.workspace / "datasets" / "photos" / report["version"]
    fixed = [json.loads(line) for line in (files / "fixed.jsonl").read_text().splitlines()]
    assert [row["path"] for row in fixed] == ["cat/other.jpg", "cat/turned.jpg", "dog/film.gif", "dog/inks.jpg"]


def test_kaggles_flat_cats_and_dogs(program, tmp_path):
    for i in range(10):
        for label in ("cat", "dog"):
            (tmp_path / "dogs-vs-cats" / "train").mkdir(parents=True, exist_ok=True)
            picture(f"{label} {i}").save(tmp_path / "dogs-vs-cats" / "train" / f"{label}.{i}.jpg")
    report = program.json("data", "import", tmp_path / "dogs-vs-cats")
    assert report["labels"] == ["cat", "dog"] and report["counts"] == {"train": [8, 8], "validation": [1, 1], "test": [1, 1]}
    (tmp_path / "dogs-vs-cats" / "train" / "bird").mkdir()
    picture("bird").save(tmp_path / "dogs-vs-cats" / "train" / "bird" / "1.jpg")
    mixed = program.run("data", "import", tmp_path / "dogs-vs-cats", check=False)
    assert mixed.returncode == 1 and "use one form" in mixed.stderr


def test_near_copies_stay_on_one_side_when_asked(program, tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for i in range(40):
            for size in ((96, 80), (72, 60)):
                picture(f"{label} {i}", size).save(tmp_path / "pets" / label / f"{i:02}-{size[0]}.jpg", quality=90)
    report = program.json("data", "import", tmp_path / "pets", "--group-duplicates", "--split", "60/20/20")
    for split, images in report["counts"].items():
        for count in images:
            assert abs(count - 80 * {"train": 0.6}.get(split, 0.2)) <= 4, report["counts"]
    sides = {}
    rows = (program.workspace / "datasets" / "pets" / report["version"] / "manifest.jsonl").read_text().splitlines()[1:]
    for row in map(json.loads, rows):
        sides.setdefault(row["path"].split("-")[0], set()).add(row["split"])
    assert len(sides) == 80 and all(len(splits) == 1 for splits in sides.values())


@pytest.mark.parametrize("split, words", [("80/20", "expected TRAIN/VALIDATION/TEST"), ("80/10/10/0", "expected TRAIN/VALIDATION/TEST"),
                                          ("a/b/c", "expected TRAIN/VALIDATION/TEST"), ("80/10/20", "make 110"), ("0/50/50", "more than 0"),
                                          ("110/-10/0", "at least 0"), ("nan/1/1", "expected TRAIN")])
def test_splits_that_cannot_be(program, tmp_path, split, words):
    done = program.run("data", "import", tmp_path, "--split", split, check=False)
    assert done.returncode == 1 and f"--split {split}" in done.stderr and words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_split_without_validation_or_test(program, tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for i in range(10):
            picture(f"{label} {i}").save(tmp_path / "pets" / label / f"{i}.png")
    assert program.json("data", "import", tmp_path / "pets", "--split", "100/0/0")["counts"] == {"train": [10, 10]}
    assert program.json("data", "import", tmp_path / "pets", "--split", "0.7/0.3/0")["counts"] == {"train": [7, 7], "validation": [3, 3]}


def start_and_reach_the_middle(program, source):
    """An import that has stored some images out of sight."""
    process = subprocess.Popen([IMAGO, "--workspace", program.workspace, "data", "import", source, "--name", "cut"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for _ in range(2000):
        if sum(1 for _ in program.workspace.glob("datasets/.staging-*/objects/*/*")) >= 10:
            return process
        assert process.poll() is None, "the import ended before it was interrupted"
        time.sleep(0.005)
    process.kill()
    raise AssertionError("the import stored nothing within 10 s")


def left_behind(program):
    return sorted(path.name for path in (program.workspace / "datasets").iterdir() if path.name != ".import.lock")


def test_an_interrupted_or_killed_import_leaves_no_trace(program, tmp_path):
    source = slow_pngs(tmp_path / "source", 600)
    process = start_and_reach_the_middle(program, source)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode != 0 and "nothing was changed" in err
    assert left_behind(program) == [] and program.json("data", "list") == []

    process = start_and_reach_the_middle(program, source)
    process.kill()
    process.communicate(timeout=30)
    assert program.json("data", "list") == [] and [name[:9] for name in left_behind(program)] == [".staging-"]
    small = slow_pngs(tmp_path / "small", 4, side=100)
    program.run("data", "import", small)
    assert left_behind(program) == ["objects", "small"], "the next import sweeps"
    assert sum(1 for _ in program.workspace.glob("datasets/objects/*/*")) == 4, "nothing of the killed import"


def test_the_same_import_again_changes_nothing_and_is_quick(program, tmp_path):
    source = slow_pngs(tmp_path / "source", 200)
    seconds = []
    reports = []
    for _ in range(2):
        began = time.monotonic()
        reports.append(program.json("data", "import", source, "--name", "pets"))
        seconds.append(time.monotonic() - began)
        files = {path: path.stat().st_mtime_ns for path in (program.workspace / "datasets").rglob("*.jsonl")}
        if len(reports) == 1:
            before = files
    assert not reports[0].pop("was_there") and reports[1].pop("was_there") and reports[0] == reports[1]
    assert files == before
    assert seconds[1] < seconds[0] * 0.7, "what is stored is not decoded again"


def test_a_terminal_shows_rate_and_time_left(program, tmp_path):
    source = slow_pngs(tmp_path / "source", 300)
    ours, theirs = pty.openpty()
    process = subprocess.Popen([IMAGO, "--workspace", program.workspace, "data", "import", source, "--name", "pets"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # so a terminal ends
            break
        shown += piece
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert re.search(rb"checking images  \d+  \d+%  \d+/s  ETA \d+ s", shown), shown
