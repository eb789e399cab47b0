# SPDX-License-Identifier: Apache-2.0
"""The real client of Triton on the real server: what it sends, in whatever form, is answered as /predict answers."""

import json
import struct
import subprocess
import tarfile

import numpy as np
import pytest
import requests
from PIL import Image

from conftest import ROOT, Program, Server

PYTHON = ROOT / ".deps" / "triton" / "bin" / "python"
CLASSES = ("cat", "frog", "ship")


@pytest.fixture(scope="module")
def workspace(trained, tmp_path_factory):
    """`small` and the same network as `other`."""
    folder = tmp_path_factory.mktemp("open_inference")
    trained.json("models", "export", "small:1", folder / "small.tar")
    fresh = Program(folder / "workspace")
    for name in ("small", "other"):
        fresh.run("models", "import", folder / "small.tar", "--name", name)
    fresh.package = folder / "small.tar"
    return fresh


@pytest.fixture(scope="module")
def models(workspace):
    server = Server(workspace.workspace, "--model", "small@all")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def images(small_cifar):
    return [sorted((small_cifar / "test" / label).iterdir())[0] for label in CLASSES]


@pytest.fixture(scope="module")
def expected(models, images):
    """What /predict says."""
    answers = [requests.post(models.url + "/predict", data=image.read_bytes(), timeout=10) for image in images]
    assert all(answer.status_code == 200 for answer in answers)
    return [answer.json() for answer in answers]


def decoded(workspace, images):
    """The images as arrays, and as the network takes them, by NumPy from the package's own settings."""
    pixels = np.stack([np.asarray(Image.open(image).convert("RGB")) for image in images])
    with tarfile.open(workspace.package) as archive:
        member = next(member for member in archive.getmembers() if member.name.endswith("spec.json"))
        preprocess = json.load(archive.extractfile(member))["preprocess"]
    scaled = (pixels / 255 - np.array(preprocess["mean"])) / np.array(preprocess["stddev"])
    return pixels, scaled.transpose(0, 3, 1, 2).astype(np.float32)


