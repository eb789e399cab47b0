# SPDX-License-Identifier: Apache-2.0
"""The built programs from images to a served answer, on a small real subset of CIFAR-10."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

LABELS = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def package_folder(trained):
    return trained.workspace / "models" / "small" / "1"


def test_import_keeps_every_image_and_its_split(trained):
    report = trained.import_report
    assert report["labels"] == LABELS
    assert report["kept"] == 2400 and report["refused"] == []
    assert report["counts"]["test"] == [40] * 10
    assert [a + b for a, b in zip(report["counts"]["train"], report["counts"]["validation"])] == [200] * 10


def test_importing_again_changes_nothing(trained, small_cifar):
    again = trained.json("data", "import", small_cifar, "--name", "small")
    assert again["was_there"] and again["version"] == trained.import_report["version"]


def test_training_learns_and_registers_a_champion(trained):
    report = trained.train_report
    assert report["version"] == 1
    assert report["test"]["accuracy"] > 0.25, "chance is 0.1"
    assert np.sum(report["test"]["confusion"]) == 400
    version = trained.json("models", "list")[0]
    assert "champion" in version["aliases"]
    assert version["test_accuracy"] == pytest.approx(report["test"]["accuracy"])


def test_the_run_is_kept_with_its_curves(trained):
    run = trained.json("runs", "show", trained.train_report["run"])
    assert run["status"] == "finished"
    assert [point["step"] for point in run["metrics"]["val_accuracy"]] == [1, 2, 3, 4]
    assert run["params"]["dataset"] == f"small@{trained.import_report['version']}"


def test_evaluate_gives_what_training_reported(trained):
    measured = trained.json("evaluate", "small", "--data", "small:test")
    assert measured["accuracy"] == pytest.approx(trained.train_report["test"]["accuracy"])


def test_the_onnx_file_is_valid_and_onnx_runtime_agrees(trained):
    folder = package_folder(trained)
    onnx.checker.check_model(onnx.load(folder / "model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    inputs = np.load(folder / "golden" / "inputs.npy")
    assert inputs.shape == (8, 3, 32, 32) and inputs.dtype == np.float32
    logits = session.run(None, {session.get_inputs()[0].name: inputs})[0]
    assert np.abs(logits - np.load(folder / "golden" / "logits.npy")).max() < 1e-4


def test_predict_answers_like_onnx_runtime_with_pillow(trained, small_cifar):
    """No skew: decoding and scaling by other libraries, on an image of the network's size, gives the same answer."""
    image = small_cifar / "test" / "ship" / sorted(p.name for p in (small_cifar / "test" / "ship").iterdir())[0]
    whole_spec = json.loads((package_folder(trained) / "spec.json").read_text())
    spec = whole_spec["preprocess"]
    pixels = np.asarray(Image.open(image).convert("RGB"), dtype=np.float32) / 255
    planes = ((pixels - np.array(spec["mean"], np.float32)) / np.array(spec["stddev"], np.float32)).transpose(2, 0, 1)[None]
    session = onnxruntime.InferenceSession(package_folder(trained) / "model.onnx", providers=["CPUExecutionProvider"])
    logits = session.run(None, {session.get_inputs()[0].name: planes})[0][0].astype(np.float64)
    expected = np.exp((logits - logits.max()) / whole_spec["temperature"])
    expected /= expected.sum()
    answer = trained.json("predict", "small", image)["predictions"][0]
    assert answer["prediction"] == LABELS[int(expected.argmax())]
    assert [answer["class_probabilities"][label] for label in LABELS] == pytest.approx(expected.tolist(), abs=2e-3)


def test_models_show_counts_parameters_and_macs(trained):
    shown = trained.json("models", "show", "small:champion")
    assert shown["parameters"] == sum(layer["parameters"] for layer in shown["layers"]) > 500_000
    assert shown["macs"] > 5_000_000
