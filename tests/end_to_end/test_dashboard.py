# SPDX-License-Identifier: Apache-2.0
"""The dashboard in a real browser, each page against a real server with a small trained model."""

import os
import shutil
import subprocess

import pytest

from conftest import ROOT, Program, Server

pytestmark = pytest.mark.skipif(not os.path.exists("/usr/bin/chromium"), reason="needs Chromium")

BROWSER_TESTS = ROOT / "tests" / "browser"


def drive(script, server, **environment):
    done = subprocess.run(["npm", "run", "--silent", script], cwd=BROWSER_TESTS, capture_output=True, text=True, timeout=420,
                          env=os.environ | {"IMAGO_URL": server.url} | {k: str(v) for k, v in environment.items()})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def fresh_images(small_cifar, tmp_path_factory):
    """Ten images that the data set of these tests does not have."""
    folder = tmp_path_factory.mktemp("fresh")
    for image in sorted((small_cifar / "train" / "cat").iterdir())[100:110]:
        shutil.copy(image, folder)
    return folder


@pytest.fixture(scope="module")
def workspace(small_cifar, tmp_path_factory):
    """A model of one epoch on 40 + 20 images of each class: what the pages show, soon made."""
    images = tmp_path_factory.mktemp("few")
    for split, count in (("train", 40), ("test", 20)):
        for label in (small_cifar / split).iterdir():
            target = images / split / label.name
            target.mkdir(parents=True)
            for image in sorted(label.iterdir())[:count]:
                shutil.copy(image, target)
    program = Program(tmp_path_factory.mktemp("dashboard"))
    program.run("data", "import", images, "--name", "few")
    program.run("train", "--data", "few", "--recipe", "improved-cnn-bn", "--epochs", "2")
    return program


def test_every_page_of_the_dashboard(workspace, fresh_images):
    server = Server(workspace.workspace, "--model", "few")
    try:
        drive("test:pages", server, IMAGES=fresh_images)
    finally:
        assert server.stop() == 0


def test_the_dashboard_says_when_a_model_is_not_sure(workspace, fresh_images):
    workspace.run("models", "threshold", "few", "--confidence", "0.999", "--energy", "100")
    server = Server(workspace.workspace, "--model", "few")
    try:
        drive("test:abstention", server, IMAGE=sorted(fresh_images.iterdir())[0])
    finally:
        assert server.stop() == 0
        workspace.run("models", "threshold", "few", "--off")


def test_the_dashboard_asks_for_a_key(workspace, fresh_images):
    created = workspace.json("keys", "create", "--name", "browser", "--scopes", "predict,write")
    server = Server(workspace.workspace, "--model", "few")
    try:
        drive("test:key", server, IMAGE=sorted(fresh_images.iterdir())[0], IMAGO_KEY=created["key"])
    finally:
        assert server.stop() == 0
