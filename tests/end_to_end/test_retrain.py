# SPDX-License-Identifier: Apache-2.0
"""The loop closes: images sent in become a new version of the data set and of the model, while the server answers."""

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from coloured_images import write_colours
from conftest import IMAGO, Program, Server, wait_for_epoch

SLOW = {"recipe": "improved-cnn-bn", "epochs": 400}  # long enough to be stopped, killed, queued behind


@pytest.fixture(scope="module")
def workspace(trained, tmp_path_factory):
    """A copy of the trained workspace, so that the other files' tests find theirs as it was."""
    folder = tmp_path_factory.mktemp("retrain") / "workspace"
    shutil.copytree(trained.workspace, folder)
    return Program(folder)


@pytest.fixture
def server(workspace):
    running = Server(workspace.workspace, "--model", "small")
    yield running
    if running.process.poll() is None:
        stop_all(running)
        assert running.stop() == 0


def picture(seed, kind="PNG"):
    """An image nobody has seen: noise that no other seed gives."""
    rng = np.random.default_rng(seed)
    data = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(data, kind)
    return data.getvalue()


def form(count, seed, label="cat"):
    return [("file", (f"{label}/image{i}.png", picture(seed + i), "image/png")) for i in range(count)]


def status(server, job=None):
    return requests.get(server.url + "/training-status", params={"job_id": job} if job else {}, timeout=10).json()


def wait_for(server, job, *states, seconds=150):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = status(server, job)
        if now["status"] in states:
            return now
        time.sleep(0.1)
    raise AssertionError(f"{job} is not {' or '.join(states)} after {seconds} s: {now}")


def wait_until(true, seconds=90):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s")


def stop_all(server):
    for job in requests.get(server.url + "/v1/jobs", timeout=10).json()["jobs"]:
        if job["state"] in ("queued", "running"):
            requests.delete(f"{server.url}/v1/jobs/{job['id']}", timeout=10)
            wait_for(server, job["id"], "cancelled", "done", "failed")


def children_of(pid):
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]


class Load(threading.Thread):
    """A client that predicts all the time and remembers what it was answered."""

    def __init__(self, server, image):
        super().__init__(daemon=True)
        self.url, self.image = server.url + "/predict", image
        self.statuses, self.versions, self.going = [], [], True

    def run(self):
        session = requests.Session()
        while self.going:
            answer = session.post(self.url, data=self.image, headers={"Content-Type": "image/jpeg"}, timeout=30)
            self.statuses.append(answer.status_code)
            self.versions.append(answer.json().get("model_version"))
            time.sleep(0.05)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.going = False
        self.join(timeout=30)


def test_upload_retrain_and_swap_without_a_failed_request(workspace, server, small_cifar):
    image = next((small_cifar / "test" / "cat").iterdir()).read_bytes()
    with Load(server, image) as load:
        answer = requests.post(server.url + "/retrain", files=form(12, 1000), data={"epochs": "1", "margin": "1"}, timeout=30)
        assert answer.status_code == 200, answer.text
        begun = answer.json()
        assert begun["status"] == "started" and begun["files"] == 12 and begun["rejected"] == []
        done = wait_for(server, begun["job_id"], "done", "failed")
        assert done["status"] == "done", done
        result = done["result"]
        assert result["champion"] and result["model"] == "small" and result["version"] == 2
        wait_until(lambda: 2 in load.versions)
        time.sleep(0.3)
    assert set(load.statuses) == {200}, "no request may fail while a model is trained and swapped"
    assert load.versions == sorted(load.versions) and set(load.versions) == {1, 2}
    assert [epoch["epoch"] for epoch in done["history"]] == [1]
    assert done["progress"] == 1.0 and not done["is_training"] and done["ended"]

    versions = {version["version"]: version for version in workspace.json("models", "list") if version["model"] == "small"}
    assert {"champion", "latest", "retrained"} <= set(versions[2]["aliases"]) and "base" in versions[1]["aliases"]
    lineage = json.loads((workspace.workspace / "models" / "small" / "2" / "lineage.json").read_text())
    assert lineage["parent"] == "small:1" and lineage["uploads"]["added"] == 12
    logs = json.loads((workspace.workspace / "logs" / "training_logs.json").read_text())
    assert logs["version"] == 2 and all(len(logs[key]) == 1 for key in ("loss", "accuracy", "val_loss", "val_accuracy"))


