# SPDX-License-Identifier: Apache-2.0
"""Training by several processes: on one machine, and on two machines made of network namespaces. Their curve is that of a
single process, and whoever is lost can come back."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from conftest import IMAGO, Program, free_port, wait_for_epoch

TIMEOUT = 120  # for a machine that is busy with other things; all of it takes half a minute on one that is not
RECIPE = ["--data", "stripes", "--recipe", "improved-cnn", "--threads", "1", "--set", "architecture.dropout=0",
          "--set", "preprocess.width=16", "--set", "preprocess.height=16", "--set", "batch_size=30",
          "--set", "early_stopping_patience=0", "--set", "checkpoint_seconds=1"]
CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Images of stripes that lie, stand or lean, under noise: enough to learn for a while, and small."""
    folder = tmp_path_factory.mktemp("distributed")
    random = np.random.default_rng(1)
    labels = np.arange(360) % 3
    y, x = np.mgrid[0:32, 0:32]
    wave = np.stack([np.sin(y), np.sin(x), np.sin((x + y) / 1.4)])[labels][..., None]
    images = 128 + 50 * wave + random.normal(0, 50, (360, 32, 32, 3))
    np.savez(folder / "stripes.npz", x_train=images.clip(0, 255).astype(np.uint8), y_train=labels)
    program = Program(folder / "workspace")
    program.run("data", "import", folder / "stripes.npz", "--name", "stripes")
    return program


def history(program, model):
    return program.json("models", "show", model)["report"]["training"]["history"]


@pytest.fixture(scope="module")
def together(workspace):
    """Two processes, started by the program itself."""
    workspace.json("train", *RECIPE, "--epochs", "4", "--model", "together", "--nproc", "2", timeout=TIMEOUT)
    return history(workspace, "together")


def test_two_processes_follow_the_curve_of_one(workspace, together):
    workspace.json("train", *RECIPE, "--epochs", "4", "--model", "alone", timeout=TIMEOUT)
    alone = history(workspace, "alone")
    assert [row["epoch"] for row in together] == [1, 2, 3, 4]
    assert alone[-1]["loss"] < 0.9 * alone[0]["loss"], "there must be a curve to follow"
    for ours, theirs in zip(together, alone):
        for name in CURVES:
            assert ours[name] == pytest.approx(theirs[name], rel=1e-3, abs=1e-4), name


def place(rank, port, address="127.0.0.1", local_size=2):
    """What torchrun sets for a worker."""
    return {**os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank if local_size > 1 else 0),
            "LOCAL_WORLD_SIZE": str(local_size), "MASTER_ADDR": address, "MASTER_PORT": str(port)}


def start(folder, arguments, environment, inside=()):
    return subprocess.Popen([*inside, IMAGO, "--workspace", folder, *arguments], env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_workers_of_a_launcher_share_the_work_and_one_registers(workspace, together):
    arguments = ["--json", "train", *RECIPE, "--epochs", "4", "--model", "launched"]
    port = free_port()
    workers = [start(workspace.workspace, arguments, place(rank, port)) for rank in (1, 0)]
    second, first = [worker.communicate(timeout=TIMEOUT) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], (first, second)
    assert json.loads(second[0]) == {"worker": 1, "workers": 2}
    assert json.loads(first[0])["model"] == "launched"
    assert [run["params"]["workers"] for run in workspace.json("runs", "list") if run["params"]["model"] == "launched"] == [2]
    for ours, theirs in zip(history(workspace, "launched"), together):
        assert all(ours[name] == theirs[name] for name in CURVES), "the same workers must give the same to the bit"


def test_a_worker_that_cannot_begin_says_why_to_all(workspace, tmp_path):
    port = free_port()
    first = start(workspace.workspace, ["train", *RECIPE, "--epochs", "1", "--model", "unlucky"], place(0, port))
    second = start(tmp_path / "empty", ["train"], place(1, port))
    for worker in (first, second):
        _, error = worker.communicate(timeout=TIMEOUT)
        assert worker.returncode == 1
        assert "worker 1 of 2" in error and "stripes" in error, error


@pytest.mark.parametrize("name,value", [("MASTER_PORT", ""), ("RANK", "2"), ("WORLD_SIZE", "two"), ("MASTER_ADDR", "")])
def test_a_launch_with_a_wrong_variable_is_told_which(workspace, name, value):
    done = workspace.run("train", *RECIPE, check=False, env={**place(0, 29500), name: value})
    assert done.returncode == 1 and name in done.stderr


def trainers(process):
    """The trainers of `imago train`, by rank: each has its job as standard input."""
    found = {}
    for child in subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split():
        try:
            job = json.loads(Path(f"/proc/{child}/fd/0").read_text())
        except (OSError, ValueError):
            continue
        found[job["team"]["rank"]] = int(child)
    return found


def run_of(error):
    return re.search(r"imago train --resume (\S+?)`", error).group(1)


LONG = ["--epochs", "25", "--set", "restore_best=false"]


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_worker_ends_the_job_and_it_can_go_on(workspace, rank):
    process = start(workspace.workspace, ["train", *RECIPE, *LONG, "--model", f"killed{rank}", "--nproc", "2"], dict(os.environ))
    wait_for_epoch(process, 2)
    os.kill(trainers(process)[rank], signal.SIGKILL)
    killed = time.monotonic()
    _, error = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1 and time.monotonic() - killed < 20
    assert "signal 9" in error, error
    resume = re.search(r"--resume (\S+?)[;`]", error).group(1)
    done = workspace.json("train", "--resume", resume, "--nproc", "2", "--threads", "1", timeout=TIMEOUT)
    assert done["model"] == f"killed{rank}"
    rows = history(workspace, f"killed{rank}")
    assert [row["epoch"] for row in rows] == list(range(1, 26))
    if rank == 1:
        unbroken = workspace.json("train", *RECIPE, *LONG, "--model", "unbroken", "--nproc", "2", timeout=TIMEOUT)
        assert rows[-1]["loss"] == history(workspace, "unbroken")[-1]["loss"], "a resumed run must end where an unbroken one does"
        assert done["test"]["accuracy"] == unbroken["test"]["accuracy"]


def test_ctrl_c_stops_all_with_a_checkpoint(workspace):
    process = start(workspace.workspace, ["train", *RECIPE, *LONG, "--model", "stopped", "--nproc", "2"], dict(os.environ))
    wait_for_epoch(process, 2)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0 and "imago train --resume" in out, error
    run = re.search(r"--resume (\S+)", out).group(1)
    assert workspace.json("runs", "show", run)["params"]["workers"] == 2
    workspace.json("train", "--resume", run, timeout=TIMEOUT)  # alone
    params = workspace.json("runs", "show", run)["params"]
    assert (params["workers"], params["workers_before"]) == (1, [2])
    assert "another number of workers" in workspace.run("runs", "repro", run, check=False).stderr


ADDRESSES = ("10.213.77.1", "10.213.77.2")


def ip(*arguments):
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=10)


