# SPDX-License-Identifier: Apache-2.0
"""The server does what its OpenAPI document says, whatever schemathesis sends: each operation with valid and invalid
parameters, bodies, keys and methods. No answer of its own making (5xx), no status, type, header or body that the
document does not have, nothing invalid accepted, nothing answered without a key."""

import os
import re
import subprocess

import pytest

from conftest import ROOT, Program, Server

SCHEMATHESIS = ROOT / ".deps" / "schemathesis" / "bin" / "schemathesis"
SETTINGS = ROOT / "tests" / "end_to_end" / "schemathesis.toml"


@pytest.fixture(scope="module")
def keyed(trained, small_cifar, tmp_path_factory):
    """A server that asks for keys, with the model under the name `small` and a data set that no model was trained on, so
    that nothing that is sent starts a training."""
    program = Program(tmp_path_factory.mktemp("schemathesis"))
    program.run("models", "import", trained.workspace / "models" / "small" / "1", "--name", "small")
    program.run("data", "import", small_cifar / "test", "--name", "pictures")
    running = Server(program.workspace, "--model", "small", "--require-key")
    running.key = program.json("keys", "create", "--name", "all", "--scopes", "admin")["key"]
    yield running
    assert running.stop() == 0


@pytest.mark.skipif(not SCHEMATHESIS.exists(), reason="needs schemathesis: scripts/setup test")
def test_no_violation_is_found(keyed, tmp_path):
    done = subprocess.run([SCHEMATHESIS, "--config-file", SETTINGS, "run", keyed.url + "/openapi.json", "-H", f"X-API-Key: {keyed.key}"],
                          cwd=tmp_path, capture_output=True, text=True, timeout=400, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr
    assert int(re.search(r"Tested: *(\d+)", done.stdout)[1]) >= 80, done.stdout
