# SPDX-License-Identifier: Apache-2.0
"""Runs after the fact: found, shown, compared, written out, carried out again; and a training watched in a terminal."""

import csv
import fcntl
import hashlib
import os
import pty
import re
import select
import sqlite3
import subprocess
import termios
import time
from xml.etree import ElementTree

import pytest
from PIL import Image

from coloured_images import write_colours
from conftest import IMAGO, Program, wait_for_epoch


PATIENT = ["--set", "early_stopping_patience=0"]


def train(*more, epochs=2):
    return ["train", "--data", "colours", "--recipe", "improved-cnn", "--epochs", epochs, *more]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A workspace with two runs that differ in seed, epochs and a rate."""
    program = Program(tmp_path_factory.mktemp("workspace"))
    program.run("data", "import", write_colours(tmp_path_factory.mktemp("images")), "--name", "colours")
    program.first = program.json(*train())["run"]
    program.second = program.json(*train("--seed", 2, "--set", "schedule.peak=0.0004", epochs=3))["run"]
    return program


def refuse(program, *arguments):
    done = program.run(*arguments, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def change_record(program, run, path, value):
    """What a run's record says, as if it had been made elsewhere or long ago."""
    with sqlite3.connect(program.workspace / "imago.db") as database:
        database.execute("UPDATE runs SET params = json_set(params, ?, ?) WHERE id = ?", (path, value, run))
    database.close()


def test_the_list_is_filtered_and_sorted(program):
    both = program.json("runs", "list")
    assert [run["run"] for run in both] == [program.second, program.first], "the newest first"
    assert [run["epochs"] for run in both] == [3, 2] and all(run["seconds"] > 0 for run in both)
    curve = program.json("runs", "show", program.second)["metrics"]["val_accuracy"]
    assert both[0]["best_val_accuracy"] == max(point["value"] for point in curve)

    names = lambda *filters: [run["run"] for run in program.json("runs", "list", *filters)]
    assert names("--sort", "epochs", "--limit", 1) == [program.second]
    ranked = program.json("runs", "list", "--sort", "accuracy")
    assert ranked[0]["best_val_accuracy"] >= ranked[1]["best_val_accuracy"]
    assert names("--data", "colours", "--recipe", "improved-cnn", "--state", "finished") == names()
    assert names("--data", both[0]["params"]["dataset"]) == names()
    for nothing in (["--data", "colour"], ["--data", "colours@0"], ["--recipe", "quick"], ["--state", "failed"]):
        assert names(*nothing) == []
    assert "`imago runs list` shows all" in program.run("runs", "list", "--state", "failed").stdout
    assert program.run("runs", "list", "--sort", "luck", check=False).returncode == 2
    head, *rows = program.run("runs", "list").stdout.splitlines()
    assert head.split()[:3] == ["RUN", "KIND", "STATUS"] and len(rows) == 2 and "colours@" in rows[0]


