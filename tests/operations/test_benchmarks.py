# SPDX-License-Identifier: Apache-2.0
"""The programs of bench/ can be asked what they do, and their peers can be read: what they measure is not for a test."""

import ast
import re
import subprocess
import sys

import pytest
from bounded import ROOT

BENCH = ROOT / "bench"
PROGRAMS = sorted(path.name for path in BENCH.glob("*.py") if path.name != "common.py")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_benchmark_says_what_it_asks(name):
    done = subprocess.run([sys.executable, BENCH / name, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "usage: " + name in done.stdout


def test_each_benchmark_is_in_the_readme():
    named = set(re.findall(r"\]\(([a-z_]+\.py)\)", (BENCH / "README.md").read_text()))
    assert set(PROGRAMS) <= named, f"bench/README.md does not name {set(PROGRAMS) - named}"


@pytest.mark.parametrize("path", sorted([*BENCH.glob("peers/*.py"), *BENCH.glob("serving/*.py")]), ids=lambda path: path.name)
def test_a_part_of_a_benchmark_is_python(path):
    ast.parse(path.read_text(), path.name)


def test_an_unknown_section_of_the_serving_benchmark_is_refused():
    done = subprocess.run([sys.executable, BENCH / "serve.py", "--only", "starts,nothing"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "no section nothing; there are improved-cnn, json, mobilenet-v2, gap-cnn, starts, clients" in done.stderr


def test_the_sections_of_the_serving_benchmark_are_in_the_readme():
    help_text = subprocess.run([sys.executable, BENCH / "serve.py", "--help"], capture_output=True, text=True, timeout=60).stdout
    sections = re.search(r"--only ([a-z0-9,-]+)\]", help_text)[1].split(",")
    page = (BENCH / "README.md").read_text()
    assert [name for name in sections if f"| `{name}` |" not in page] == []