def test_a_worse_model_is_kept_as_challenger_with_the_reason(workspace, server):
    """Noise labelled as cats, learned at ten times the recipe's rate, without anything old: it must get worse."""
    before = requests.get(server.url + "/status", timeout=10).json()["model"]["version"]
    wishes = {"epochs": "4", "replay": "0", "rate": "10"}
    answer = requests.post(server.url + "/retrain", files=form(40, 2000), data=wishes, timeout=30).json()
    done = wait_for(server, answer["job_id"], "done", "failed")
    assert done["status"] == "done", done
    result = done["result"]
    assert not result["champion"] and result["verdict"].startswith("challenger: test accuracy")
    assert result["test_accuracy"] < result["previous_accuracy"]
    listed = {version["version"]: version["aliases"] for version in workspace.json("models", "list") if version["model"] == "small"}
    assert "challenger" in listed[result["version"]] and "champion" in listed[before]
    assert requests.get(server.url + "/status", timeout=10).json()["model"]["version"] == before


def test_uploaded_files_are_retrained_by_name_and_label(server):
    sent = requests.post(server.url + "/upload-data", files=[("files[]", (f"{i}.png", picture(3000 + i), "image/png")) for i in range(4)],
                         timeout=30).json()
    wrong = requests.post(server.url + "/retrain", json={"files": sent["files"], "labels": ["cat", "dog"]}, timeout=30)
    assert wrong.status_code == 400 and "4 files but 2 labels" in wrong.json()["error"]
    wrong = requests.post(server.url + "/retrain", json={"files": sent["files"], "labels": ["cat", "dog", "bird", "zebra"]}, timeout=30)
    assert wrong.status_code == 400 and "zebra" in wrong.json()["error"]
    wrong = requests.post(server.url + "/retrain", json={"files": ["../../etc/passwd"], "labels": ["cat"]}, timeout=30)
    assert wrong.status_code == 400
    wrong = requests.post(server.url + "/retrain", json={"files": sent["files"]}, timeout=30)
    assert wrong.status_code == 400 and "no label" in wrong.json()["error"]
    good = requests.post(server.url + "/retrain", json={"files": sent["files"], "labels": ["cat", "dog", "bird", "ship"], "epochs": 1},
                         timeout=30)
    assert good.status_code == 200 and good.json()["files"] == 4
    assert wait_for(server, good.json()["job_id"], "done", "failed")["status"] == "done"


def test_one_new_image_is_trained_on(server):
    """Whatever its bytes: of many it might have been one of those held back for validation."""
    seed = next(seed for seed in range(5000, 6000) if int(hashlib.sha256(picture(seed)).hexdigest()[:8], 16) % 10 == 0)
    begun = requests.post(server.url + "/retrain", files=form(1, seed), data={"epochs": "1", "replay": "50"}, timeout=30).json()
    done = wait_for(server, begun["job_id"], "done", "failed")
    assert done["status"] == "done", done


def test_bad_wishes_are_refused_and_change_nothing(server):
    before = requests.get(server.url + "/v1/jobs", timeout=10).json()
    for path, body, text in [("/retrain", None, "nothing new"), ("/retrain", {"files": []}, "nothing new"),
                             ("/train", {"recipe": "nosuch"}, "improved-cnn"), ("/train", {"dataset": "nosuch"}, "nosuch"),
                             ("/train", {"epochs": 0}, "epochs"), ("/train", {"epochs": "many"}, "epochs"),
                             ("/train", {"model": "../x"}, "../x"), ("/train", [1], "object"),
                             ("/v1/jobs", {"kind": "dance"}, "dance"), ("/v1/jobs", {"kind": "retrain", "model": "nosuch"}, "nosuch")]:
        answer = requests.post(server.url + path, json=body, timeout=30)
        assert 400 <= answer.status_code < 500, (path, body, answer.text)
        assert text in answer.json()["error"], (path, body, answer.text)
    assert requests.post(server.url + "/train", data="{", headers={"Content-Type": "application/json"}, timeout=10).status_code == 400
    assert requests.post(server.url + "/train/stop", timeout=10).status_code == 409, "nothing runs"
    assert requests.get(server.url + "/v1/jobs/nosuch", timeout=10).status_code == 404
    assert requests.delete(server.url + "/v1/jobs/" + before["jobs"][0]["id"], timeout=10).status_code == 409
    assert requests.get(server.url + "/v1/jobs", timeout=10).json() == before


