# SPDX-License-Identifier: Apache-2.0
"""Versions promoted, rolled back, taken from one workspace to another; and packages that somebody tampered with."""

import hashlib
import io
import json
import shutil
import tarfile

import numpy
import onnxruntime
import pytest

from conftest import ROOT, Program

OTHER_NETWORK = ROOT / "tests" / "golden" / "tiny.onnx"


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    """The trained model as a tar."""
    path = tmp_path_factory.mktemp("export") / "small.tar"
    report = trained.json("models", "export", "small:1", path)
    assert report["format"] == "package" and report["path"] == str(path)
    return path


@pytest.fixture
def fresh(tmp_path):
    return Program(tmp_path / "workspace")


def contents(path):
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def write_tar(path, files, special=()):
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for member in special:
            archive.addfile(member)
    return path


def sealed_again(files, **changes):
    """`files` with some replaced, and a manifest that says so: what a maker of packages could have written."""
    files = {**files, **changes}
    manifest = json.loads(files["manifest.json"])
    for name in changes:
        manifest["files"][name] = {"sha256": hashlib.sha256(files[name]).hexdigest(), "bytes": len(files[name])}
    return {**files, "manifest.json": json.dumps(manifest).encode()}


def state(program):
    """What must be the same after a refusal: the versions, and no leftovers."""
    return program.json("models", "list"), sorted(str(p.relative_to(program.workspace)) for p in program.workspace.rglob("*")
                                                  if not p.name.startswith("imago.db"))


