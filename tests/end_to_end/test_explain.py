# SPDX-License-Identifier: Apache-2.0
"""Grad-CAM by the command line and over HTTP, against the same computed with numpy from the package's weights."""

import base64
import io
import json
import struct

import numpy as np
import pytest
import requests
from PIL import Image

from test_first_light import LABELS

TIMEOUT = 60


@pytest.fixture(scope="module")
def picture(small_cifar, tmp_path_factory):
    """A frog as PNG, so that every decoder sees the same pixels."""
    path = tmp_path_factory.mktemp("explain") / "frog.png"
    Image.open(sorted((small_cifar / "test" / "frog").iterdir())[3]).convert("RGB").save(path)
    return path


def explain(server, picture, **options):
    files = {"file": ("frog.png", picture.read_bytes(), "image/png")}
    return requests.post(server.url + "/v1/explain", files=files, timeout=TIMEOUT, **options)


def read_safetensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data[8 + size:], np.float32, int(np.prod(entry["shape"])), entry["data_offsets"][0])
            .reshape(entry["shape"]).astype(np.float64) for name, entry in header.items()}


def block(x, weights, i):
    """Convolution, BatchNorm at rest, ReLU, 2 x 2 maximum, as improved-cnn-bn has three of."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (1, 1), (1, 1))), (3, 3), axis=(1, 2))
    x = np.tensordot(weights[f"conv{i}.weight"], windows, ([1, 2, 3], [0, 3, 4]))
    norm = {name: weights[f"bn{i}.{name}"][:, None, None] for name in ("weight", "bias", "running_mean", "running_var")}
    x = (x - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-5) * norm["weight"] + norm["bias"]
    channels, height, width = x.shape
    return np.maximum(x, 0).reshape(channels, height // 2, 2, width // 2, 2).max((2, 4))


def preprocessed(spec, pixels):
    mean, stddev = np.array(spec["preprocess"]["mean"]), np.array(spec["preprocess"]["stddev"])
    return ((pixels / 255.0 - mean) / stddev).transpose(2, 0, 1)


def forward(weights, planes):
    """The last planes, what the first linear layer makes of them, and the logits."""
    for i in (1, 2, 3):
        planes = block(planes, weights, i)
    hidden = weights["fc1.weight"] @ planes.ravel() + weights["fc1.bias"]
    return planes, hidden, weights["fc2.weight"] @ np.maximum(hidden, 0) + weights["fc2.bias"]


def grad_cam(weights, image, class_index):
    """Selvaraju et al. 2017, equations 1 and 2, the gradient of the two linear layers written out."""
    planes, hidden, logits = forward(weights, image)
    gradient = ((weights["fc2.weight"][class_index] * (hidden > 0)) @ weights["fc1.weight"]).reshape(planes.shape)
    heat = np.maximum(np.einsum("k,khw->hw", gradient.mean((1, 2)), planes), 0)
    return logits, heat / heat.max() if heat.max() > 0 else heat


def probability(weights, spec, image, class_index):
    logits = forward(weights, image)[2] / spec["temperature"]
    powers = np.exp(logits - logits.max())
    return powers[class_index] / powers.sum()


def stretched(heat, side):
    """Bilinear between the middles of the cells."""
    at = np.clip((np.arange(side) + 0.5) * len(heat) / side - 0.5, 0, len(heat) - 1)
    rows = np.array([np.interp(at, np.arange(len(heat)), row) for row in heat])
    return np.array([np.interp(at, np.arange(len(heat)), column) for column in rows.T]).T


def blurred(image, sigma):
    reach = round(4 * sigma)
    kernel = np.exp(-np.arange(-reach, reach + 1) ** 2 / (2 * sigma ** 2))
    for axis in (1, 2):
        width = [(0, 0)] * 3
        width[axis] = (reach, reach)
        image = np.apply_along_axis(np.convolve, axis, np.pad(image, width, mode="reflect"), kernel / kernel.sum(), "valid")
    return image


def faithfulness(weights, spec, image, heat, class_index, steps=20):
    """Petsiuk et al. 2018: the areas under the class's probability while pixels go and while they come, in the order of the map."""
    if heat.max() == 0:
        return None
    order = np.argsort(-stretched(heat, image.shape[1]).ravel(), kind="stable")

    def area(start, end):
        now, curve = start.reshape(3, -1).copy(), []
        for step in range(steps + 1):
            taken = order[:len(order) * step // steps]
            now[:, taken] = end.reshape(3, -1)[:, taken]
            curve.append(probability(weights, spec, now.reshape(image.shape), class_index))
        return np.trapezoid(curve, dx=1 / steps)

    return {"deletion": area(image, np.zeros_like(image)), "insertion": area(blurred(image, image.shape[1] / 8), image)}


@pytest.fixture(scope="module")
def network(trained):
    """The weights and the specification of the trained model."""
    folder = trained.workspace / "models" / "small" / "1"
    return read_safetensors(folder / "weights.safetensors"), json.loads((folder / "spec.json").read_text())


@pytest.mark.parametrize("label", ["frog", "ship"])
def test_the_heat_map_is_what_numpy_computes(network, server, picture, label):
    weights, spec = network
    image = preprocessed(spec, np.asarray(Image.open(picture)))
    logits, heat = grad_cam(weights, image, LABELS.index(label))
    answer = explain(server, picture, params={"class": label})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["predicted_class"] == LABELS[int(logits.argmax())]
    assert (found["class"], found["class_index"]) == (label, LABELS.index(label))
    assert (found["layer"], found["method"]) == ("pool3", "grad-cam")
    assert np.array(found["heatmap"]) == pytest.approx(heat, abs=2e-3)
    probabilities = np.exp((logits - logits.max()) / spec["temperature"])
    assert found["confidence"] == pytest.approx(probabilities[LABELS.index(label)] / probabilities.sum(), abs=1e-4)
    expected = faithfulness(weights, spec, image, heat, LABELS.index(label))
    assert found["faithfulness"] == (expected and pytest.approx(expected, abs=2e-3))


def test_scores_catch_a_broken_heat_map(trained, network, small_cifar):
    """Over the worst errors, whose maps one process makes: ours are numpy's, and better than an upside-down or a random one."""
    weights, spec = network
    measured = trained.json("evaluate", "small:1", "--data", "small:test", "--explain", "12", "--report", trained.workspace / "errors.json")
    random, ours, upside_down, drawn = np.random.default_rng(1), [], [], []
    for error in [one for one in measured["worst_errors"] if one["faithfulness"]]:
        said = LABELS.index(error["prediction"])
        image = preprocessed(spec, np.asarray(Image.open(small_cifar / error["path"]).convert("RGB")))
        heat = grad_cam(weights, image, said)[1]
        assert error["faithfulness"] == pytest.approx(faithfulness(weights, spec, image, heat, said), abs=0.02)
        for list_, areas in ((ours, error["faithfulness"]), (upside_down, faithfulness(weights, spec, image, 1 - heat, said)),
                             (drawn, faithfulness(weights, spec, image, random.random(heat.shape), said))):
            list_.append(areas["insertion"] - areas["deletion"])
    assert measured["explanations"]["images"] == 12 and len(ours) >= 10
    assert np.mean(ours) > np.mean(drawn) + 0.05 > np.mean(upside_down)
    mean = measured["explanations"]["mean_faithfulness"]
    assert mean["insertion"] - mean["deletion"] == pytest.approx(np.mean(ours))


def test_the_predicted_class_is_explained_unless_told(server, picture):
    answer = explain(server, picture).json()
    predicted = requests.post(server.url + "/predict", files={"file": picture.read_bytes()}, timeout=TIMEOUT).json()
    assert answer["class"] == answer["predicted_class"] == predicted["predicted_class"]
    assert answer["confidence"] == pytest.approx(predicted["confidence"], abs=1e-4)
    heat = np.array(answer["heatmap"])
    assert heat.shape == (4, 4) and heat.min() >= 0 and heat.max() == 1
    assert answer["model"] == "small" and answer["request_id"]
    head, _, data = answer["overlay"].partition(",")
    overlay = Image.open(io.BytesIO(base64.b64decode(data)))
    assert head == "data:image/png;base64" and overlay.size == (256, 256) and overlay.mode == "RGB"
    by_index = explain(server, picture, params={"class": str(answer["class_index"])}).json()
    assert by_index["heatmap"] == answer["heatmap"]


def test_an_image_when_an_image_is_asked_for(server, picture):
    answer = explain(server, picture, headers={"Accept": "image/png"})
    assert answer.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (256, 256)


def test_every_form_of_image_that_predict_takes(server, picture):
    reference = explain(server, picture).json()["heatmap"]
    pixels = np.asarray(Image.open(picture))
    raw = requests.post(server.url + "/v1/explain", data=picture.read_bytes(), headers={"Content-Type": "image/png"},
                        timeout=TIMEOUT)
    numbers = requests.post(server.url + "/v1/explain", json={"image": pixels.tolist()}, timeout=TIMEOUT)
    for answer in (raw, numbers):
        assert answer.status_code == 200, answer.text
        assert np.array(answer.json()["heatmap"]) == pytest.approx(np.array(reference), abs=1e-4)


@pytest.mark.parametrize("label", ["zebra", "10", "-1", "1.5", "frog "])
def test_a_class_that_is_none_is_refused(server, picture, label):
    answer = explain(server, picture, params={"class": label})
    assert answer.status_code == 400 and "is no label" in answer.json()["error"]


@pytest.mark.parametrize("body", [b"not an image", b"\x89PNG\r\n\x1a\n", b""])
def test_what_is_no_image_is_refused(server, body):
    answer = requests.post(server.url + "/v1/explain", data=body, headers={"Content-Type": "image/png"}, timeout=TIMEOUT)
    assert answer.status_code == 400 and answer.json()["error"]


def test_the_command_line_agrees_and_writes_the_overlay(trained, server, picture, tmp_path):
    out = tmp_path / "overlay.png"
    answer = trained.json("explain", "small", picture, "--class", "frog", "--out", out)
    assert np.array(answer["heatmap"]) == pytest.approx(
        np.array(explain(server, picture, params={"class": "frog"}).json()["heatmap"]), abs=1e-4)
    assert Image.open(out).size == (256, 256)
    text = trained.run("explain", "small", picture).stdout
    assert "<- explained" in text and "\ndeletion 0." in text and (picture.parent / "frog.explained.png").exists()


def test_the_command_line_says_what_is_wrong(trained, picture, tmp_path):
    unknown = trained.run("explain", "small", picture, "--class", "zebra", check=False)
    assert unknown.returncode == 1 and "class 'zebra' is no label" in unknown.stderr
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not an image")
    refused = trained.run("explain", "small", broken, check=False)
    assert refused.returncode == 1 and "not an image we read" in refused.stderr
    assert list(tmp_path.iterdir()) == [broken]
    missing = trained.run("explain", "small", tmp_path / "none.png", check=False)
    assert missing.returncode == 1 and "none.png" in missing.stderr