@pytest.fixture(scope="module")
def seen(models, workspace, images, tmp_path_factory):
    """All that tritonclient saw, in one run of it."""
    if not PYTHON.exists():
        pytest.skip("needs tritonclient: scripts/setup test")
    raw = tmp_path_factory.mktemp("raw") / "raw.npz"
    pixels, planes = decoded(workspace, images)
    np.savez(raw, pixels=pixels, input=planes)
    client = [PYTHON, ROOT / "tests" / "end_to_end" / "triton_client.py", models.url.removeprefix("http://"), "small", raw, *images]
    done = subprocess.run(client, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_server_describes_itself(seen):
    assert seen["live"] and seen["ready"] and seen["model_ready"] == [True, True, False]
    assert seen["server"]["name"] == "imago"
    assert {"binary_tensor_data", "classification", "model_repository", "statistics"} <= set(seen["server"]["extensions"])
    assert seen["metadata"]["versions"] == ["1"]
    assert {tensor["name"]: tensor["datatype"] for tensor in seen["metadata"]["inputs"]} == {"image": "BYTES", "pixels": "UINT8", "input": "FP32"}
    assert seen["metadata"]["inputs"][2]["shape"] == [-1, 3, 32, 32]


@pytest.mark.parametrize("form", ["bytes", "bytes in columns", "pixels", "pixels as json", "input", "input as json", "version 1", "packed", "packed otherwise"])
def test_every_form_is_answered_as_predict_answers(seen, expected, form):
    answer = seen["answers"][form]
    assert (answer["model"], answer["version"]) == ("small", "1")
    assert answer["label"] == [each["prediction"] for each in expected]
    wanted = np.array([each["probabilities"] for each in expected], np.float32)
    # Decoders may differ by a step where it is Pillow's, so what NumPy normalised is allowed a little.
    tolerance = 0 if form.startswith("bytes") or form == "version 1" else 0.02
    assert np.abs(np.array(answer["probabilities"], np.float32) - wanted).max() <= tolerance


def test_the_likeliest_classes_are_named(seen, expected):
    for row, answer in zip(seen["likeliest"], expected, strict=True):
        ranked = sorted(answer["class_probabilities"].items(), key=lambda item: -item[1])[:3]
        assert [entry.split(":")[2] for entry in row] == [label for label, _ in ranked]
        assert np.allclose([float(entry.split(":")[0]) for entry in row], [p for _, p in ranked], atol=1e-6)


def test_requests_at_the_same_time_each_get_their_answer(seen, expected):
    assert seen["id"] == "mine"
    assert seen["concurrent"] == [[each["prediction"] for each in expected]] * 8


@pytest.mark.parametrize("what, status, text", [
    ("unknown model", "404", "nosuch"), ("unknown version", "404", "version 99"), ("wrong shape", "400", "expected [n, 3, 32, 32]"),
    ("wrong name", "400", "'images'"), ("wrong datatype", "400", "FP64"), ("no image", "400", "not an image"), ("late", "504", "deadline"),
    ("unload", "409", "answers /predict"), ("load nothing", "404", "nosuch")])
def test_errors_are_the_clients_exceptions(seen, what, status, text):
    assert seen["errors"][what]["status"] == status and text in seen["errors"][what]["message"]


@pytest.mark.parametrize("value", [3e38, -3e38])
def test_numbers_that_no_network_can_bear_are_the_clients_fault(models, value):
    tensor = {"name": "input", "datatype": "FP32", "shape": [1, 3, 32, 32], "data": [value, 1.0, -value] * 1024}
    answer = requests.post(models.url + "/v2/models/small/infer", json={"inputs": [tensor]}, timeout=10)
    assert answer.status_code == 200 or (answer.status_code == 400 and "finite" in answer.json()["error"]), answer.text


def test_models_are_loaded_and_unloaded(seen, expected):
    assert seen["repository"] == {"small:1": "READY", "other:1": "UNAVAILABLE"}
    assert seen["repository after load"] == {"small:1": "READY", "other:1": "READY"}
    assert seen["repository after unload"] == {"small:1": "READY", "other:1": "UNAVAILABLE"}
    assert seen["other"]["label"] == [each["prediction"] for each in expected]


def test_statistics_count_the_images(seen):
    [stats] = seen["stats"]
    assert stats["name"] == "small" and stats["inference_count"] >= 3 * 16
    assert stats["inference_stats"]["success"]["ns"] > stats["inference_stats"]["compute_infer"]["ns"] > 0
    assert sum(batch["compute_infer"]["count"] for batch in stats["batch_stats"]) == stats["execution_count"]


def test_a_file_is_enough(models, images, expected):
    """curl --data-binary @image.jpg -H 'Inference-Header-Content-Length: 0'"""
    answer = requests.post(models.url + "/v2/models/small/infer", data=images[0].read_bytes(),
                           headers={"Inference-Header-Content-Length": "0"}, timeout=10)
    assert answer.status_code == 200, answer.text
    assert answer.json()["outputs"][0]["data"] == expected[0]["probabilities"]


def binary(shape, size, payload):
    head = json.dumps({"inputs": [{"name": "image", "datatype": "BYTES", "shape": shape, "parameters": {"binary_data_size": size}}]}).encode()
    return {"data": head + payload, "headers": {"Inference-Header-Content-Length": str(len(head))}}


@pytest.mark.parametrize("request_parts", [
    binary([1], 1 << 62, b"abcd"), binary([1], -4, b"abcd"), binary([1 << 62], 8, struct.pack("<I", 4) + b"abcd"),
    binary([1 << 32, 1 << 32], 8, struct.pack("<I", 4) + b"abcd"), binary([-1], 8, struct.pack("<I", 4) + b"abcd"),
    binary([1], 8, struct.pack("<I", 0xFFFFFFFF) + b"abcd"), binary([2], 8, struct.pack("<I", 4) + b"abcd"),
    binary([1], 8, struct.pack("<I", 4) + b"abcdef"), {"data": b"{}", "headers": {"Inference-Header-Content-Length": "-1"}},
    {"data": b"{}", "headers": {"Inference-Header-Content-Length": "3"}}, {"data": b""}, {"data": b"[" * 100_000},
    {"data": b'{"inputs":' + b"[" * 100_000}])
def test_hostile_requests_are_refused(models, request_parts):
    answer = requests.post(models.url + "/v2/models/small/infer", timeout=10, **request_parts)
    assert answer.status_code == 400 and answer.json()["error"]
    assert models.process.poll() is None


def test_several_models_at_once(workspace, images):
    """The first of --model answers /predict; each answers under its name; all follow the registry."""
    server = Server(workspace.workspace, "--model", "other", "--model", "small@1")
    try:
        photo = images[0].read_bytes()
        plain = requests.post(server.url + "/predict", data=photo, timeout=10).json()
        named = requests.post(server.url + "/v1/models/small/versions/1/predict", data=photo, timeout=10).json()
        assert (plain["model"], named["model"]) == ("other", "small")
        assert plain["probabilities"] == named["probabilities"]
        loaded = requests.get(server.url + "/v1/models", timeout=10).json()["loaded"]
        assert [(each["name"], each["state"], each["serving"]) for each in loaded] == [("other", "ready", True), ("small", "ready", False)]
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize("model", ["nosuch", "small@9", "small@1,9", "small@latest=0", "Small", "other@all"])
def test_a_model_that_cannot_be_served_ends_the_command(workspace, model):
    refused = workspace.run("serve", "--port", "0", "--model", "other", "--model", model, check=False, timeout=30)
    assert refused.returncode == 1 and model.partition("@")[0] in refused.stderr and refused.stderr.count("\n") == 1


def test_the_settings_file_lists_models(workspace, tmp_path):
    settings = tmp_path / "imago.yaml"
    settings.write_text("serve: {model: [other, small@all]}\n")
    shown = json.loads(workspace.run("--config", settings, "--json", "config", "show", "serve").stdout)
    assert "small@all" in json.dumps(shown)