def test_a_run_says_where_it_comes_from_and_what_it_cost(program):
    run = program.json("runs", "show", program.first)
    lineage = run["lineage"]
    weights = program.workspace / "models" / "colours" / "1" / "weights.safetensors"
    assert lineage["weights_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert lineage["dataset"].startswith("colours@") and lineage["seed"] == 1
    assert lineage["threads"] == lineage["machine"]["processors"] == len(os.sched_getaffinity(0))
    assert re.fullmatch(r"0\.1\.0(-[0-9a-f]{12}|-v.+)?(-dirty)?", lineage["code_version"])
    assert all(size > 0 for size in run["files"].values()) and not any(name.endswith(".lock") for name in run["files"])
    metrics = run["metrics"]
    assert [point["step"] for point in metrics["loss"]] == [1, 2], "by epoch"
    assert metrics["step/loss"][0]["step"] >= 1 and len(metrics["step/loss"]) == len(metrics["step/learning_rate"])
    assert 20 < metrics["system/memory_megabytes"][0]["value"] < 100_000
    text = program.run("runs", "show", program.first).stdout
    assert "LINEAGE" in text and lineage["weights_sha256"] in text and "val_accuracy" in text and "█" in text


def test_curves_are_drawn_as_svg_and_as_png(program, tmp_path):
    shown = program.json("runs", "show", program.first, "--plot", tmp_path / "a.svg", "--plot", tmp_path / "a.png")
    assert shown["pictures"] == [str(tmp_path / "a.svg"), str(tmp_path / "a.png")]
    svg = ElementTree.parse(tmp_path / "a.svg").getroot()
    words = {node.text for node in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {"val_accuracy", "learning_rate", "step/loss", "epoch", "step"} <= words
    with Image.open(tmp_path / "a.png") as png:
        assert png.size == (2 * int(svg.get("width")), 2 * int(svg.get("height")))
        colours = {colour for _, colour in png.convert("RGB").getcolors(1 << 24)}
    assert {(0, 114, 178), (213, 94, 0)} <= colours, "training and validation"
    assert "'a.gif': pictures are .svg or .png" in refuse(program, "runs", "show", program.first, "--plot", "a.gif")


def test_runs_are_compared_by_what_differs(program, tmp_path):
    picture = tmp_path / "both.svg"
    compared = program.json("runs", "compare", program.first, program.second, "--plot", picture)
    assert compared["params"] == {"epochs": ["2", "3"], "seed": ["1", "2"], "schedule.peak": [compared["params"]["schedule.peak"][0], "0.0004"]}
    assert compared["runs"] == [program.first, program.second]
    shown = [program.json("runs", "show", run)["metrics"]["val_loss"][-1]["value"] for run in compared["runs"]]
    assert compared["metrics"]["val_loss"] == shown
    assert not any(name.startswith(("step/", "system/")) for name in compared["metrics"])
    assert picture.read_text().count(program.second[9:]) == 5, "a line of each in every panel"

    three = program.run("runs", "compare", program.first, program.second, program.first).stdout
    assert len(three.splitlines()[0].split()) == 3 and "DIFFERENCE" not in three
    assert program.run("runs", "compare", program.first, check=False).returncode == 2


def test_metrics_are_written_as_csv(program, tmp_path):
    program.run("runs", "export", program.first, program.second, "--csv", tmp_path / "runs.csv")
    with open(tmp_path / "runs.csv", newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    metrics = program.json("runs", "show", program.second)["metrics"]
    assert {row["run"] for row in rows} == {program.first, program.second}
    for name, points in metrics.items():
        written = [(int(row["step"]), float(row["value"]), row["time"]) for row in rows
                   if row["run"] == program.second and row["metric"] == name]
        assert written == [(point["step"], point["value"], point["time"]) for point in points], name


def test_a_run_carried_out_again_has_the_same_weights(program):
    models = program.json("models", "list")
    done = program.json("runs", "repro", program.first)
    assert done["identical"] and done["weights_sha256"] == program.json("runs", "show", program.first)["summary"]["weights_sha256"]
    assert program.json("models", "list") == models, "it registers nothing"
    repeated = program.json("runs", "show", done["repeated"])
    assert repeated["kind"] == "repro" and repeated["status"] == "finished" and repeated["summary"]["identical"]
    assert "a repetition itself" in refuse(program, "runs", "repro", done["repeated"])
    first = program.json("runs", "show", program.first)["metrics"]
    assert [point["value"] for point in first["loss"]] == [point["value"] for point in repeated["metrics"]["loss"]]


def test_a_run_that_would_come_out_otherwise_is_refused(program):
    params = program.json("runs", "show", program.second)["params"]
    for path, value, said in (("$.code_version", "0.0.9", "program version 0.0.9, this is 0.1.0"),
                              ("$.machine.cpu", "Z80", "trained on 'Z80'"),
                              ("$.recipe.max_minutes", 3, "time budget"),
                              ("$.dataset", "colours@000000000000", f"the newest is {params['dataset']}")):
        change_record(program, program.second, path, value)
        said_now = refuse(program, "runs", "repro", program.second)
        assert said in said_now and "--force" in said_now
        before = params
        for key in path[2:].split("."):
            before = before.get(key, 0) if isinstance(before, dict) else before
        change_record(program, program.second, path, before)
    assert "no run 'nosuch'" in refuse(program, "runs", "repro", "nosuch")


def test_a_difference_is_named_where_it_began(program):
    change_record(program, program.second, "$.seed", 3)
    try:
        said = refuse(program, "runs", "repro", program.second, "--quiet")
    finally:
        change_record(program, program.second, "$.seed", 2)
    assert re.search(r"did not come out as run \S+: epoch 1: loss was [\d.]+, now [\d.]+; \S+\[\d+\] was \S+, now \S+ \(sha256", said), said


def test_a_killed_run_is_interrupted_until_it_is_resumed(program):
    process = subprocess.Popen([IMAGO, "--workspace", program.workspace, *map(str, train("--model", "killed", *PATIENT, epochs=200))],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for_epoch(process, 1)
    newest = program.json("runs", "list", "--limit", 1)[0]
    assert newest["status"] == "running"
    process.kill()
    process.communicate(timeout=30)
    assert [run["run"] for run in program.json("runs", "list", "--state", "interrupted")] == [newest["run"]]
    assert program.json("runs", "list", "--state", "running") == []
    assert f"imago train --resume {newest['run']}" in program.json("runs", "show", newest["run"])["error"]


def test_quiet_training_says_only_what_came_of_it(program):
    quiet = program.run(*train("--quiet", "--model", "quiet"))
    assert quiet.stderr == "" and "█" not in quiet.stdout and "quiet:1 registered as champion" in quiet.stdout
    told = program.run(*train("--model", "told"))
    assert "val_accuracy" in told.stdout and "█" in told.stdout, "the curves at the end"
    assert len(re.findall(r"^epoch +\d", told.stderr, re.M)) == 2


def test_a_terminal_has_a_bar_and_takes_keys(program):
    """c draws the curves so far, q stops with a checkpoint; the terminal is as before afterwards."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([IMAGO, "--workspace", program.workspace, *map(str, train("--model", "keys", *PATIENT, epochs=400))],
                               stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(theirs)
    seen = ""

    def read_until(pattern, seconds=60):
        nonlocal seen
        end = time.monotonic() + seconds
        while not re.search(pattern, seen, re.S):
            assert time.monotonic() < end, seen[-2000:]
            if select.select([ours], [], [], 1)[0]:
                try:
                    seen += os.read(ours, 65536).decode(errors="replace")
                except OSError:  # it has ended
                    assert re.search(pattern, seen, re.S), seen[-2000:]

    try:
        read_until(r"\[=* *\]  epoch 1/400  ETA \d+ .*  loss \d\.\d+  accuracy ")
        os.write(ours, b"x")
        read_until(r"keys: c the curves so far, q stop")
        read_until(r"epoch   2 ")
        os.write(ours, b"c")
        read_until(r"val_loss\r?\n.*█")
        os.write(ours, b"q")
        read_until(r"stopped; a checkpoint is kept. Go on with: imago train --resume")
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait(timeout=30)
        os.close(ours)
