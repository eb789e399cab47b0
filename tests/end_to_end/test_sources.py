# SPDX-License-Identifier: Apache-2.0
"""Every form of source in docs/formats/sources.md once, as its own tools write it: numpy, pickle, Pillow, tarfile, csv."""

import io
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from conftest import Program

COLOURS = {"cat": (200, 40, 40), "dog": (40, 40, 200)}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    return Program(tmp_path_factory.mktemp("sources"))


def picture(label, number, form="PNG"):
    """Small, of the class's colour, no two alike."""
    red, green, blue = COLOURS[label]
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (red + number, green, blue)).save(out, form)
    return out.getvalue()


def tree(folder, paths):
    """Files at `paths`, which have a class's name in them somewhere."""
    for number, path in enumerate(paths):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(picture("cat" if "cat" in path else "dog", number % 40))
    return folder


def pixels(count, first=0):
    return np.array([np.full((4, 4, 3), first + i, np.uint8) for i in range(count)])


def labels(count):
    return np.arange(count) % 2


def taken(program, source, kept, classes, **counts):
    report = program.json("data", "import", source, "--name", "set")
    assert report["kept"] == kept, report
    assert list(report["labels"]) == classes
    for split, count in counts.items():
        assert sum(report["counts"][split]) == count, report["counts"]
    return report


CLASSES = [f"{label}/{i}.png" for label in COLOURS for i in range(5)]


def test_folders_of_classes_of_splits_and_of_named_images(program, tmp_path):
    taken(program, tree(tmp_path / "plain", CLASSES), 10, ["cat", "dog"])
    split = [f"{folder}/{path}" for folder in ("train", "test") for path in CLASSES]
    taken(program, tree(tmp_path / "split", split), 20, ["cat", "dog"], test=10)
    taken(program, tree(tmp_path / "kaggle", [f"{label}.{i}.jpg" for label in COLOURS for i in range(5)]), 10, ["cat", "dog"])


def test_archives(program, tmp_path):
    folder = tree(tmp_path / "photos", CLASSES)
    versions = set()
    for ending in ("tar", "tar.gz", "tar.bz2", "tar.xz"):
        with tarfile.open(tmp_path / f"photos.{ending}", "w:" + ending[4:]) as archive:
            archive.add(folder, "photos")
        versions.add(taken(program, tmp_path / f"photos.{ending}", 10, ["cat", "dog"])["version"])
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in CLASSES:
            archive.write(folder / path, path)
    versions.add(taken(program, tmp_path / "photos.zip", 10, ["cat", "dog"])["version"])
    versions.add(taken(program, folder, 10, ["cat", "dog"])["version"])
    assert len(versions) == 1, "the same images, the same version"


@pytest.mark.parametrize("classes", [10, 100])
def test_cifar_in_binary_and_for_python(program, tmp_path, classes):
    batches = {10: ("data_batch_1", "test_batch"), 100: ("train", "test")}[classes]
    names = [f"class {i:02}" for i in range(classes)]
    binary, python = tmp_path / "binary", tmp_path / "python"
    binary.mkdir()
    python.mkdir()
    for number, batch in enumerate(batches):
        planes = np.random.default_rng(number).integers(0, 256, (4, 3072), np.uint8)
        own = [classes - 1, 0, 1, 2]
        before = [b"" if classes == 10 else bytes([label % 20]) for label in own]
        (binary / f"{batch}.bin").write_bytes(b"".join(b + bytes([label]) + row.tobytes() for b, label, row in zip(before, own, planes)))
        key = {10: "labels", 100: "fine_labels"}[classes]
        (python / batch).write_bytes(pickle.dumps({"data": planes, key: own, "coarse_labels": [label % 20 for label in own], "filenames": ["x.png"] * 4}, 2))
    (binary / {10: "batches.meta.txt", 100: "fine_label_names.txt"}[classes]).write_text("\n".join(names) + "\n")
    (python / {10: "batches.meta", 100: "meta"}[classes]).write_bytes(pickle.dumps({{10: "label_names", 100: "fine_label_names"}[classes]: names}, 2))
    first = taken(program, binary, 8, names, test=4)
    assert first["counts"]["test"][classes - 1] == 1
    assert taken(program, python, 8, names)["version"] == first["version"]


def test_a_table(program, tmp_path):
    tree(tmp_path, ["images/" + path for path in CLASSES])
    rows = [f'"images/{path}";{path.split("/")[0]};{"test" if path.endswith("4.png") else "train"}' for path in CLASSES]
    (tmp_path / "labels.csv").write_text("\ufeffPath;Label;Split\r\n" + "\r\n".join(rows) + "\r\nimages/none.png;cat;train\r\n", encoding="utf-8")
    report = taken(program, tmp_path / "labels.csv", 10, ["cat", "dog"], test=2)
    assert report["refused_count"] == 1, report["refused"]


def test_arrays(program, tmp_path):
    one = tmp_path / "one.npz"
    np.savez(one, pixels(6), labels(6))  # arr_0 and arr_1
    taken(program, one, 6, ["0", "1"])
    mnist = tmp_path / "mnist.npz"
    np.savez_compressed(mnist, train_images=pixels(6)[..., 0], train_labels=labels(6)[:, None], test_images=pixels(2, 50)[..., 0],
                        test_labels=labels(2)[:, None], class_names=np.array(["cat", "dog"]))
    taken(program, mnist, 8, ["cat", "dog"], test=2)
    arrays = tmp_path / "arrays"
    arrays.mkdir()
    for name, array in {"X_train": pixels(6), "y_train": labels(6), "X_test": pixels(2, 50), "y_test": labels(2)}.items():
        np.save(arrays / f"{name}.npy", array)
    taken(program, arrays / "X_train.npy", 6, ["0", "1"])
    taken(program, arrays, 8, ["0", "1"], test=2)


def test_bytes_decide_not_endings(program, tmp_path):
    folder = tree(tmp_path / "photos", CLASSES)
    (folder / "cat/jpeg.png").write_bytes(picture("cat", 41, "JPEG"))
    (folder / "dog/none").write_bytes(picture("dog", 42, "WEBP"))
    (folder / "dog/text.png").write_text("a text")
    report = taken(program, folder, 12, ["cat", "dog"])
    (refused,) = report["refused"]
    assert refused["path"] == "dog/text.png" and "not an image" in refused["reason"]
    with tarfile.open(tmp_path / "archive.jpg", "w") as archive:
        archive.add(folder, "photos")
    taken(program, tmp_path / "archive.jpg", 12, ["cat", "dog"])


def test_what_is_no_source_is_refused_with_a_reason(program, tmp_path):
    (tmp_path / "notes.txt").write_text("notes")
    np.save(tmp_path / "x.npy", pixels(2))
    for source, reason in (("notes.txt", "no archive we read"), ("x.npy", "no y.npy beside it"), ("nowhere", "no such file or folder")):
        done = program.run("data", "import", tmp_path / source, "--name", "none", check=False)
        assert done.returncode != 0 and reason in done.stderr, done.stderr
