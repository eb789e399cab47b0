# SPDX-License-Identifier: Apache-2.0
"""The notebook, executed as a reader would, on a few images."""

import json

import pytest

from bounded import ROOT, quiet_environment, run, tool

NOTEBOOK = ROOT / "notebooks" / "walkthrough.ipynb"

EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
nbformat.validate(notebook)
NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


@pytest.fixture(scope="module")
def few_images(small_cifar, tmp_path_factory):
    """30 training and 10 test images of each of three classes."""
    folder = tmp_path_factory.mktemp("few")
    for split, count in (("train", 40), ("test", 10)):
        for label in ("airplane", "cat", "frog"):
            target = folder / split / label
            target.mkdir(parents=True)
            for file in sorted((small_cifar / split / label).iterdir())[:count]:
                (target / file.name).write_bytes(file.read_bytes())
    return folder


def test_it_is_committed_without_outputs():
    notebook = json.loads(NOTEBOOK.read_text())
    for cell in notebook["cells"]:
        assert cell.get("outputs", []) == [] and cell.get("execution_count") is None


def test_it_runs_from_top_to_bottom(few_images, tmp_path):
    environment = quiet_environment(
        IMAGO=str(ROOT / "build" / "imago"),
        NOTEBOOK_IMAGES=str(few_images),
        NOTEBOOK_EPOCHS="2",
        NOTEBOOK_WORKSPACE=str(tmp_path / "workspace"),
        JUPYTER_PLATFORM_DIRS="1",
        HOME=str(tmp_path),
    )
    run(
        [tool("notebook/bin/python"), "-c", EXECUTE, NOTEBOOK, tmp_path / "executed.ipynb"],
        timeout=300,
        env=environment,
        cwd=tmp_path,
    )
    executed = json.loads((tmp_path / "executed.ipynb").read_text())
    printed = "".join(
        "".join(output.get("text", [])) for cell in executed["cells"] for output in cell.get("outputs", [])
    )
    pictures = [
        output
        for cell in executed["cells"]
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert "150 images of 3 classes, 0 refused" in printed
    assert "20 images wait" in printed
    assert "champion: version" in printed and "server ended with 0" in printed
    assert len(pictures) == 6
