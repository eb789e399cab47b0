# SPDX-License-Identifier: Apache-2.0
"""The compact form of a package, and the models in models/ that ship in it."""

import hashlib
import json
import math
import subprocess
import tarfile
from pathlib import Path

import numpy
import pytest

from conftest import IMAGO, ROOT, Program, data_folder
from test_models import contents, link, sealed_again, state, write_tar

SHIPPED = sorted((ROOT / "models").glob("*.tar"))


@pytest.fixture(scope="module")
def compact(trained, tmp_path_factory):
    """The trained model as a compact tar."""
    path = tmp_path_factory.mktemp("compact") / "small.tar"
    report = trained.json("models", "export", "small:1", path, "--format", "compact")
    assert report["format"] == "compact" and report["path"] == str(path)
    return path


@pytest.fixture
def fresh(tmp_path):
    return Program(tmp_path / "workspace")


def package_of(program, model):
    """The folder of a version's package."""
    return Path(program.json("models", "show", model)["package"])


def test_a_compact_model_answers_the_same_in_another_workspace(trained, compact, fresh, small_cifar):
    made = fresh.json("models", "import", compact)
    assert made["model"] == "small" and made["version"] == 1 and made["known"] is False
    assert sorted(made["aliases"]) == ["base", "champion", "latest"]
    images = sorted((small_cifar / "test").rglob("*.jpg"))[::10]
    before, after = (program.json("predict", "small:1", *images)["predictions"] for program in (trained, fresh))
    assert len(before) == 40
    for one, other in zip(before, after):
        assert one["prediction"] == other["prediction"], one["filename"]
        for label, probability in one["class_probabilities"].items():
            assert other["class_probabilities"][label] == pytest.approx(probability, abs=1e-2)

    again = fresh.json("models", "import", compact)
    assert again["known"] is True and again["digest"] == made["digest"]
    assert len(fresh.json("models", "list")) == 1
    there, here = (program.json("models", "show", "small:1") for program in (trained, fresh))
    assert here["report"] == {**there["report"], "stored": "float16"}
    assert here["lineage"] == there["lineage"] and here["test_accuracy"] == there["test_accuracy"]


def test_compact_files_are_small_and_the_same_wherever_they_are_made(trained, compact, fresh, tmp_path):
    files = contents(compact)
    whole = sum(path.stat().st_size for path in package_of(trained, "small:1").rglob("*") if path.is_file())
    assert compact.stat().st_size < 0.3 * whole, "network and weights in float32 and the inputs are most of a package"
    manifest = json.loads(files["manifest.json"])
    assert manifest["format"] == 1 and manifest["form"] == "compact"
    assert set(files) == set(manifest["files"]) | {"manifest.json"}
    assert "model.onnx" not in files and "golden/inputs.npy" not in files
    header = json.loads(files["weights.safetensors"][8:8 + int.from_bytes(files["weights.safetensors"][:8], "little")])
    kinds = [tensor["dtype"] for name, tensor in header.items() if name != "__metadata__" and len(tensor["shape"]) > 1]
    assert set(kinds) == {"F16"}

    # Somebody else's expanded package has the same compact form; so has a folder.
    fresh.run("models", "import", compact)
    fresh.run("models", "export", "small", tmp_path / "again.tar", "--format", "compact")
    assert (tmp_path / "again.tar").read_bytes() == compact.read_bytes()
    fresh.run("models", "export", "small", tmp_path / "folder", "--format", "compact")
    assert {str(p.relative_to(tmp_path / "folder")): p.read_bytes() for p in (tmp_path / "folder").rglob("*") if p.is_file()} == files
    assert fresh.json("models", "import", tmp_path / "folder")["known"] is True


def test_golden_images_can_be_drawn_so_that_no_image_of_the_data_set_leaves(trained, fresh, small_cifar, tmp_path):
    trained.run("models", "export", "small:1", tmp_path / "drawn.tar", "--format", "compact", "--drawn-golden")
    known = {hashlib.sha256(path.read_bytes()).digest() for path in small_cifar.rglob("*.jpg")}
    images = [data for name, data in contents(tmp_path / "drawn.tar").items() if name.endswith(".jpg")]
    assert len(images) == 8 and not known & {hashlib.sha256(data).digest() for data in images}
    assert fresh.json("models", "import", tmp_path / "drawn.tar")["known"] is False, "its golden set is replayed here"
    refused = trained.run("models", "export", "small:1", tmp_path / "whole.tar", "--drawn-golden", check=False)
    assert refused.returncode == 1 and "--format compact" in refused.stderr and not (tmp_path / "whole.tar").exists()