def test_training_shows_its_progress_as_events_and_stops_on_request(server):
    begun = requests.post(server.url + "/train", json=SLOW, timeout=30).json()
    assert begun["status"] == "started"
    second = requests.post(server.url + "/train", json=SLOW, timeout=30).json()
    assert second["status"] == "queued" and "queued" in second["message"]
    (waits,) = requests.get(server.url + "/v1/jobs?state=queued", timeout=10).json()["jobs"]
    assert waits["id"] == second["job_id"] and waits["recipe"] == SLOW["recipe"] and waits["epochs"] == 400 and "payload" not in waits
    seen = []
    with requests.get(server.url + "/v1/jobs/events", stream=True, timeout=60) as events:
        assert events.headers["Content-Type"].startswith("text/event-stream")
        for line in events.iter_lines(decode_unicode=True):
            if line.startswith("data: "):
                seen.append(json.loads(line[6:]))
                if seen[-1]["step"] > 0 and len(seen) > 2:
                    break
    assert seen[-1]["job_id"] == begun["job_id"] and seen[-1]["is_training"] and seen[-1]["loss"] > 0
    assert seen[-1]["epochs"] == 400 and 0 < seen[-1]["progress"] < 1

    assert requests.delete(f"{server.url}/v1/jobs/{second['job_id']}", timeout=10).json()["state"] == "cancelled"
    stopping = requests.post(server.url + "/train/stop", timeout=10)
    assert stopping.status_code == 200 and stopping.json() == {"status": "stopping", "job_id": begun["job_id"]}
    assert wait_for(server, begun["job_id"], "cancelled")["progress"] < 1


@pytest.mark.parametrize("victim", ["job", "trainer"])
def test_a_killed_process_is_started_again_and_goes_on(server, workspace, victim):
    wishes = {"recipe": "improved-cnn-bn", "epochs": 3, "model": "survivor-" + victim}
    begun = requests.post(server.url + "/train", json=wishes, timeout=30).json()
    wait_until(lambda: len(status(server, begun["job_id"])["history"]) >= 1)
    run = status(server, begun["job_id"])["run"]
    processes = children_of(server.process.pid)
    for process in processes if victim == "job" else [trainer for job in processes for trainer in children_of(job)]:
        os.kill(process, signal.SIGKILL)
    wait_until(lambda: requests.get(f"{server.url}/v1/jobs/{begun['job_id']}", timeout=10).json()["attempts"] == 2)
    done = wait_for(server, begun["job_id"], "done", "failed")
    assert done["status"] == "done" and done["result"]["run"] == run, "the same run goes on"
    assert [epoch["epoch"] for epoch in done["history"]] == [1, 2, 3]
    assert len([version for version in workspace.json("models", "list") if version["model"] == wishes["model"]]) == 1


def test_a_killed_server_loses_nothing(workspace):
    first = Server(workspace.workspace, "--model", "small")
    begun = requests.post(first.url + "/train", json={"recipe": "improved-cnn-bn", "epochs": 3, "model": "phoenix"}, timeout=30).json()
    wait_until(lambda: len(status(first, begun["job_id"])["history"]) >= 1)
    run = status(first)["run"]
    waiting = requests.post(first.url + "/train", json=SLOW, timeout=30).json()
    requests.delete(f"{first.url}/v1/jobs/{waiting['job_id']}", timeout=10)
    first.process.kill()
    first.process.wait(timeout=10)
    second = Server(workspace.workspace, "--model", "small")
    try:
        done = wait_for(second, begun["job_id"], "done", "failed")
        assert done["status"] == "done" and done["result"]["run"] == run
        runs = {row["run"]: row["status"] for row in workspace.json("runs", "list")}
        assert runs[run] == "finished" and "running" not in runs.values()
        assert status(second, waiting["job_id"])["status"] == "cancelled", "what ended before the restart stays readable"
    finally:
        assert second.stop() == 0