@pytest.fixture
def machines():
    """Two network namespaces with a cable between them, and nothing else."""
    names = [f"imago{os.getpid()}{side}" for side in "ab"]
    if not shutil.which("ip") or ip("netns", "add", names[0]).returncode != 0:
        pytest.skip("needs `ip netns` and the right to make network namespaces")
    try:
        ip("netns", "add", names[1])
        made = ip("-n", names[0], "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", names[1])
        if made.returncode != 0:
            pytest.skip(f"cannot connect network namespaces: {made.stderr}")
        for name, address in zip(names, ADDRESSES):
            for command in (["addr", "add", f"{address}/24", "dev", "cable"], ["link", "set", "cable", "up"], ["link", "set", "lo", "up"]):
                assert ip("-n", name, *command).returncode == 0
        yield names
    finally:
        for name in names:
            ip("netns", "del", name)


def start_on(machines, folders, arguments):
    return [start(folder, arguments, place(rank, 29500, ADDRESSES[0], local_size=1), ["ip", "netns", "exec", machine])
            for rank, (machine, folder) in enumerate(zip(machines, folders))]


@pytest.fixture
def folders(workspace, tmp_path):
    """Each machine has a workspace of its own; the second one the data set alone."""
    shutil.copytree(workspace.workspace / "datasets", tmp_path / "second" / "datasets")
    return [workspace.workspace, tmp_path / "second"]


def test_two_machines_train_together_and_go_on_after_their_cable_was_cut(workspace, together, machines, folders):
    workers = start_on(machines, folders, ["--json", "train", *RECIPE, "--epochs", "4", "--model", "machines"])
    outputs = [worker.communicate(timeout=TIMEOUT) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    for ours, theirs in zip(history(workspace, "machines"), together):
        assert all(ours[name] == theirs[name] for name in CURVES)

    workers = start_on(machines, folders, ["train", *RECIPE, *LONG, "--model", "cut", "--worker-timeout", "3"])
    wait_for_epoch(workers[0], 2)
    assert ip("-n", machines[1], "link", "set", "cable", "down").returncode == 0
    cut = time.monotonic()
    errors = [worker.communicate(timeout=TIMEOUT)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [1, 1] and time.monotonic() - cut < 40
    assert "lost" in errors[0] and "lost" in errors[1], errors

    assert ip("-n", machines[1], "link", "set", "cable", "up").returncode == 0
    workers = start_on(machines, folders, ["train", "--threads", "1", "--resume", run_of(errors[0])])
    outputs = [worker.communicate(timeout=TIMEOUT) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs
    assert [row["epoch"] for row in history(workspace, "cut")] == list(range(1, 26))