def test_weights_are_rounded_as_numpy_rounds_them(trained, compact, fresh):
    def tensors(data):
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8:8 + length])
        kinds = {"F32": numpy.float32, "F16": numpy.float16}
        return {name: numpy.frombuffer(data[8 + length:][slice(*one["data_offsets"])], kinds[one["dtype"]])
                for name, one in header.items() if name != "__metadata__"}

    fresh.run("models", "import", compact)
    exact, stored, expanded = (tensors(data) for data in ((package_of(trained, "small:1") / "weights.safetensors").read_bytes(),
                                                          contents(compact)["weights.safetensors"],
                                                          (package_of(fresh, "small") / "weights.safetensors").read_bytes()))
    assert exact.keys() == stored.keys() == expanded.keys()
    assert any(one.dtype == numpy.float16 for one in stored.values())
    for name, values in exact.items():
        assert numpy.array_equal(values.astype(stored[name].dtype), stored[name]), name
        assert numpy.array_equal(stored[name].astype(numpy.float32), expanded[name]), name


HOSTILE = {
    "leads out": (lambda f: ({**f, "../evil": b"x"}, ()), "leads out"),
    "symlink": (lambda f: (f, [link(tarfile.SYMTYPE)]), "a link"),
    "altered": (lambda f: ({**f, "weights.safetensors": f["weights.safetensors"][:-1] + b"!"}, ()), "weights.safetensors"),
    "missing": (lambda f: ({k: v for k, v in f.items() if k != "golden/logits.npy"}, ()), "golden/logits.npy"),
    "extra": (lambda f: ({**f, "run.sh": b"#!/bin/sh"}, ()), "run.sh"),
    "with a network": (lambda f: (sealed_again(f, **{"model.onnx": b"x"}), ()), "has no place"),
    "of another form": (lambda f: ({**f, "manifest.json": f["manifest.json"].replace(b'"compact"', b'"thin"')}, ()), "thin"),
    "not compact": (lambda f: ({**f, "manifest.json": f["manifest.json"].replace(b'"form"', b'"fort"')}, ()), "model.onnx"),
    "weights cut": (lambda f: (sealed_again(f, **{"weights.safetensors": f["weights.safetensors"][:-2]}), ()), "weights.safetensors"),
    "weights of another": (lambda f: (sealed_again(f, **{"weights.safetensors": other_weights()}), ()), "weight"),
    "weights not numbers": (lambda f: (sealed_again(f, **{"weights.safetensors": not_numbers(f["weights.safetensors"])}), ()),
                            "bad.tar"),
    "wrong logits": (lambda f: (sealed_again(f, **{"golden/logits.npy": f["golden/logits.npy"][:-4] + b"\0\0\xc8B"}), ()),
                     "self-test"),
    "no image": (lambda f: (sealed_again(f, **{"golden/0.jpg": b"no image"}), ()), "golden image 0"),
    "spec of nothing": (lambda f: (sealed_again(f, **{"spec.json": b'{"format": 1}'}), ()), "spec.json"),
    "name of a path": (lambda f: (sealed_again(f, **{"spec.json": f["spec.json"].replace(b'"name": "small"', b'"name": "../x"')}),
                                  ()), "cannot name a model"),
    "report of text": (lambda f: (sealed_again(f, **{"report.json": b'"good"'}), ()), "report.json"),
}


def other_weights():
    header = json.dumps({"fc.weight": {"dtype": "F16", "shape": [1, 1], "data_offsets": [0, 2]}}).encode()
    return len(header).to_bytes(8, "little") + header + b"\0\0"


def not_numbers(weights):
    """The last tensors' last values are NaN."""
    return weights[:-400] + b"\xff\x7f" * 200


@pytest.mark.parametrize("case", HOSTILE)
def test_compact_files_that_are_not_whole_change_nothing(compact, fresh, tmp_path, case):
    change, text = HOSTILE[case]
    fresh.run("models", "import", compact)
    before = state(fresh)
    refused = fresh.run("models", "import", write_tar(tmp_path / "bad.tar", *change(contents(compact))), check=False)
    assert refused.returncode == 1, refused.stdout
    assert text in refused.stderr and refused.stderr.count("\n") == 1, refused.stderr
    assert str(fresh.workspace) not in refused.stderr, "it tells of the file, not of where it was unpacked"
    assert state(fresh) == before


def installed(folder, *tars):
    """The program where it finds these models beside it: bin/imago and models/."""
    (folder / "bin").mkdir(parents=True)
    (folder / "models").mkdir()
    for name in ("imago", "imago-trainer"):
        (folder / "bin" / name).hardlink_to(IMAGO.with_name(name))
    for tar in tars:
        (folder / "models" / tar.name).write_bytes(tar.read_bytes())
    return folder / "bin" / "imago"


