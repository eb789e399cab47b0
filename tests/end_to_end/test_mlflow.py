# SPDX-License-Identifier: Apache-2.0
"""Training seen by a real MLflow: its own server is told over REST, its own Python client is asked."""

import json
import os
import signal
import socket
import subprocess
import time
from datetime import datetime

import pytest
import requests

from coloured_images import write_colours
from conftest import IMAGO, ROOT, Program, free_port

MLFLOW = ROOT / ".deps" / "mlflow" / "bin"

# What MLflow's own client says of the newest run of an experiment, as JSON.
ASK_RUN = """
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

# What it says of a registered model: its versions, aliases, and the flavors of the champion's files.
ASK_MODEL = """
import json, sys
import mlflow

mlflow.set_tracking_uri(sys.argv[1])
client = mlflow.MlflowClient()
model = client.get_registered_model(sys.argv[2])
versions = {version.version: [version.run_id, version.tags] for version in client.search_model_versions(f"name='{sys.argv[2]}'")}
info = mlflow.models.get_model_info(f"models:/{sys.argv[2]}@champion")
print(json.dumps({"aliases": model.aliases, "versions": versions, "flavors": sorted(info.flavors)}))
"""


class MlflowServer:
    """A real server on SQLite and a folder; it can be killed and started again, with what it had."""

    def __init__(self, folder, port):
        self.folder, self.port, self.url, self.process = folder, port, f"http://127.0.0.1:{port}", None

    def start(self):
        # Like its own venv's commands, the server looks for gunicorn or uvicorn on the path.
        environment = dict(os.environ, PATH=f"{MLFLOW}:{os.environ['PATH']}", MLFLOW_DISABLE_TELEMETRY="true",
                           MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
        with open(self.folder / "log.txt", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [MLFLOW / "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1",
                 "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--artifacts-destination", self.folder / "files"],
                cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        for _ in range(600):
            assert self.process.poll() is None, (self.folder / "log.txt").read_text()
            try:
                if requests.get(self.url + "/health", timeout=5).status_code == 200:
                    return self
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError("mlflow server did not start: " + (self.folder / "log.txt").read_text())

    def kill(self):
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)  # its workers too
            self.process.wait(timeout=20)
        self.process = None


@pytest.fixture
def mlflow_server(tmp_path):
    """Not started yet."""
    if not (MLFLOW / "mlflow").exists():
        pytest.skip("needs MLflow: scripts/setup test")
    server = MlflowServer(tmp_path, free_port())
    yield server
    server.kill()


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory):
    """The address of one that runs."""
    if not (MLFLOW / "mlflow").exists():
        pytest.skip("needs MLflow: scripts/setup test")
    server = MlflowServer(tmp_path_factory.mktemp("mlflow"), free_port())
    try:
        yield server.start().url
    finally:
        server.kill()


@pytest.fixture(scope="module")
def colours(tmp_path_factory):
    """A workspace with 400 noisy squares of four colours: seconds to train."""
    program = Program(tmp_path_factory.mktemp("workspace"))
    program.json("data", "import", write_colours(tmp_path_factory.mktemp("images")), "--name", "colours")
    return program


TRAIN = ["train", "--data", "colours", "--recipe", "improved-cnn", "--epochs"]


def train(program, uri, **more):
    done = program.run("--json", *TRAIN, "2", env=dict(os.environ, MLFLOW_TRACKING_URI=uri, **more))
    return json.loads(done.stdout), done.stderr


def ask(uri, experiment, script=ASK_RUN):
    environment = dict(os.environ, MLFLOW_DISABLE_TELEMETRY="true")
    done = subprocess.run([MLFLOW / "python", "-c", script, uri, experiment], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(seen, program, report, epochs=2):
    """What MLflow has is what the workspace has, each point once."""
    run = program.json("runs", "show", report["run"])
    assert seen["runs"] == 1
    assert seen["name"] == report["run"]
    assert seen["status"] == "FINISHED"
    assert seen["end"] >= seen["start"] > 1_600_000_000_000
    assert seen["params"]["recipe"] == "improved-cnn"
    assert seen["params"]["epochs"] == str(epochs)
    assert seen["params"]["seed"] == "1"
    assert seen["params"]["dataset"].startswith("colours@")
    assert seen["params"]["optimizer.kind"]
    assert seen["params"]["code_version"]
    for name in run["metrics"]:
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


def test_mlflow_is_told_how_many_trained_together(mlflow, colours):
    done = colours.run("--json", *TRAIN, "1", "--nproc", "2", "--threads", "1",
                       env=dict(os.environ, MLFLOW_TRACKING_URI=mlflow, MLFLOW_EXPERIMENT_NAME="together"))
    seen = ask(mlflow, "together")
    check(seen, colours, json.loads(done.stdout), epochs=1)
    assert seen["tags"]["imago.workers"] == "2"
    assert "workers" not in seen["params"], "MLflow's never change, and others may go on with the run"


def test_registered_models_are_in_mlflows_registry_with_their_aliases(mlflow, colours):
    """Each training leaves a version there; the aliases are where ours are, whatever the numbers."""
    train(colours, mlflow)
    there = ask(mlflow, "colours", ASK_MODEL)
    ours = {version["version"]: version for version in colours.json("models", "list")}
    number = {int(tags["imago.version"]): version for version, (_, tags) in there["versions"].items()}
    assert all(there["versions"][number[version]][1]["imago.digest"] == ours[version]["digest"] for version in number)
    expected = {alias: number[version["version"]] for version in ours.values() for alias in version["aliases"]
                if alias != "latest" and version["version"] in number}
    assert {"champion", "base"} <= set(expected)
    assert {alias: str(version) for alias, version in there["aliases"].items()} == expected
    assert there["flavors"] == ["onnx", "python_function"]
    colours.json("runs", "export", colours.json("runs", "list", "--limit", "1")[0]["run"], "--mlflow", mlflow)
    assert ask(mlflow, "colours", ASK_MODEL) == there, "sending it again makes no second version"


def test_a_server_that_comes_late_and_is_killed_has_everything_in_the_end(mlflow_server, colours):
    environment = dict(os.environ, MLFLOW_TRACKING_URI=mlflow_server.url, MLFLOW_EXPERIMENT_NAME="late")
    earlier = {run["run"] for run in colours.json("runs", "list")}
    process = subprocess.Popen([IMAGO, "--workspace", colours.workspace, *TRAIN, "400", "--quiet", "--set", "early_stopping_patience=0"], env=environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def epochs_done():
        return sum(run["epochs"] for run in colours.json("runs", "list") if run["run"] not in earlier)

    def wait_for(happened):
        for _ in range(300):
            if happened():
                return
            assert process.poll() is None, "training ended too early for this test: " + process.stderr.read()
            time.sleep(0.1)
        raise AssertionError("it did not happen within half a minute")

    def points():
        found = requests.post(mlflow_server.url + "/api/2.0/mlflow/runs/search", json={"experiment_ids": ["1"]}, timeout=10).json()
        return len(found["runs"][0]["data"].get("metrics", [])) if found.get("runs") else 0

    try:
        wait_for(lambda: epochs_done() >= 1)
        trainer = int(subprocess.check_output(["pgrep", "-P", str(process.pid)], timeout=5))
        os.kill(trainer, signal.SIGSTOP)  # the server takes longer to start than the training may take to end
        mlflow_server.start()
        os.kill(trainer, signal.SIGCONT)
        wait_for(lambda: points() > 0)
        mlflow_server.kill()
        before = epochs_done()
        wait_for(lambda: epochs_done() >= before + 2)  # nobody waits for it
        mlflow_server.start()
        out, log = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait(timeout=20)
    assert process.returncode == 0, log
    assert "MLflow: run" in log and "does not have" not in log, log
    version = colours.json("models", "list")[0]
    run = colours.json("runs", "list", "--limit", "1")[0]
    report = {"run": run["run"], "model": version["model"], "version": version["version"], "verdict": run["summary"]["verdict"],
              "test": {"accuracy": run["summary"]["test_accuracy"]}}
    check(ask(mlflow_server.url, "late"), colours, report, epochs=400)


def test_a_server_that_never_answers_costs_seconds_and_gets_the_run_with_the_next(mlflow, colours):
    """It takes connections and says nothing: the worst kind."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        report, log = train(colours, uri)
        ended = time.time()
    lines = [line for line in log.splitlines() if "MLflow" in line]
    assert len(lines) == 1 and f"imago runs export {report['run']} --mlflow {uri}" in lines[0], log
    run = colours.json("runs", "show", report["run"])
    assert ended - datetime.fromisoformat(run["ended"]).timestamp() < 15, "what it costs comes after the run, and is short"

    answer = colours.json("runs", "export", "--pending", "--mlflow", mlflow, env=dict(os.environ, MLFLOW_EXPERIMENT_NAME="sent later"))
    assert [sent["run"] for sent in answer["sent"]] == [report["run"]]
    check(ask(mlflow, "sent later"), colours, report)
    assert "is there" in colours.run("runs", "export", "--pending", "--mlflow", mlflow).stdout

    refused = colours.run("runs", "export", report["run"], "--mlflow", "file:///nowhere/mlruns", check=False)
    assert refused.returncode == 1
    assert "'file:///nowhere/mlruns' is no MLflow server" in refused.stderr


def test_what_a_dead_server_missed_goes_with_the_next_run_it_gets(mlflow_server, colours):
    missed, log = train(colours, mlflow_server.url, MLFLOW_EXPERIMENT_NAME="missed")
    assert f"imago runs export {missed['run']}" in log
    mlflow_server.start()
    _, log = train(colours, mlflow_server.url, MLFLOW_EXPERIMENT_NAME="missed")
    assert "earlier runs that it had missed and has now: 1" in log
    assert ask(mlflow_server.url, "missed")["runs"] == 2