def test_a_stopped_server_hands_its_training_to_the_next(workspace):
    first = Server(workspace.workspace, "--model", "small")
    begun = requests.post(first.url + "/train", json={"recipe": "improved-cnn-bn", "epochs": 3, "model": "handed"}, timeout=30).json()
    wait_until(lambda: status(first, begun["job_id"])["epoch"] >= 1)
    assert first.stop() == 0
    second = Server(workspace.workspace, "--model", "small")
    try:
        assert wait_for(second, begun["job_id"], "done", "failed")["status"] == "done"
    finally:
        assert second.stop() == 0


def test_new_data_npz_on_the_command_line(workspace, tmp_path):
    rng = np.random.default_rng(7)
    np.savez(tmp_path / "new_data.npz", x_new=rng.random((30, 32, 32, 3), dtype=np.float32), y_new=np.arange(30) % 10)
    folder = tmp_path / "train" / "truck"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(picture(4000))
    (folder / "b.png").write_bytes(b"no image")
    done = workspace.run("--json", "retrain", "--model", "small", "--epochs", "1", "--from", tmp_path / "new_data.npz", tmp_path / "train")
    answer = json.loads(done.stdout)
    assert answer["state"] == "done" and answer["model"] == "small" and "test accuracy" in answer["verdict"]
    assert "b.png" in done.stderr
    again = workspace.run("retrain", "--model", "small", check=False)
    assert again.returncode == 1 and "nothing new" in again.stderr


def test_a_killed_training_does_not_stay_running(workspace):
    process = subprocess.Popen([IMAGO, "--workspace", workspace.workspace, "train", "--data", "small", "--recipe", "improved-cnn-bn",
                                "--epochs", "50", "--model", "killed"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for_epoch(process, 1)
    process.kill()
    process.wait(timeout=10)
    newest = workspace.json("runs", "list")[0]
    assert newest["status"] == "interrupted"
    assert "imago train --resume" in workspace.json("runs", "show", newest["run"])["error"]


def test_a_champion_is_measured_anew_on_other_test_images(workspace, small_cifar, tmp_path):
    for split, count in [("train", 30), ("test", 10)]:
        for label in (small_cifar / split).iterdir():
            target = tmp_path / "other" / split / label.name
            target.mkdir(parents=True)
            for image in sorted(label.iterdir())[-count:]:
                shutil.copy(image, target)
    workspace.run("data", "import", tmp_path / "other", "--name", "other")
    wishes = ["--data", "other", "--model", "small", "--recipe", "improved-cnn-bn", "--epochs", "1"]
    answer = workspace.json("train", *wishes)
    assert answer["verdict"].endswith("(measured anew on these test images)")
    assert answer["verdict"].startswith("challenger"), "one epoch on 300 images against a trained one"


def test_a_model_from_elsewhere_learns_on_from_the_newest_version_here(tmp_path):
    """The version that it was trained on is nowhere in this workspace, as with the models that ship."""
    there, here = Program(tmp_path / "there"), Program(tmp_path / "here")
    there.run("data", "import", write_colours(tmp_path / "theirs", each=30), "--name", "colours")
    there.run("train", "--data", "colours", "--recipe", "improved-cnn", "--epochs", "1")
    there.run("models", "export", "colours", tmp_path / "colours.tar", "--format", "compact")
    here.run("models", "import", tmp_path / "colours.tar")
    new = tmp_path / "new" / "red"
    new.mkdir(parents=True)
    for i in range(12):
        (new / f"{i}.png").write_bytes(picture(7000 + i))
    wishes = ["retrain", "--model", "colours", "--epochs", "1", "--from", tmp_path / "new"]
    refused = here.run(*wishes, check=False)
    assert refused.returncode == 1 and "colours" in refused.stderr, "there is no data set of that name at all"

    for name, each in (("older", 20), ("newest", 25)):
        imported = here.json("data", "import", write_colours(tmp_path / name, each=each), "--name", "colours")
    assert here.json(*wishes)["version"] == 2
    lineage = json.loads((here.workspace / "models" / "colours" / "2" / "lineage.json").read_text())
    assert lineage["replay"]["parent"] == f"colours@{imported['version']}"
    assert lineage["uploads"]["added"] == 12 and lineage["parent"] == "colours:1"