def test_a_version_goes_to_another_workspace_and_answers_the_same(trained, exported, fresh, small_cifar):
    made = fresh.json("models", "import", exported, "--name", "elsewhere")
    assert made["model"] == "elsewhere" and made["version"] == 1
    assert sorted(made["aliases"]) == ["base", "champion", "latest"]
    there = trained.json("models", "show", "small:1")
    assert made["digest"] == there["digest"]
    assert made["test_accuracy"] == there["test_accuracy"]
    image = next((small_cifar / "test").rglob("*.jpg"))
    before, after = (program.json("predict", model, image)["predictions"]
                     for program, model in ((trained, "small:1"), (fresh, "elsewhere")))
    assert before == after

    # Again: this package is there. Packed in a folder of its own and compressed, under its own name: a model of its own.
    assert fresh.json("models", "import", exported, "--name", "elsewhere")["known"] is True
    assert len(fresh.json("models", "list")) == 1
    repacked = exported.parent / "repacked.tar.gz"
    with tarfile.open(repacked, "w:gz") as archive:
        for name, content in contents(exported).items():
            member = tarfile.TarInfo("small-1/" + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    assert fresh.json("models", "import", repacked)["model"] == "small"


def test_exports_are_the_same_bytes_wherever_they_are_written(trained, exported, fresh, tmp_path):
    again = tmp_path / "deep" / "again.tar"
    trained.run("models", "export", "small:1", again)
    assert again.read_bytes() == exported.read_bytes()
    fresh.run("models", "import", exported)
    fresh.run("models", "export", "small", tmp_path / "third.tar")
    assert (tmp_path / "third.tar").read_bytes() == exported.read_bytes()

    with tarfile.open(exported) as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == sorted(member.name for member in members)
    assert all(member.mtime == 0 and member.uid == 0 and member.isfile() for member in members)

    folder = tmp_path / "folder"
    trained.run("models", "export", "small:1", folder)
    assert {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == contents(exported)
    assert Program(tmp_path / "fourth").json("models", "import", folder)["version"] == 1


def test_single_files_are_exported_for_other_programs(trained, exported, tmp_path):
    trained.run("models", "export", "small:1", tmp_path / "net.onnx", "--format", "onnx")
    files = contents(exported)
    assert (tmp_path / "net.onnx").read_bytes() == files["model.onnx"]
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    logits = session.run(None, {session.get_inputs()[0].name: numpy.load(io.BytesIO(files["golden/inputs.npy"]))})[0]
    assert numpy.abs(logits - numpy.load(io.BytesIO(files["golden/logits.npy"]))).max() < 1e-4
    report = trained.json("models", "export", "small:1", tmp_path, "--format", "safetensors")
    assert report["path"] == str(tmp_path / f"small-{report['version']}.safetensors")
    assert (tmp_path / f"small-{report['version']}.safetensors").read_bytes() == files["weights.safetensors"]


@pytest.mark.parametrize("arguments, text", [
    (["small:1", "there"], "is there already"),
    (["small:1", "x.tar.gz"], "a folder or as a .tar"),
    (["small:99", "x.tar"], "no model 'small:99'"),
    (["nosuch", "x.tar"], "no model 'nosuch'"),
])
def test_exports_that_cannot_be_are_refused(trained, tmp_path, arguments, text):
    (tmp_path / "there").mkdir()
    refused = trained.run("models", "export", *arguments, check=False, cwd=tmp_path)
    assert refused.returncode == 1 and text in refused.stderr, refused.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["there"]


def link(kind, name="extra"):
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = "/etc/passwd" if kind == tarfile.SYMTYPE else "spec.json"
    return member


HOSTILE = {
    "leads out": (lambda f: ({**f, "../evil": b"x"}, ()), "leads out"),
    "absolute": (lambda f: ({**f, "/tmp/evil-imago": b"x"}, ()), "leads out"),
    "symlink": (lambda f: (f, [link(tarfile.SYMTYPE)]), "a link"),
    "hard link": (lambda f: (f, [link(tarfile.LNKTYPE)]), "a link"),
    "device": (lambda f: (f, [link(tarfile.CHRTYPE)]), "a link or device"),
    "altered": (lambda f: ({**f, "weights.safetensors": f["weights.safetensors"][:-1] + b"!"}, ()), "weights.safetensors"),
    "missing": (lambda f: ({k: v for k, v in f.items() if k != "model.onnx"}, ()), "model.onnx"),
    "extra": (lambda f: ({**f, "run.sh": b"#!/bin/sh"}, ()), "run.sh"),
    "no manifest": (lambda f: ({k: v for k, v in f.items() if k != "manifest.json"}, ()), "manifest.json"),
    "too many": (lambda f: ({**f, **{f"golden/{i}.txt": b"" for i in range(100)}}, ()), "more than"),
    "wrong logits": (lambda f: (sealed_again(f, **{"golden/logits.npy": f["golden/logits.npy"][:-4] + b"\0\0\xc8B"}), ()),
                     "self-test"),
    "another network": (lambda f: (sealed_again(f, **{"model.onnx": OTHER_NETWORK.read_bytes()}), ()), "bad.tar"),
    "name of a path": (lambda f: (sealed_again(f, **{"spec.json": f["spec.json"].replace(b'"name": "small"', b'"name": "../x"')}),
                                  ()), "cannot name a model"),
    "empty": (lambda f: ({}, ()), "missing"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_packages_that_are_not_whole_change_nothing(exported, fresh, tmp_path, case):
    change, text = HOSTILE[case]
    fresh.run("models", "import", exported)
    before = state(fresh)
    refused = fresh.run("models", "import", write_tar(tmp_path / "bad.tar", *change(contents(exported))), check=False)
    assert refused.returncode == 1, refused.stdout
    assert text in refused.stderr and refused.stderr.count("\n") == 1, refused.stderr
    assert state(fresh) == before
    assert not (tmp_path / "evil").exists()


def test_sources_that_are_no_package_are_refused(exported, fresh, tmp_path):
    fresh.run("models", "import", exported)
    before = state(fresh)
    (tmp_path / "cut.tar").write_bytes(exported.read_bytes()[:50_000])
    (tmp_path / "text.tar").write_text("not an archive")
    folder = tmp_path / "linked"
    with tarfile.open(exported) as archive:
        archive.extractall(folder)
    shutil.move(folder / "spec.json", tmp_path / "spec.json")
    (folder / "spec.json").symlink_to(tmp_path / "spec.json")
    for source in (tmp_path / "nosuch.tar", tmp_path / "cut.tar", tmp_path / "text.tar", folder, tmp_path):
        refused = fresh.run("models", "import", source, check=False)
        assert refused.returncode == 1 and refused.stderr.count("\n") == 1, refused.stderr
    assert fresh.run("models", "import", exported, "--name", "Bad Name", check=False).returncode == 1
    assert state(fresh) == before


def safetensors(path):
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + size])
    about = header.pop("__metadata__")
    return about, {name: numpy.frombuffer(raw[8 + size:][slice(*entry["data_offsets"])], "<f4") for name, entry in header.items()}


@pytest.fixture
def tuning(fresh, exported, small_cifar):
    """A workspace of one's own with the trained model and its data."""
    fresh.run("data", "import", small_cifar, "--name", "small")
    fresh.run("models", "import", exported)
    return fresh


def test_the_mean_of_versions_is_a_start_whose_statistics_are_counted_anew(tuning, tmp_path):
    tuned = tuning.json("train", "--data", "small", "--recipe", "improved-cnn-bn", "--epochs", "1", "--from", "small:1", "--model", "soup")
    told = tuning.json("models", "average", "small:1", "soup:1", "-o", tmp_path / "mean.safetensors")
    assert told == {"mean_of": ["small:1", "soup:1"], "file": str(tmp_path / "mean.safetensors")}
    about, mean = safetensors(tmp_path / "mean.safetensors")
    assert about["mean_of"] == "small:1, soup:1"
    both = [safetensors(tuning.workspace / "models" / model / "1" / "weights.safetensors")[1] for model in ("small", "soup")]
    assert set(mean) == set(both[0])
    for name, values in mean.items():
        numpy.testing.assert_allclose(values, (both[0][name].astype(float) + both[1][name]) / 2, rtol=1e-6, atol=1e-9)

    counted = tuning.json("train", "--data", "small", "--recipe", "improved-cnn-bn", "--epochs", "0.5", "--model", "soup",
                          "--weights", tmp_path / "mean.safetensors", "--set", "schedule.peak=1e-12", "--set", "restore_best=false")
    _, after = safetensors(tuning.workspace / "models" / "soup" / str(counted["version"]) / "weights.safetensors")
    for name, values in mean.items():
        same = numpy.abs(values - after[name]).max() < 1e-9
        assert same == ("running" not in name), name
    assert counted["test"]["accuracy"] > tuned["test"]["accuracy"] - 0.1


@pytest.mark.parametrize("models, text", [
    (["small:1", "small:99"], "no model 'small:99'"),
    (["small:1", "quickly:1"], "small:1 and quickly:1 differ in network"),
])
def test_means_that_mean_nothing_are_refused(tuning, tmp_path, models, text):
    if "quickly:1" in models:
        tuning.run("train", "--data", "small", "--recipe", "simple-cnn", "--epochs", "0.1", "--model", "quickly")
    refused = tuning.run("models", "average", *models, "-o", tmp_path / "mean.safetensors", check=False)
    assert refused.returncode == 1 and text in refused.stderr and not (tmp_path / "mean.safetensors").exists(), refused.stderr


def test_rollbacks_walk_back_and_are_remembered(exported, fresh, tmp_path):
    files = contents(exported)
    lineage = json.loads(files["lineage.json"])
    for note in ("one", "two", "three"):
        package = sealed_again(files, **{"lineage.json": json.dumps({**lineage, "note": note}).encode()})
        fresh.run("models", "import", write_tar(tmp_path / f"{note}.tar", package), "--name", "pets")
    assert fresh.json("models", "list")[0]["aliases"] == ["latest"], "what is imported into a model that is there waits"
    assert fresh.json("models", "promote", "pets:2", "--reason", "a test") == \
        {"model": "pets", "alias": "champion", "version": 2, "previous": 1}
    fresh.json("models", "promote", "pets:latest")
    assert fresh.json("models", "rollback", "pets", "--reason", "worse on dogs")["version"] == 2
    assert fresh.json("models", "rollback", "pets")["version"] == 1
    refused = fresh.run("models", "rollback", "pets", check=False)
    assert refused.returncode == 1 and "nothing to go back to" in refused.stderr
    assert fresh.json("models", "show", "pets")["version"] == 1

    moves = fresh.json("models", "history", "pets")["moves"]
    assert [move["version"] for move in moves] == [1, 2, 3, 2, 1]
    assert moves[1]["reason"] == "rolled back from 3: worse on dogs" and moves[3]["reason"] == "a test"
    assert "worse on dogs" in fresh.run("models", "history", "pets").stdout

    for arguments in (["promote", "pets"], ["promote", "pets:9"], ["promote", "pets:1", "--alias", "7"], ["rollback", "nosuch"],
                      ["rollback", "pets", "--alias", "nosuch"], ["history", "nosuch"]):
        refused = fresh.run("models", *arguments, check=False)
        assert refused.returncode == 1 and refused.stderr.count("\n") == 1, refused.stderr
    assert len(fresh.json("models", "history", "pets")["moves"]) == 5


def test_runs_are_shown_with_their_curves_and_compared(trained, tmp_path):
    run = trained.train_report["run"]
    text = trained.run("runs", "show", run, "--svg", tmp_path / "curves.svg").stdout
    assert "█" in text and "val_accuracy" in text
    assert (tmp_path / "curves.svg").read_text().startswith("<svg ")
    same = trained.json("runs", "compare", run, run)
    assert same["params"] == {} and same["metrics"]["test_accuracy"] == [trained.train_report["test"]["accuracy"]] * 2
    assert trained.run("runs", "compare", run, "nosuch", check=False).returncode == 1


def test_an_evaluation_leaves_a_report(trained, tmp_path):
    metrics = trained.json("evaluate", "small:1", "--report", tmp_path / "report")
    assert json.loads((tmp_path / "report" / "metrics.json").read_text()) == metrics
    assert metrics["accuracy"] == trained.train_report["test"]["accuracy"]
    svg = (tmp_path / "report" / "confusion_matrix.svg").read_text()
    assert svg.count("<title>") == 100 and "predicted as" in svg
