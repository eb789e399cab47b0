# SPDX-License-Identifier: Apache-2.0
"""Training seen by a real MLflow: its own server is told over REST, its own Python client is asked."""

import json
import os
import signal
import socket
import subprocess
import time

import numpy
import pytest
import requests
from PIL import Image

from conftest import ROOT, Program

MLFLOW = ROOT / ".deps" / "mlflow" / "bin"

# What MLflow's own client says of the newest run of an experiment, as JSON.
ASK = """
import json, sys
from mlflow.tracking import MlflowClient

client = MlflowClient(sys.argv[1])
experiment = client.get_experiment_by_name(sys.argv[2])
runs = client.search_runs([experiment.experiment_id])
run = runs[0]
artifacts, folders = {}, [""]
while folders:
    for found in client.list_artifacts(run.info.run_id, folders.pop() or None):
        if found.is_dir:
            folders.append(found.path)
        else:
            artifacts[found.path] = found.file_size
history = {key: [[point.step, point.value, point.timestamp] for point in client.get_metric_history(run.info.run_id, key)]
           for key in run.data.metrics}
print(json.dumps({"runs": len(runs), "name": run.info.run_name, "status": run.info.status, "start": run.info.start_time,
                  "end": run.info.end_time, "params": run.data.params, "tags": run.data.tags, "history": history,
                  "artifacts": artifacts, "id": run.info.run_id}))
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    """A real server on SQLite; the fixture's value is its address."""
    if not (MLFLOW / "mlflow").exists():
        pytest.skip("needs MLflow: scripts/setup test")
    folder = tmp_path_factory.mktemp("mlflow")
    port = free_port()
    # Like its own venv's commands, the server looks for gunicorn or uvicorn on the path.
    environment = dict(os.environ, PATH=f"{MLFLOW}:{os.environ['PATH']}", MLFLOW_DISABLE_TELEMETRY="true",
                       MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
    log = open(folder / "log.txt", "w", encoding="utf-8")
    process = subprocess.Popen(
        [MLFLOW / "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
         "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", folder / "files"],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert process.poll() is None, (folder / "log.txt").read_text()
            try:
                if requests.get(url + "/health", timeout=5).status_code == 200:
                    break
            except requests.ConnectionError:
                time.sleep(0.1)
        else:
            raise AssertionError("mlflow server did not start: " + (folder / "log.txt").read_text())
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its workers too; nothing of it is kept
        process.wait(timeout=20)
        log.close()


@pytest.fixture(scope="module")
def colours(tmp_path_factory):
    """A workspace with 400 noisy squares of four colours: seconds to train."""
    folder = tmp_path_factory.mktemp("images")
    random = numpy.random.default_rng(1)
    for name, colour in {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200), "gray": (90, 90, 90)}.items():
        (folder / name).mkdir()
        for i in range(100):
            pixels = numpy.clip(random.normal(colour, 60, (32, 32, 3)), 0, 255).astype(numpy.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    program = Program(tmp_path_factory.mktemp("workspace"))
    program.json("data", "import", folder, "--name", "colours")
    return program


def train(program, uri, **more):
    environment = dict(os.environ, MLFLOW_TRACKING_URI=uri, **more)
    done = program.run("--json", "train", "--data", "colours", "--recipe", "improved-cnn", "--epochs", "2", env=environment)
    return json.loads(done.stdout), done.stderr


def ask(uri, experiment):
    environment = dict(os.environ, MLFLOW_DISABLE_TELEMETRY="true")
    done = subprocess.run([MLFLOW / "python", "-c", ASK, uri, experiment], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(seen, program, report):
    """What MLflow has is what the workspace has."""
    run = program.json("runs", "show", report["run"])
    assert seen["runs"] == 1
    assert seen["name"] == report["run"]
    assert seen["status"] == "FINISHED"
    assert seen["end"] >= seen["start"] > 1_600_000_000_000
    assert seen["params"]["recipe"] == "improved-cnn"
    assert seen["params"]["epochs"] == "2"
    assert seen["params"]["seed"] == "1"
    assert seen["params"]["dataset"].startswith("colours@")
    assert seen["params"]["optimizer.kind"]
    assert seen["params"]["code_version"]
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert [[step, value] for step, value, _ in seen["history"][name]] == \
            [[point["step"], point["value"]] for point in run["metrics"][name]], name
        assert all(seen["start"] <= at <= seen["end"] for _, _, at in seen["history"][name])
    assert seen["history"]["test_accuracy"][-1][1] == pytest.approx(report["test"]["accuracy"])
    assert seen["tags"]["mlflow.source.name"] == "imago"
    assert seen["tags"]["imago.run"] == report["run"]
    assert seen["tags"]["imago.verdict"] == report["verdict"]
    package = program.workspace / "models" / report["model"] / str(report["version"])
    for name in ("model.onnx", "weights.safetensors", "spec.json"):
        assert seen["artifacts"]["model/" + name] == (package / name).stat().st_size
    for name in ("report.json", "confusion_matrix.svg", "curves.svg", "training_logs.json"):
        assert seen["artifacts"][name] > 100


def test_a_training_run_is_seen_by_mlflow_as_it_was(mlflow, colours):
    report, log = train(colours, mlflow, GITHUB_SHA="0123456789abcdef0123456789abcdef01234567")
    assert f"MLflow: run {report['run']} is at {mlflow}/#/experiments/" in log
    # Sending it again changes nothing: no second run, no doubled points.
    again = colours.json("runs", "export", report["run"], "--mlflow", mlflow)
    assert again["url"] in log
    seen = ask(mlflow, "colours")
    check(seen, colours, report)
    assert seen["tags"]["mlflow.source.git.commit"] == "0123456789abcdef0123456789abcdef01234567"
    # A copy that comes back is the file that went, byte for byte.
    got = requests.get(f"{mlflow}/get-artifact", params={"run_id": seen["id"], "path": "model/model.onnx"}, timeout=30)
    assert got.content == (colours.workspace / "models" / "colours" / str(report["version"]) / "model.onnx").read_bytes()


def test_training_goes_on_when_no_server_answers_and_can_be_sent_later(mlflow, colours):
    dead = f"http://127.0.0.1:{free_port()}"
    report, log = train(colours, dead)
    lines = [line for line in log.splitlines() if "MLflow" in line]
    assert len(lines) == 1, log
    assert f"imago runs export {report['run']} --mlflow {dead}" in lines[0]

    answer = colours.json("runs", "export", report["run"], "--mlflow", mlflow,
                         env=dict(os.environ, MLFLOW_EXPERIMENT_NAME="sent later"))
    assert answer["url"].startswith(mlflow)
    check(ask(mlflow, "sent later"), colours, report)

    refused = colours.run("runs", "export", report["run"], "--mlflow", "file:///nowhere/mlruns", check=False)
    assert refused.returncode == 1
    assert "'file:///nowhere/mlruns' is no MLflow server" in refused.stderr
