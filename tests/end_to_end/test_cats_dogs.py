# SPDX-License-Identifier: Apache-2.0
"""Cats and dogs as S3 (one logit, binary cross-entropy) and S4 (transfer from a trained MobileNetV2) do it, on a few real
photographs and at a smaller size: from import to probability_dog."""

import pytest
import requests

from conftest import Program, Server, unpack_photos

PHOTOS = 60  # of each class
SIDE = 96
SMALL = ["--set", f"preprocess.width={SIDE}", "--set", f"preprocess.height={SIDE}"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return unpack_photos(tmp_path_factory.mktemp("photos"), PHOTOS)


@pytest.fixture(scope="module")
def program(photos, tmp_path_factory):
    program = Program(tmp_path_factory.mktemp("workspace"))
    program.json("data", "import", "cats-dogs", "--from", photos)
    return program


@pytest.fixture(scope="module")
def transferred(program):
    """S4: the backbone stays, a new head learns."""
    return program.json("train", "--data", "cats-dogs", "--recipe", "mobilenet-v2", "--model", "s4", "--epochs", "4", *SMALL)


def test_transfer_learns_from_few_photos(program, transferred):
    assert transferred["test"]["accuracy"] >= 0.75  # one class alone would be 0.5
    metrics = program.json("evaluate", "s4")
    assert metrics["accuracy"] == transferred["test"]["accuracy"]


def test_the_server_gives_probability_dog(program, transferred, photos):
    image = photos / "dog" / "0001.jpg"
    server = Server(program.workspace, "--model", "s4")
    try:
        answer = requests.post(server.url + "/predict", files={"file": image.read_bytes()}, timeout=30).json()
        explained = requests.post(server.url + "/v1/explain?class=dog", files={"file": image.read_bytes()}, timeout=60).json()
    finally:
        assert server.stop() == 0
    assert answer["probability_dog"] == pytest.approx(answer["class_probabilities"]["dog"], abs=1e-6)
    local = program.json("predict", "s4", image)["predictions"][0]
    assert local["class_probabilities"]["dog"] == pytest.approx(answer["probability_dog"], abs=1e-4)
    assert explained["layer"] == "features.18.2" and len(explained["heatmap"]) == SIDE // 32
    assert explained["confidence"] == pytest.approx(answer["probability_dog"], abs=1e-3)


def test_one_logit_for_two_classes(program, photos):
    """S3's network: one output, whose sigmoid is the probability of the second class."""
    done = program.json("train", "--data", "cats-dogs", "--recipe", "gap-cnn", "--model", "s3", "--epochs", "1", "--set",
                        "batch_size=16", *SMALL)
    assert 0 <= done["test"]["accuracy"] <= 1
    shown = program.json("models", "show", "s3")
    assert shown["labels"] == ["cat", "dog"] and shown["layers"][-1]["output"] == [1]
    server = Server(program.workspace, "--model", "s3")
    try:
        answer = requests.post(server.url + "/predict", files={"file": (photos / "cat" / "0000.jpg").read_bytes()}, timeout=30).json()
    finally:
        assert server.stop() == 0
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-6)
    assert answer["probability_dog"] == pytest.approx(answer["probabilities"][1], abs=1e-6)
    assert answer["prediction"] == ("dog" if answer["probability_dog"] > 0.5 else "cat")


def test_training_goes_on_from_a_registered_model(program, transferred):
    """--from takes its weights: one epoch at a rate of nearly nothing keeps what it had learned."""
    again = program.json("train", "--data", "cats-dogs", "--recipe", "mobilenet-v2", "--model", "s4-again", "--from", "s4",
                         "--epochs", "1", "--set", "schedule.peak=1e-9", *SMALL)
    assert again["test"]["log_loss"] == pytest.approx(transferred["test"]["log_loss"], abs=0.02)


def test_weights_that_do_not_fit_are_named(program, transferred, tmp_path):
    wrong = program.run("train", "--data", "cats-dogs", "--recipe", "gap-cnn", "--model", "x", "--from", "s4", *SMALL, check=False)
    assert wrong.returncode == 1 and "not one of these" in wrong.stderr and "gap-cnn" in wrong.stderr
    missing = program.run("train", "--data", "cats-dogs", "--weights", tmp_path / "none.safetensors", check=False)
    assert missing.returncode == 1 and "no such file" in missing.stderr
    both = program.run("train", "--data", "cats-dogs", "--weights", "a", "--from", "s4", check=False)
    assert both.returncode == 2


def test_a_frozen_backbone_needs_weights(program):
    refused = program.run("train", "--data", "cats-dogs", "--recipe", "mobilenet-v2", "--model", "x", "--set", "pretrained=", *SMALL,
                          check=False)
    assert refused.returncode == 1 and "freezes the backbone" in refused.stderr and "--weights" in refused.stderr
