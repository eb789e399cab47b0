# SPDX-License-Identifier: Apache-2.0
"""The commands of docs/migrating.md, run as they stand there, on another data set's name and free ports."""

import re
import shlex
import shutil
import signal
import subprocess

import numpy as np
import pytest

from PIL import Image, ImageOps

from conftest import IMAGO, ROOT, Program

PAGE = (ROOT / "docs" / "migrating.md").read_text()
COMMANDS = sorted({command for row in re.findall(r"^\|[^|]*\|(.*)\|$", PAGE, re.MULTILINE) for command in re.findall(r"`(imago [^`]+)`", row)})


def mirrored(folder, index):
    """An image that no data set here has."""
    return ImageOps.mirror(Image.open(sorted(folder.iterdir())[index]))


@pytest.fixture(scope="module")
def place(trained, small_cifar, tmp_path_factory):
    """A folder as somebody has it who comes from there: new images in several forms, and a workspace with a model."""
    folder = tmp_path_factory.mktemp("migrating")
    shutil.copytree(trained.workspace, folder / "workspace")
    for base in ("FOLDER", "data/train"):
        for label in ("cat", "dog"):
            (folder / base / label).mkdir(parents=True)
            for i in range(12):
                mirrored(small_cifar / "train" / label, i + (0 if base == "FOLDER" else 20)).save(folder / base / label / f"{i}.jpg")
    pixels = np.stack([np.asarray(mirrored(small_cifar / "train" / "frog", i)) for i in range(4)]).astype(np.float32) / 255
    np.savez(folder / "new_data.npz", x_new=pixels, y_new=np.full(4, 6))
    (folder / "models").mkdir()
    (folder / "mobilenet_v2-features.safetensors").touch()
    return folder


def run(place, words):
    return subprocess.run([IMAGO, "--workspace", place / "workspace", *words], cwd=place, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)


def serves(place, words):
    """It comes up and stops; ports of the page may be anybody's here."""
    words = [re.sub(r"\b50\d\d$", "0", word) for word in words]
    server = subprocess.Popen([IMAGO, "--workspace", place / "workspace", *words], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, stdin=subprocess.DEVNULL)
    try:
        for line in server.stdout:
            if "dashboard and API" in line:
                break
        else:
            raise AssertionError(f"imago {' '.join(words)} did not come up")
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)
    assert server.returncode == 0


@pytest.mark.parametrize("command", COMMANDS)
def test_command(place, trained, command):
    words = shlex.split(command.replace("cats-dogs", "small").replace("cifar10", "small"))[1:]
    if command == "imago data import cifar10":
        done = run(place, ["data", "import", "cifar10", "--from", "nosuch"])  # reading it is tested elsewhere
        assert done.returncode == 1 and "nosuch" in done.stderr
    elif words[0] == "serve":
        port = [] if "--port" in words else ["--port", "0"]
        serves(place, words + port)
    elif words[0] == "train":  # every recipe named is there; training itself is tested elsewhere
        assert run(place, ["recipes", "show", words[words.index("--recipe") + 1]]).returncode == 0
        words[words.index("--data") + 1] = "nosuch"
        done = run(place, words)
        assert done.returncode == 1 and "nosuch" in done.stderr, done.stderr
    elif words[0] == "retrain":
        done = run(place, words + ["--detach"] + ([] if "--model" in words else ["--model", "small"]))
        assert done.returncode == 0, done.stderr
    elif words[:2] == ["runs", "export"]:
        done = run(place, ["runs", "export", trained.train_report["run"], "--mlflow", "http://127.0.0.1:1"])
        assert done.returncode == 1 and "127.0.0.1:1" in done.stderr, done.stderr
    elif words[:2] == ["models", "rollback"]:
        done = run(place, words)
        assert done.returncode == 1 and "small" in done.stderr, "there is one version, and the line says so"
    elif words[:2] == ["keys", "create"]:
        assert run(place, words).returncode == 0
    elif words[0] == "init":
        done = run(place, words)
        assert done.returncode == 0 and (place / words[1] / "imago.yaml").exists(), done.stderr
    else:
        words = ["imported" if word == "small" and words[:2] == ["data", "import"] else word for word in words]
        done = run(place, words)
        assert done.returncode == 0, done.stderr


def test_the_page_has_commands_of_every_kind():
    assert len(COMMANDS) > 25 and {"serve", "train", "retrain", "evaluate", "models", "data"} <= {command.split()[1] for command in COMMANDS}


def test_a_model_leaves_as_a_file_and_comes_back(place, trained, small_cifar, tmp_path):
    """A backup: the package's file alone makes the same model in another workspace, with the same answers."""
    file = tmp_path / "small.tar"
    assert run(place, ["models", "export", "small:1", str(file)]).returncode == 0
    other = Program(tmp_path / "other")
    other.run("models", "import", file)
    image = next((small_cifar / "test" / "cat").iterdir())
    answers = [program.json("predict", "small", image)["predictions"][0]["class_probabilities"] for program in (trained, other)]
    assert answers[0] == pytest.approx(answers[1], abs=1e-6)
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)
    done = Program(tmp_path / "third").run("models", "import", file, check=False)
    assert done.returncode == 1 and done.stderr.strip()