def test_a_shipped_model_is_imported_by_its_name(compact, tmp_path, monkeypatch):
    try:
        program = installed(tmp_path / "installed", compact)
    except OSError:
        pytest.skip("the temporary folder is on another disk than the build")
    (tmp_path / "installed" / "models" / "small.json").write_text(json.dumps({"test_accuracy": 0.625}))

    def imago(*arguments):
        return subprocess.run([program, "--workspace", tmp_path / "workspace", *arguments], capture_output=True, text=True,
                              timeout=60, cwd=tmp_path)

    listed = json.loads(imago("--json", "models", "list", "--shipped").stdout)
    assert [(one["model"], one["test_accuracy"]) for one in listed] == [("small", 0.625)]
    assert "0.6250" in imago("models", "list", "--shipped").stdout
    assert imago("models", "import", "small").returncode == 0
    assert "ships with Imago as small" in imago("models", "history", "small").stdout
    refused = imago("models", "import", "nosuch")
    assert refused.returncode == 1 and "(small)" in refused.stderr and refused.stderr.count("\n") == 1
    assert imago("models", "import", "./nosuch.tar").returncode == 1
    typed = 'source <("$1" completion bash); imago() { "$1" "$@"; }; COMP_WORDS=("$1" models import ""); COMP_CWORD=3; _imago; ' \
            'printf "%s\\n" "${COMPREPLY[@]}"'
    completed = subprocess.run(["bash", "-c", typed, "bash", program], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert "small" in completed.stdout.split(), completed.stdout + completed.stderr


def wilson(hits, n, z=2.576):
    """The 99 % interval of a share."""
    centre, spread = hits / n + z * z / (2 * n), z * math.sqrt(hits / n * (1 - hits / n) / n + z * z / (4 * n * n))
    return (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)


def test_what_ships_is_described_and_fits():
    assert sum(path.stat().st_size for path in SHIPPED) <= 20_000_000
    text = (ROOT / "models" / "README.md").read_text()
    for path in SHIPPED:
        files = contents(path)
        about = json.loads(path.with_suffix(".json").read_text())
        assert path.name in text
        assert about["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest(), f"scripts/ship {path.stem} writes both"
        assert about["report"] == json.loads(files["report.json"]) and about["lineage"] == json.loads(files["lineage.json"])
        assert about["test_accuracy"] == about["report"]["test"]["accuracy"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_model_imports(path, fresh):
    made = fresh.json("models", "import", path.stem)
    assert made["model"] == path.stem and "champion" in made["aliases"]
    assert fresh.json("models", "import", path.stem)["known"] is True
    assert made["test_accuracy"] == json.loads(path.with_suffix(".json").read_text())["test_accuracy"]


def unpack_test_images(target):
    """Every tenth image of each class of CIFAR-10's test split."""
    seen = {}
    unpack = subprocess.Popen(["zstd", "-dcq", data_folder() / "cifar-10-images.tar.zst"], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=unpack.stdout, mode="r|") as archive:
        for member in archive:
            *_, split, label, name = ("", "", *member.name.split("/"))
            if not member.isfile() or split != "test":
                continue
            seen[label] = seen.get(label, 0) + 1
            if seen[label] % 10 == 0:
                (target / label).mkdir(parents=True, exist_ok=True)
                (target / label / name).write_bytes(archive.extractfile(member).read())
    assert unpack.wait(timeout=60) == 0
    return sorted(target.rglob("*.jpg"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_model_is_as_good_as_it_says(path, fresh, tmp_path):
    """On 1,000 test images of CIFAR-10, or the test split of a smaller data set."""
    if data_folder() is None:
        pytest.skip("needs the real images: set IMAGO_DATA to the folder of cifar-10-images.tar.zst")
    fresh.run("models", "import", path.stem)
    if path.stem == "cifar10":
        images = unpack_test_images(tmp_path / "images")
        answers = fresh.json("predict", path.stem, *images)["predictions"]
        n, right = len(images), sum(answer["prediction"] == image.parent.name for image, answer in zip(images, answers))
        assert n == 1000
    else:
        fresh.run("data", "import", path.stem)
        measured = fresh.json("evaluate", path.stem, "--data", f"{path.stem}:test")
        n, right = measured["n"], round(measured["accuracy"] * measured["n"])
    low, high = wilson(right, n)
    stated = json.loads(contents(path)["report.json"])["test"]["accuracy"]
    assert low <= stated <= high, f"{right} of {n} are right, the report says {stated}"
