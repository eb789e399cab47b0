# SPDX-License-Identifier: Apache-2.0
"""Models that come, go and change on a running server: what is remembered, what is batched how, and that nobody notices a swap or a flood."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest
import requests

from conftest import IMAGO, ROOT, Program, Server


@pytest.fixture(scope="module")
def two(trained, tmp_path_factory):
    """`small` in two versions that often disagree, and the first of them as `other`."""
    folder = tmp_path_factory.mktemp("hosting")
    program = Program(shutil.copytree(trained.workspace, folder / "workspace"))
    program.run("models", "export", "small:1", folder / "other.tar")
    program.run("models", "import", folder / "other.tar", "--name", "other")
    program.run("train", "--data", "small", "--recipe", "improved-cnn-bn", "--epochs", "1", "--seed", "2")
    program.run("models", "promote", "small:1")
    return program


@pytest.fixture
def program(two, tmp_path):
    """A copy of its own: what servers remember is in the workspace."""
    return Program(shutil.copytree(two.workspace, tmp_path / "workspace"))


def post(server, path, body=None):
    answer = requests.post(server.url + path, json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def loaded(server):
    rows = requests.get(server.url + "/v1/models", timeout=10).json()["loaded"]
    return {(row["name"], row["version"]): "main" if row["serving"] else "default" if row["default"] else row["state"] for row in rows}


def killed(server):
    server.process.kill()  # not even asked to stop
    server.process.wait(10)


def test_what_is_loaded_at_run_time_is_there_after_a_restart(program):
    first = Server(program.workspace)
    try:
        post(first, "/v1/models/small/load", {"version": 2})
        post(first, "/v1/models/other/load")
        post(first, "/v1/models/small/default", {"version": 2})
        post(first, "/v1/models/small/unload", {"version": 1})
        before = loaded(first)
        assert before == {("other", 1): "default", ("small", 2): "main"}
    finally:
        killed(first)
    second = Server(program.workspace)
    try:
        assert loaded(second) == before
        post(second, "/v1/models/other/default")
        post(second, "/v1/models/small/unload")
    finally:
        assert second.stop() == 0
    third = Server(program.workspace)
    try:
        assert loaded(third) == {("other", 1): "main"}
    finally:
        assert third.stop() == 0


def test_what_the_command_line_says_wins(program):
    first = Server(program.workspace, "--model", "small")
    try:
        post(first, "/v1/models/small/default", {"version": 1})
        post(first, "/v1/models/other/load")
        post(first, "/v1/models/other/default")
        assert loaded(first) == {("other", 1): "main", ("small", 1): "default"}
    finally:
        assert first.stop() == 0
    second = Server(program.workspace, "--model", "small@2")
    try:
        assert loaded(second) == {("other", 1): "default", ("small", 2): "main"}
    finally:
        assert second.stop() == 0


def test_a_remembered_model_that_does_not_load_is_left_out(program):
    first = Server(program.workspace, "--model", "small")
    try:
        post(first, "/v1/models/other/load")
    finally:
        assert first.stop() == 0
    (program.workspace / "models" / "other" / "1" / "model.onnx").write_bytes(b"other bytes")
    second = Server(program.workspace, "--model", "small")
    try:
        assert loaded(second) == {("other", 1): "failed", ("small", 1): "main"}
    finally:
        assert second.stop() == 0


def test_a_model_has_batch_settings_of_its_own(program):
    server = Server(program.workspace, "--model", "small", "--model", "other", "--max-batch", "6")
    effective = lambda name: requests.get(f"{server.url}/v1/models/{name}/batch", timeout=10).json()["effective"]
    try:
        assert program.json("models", "batch", "small", "--max-batch", 3, "--max-queue", 9)["settings"] == \
            {"max_batch": 3, "batch_delay_us": None, "max_queue": 9, "workers": None}
        program.run("models", "batch", "small", "--workers", 1)
        assert effective("small") == {"max_batch": 3, "batch_delay_us": 0, "max_queue": 9, "workers": 1}
        assert effective("other") == {"max_batch": 6, "batch_delay_us": 0, "max_queue": 1024, "workers": 0}
        answer = requests.put(server.url + "/v1/models/other/batch", json={"max_batch": 2}, timeout=30)
        assert answer.status_code == 200 and answer.json()["effective"]["max_batch"] == 2
        assert "as the server was started" in program.run("models", "batch", "other").stdout
        assert program.json("models", "batch", "small", "--reset")["settings"]["max_batch"] is None
        assert effective("small")["max_batch"] == 6
    finally:
        assert server.stop() == 0
    for wrong in (["small", "--max-batch", "0"], ["nosuch"], ["small", "--reset", "--workers", "1"]):
        assert program.run("models", "batch", *wrong, check=False).returncode != 0


def test_a_running_server_batches_as_it_was_told_since(program, small_cifar):
    """Batches of one by the settings of the model, although many wait."""
    server = Server(program.workspace, "--model", "small")
    batches = lambda: requests.get(server.url + "/v1/stats", timeout=10).json()["models"][0]
    try:
        program.run("models", "batch", "small", "--max-batch", 1)
        time.sleep(1.5)  # it looks once a second
        program.run("bench", server.url, "--connections", 32, "--seconds", 1, "--images", small_cifar / "test")
        measured = batches()
        assert measured["mean_batch"] == 1 and measured["predictions"] == measured["requests"]["ok"] > 100
        assert measured["latency_ms"]["p50"] > 0 and measured["mean_ms"]["queue"] > 0
    finally:
        assert server.stop() == 0


def soak(program, folder, what, *arguments):
    done = subprocess.run([sys.executable, ROOT / "bench" / "soak.py", what, "--program", IMAGO.parent, "--workspace", program.workspace,
                           "--model", "small", "--images", "small:test", *map(str, arguments)], capture_output=True, text=True, timeout=180,
                          env={**os.environ, "IMAGO_BENCH_RESULTS": str(folder)})
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / f"soak_{what}.json").read_text())


def test_swaps_under_load_fail_no_request_and_mix_no_answer(two, tmp_path):
    result = soak(two, tmp_path, "swaps", "--swaps", 10)
    assert result["answers"]["right"] > 100 and result["answers"]["wrong"] == result["answers"]["failed"] == 0
    assert min(result["predictions_by_version"].values()) > 0


def test_a_flood_is_refused_and_what_is_admitted_is_answered_in_time(two, tmp_path):
    result = soak(two, tmp_path, "overload", "--seconds", 4)
    assert set(result["overload"]["statuses"]) == {"200", "503"}
    assert all(result["checks"].values()), result["checks"]
