# SPDX-License-Identifier: Apache-2.0
"""A state dict that PyTorch saved (.pth) is where training starts from, as a .safetensors file of the same numbers is."""

import json
import math
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict

import pytest

from conftest import Program, data_folder, unpack_photos

PHOTOS = 12  # of each class
TORCHVISION = ["--set", "architecture.padding=torch", "--set", "preprocess.mean=[0.485, 0.456, 0.406]", "--set",
               "preprocess.stddev=[0.229, 0.224, 0.225]"]
SMALL = ["--epochs", "1", "--set", "preprocess.width=64", "--set", "preprocess.height=64"]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    photos = unpack_photos(tmp_path_factory.mktemp("photos"), PHOTOS)
    program = Program(tmp_path_factory.mktemp("workspace"))
    program.json("data", "import", "cats-dogs", "--from", photos)
    return program


class Storage:
    def __init__(self, key, content):
        self.key, self.content = key, content


class Tensor:
    def __init__(self, storage, shape):
        self.storage, self.shape = storage, tuple(shape)

    def __reduce__(self):
        strides = tuple(math.prod(self.shape[i + 1:]) for i in range(len(self.shape)))
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (self.storage, 0, self.shape, strides, False, OrderedDict())


class Pickler(pickle.Pickler):
    """PyTorch's (torch/serialization.py, _save): a storage is an id, its bytes are another file of the zip."""

    def persistent_id(self, value):
        if isinstance(value, Storage):
            return "storage", sys.modules["torch"].FloatStorage, value.key, "cpu", len(value.content) // 4
        return None


def save(path, tensors, monkeypatch):
    """What torch.save(OrderedDict) writes, with stand-ins for the names that its pickle mentions."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    exec("def _rebuild_tensor_v2(*_): pass", utils.__dict__)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    storages = [Storage(str(i), content) for i, (_, _, content) in enumerate(tensors)]
    state = OrderedDict((name, Tensor(storage, shape)) for storage, (name, shape, _) in zip(storages, tensors))
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("mobilenet_v2/data.pkl", "w") as out:
            Pickler(out, protocol=2).dump(state)
        archive.writestr("mobilenet_v2/byteorder", "little")
        for storage in storages:
            archive.writestr(f"mobilenet_v2/data/{storage.key}", storage.content)
        archive.writestr("mobilenet_v2/version", "3\n")
    return path


def backbone():
    """(name, shape, bytes) of each tensor in the .safetensors file."""
    content = (data_folder() / "mobilenet_v2-features.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + length])
    return [(name, entry["shape"], content[8 + length + entry["data_offsets"][0]:8 + length + entry["data_offsets"][1]])
            for name, entry in header.items() if name != "__metadata__" and entry["dtype"] == "F32"]


def train(program, model, weights, *settings):
    program.json("train", "--data", "cats-dogs", "--recipe", "mobilenet-v2", "--model", model, "--weights", weights, *SMALL, *settings)
    return (program.workspace / "models" / model / "1" / "weights.safetensors").read_bytes()


def test_the_same_numbers_give_the_same_model(program, tmp_path, monkeypatch):
    """With ImageNet's classifier, which does not fit two classes and is left out, and DataParallel's prefix."""
    classifier = [("classifier.1.weight", [1000, 1280], bytes(4 * 1000 * 1280)), ("classifier.1.bias", [1000], bytes(4000))]
    whole = [("module." + name, shape, content) for name, shape, content in backbone() + classifier]
    pth = save(tmp_path / "mobilenet_v2.pth", whole, monkeypatch)
    safetensors = data_folder() / "mobilenet_v2-features.safetensors"
    assert train(program, "from-pth", pth, *TORCHVISION) == train(program, "from-safetensors", safetensors, *TORCHVISION)
    nodes = json.loads((program.workspace / "models" / "from-pth" / "1" / "spec.json").read_text())["graph"]["nodes"]
    assert nodes[0]["name"] == "features.0.0" and nodes[0]["padding"] == [1, 1, 1, 1]


def test_a_pickle_that_asks_for_more_is_refused_and_not_run(program, tmp_path):
    class Harmful:
        def __reduce__(self):
            return open, (str(tmp_path / "written"), "w")

    path = tmp_path / "harmful.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"features.0.0.weight": Harmful()}, 2))
    refused = program.run("train", "--data", "cats-dogs", "--recipe", "mobilenet-v2", "--model", "x", "--weights", path, *SMALL, check=False)
    assert refused.returncode == 1 and "open'" in refused.stderr and "state_dict()" in refused.stderr
    assert not (tmp_path / "written").exists()
