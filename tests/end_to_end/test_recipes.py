# SPDX-License-Identifier: Apache-2.0
"""What recipes may ask for beyond the plain way, and that a training that was killed on any of those ways ends with the weights of
one that was left alone."""

import fcntl
import re
import subprocess
import threading

import pytest

from conftest import IMAGO, wait_for_epoch

PLAIN = ["--recipe", "improved-cnn-bn", "--set", "checkpoint_seconds=1", "--set", "early_stopping_patience=0"]
WAYS = {
    "plateau": ["--set", "schedule.kind=plateau", "--set", "schedule.plateau_patience=0", "--set", "schedule.plateau_threshold=0.2",
                "--set", "loss.class_weights=balanced", "--set", "ema_decay=0.9", "--set", "optimizer.kind=muon",
                "--set", "schedule.peak=0.05"],
    "lookahead": ["--recipe", "quick", "--set", "max_minutes=0", "--set", "batch_size=128", "--set",
                  "architecture.widths=[8, 16, 16]", "--set", "lookahead_steps=5",
                  "--set", "checkpoint_seconds=1", "--set", "epochs=3.6"],
    "unfreeze": ["--from", "small", "--set", "freeze=backbone", "--set", "unfreeze_epoch=2", "--set", "schedule.peak=0.01"],
}


def train(way, model):
    settings = WAYS[way] if "--recipe" in WAYS[way] else PLAIN + WAYS[way]
    return ["train", "--data", "small", "--epochs", "4", "--model", model, "--seed", "3", *settings]


def kill_in_epoch(workspace, arguments, epoch):
    """Starts a training and kills its trainer once that epoch has been reported; the run's id."""
    process = subprocess.Popen([IMAGO, "--workspace", workspace, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    wait_for_epoch(process, epoch)
    subprocess.run(["pkill", "-KILL", "-P", str(process.pid)], check=True)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    return re.search(r"--resume (\S+?)[;`]", err).group(1)


@pytest.mark.parametrize("way, epoch", [("plateau", 2), ("lookahead", 2), ("unfreeze", 1), ("unfreeze", 3)])
def test_a_killed_training_ends_as_an_unbroken_one(trained, way, epoch):
    broken, whole = f"{way}-{epoch}-broken", f"{way}-{epoch}-whole"
    run = kill_in_epoch(trained.workspace, train(way, broken), epoch)
    trained.json("train", "--resume", run)
    trained.json(*train(way, whole))
    folders = [trained.workspace / "models" / model / "1" for model in (broken, whole)]
    assert (folders[0] / "weights.safetensors").read_bytes() == (folders[1] / "weights.safetensors").read_bytes()
    run_folder = trained.workspace / "runs" / run
    assert (run_folder / "best.safetensors").exists() and (run_folder / "last.safetensors").exists()


def test_a_resumed_training_says_that_it_waits_for_the_trainer_before_it(trained):
    run = kill_in_epoch(trained.workspace, train("plateau", "waits"), 1)
    with open(trained.workspace / "runs" / run / "trainer.lock", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen([IMAGO, "--workspace", trained.workspace, "train", "--resume", run], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        timer = threading.Timer(60, process.kill)
        timer.start()
        said = any("waiting for the trainer that this run had before" in line for line in process.stderr)
        timer.cancel()
    assert said
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err


def test_a_model_that_looks_several_times_is_measured_plain_too(trained):
    trained.json("train", "--data", "small", "--model", "looks", "--epochs", "2", *PLAIN, "--set", "views=flip",
                 "--set", "evaluation_views=multi")
    shown = trained.json("models", "show", "looks")
    assert shown["views"] == "flip"
    report = shown["report"]
    assert set(report["accuracy_by_views"]) == {"none", "flip", "multi"}
    assert report["accuracy_by_views"]["flip"] == report["test"]["accuracy"]
    measured = trained.json("evaluate", "looks")
    assert measured["accuracy_by_views"] == report["accuracy_by_views"]
    assert "accuracy_by_views" not in trained.json("evaluate", "small")


def test_class_weights_of_a_class_that_is_not_there_are_refused(trained):
    refused = trained.run("train", "--data", "small", *PLAIN, "--set", "loss.class_weights.unicorn=2", check=False)
    assert refused.returncode == 1 and "unicorn" in refused.stderr and "airplane" in refused.stderr


def test_images_that_lie_where_the_network_is_train_the_same_model(trained):
    weights = []
    for place in ("device", "host"):
        done = trained.run("train", "--data", "small", "--model", "lies-on-" + place, *PLAIN, "--epochs", "1", "--set", "data_on=" + place,
                           "--set", "augmentation.cutout=8")
        assert ("the training images, 5.5 MB, lie on cpu" in done.stderr) == (place == "device"), done.stderr
        weights.append((trained.workspace / "models" / ("lies-on-" + place) / "1" / "weights.safetensors").read_bytes())
    assert weights[0] == weights[1]
    turned = trained.run("train", "--data", "small", "--model", "turned", *PLAIN, "--epochs", "0.1", "--set", "data_on=device",
                         "--set", "augmentation.rotation=0.1")
    assert "stay in the host's memory: of augmentations, only flip, crop_padding and cutout" in turned.stderr
    refused = trained.run("train", "--data", "small", *PLAIN, "--set", "data_on=moon", check=False)
    assert refused.returncode == 1 and "data_on is 'moon', not auto, device or host" in refused.stderr
