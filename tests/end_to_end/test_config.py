# SPDX-License-Identifier: Apache-2.0
"""Settings: imago.yaml, then IMAGO_* variables, then flags; the later one wins, and `imago config show` says which did."""

import json
import os
import subprocess

import pytest
from PIL import Image

from conftest import IMAGO

FILE = """\
workspace: from-file
serve: {port: 8080, insecure: true}
data:
  import: {split: 70/15/15}
train: {set: [epochs=3, batch_size=7]}
"""


@pytest.fixture
def imago(tmp_path):
    """Runs the program in an empty folder, with no IMAGO_* variables but those named."""

    def run(*arguments, variables=None):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("IMAGO_")} | (variables or {})
        return subprocess.run([IMAGO, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=30,
                              stdin=subprocess.DEVNULL)

    return run


@pytest.fixture
def images(tmp_path):
    """The smallest folder that makes a data set: what `shapes` draws takes seconds."""
    for label in ("dark", "light"):
        (tmp_path / "images" / label).mkdir(parents=True)
        for i in range(4):
            Image.new("RGB", (8, 8), (i, i, i) if label == "dark" else (255 - i, 255, 255)).save(tmp_path / "images" / label / f"{i}.png")
    return "images"


def shown(done):
    assert done.returncode == 0, done.stderr
    return {setting["key"]: (setting["value"], setting["source"]) for setting in json.loads(done.stdout)["settings"]}


def test_without_a_file_all_settings_are_the_defaults(imago):
    settings = shown(imago("--json", "config", "show"))
    assert settings["serve.port"] == ("8000", "default") and settings["data.import.split"] == ("80/10/10", "default")
    assert settings["serve.insecure"] == ("false", "default")
    assert settings["workspace"] == ("workspace", "default")


def test_the_file_is_below_the_environment_and_the_environment_below_flags(imago, tmp_path):
    (tmp_path / "imago.yaml").write_text(FILE)
    settings = shown(imago("--json", "config", "show", variables={"IMAGO_SERVE_PORT": "9000"}))
    assert settings["serve.port"] == ("9000", "environment")
    assert settings["serve.insecure"] == ("true", "imago.yaml")
    assert settings["train.set"] == ("epochs=3, batch_size=7", "imago.yaml")
    assert settings["workspace"] == ("from-file", "imago.yaml")
    assert shown(imago("--json", "config", "show", "--workspace", "w"))["workspace"] == ("w", "flag")
    assert shown(imago("--json", "config", "show", variables={"IMAGO_WORKSPACE": "v"}))["workspace"] == ("v", "environment")


def test_a_command_uses_what_the_file_says(imago, tmp_path, images):
    (tmp_path / "imago.yaml").write_text("workspace: there\ndata: {import: {name: drawn, seed: 7}}\n")
    report = json.loads(imago("--json", "data", "import", images).stdout)
    assert report["dataset"] == "drawn" and (tmp_path / "there").is_dir()
    named = json.loads(imago("--json", "data", "import", images, "--name", "flagged").stdout)
    assert named["dataset"] == "flagged" and named["version"] != ""
    by_variable = json.loads(imago("--json", "data", "import", images, variables={"IMAGO_DATA_IMPORT_NAME": "varied"}).stdout)
    assert by_variable["dataset"] == "varied"


def test_help_shows_the_values_in_force(imago, tmp_path):
    (tmp_path / "imago.yaml").write_text("serve: {port: 8123}\n")
    assert "8123" in imago("serve", "--help").stdout


def test_another_file_by_flag_or_variable(imago, tmp_path):
    (tmp_path / "imago.yaml").write_text("serve: {port: 1}\n")
    (tmp_path / "other.yaml").write_text("serve: {port: 2}\n")
    for done in (imago("--json", "--config", "other.yaml", "config", "show"), imago("--json", "config", "show", "--config=other.yaml"),
                 imago("--json", "config", "show", variables={"IMAGO_CONFIG": "other.yaml"})):
        assert shown(done)["serve.port"] == ("2", "other.yaml")


@pytest.mark.parametrize("content, told", [
    ("srve: {port: 1}", ["'srve'", "serve", "train", "workspace"]),
    ("serve: {prot: 1}", ["'serve.prot'", "port", "max-queue"]),
    ("data: {import: {splt: 1}}", ["'data.import.splt'", "split"]),
    ("serve: 8080", ["'serve'", "port"]),
    ("serve: {port: }", ["serve.port", "no value"]),
    ("serve: {port: {a: 1}}", ["serve.port"]),
    ("- serve", ["imago.yaml"]),
    ("serve: {port: 1", ["imago.yaml"]),
])
def test_an_unknown_or_misplaced_key_is_wrong_usage_and_says_what_is_known(imago, tmp_path, content, told):
    (tmp_path / "imago.yaml").write_text(content + "\n")
    done = imago("data", "list")
    assert done.returncode == 2 and all(word in done.stderr for word in told), done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2 and not (tmp_path / "workspace").exists()


def test_a_bad_value_names_its_source_and_stops_only_its_own_command(imago, tmp_path):
    (tmp_path / "imago.yaml").write_text("serve: {port: 99999}\n")
    done = imago("serve")
    assert done.returncode == 2 and "imago.yaml" in done.stderr and "serve.port" in done.stderr and "99999" in done.stderr
    assert imago("data", "list").returncode == 0
    done = imago("serve", variables={"IMAGO_SERVE_PORT": "tcp://10.0.0.1:8000"})
    assert done.returncode == 2 and "IMAGO_SERVE_PORT" in done.stderr


def test_a_named_file_that_is_missing_is_wrong_usage(imago):
    done = imago("--config", "nosuch.yaml", "data", "list")
    assert done.returncode == 2 and "nosuch.yaml" in done.stderr


def test_passwords_are_not_shown(imago):
    done = imago("config", "show", variables={"IMAGO_DATABASE_URL": "postgresql://imago:hunter2@db.example/imago"})
    assert done.returncode == 0 and "hunter2" not in done.stdout and "db.example" in done.stdout


COMPLETE = """\
source <("$1" completion bash)
imago() { "$IMAGO" "$@"; }
shift
COMP_WORDS=(imago "$@"); COMP_CWORD=$#
_imago
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("typed, expected", [
    (["mod"], {"models"}), (["models", "ro"], {"rollback"}), (["serve", "--po"], {"--port"}), (["config", ""], {"show"}),
    (["train", "--recipe", "improved"], {"improved-cnn", "improved-cnn-bn"}), (["recipes", "show", "resn"], {"resnet9"}),
    (["train", "--data", "dra"], {"drawn"}), (["data", "show", "dra"], {"drawn"}), (["-w", "workspace", "da"], {"data"})])
def test_tab_completes_commands_options_and_names(imago, tmp_path, images, typed, expected):
    if typed[-1] == "dra":
        assert imago("data", "import", images, "--name", "drawn").returncode == 0
    done = subprocess.run(["bash", "-c", COMPLETE, "bash", IMAGO, *typed], cwd=tmp_path, env=os.environ | {"IMAGO": str(IMAGO)},
                          capture_output=True, text=True, timeout=30)
    assert expected <= set(done.stdout.split()), done.stdout + done.stderr
    assert all(word.startswith(typed[-1]) for word in done.stdout.split())
