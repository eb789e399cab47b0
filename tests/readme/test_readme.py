# SPDX-License-Identifier: Apache-2.0
"""Runs the README's commands as they stand, in order, in a folder with real photographs."""

import json
import os
import re
import shutil
import socket
import subprocess
import time

import pytest

from conftest import IMAGO, ROOT

README = (ROOT / "README.md").read_text()


def commands():
    """Lines of the ```sh blocks after the heading 'By hand'."""
    section = re.search(r"^## By hand$(.*?)^## ", README, re.S | re.M).group(1)
    return [line for block in re.findall(r"```sh\n(.*?)```", section, re.S) for line in block.splitlines() if line and not line.startswith("#")]


def test_the_commands_of_the_readme_work(small_cifar, tmp_path):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8000)) == 0:
            pytest.skip("port 8000, which the README names, is in use")
    photos = tmp_path / "photos"
    for label in ("cat", "dog", "frog"):
        shutil.copytree(small_cifar / "train" / label, photos / label)
    shutil.copy(next((small_cifar / "test" / "frog").iterdir()), tmp_path / "photo.jpg")
    environment = {**os.environ, "PATH": f"{IMAGO.parent}:{os.environ['PATH']}"}
    lines = commands()
    assert len(lines) >= 8, "the README's section 'By hand' has lost its commands"
    server = None
    try:
        for line in lines:
            if line.endswith("&"):
                server = subprocess.Popen(["/bin/bash", "-c", "exec " + line[:-1]], cwd=tmp_path, env=environment)
                for _ in range(100):
                    if subprocess.run(["curl", "-sf", "http://localhost:8000/ready"], capture_output=True).returncode == 0:
                        break
                    time.sleep(0.1)
                continue
            done = subprocess.run(["/bin/bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    finally:
        if server:
            server.terminate()
            server.wait(30)


def test_the_readme_names_files_that_exist():
    for path in re.findall(r"\]\((?!http)([^)#]+)", README):
        assert (ROOT / path).exists(), path


def numbers_in(value):
    """Every number of a result file, and as a percentage."""
    if isinstance(value, dict):
        return [n for part in value.values() for n in numbers_in(part)]
    if isinstance(value, list):
        return [n for part in value for n in numbers_in(part)]
    return [value, 100 * value] if isinstance(value, (int, float)) else []


def test_the_figures_quoted_are_in_the_results():
    """Each figure in the table of measured results, rounded as it is printed, is in the file that its row names."""
    rows = re.findall(r"^\|.*\(bench/results/([a-z_]+)\.json\) \|(.*)\|$", README, re.M)
    assert len(rows) >= 8, "the README's table of measured results has lost its rows"
    for name, cells in rows:
        measured = numbers_in(json.loads((ROOT / "bench" / "results" / f"{name}.json").read_text()))
        quoted = [figure for figure in re.findall(r"\d[\d,]*(?:\.\d+)?", cells.replace("p99", "")) if len(figure) >= 3]
        assert quoted, cells
        for figure in quoted:
            places = len(figure.partition(".")[2])
            assert any(f"{value:,.{places}f}" == figure for value in measured), f"{figure} is not in {name}.json: {cells}"
