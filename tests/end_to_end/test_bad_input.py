# SPDX-License-Identifier: Apache-2.0
"""Bad input to the command line: exit status, one clear line, nothing half-written."""

import shutil
import socket
import subprocess

import pytest
from PIL import Image

from conftest import IMAGO, Program


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "workspace")


def refuse(program, *arguments, status=1):
    done = program.run(*arguments, check=False)
    assert done.returncode == status, done.stderr
    lines = done.stderr.strip().splitlines()
    assert lines, "says nothing"
    return lines[-1]


def photos(folder, count=12):
    for label in ("cat", "dog"):
        (folder / label).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (32, 32), (i * 9, 90, 200 if label == "cat" else 20)).save(folder / label / f"{i}.jpg")
    return folder


def test_wrong_usage_is_status_2(program):
    for words, told in (
        (["tran"], ["imago: no command 'tran'; there are: data, train,"]),
        (["data", "imprt"], ["imago data: no command 'imprt'; there are: import,"]),
        (["--json", "data", "imprt", "photos"], ["imago data: no command 'imprt'"]),
        ([], ["Usage:", "train"]),
        (["models"], ["Usage:", "rollback"]),
        (["train", "--epochs", "-3"], ["--epochs: '-3' is not a number above 0"]),
        (["train", "--epochs", "0"], ["--epochs: '0' is not a number above 0"]),
        (["train", "--epochs", "nan"], ["'nan' is not a number above 0"]),
        (["train", "--max-minutes", "-1"], ["'-1' is not a number of 0 or more"]),
        (["train", "--epoch", "3"], ["imago train: no option '--epoch'"]),
    ):
        done = program.run(*words, check=False)
        assert done.returncode == 2 and done.stdout == "" and all(text in done.stderr for text in told), (words, done.stdout, done.stderr)
    assert program.run("--help").returncode == 0
    assert program.run("--version").stdout.startswith("imago ")


@pytest.mark.parametrize("command", [["data", "import"], ["data", "list"], ["data", "show"], ["train"], ["retrain"], ["evaluate"], ["predict"],
                                     ["models", "list"], ["models", "show"], ["models", "average"], ["runs", "list"], ["runs", "show"], ["recipes", "list"],
                                     ["recipes", "show"], ["serve"], ["audit"], ["audit", "forget"], ["keys", "create"], ["keys", "limit"]])
def test_every_command_has_help_with_an_example(program, command):
    text = program.run(*command, "--help").stdout
    assert "Example" in text and f"imago {' '.join(command)}" in text


def test_unknown_names_list_what_there_is(program):
    assert "nosuch" in refuse(program, "train", "--data", "nosuch")
    assert "quick" in refuse(program, "recipes", "show", "nosuch")
    assert "nosuch" in refuse(program, "predict", "nosuch", "x.jpg")
    assert program.json("runs", "list") == [], "a refused command leaves no run"


@pytest.mark.parametrize("key,value,named", [
    ("freeze", "1", "freeze"), ("description", "[a]", "description"), ("epochs", "ten", "epochs"), ("preprocess", "32", "width"),
    ("preprocess", "{width: wide}", "width"), ("architecture", "quick", "name"), ("architecture", "{name: 3}", "name"),
    ("architecture", "{name: improved-cnn, dropout: high}", "dropout")])
def test_a_recipe_with_a_value_of_a_wrong_type_is_refused_by_name(program, tmp_path, key, value, named):
    settings = {"name": "mine", "architecture": "{name: improved-cnn}", key: value}
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("".join(f"{name}: {text}\n" for name, text in settings.items()))
    said = refuse(program, "recipes", "show", recipe)
    assert "mine.yaml" in said and f"'{named}'" in said.replace('"', "'"), said


def test_a_setting_nobody_knows_is_refused_by_name(program, tmp_path):
    program.run("data", "import", photos(tmp_path / "photos"), "--name", "pets")
    line = refuse(program, "train", "--data", "pets", "--recipe", "improved-cnn", "--set", "epochz=3")
    assert "epochz" in line
    assert program.json("models", "list") == []


def test_unreadable_files_are_refused_one_by_one_and_listed(program, tmp_path):
    folder = photos(tmp_path / "photos")
    (folder / "cat" / "text.jpg").write_text("I am not an image")
    whole = (folder / "cat" / "0.jpg").read_bytes()
    (folder / "dog" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    report = program.json("data", "import", folder, "--name", "pets")
    assert report["kept"] == 24
    reasons = {refusal["path"]: refusal["reason"] for refusal in report["refused"]}
    assert set(reasons) == {"cat/text.jpg", "dog/cut.jpg"} and all(reasons.values())


def test_a_pixel_bomb_is_refused_before_it_is_decoded(program, tmp_path):
    folder = photos(tmp_path / "photos")
    Image.new("1", (20_000, 20_000)).save(folder / "cat" / "bomb.png")
    report = program.json("data", "import", folder, "--name", "pets")
    assert "20000" in report["refused"][0]["reason"]


def test_an_empty_class_folder_stops_the_import(program, tmp_path):
    folder = photos(tmp_path / "photos")
    (folder / "bird").mkdir()
    assert "bird" in refuse(program, "data", "import", folder, "--name", "pets")
    assert program.json("data", "list") == []


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    """A workspace on a tiny file system of its own."""
    mount = tmp_path / "small-disk"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", mount], capture_output=True).returncode != 0:
        pytest.skip("may not mount a tmpfs here")
    try:
        folder = tmp_path / "photos"
        for label in ("cat", "dog"):
            (folder / label).mkdir(parents=True)
            for i in range(60):
                Image.effect_noise((128, 128), 60 + i).convert("RGB").save(folder / label / f"{i}.jpg", quality=95)
        program = Program(mount / "workspace")
        assert "disk is full" in refuse(program, "data", "import", folder, "--name", "pets")
        assert program.json("data", "list") == []
    finally:
        subprocess.run(["umount", mount], check=True)


def test_one_flipped_byte_in_a_package_is_refused_by_its_hash(trained, small_cifar, tmp_path):
    copy = tmp_path / "workspace"
    shutil.copytree(trained.workspace, copy)
    weights = copy / "models" / "small" / "1" / "model.onnx"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    image = next((small_cifar / "test" / "cat").iterdir())
    line = refuse(Program(copy), "predict", "small", image)
    assert "model.onnx" in line


def test_a_busy_port_is_named(trained):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refuse(trained, "serve", "--port", port)
        assert str(port) in line and "--port" in line


def test_predict_on_a_text_file_named_jpg(trained, tmp_path):
    fake = tmp_path / "fake.jpg"
    fake.write_text("hello")
    done = trained.run("predict", "small", fake, check=False)
    assert done.returncode == 1 and "fake.jpg" in done.stderr
