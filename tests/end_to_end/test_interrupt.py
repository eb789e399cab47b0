# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in the middle of training: a clean stop, a hint, and a resume that ends where an unbroken run does."""

import re
import signal
import subprocess

import pytest

from conftest import IMAGO, wait_for_epoch



def train(model, seed):
    return ["train", "--data", "small", "--recipe", "improved-cnn-bn", "--epochs", "6", "--model", model, "--seed", str(seed)]


def start_and_reach_epoch_2(trained, arguments):
    process = subprocess.Popen([IMAGO, "--workspace", trained.workspace, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_epoch(process, 2)
    return process


@pytest.fixture
def interrupted(trained):
    process = start_and_reach_epoch_2(trained, train("resumed", 7))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return re.search(r"imago train --resume (\S+)", out).group(1)


def test_stop_resume_and_an_unbroken_run_end_with_the_same_weights(trained, interrupted):
    assert trained.json("runs", "show", interrupted)["status"] == "interrupted"
    resumed = trained.json("train", "--resume", interrupted)
    history = trained.json("models", "show", "resumed")["report"]["training"]["history"]
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5, 6]
    unbroken = trained.json(*train("unbroken", 7))
    weights = [(trained.workspace / "models" / model / "1" / "weights.safetensors").read_bytes() for model in ("resumed", "unbroken")]
    assert resumed["test"]["accuracy"] == unbroken["test"]["accuracy"]
    assert weights[0] == weights[1]


def test_a_finished_run_cannot_be_resumed(trained):
    done = trained.run("train", "--resume", trained.train_report["run"], check=False)
    assert done.returncode == 1 and "finished" in done.stderr


def test_a_killed_trainer_leaves_the_run_resumable(trained):
    process = start_and_reach_epoch_2(trained, train("killed", 8))
    subprocess.run(["pkill", "-KILL", "-P", str(process.pid)], check=True)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "--resume" in err
    run = re.search(r"--resume (\S+?)[;`]", err).group(1)
    assert trained.json("train", "--resume", run)["model"] == "killed"
