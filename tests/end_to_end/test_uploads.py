# SPDX-License-Identifier: Apache-2.0
"""Images on their way in, over HTTP and from the command line: every form, what is refused, and what stays."""

import hashlib
import io
import os
import shutil
import signal
import tarfile
import zipfile

import numpy
import pytest
import requests
from PIL import Image

from conftest import Program, Server

LABELS = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
TIMEOUT = 30


def picture(seed, side=32, form="PNG"):
    pixels = numpy.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=numpy.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form)
    return out.getvalue()


def zip_of(files, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tar_of(files, mode="w:gz"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def npz_of(save=numpy.savez, **arrays):
    out = io.BytesIO()
    save(out, **arrays)
    return out.getvalue()


def form(*files, **fields):
    """A form as requests sends it: files as (name, content), fields that may repeat."""
    parts = [("files[]", (name, content)) for name, content in files]
    data = [(key, value) for key, values in fields.items()
            for value in (values if isinstance(values, list) else [values])]
    return {"files": parts, "data": data}


class Site:
    """A server of its own on a copy of the trained workspace, whose uploads are empty at the start of each test."""

    def __init__(self, workspace):
        self.program = Program(workspace)
        self.server = Server(workspace, "--model", "small")

    def post(self, path="/v1/uploads", **options):
        return requests.post(self.server.url + path, timeout=TIMEOUT, **options)

    def get(self, path):
        return requests.get(self.server.url + path, timeout=TIMEOUT)

    def staged(self):
        return self.get("/v1/uploads").json()

    def stored(self):
        folder = self.program.workspace / "uploads"
        return sorted(os.listdir(folder)) if folder.exists() else []

    def restart(self, how=signal.SIGTERM):
        self.server.process.send_signal(how)
        self.server.process.wait(timeout=30)
        self.server = Server(self.program.workspace, "--model", "small")


@pytest.fixture(scope="module")
def one_site(trained, tmp_path_factory):
    workspace = tmp_path_factory.mktemp("uploads") / "workspace"
    shutil.copytree(trained.workspace, workspace, ignore=shutil.ignore_patterns("uploads"))
    site = Site(workspace)
    yield site
    assert site.server.stop() == 0


@pytest.fixture
def site(one_site):
    waiting = [upload["id"] for upload in one_site.staged()["uploads"]]
    if waiting:
        one_site.program.run("data", "remove", *waiting)
    assert one_site.stored() == []
    return one_site


@pytest.mark.parametrize("path", ["/v1/uploads", "/upload-data", "/upload_data"])
def test_a_form_of_files_with_one_label(site, path):
    cat, dog = picture(1), picture(2, form="JPEG")
    answer = site.post(path, **form(("a.png", cat), ("b.jpg", dog), class_name="cats"))
    assert answer.status_code == 200
    body = answer.json()
    assert body["count"] == 2 and len(body["files"]) == 2 and body["rejected"] == []
    assert [upload["id"] for upload in body["uploads"]] == body["files"]
    assert body["aliases"] == [{"given": "cats", "label": "cat", "files": 2}]
    assert body["staged"] == {"total": 2, "labelled": 2, "unlabelled": 0}
    first = body["uploads"][0]
    assert (first["name"], first["label"], first["bytes"], first["width"], first["height"]) == ("a.png", "cat", len(cat), 32, 32)
    for upload, content, kind in zip(body["uploads"], (cat, dog), ("image/png", "image/jpeg")):
        image = site.get(upload["url"])
        assert image.content == content and image.headers["Content-Type"] == kind


def test_labels_one_a_file_by_folder_and_as_a_list(site):
    files = [("1.png", picture(1)), ("2.png", picture(2))]
    labels = lambda answer: [upload["label"] for upload in answer.json()["uploads"]]
    assert labels(site.post(**form(*files, **{"labels[]": ["cat", "dog"]}))) == ["cat", "dog"]
    assert labels(site.post(**form(*files, labels='["cat", "ship"]'))) == ["cat", "ship"]
    assert labels(site.post(**form(*files, labels="cat,frog"))) == ["cat", "frog"]
    assert labels(site.post(**form(*files, label="truck"))) == ["truck", "truck"]
    assert labels(site.post(**form(("horse/1.png", files[0][1]), ("2.png", files[1][1])))) == ["horse", None]
    assert site.staged()["by_label"] == {"cat": 3, "dog": 1, "frog": 1, "horse": 1, "ship": 1, "truck": 2}
    wrong = site.post(**form(*files, **{"labels[]": ["cat", "dog", "bird"]}))
    assert wrong.status_code == 400 and "3 labels for 2 files" in wrong.json()["error"]


@pytest.mark.parametrize("pack", [zip_of, tar_of, lambda files: tar_of(files, "w")], ids=["zip", "tar.gz", "tar"])
def test_an_archive_in_a_form_and_as_the_body(site, pack):
    archive = pack({"new/cat/1.png": picture(1), "new/kittens/2.png": picture(2), "3.png": picture(3), "new/cat/a.txt": b"text"})
    for answer in (site.post(**form(("new.bin", archive))), site.post("/v1/uploads?name=new.bin", data=archive)):
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert sorted((u["name"], u["label"]) for u in body["uploads"]) == [
            ("new.bin/3.png", None), ("new.bin/new/cat/1.png", "cat"), ("new.bin/new/kittens/2.png", "cat")]
        assert [r["file"] for r in body["rejected"]] == ["new.bin/new/cat/a.txt"]
        assert "not an image we read" in body["rejected"][0]["reason"]


def test_arrays_as_numpy_saves_them(site):
    pixels = numpy.random.default_rng(3).integers(0, 256, (4, 32, 32, 3), dtype=numpy.uint8)
    one_hot = numpy.eye(10, dtype="float32")[[3, 5, 0, 9]]
    forms = {
        "numbers": npz_of(x_new=pixels, y_new=numpy.array([3, 5, 0, 9])),
        "columns": npz_of(x_new=pixels, y_new=numpy.array([[3], [5], [0], [9]], dtype="uint8")),
        "names": npz_of(numpy.savez_compressed, x=pixels, y=numpy.array(["cat", "dog", "airplane", "truck"])),
        "rows": npz_of(images=(pixels / 255).astype("float32"), labels=one_hot),
        "bytes": npz_of(x_new=pixels.astype("float64"), y_new=numpy.array([b"cat", b"dog", b"airplane", b"truck"])),
    }
    for name, content in forms.items():
        body = site.post(**form((f"{name}.npz", content))).json()
        assert [upload["label"] for upload in body["uploads"]] == ["cat", "dog", "airplane", "truck"], (name, body)
        for upload, expected in zip(body["uploads"], pixels):
            read = numpy.asarray(Image.open(io.BytesIO(site.get(upload["url"]).content)))
            assert (read == expected).all(), name


def test_one_image_as_the_body(site):
    answer = site.post("/v1/uploads?label=dog&name=rex.png", data=picture(1), headers={"Content-Type": "image/png"})
    assert answer.status_code == 200
    assert (answer.json()["uploads"][0]["label"], answer.json()["uploads"][0]["name"]) == ("dog", "rex.png")


def test_unlabelled_ones_wait_apart_until_labelled(site):
    ids = site.post(**form(("a.png", picture(1)), ("b.png", picture(2)))).json()["files"]
    assert [site.staged()[key] for key in ("total", "labelled", "unlabelled")] == [2, 0, 2]
    assert site.staged()["labels"] == LABELS
    url = f"{site.server.url}/v1/uploads/{ids[0]}"
    done = requests.patch(url, json={"label": "automobiles"}, timeout=TIMEOUT)
    assert done.status_code == 200 and done.json()["label"] == "automobile"
    assert [site.staged()[key] for key in ("labelled", "unlabelled")] == [1, 1]
    for body, word in (({"label": "zebra"}, "not one of airplane"), ({"name": "x"}, "expected JSON"), ({"label": 3}, "label")):
        wrong = requests.patch(url, json=body, timeout=TIMEOUT)
        assert wrong.status_code == 400 and word in wrong.json()["error"], wrong.text
    assert requests.patch(url, json={"label": None}, timeout=TIMEOUT).json()["label"] is None
    assert requests.delete(url, timeout=TIMEOUT).json() == {"deleted": ids[0]}
    for again in (requests.delete(url, timeout=TIMEOUT), requests.get(url, timeout=TIMEOUT),
                  requests.patch(url, json={"label": "cat"}, timeout=TIMEOUT)):
        assert again.status_code == 404
    assert site.stored() == [ids[1]]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_keeps_them(site, how):
    content = picture(1)
    before = site.post(**form(("cat/a.png", content))).json()["uploads"]
    site.restart(how)
    assert site.staged()["uploads"] == before
    assert site.get(before[0]["url"]).content == content


BOMB = zip_of({"cat/good.png": picture(1), **{f"cat/{i}.png": bytes(20 << 20) for i in range(2)}})
HOSTILE = {  # what is sent, made when it is needed, and a part of the reason
    "nothing": (lambda: dict(data=b""), "no body"),
    "a form without files": (lambda: form(label="cat") | {"files": [("label", (None, "cat"))]}, "no file"),
    "an empty file": (lambda: form(("a.png", b"")), "it is empty"),
    "text called .jpg": (lambda: form(("a.jpg", b"Hello, I am text")), "not an image we read: starts with 'Hello, I'"),
    "half an image": (lambda: form(("a.png", picture(1)[:500])), "a.png"),
    "a name with ..": (lambda: form(("../../etc/cat.png", picture(1))), "absolute, or has"),
    "an absolute name": (lambda: form(("/etc/cat.png", picture(1))), "absolute, or has"),
    "an unknown label": (lambda: form(("a.png", picture(1)), label="zebra"), "label 'zebra' is not one of airplane, automobile"),
    "an unknown folder": (lambda: form(("zebra/a.png", picture(1))), "label 'zebra'"),
    "a zip with ..": (lambda: form(("a.zip", zip_of({"cat/1.png": picture(1), "../x.png": picture(2)}))), "leads out of it"),
    "a tar with /": (lambda: form(("a.tar", tar_of({"cat/1.png": picture(1), "/x.png": picture(2)}))), "leads out of it"),
    "a bomb": (lambda: form(("bomb.zip", BOMB)), "refused as a bomb"),
    "a zip cut short": (lambda: form(("a.zip", zip_of({"cat/1.png": picture(1), "cat/2.png": picture(2)})[:-60])), "damaged"),
    "10,001 files": (lambda: form(("a.tar", tar_of({f"cat/{i}.png": b"x" for i in range(10_001)}))), "more than 10000 files"),
    "10,001 parts": (lambda: form(*[("a.png", b"x")] * 10_001), "more than 10000 files"),
    "lengths that differ": (lambda: form(("a.npz", npz_of(x_new=numpy.zeros((3, 8, 8, 3), "uint8"), y_new=numpy.arange(2)))),
                            "labels of shape [2] for 3 images"),
    "pickled labels": (lambda: form(("a.npz", npz_of(x_new=numpy.zeros((1, 8, 8, 3), "uint8"), y_new=numpy.array([{}])))),
                       "Python objects"),
    "normalised pixels": (lambda: form(("a.npz", npz_of(x_new=numpy.full((1, 8, 8, 3), -1.5), y_new=numpy.arange(1)))),
                          "not normalised"),
    "a class number too high": (lambda: form(("a.npz", npz_of(x_new=numpy.zeros((1, 8, 8, 3), "uint8"), y_new=numpy.array([10])))),
                                "none of the classes 0 to 9"),
    "an array bomb": (lambda: form(("a.npz", npz_of(numpy.savez_compressed, x_new=numpy.zeros((400, 256, 256, 3), "uint8")))),
                      "bomb"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_refused_and_leaves_nothing(site, name):
    request, reason = HOSTILE[name]
    answer = site.post(**request())
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert reason in body["error"] and "\n" not in body["error"]
    assert body["code"] and body["request_id"]
    assert site.staged()["total"] == 0 and site.stored() == []
    assert site.get("/health").status_code == 200


def test_refused_ones_are_listed_beside_the_error(site):
    body = site.post(**form(("a.jpg", b"text"), ("b.png", b""))).json()
    assert [r["file"] for r in body["rejected"]] == ["a.jpg", "b.png"] and body["rejected"][1]["reason"] == "it is empty"
    assert "none of the 2 files" in body["error"]
    assert site.post(json={"files": []}).status_code == 415


def test_the_command_line_takes_every_form_beside_a_running_server(site, tmp_path):
    for path, seed in (("train/cat/1.png", 1), ("train/dogs/2.png", 2), ("loose/3.png", 3), ("train/.hidden", 4)):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(picture(seed))
    (tmp_path / "train/cat/note.txt").write_text("text")
    (tmp_path / "more.zip").write_bytes(zip_of({"ship/1.png": picture(5)}))
    (tmp_path / "new_data.npz").write_bytes(npz_of(x_new=numpy.zeros((1, 32, 32, 3), "uint8"), y_new=numpy.array([9])))
    report = site.program.json("data", "add", tmp_path / "train", tmp_path / "more.zip", tmp_path / "new_data.npz",
                               tmp_path / "loose", tmp_path / "train/cat/1.png")
    assert sorted((u["name"], u["label"] or "-") for u in report["uploads"]) == [
        ("3.png", "-"), ("cat/1.png", "cat"), ("cat/1.png", "cat"), ("dogs/2.png", "dog"),
        ("more.zip/ship/1.png", "ship"), ("new_data.npz[0]", "truck")]
    assert len(report["rejected"]) == 2 and report["aliases"] == [{"given": "dogs", "label": "dog", "files": 1}]
    assert site.staged()["total"] == 6, "the server sees them"

    (waiting,) = site.program.json("data", "uploads", "--unlabelled")
    assert site.program.json("data", "label", waiting["id"], "kitten")["label"] == "cat"
    assert site.staged()["unlabelled"] == 0
    wrong = site.program.run("data", "label", waiting["id"], "zebra", check=False)
    assert wrong.returncode == 1 and "not one of airplane" in wrong.stderr

    text = site.program.run("data", "add", tmp_path / "loose", "--label", "cars").stdout
    assert "'cars' was taken for automobile: 1 images" in text and "1 images taken, 0 files refused" in text
    assert "cat/1.png" in site.program.run("data", "uploads").stdout


def test_the_command_line_refuses_the_same(site, tmp_path):
    cases = {"text.jpg": b"text", "empty.png": b"", "bomb.zip": BOMB, "out.zip": zip_of({"../x.png": picture(1)})}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        done = site.program.run("data", "add", tmp_path / name, check=False)
        assert done.returncode == 1 and "no image was taken" in done.stderr, name
        assert f"refused {name}: " in done.stdout, done.stdout
    (tmp_path / "many").mkdir()
    for i in range(10_001):
        (tmp_path / "many" / f"{i}.png").write_bytes(b"x")
    for arguments, word in (((tmp_path / "many",), "more than 10000 files"), ((tmp_path / "none",), "no file or folder"),
                            ((tmp_path / "out.zip", "--model", "nobody"), "nobody"), ((), "required")):
        done = site.program.run("data", "add", *arguments, check=False)
        assert done.returncode == (1 if arguments else 2) and word in done.stderr, done.stderr
    assert site.stored() == []


def test_data_sets_over_http(site):
    (small,) = [entry for entry in site.get("/v1/datasets").json()["datasets"] if entry["name"] == "small"]
    assert small["images"] == 2400 and small["labels"] == LABELS and small["versions"] == 1
    assert small["version"] == site.program.json("data", "show", "small")["version"]
    body = site.get("/v1/datasets/small").json()
    assert body["counts"]["test"]["cat"] == 40 and body["counts"]["train"]["cat"] + body["counts"]["validation"]["cat"] == 200
    assert body["sizes"]["width"] == {"min": 32, "median": 32, "max": 32}
    assert body["versions"][0]["version"] == small["version"] and body["refused_count"] == len(body["refused"])
    samples = site.get("/v1/datasets/small/samples?split=test&limit=20").json()["samples"]
    assert len(samples) == 20 and {s["split"] for s in samples} == {"test"} and {s["label"] for s in samples} == set(LABELS)
    ships = site.get("/v1/datasets/small/samples?label=ship").json()["samples"]
    assert len(ships) == 12 and {s["label"] for s in ships} == {"ship"}
    image = site.get(ships[0]["url"])
    assert image.headers["Content-Type"] == "image/jpeg" and "immutable" in image.headers["Cache-Control"]
    assert ships[0]["url"].endswith(hashlib.sha256(image.content).hexdigest())
    assert site.get(f"/v1/datasets/small?version={small['version'][:4]}").json()["version"] == small["version"]
    for path, status in (("/v1/datasets/none", 404), ("/v1/datasets/..%2f..", 404), ("/v1/datasets/A", 400), ("/v1/datasets/small?version=zzz", 404),
                         ("/v1/datasets/small/samples?label=zebra", 400), ("/v1/datasets/small/samples?limit=0", 400),
                         ("/v1/datasets/small/samples?split=x", 400), ("/v1/datasets/small/images/" + "0" * 64, 404),
                         ("/v1/datasets/small/images/..%2f..%2fimago.db", 404)):
        answer = site.get(path)
        assert answer.status_code == status, (path, answer.text)
        assert answer.json()["error"]


def test_export_is_the_same_again_and_imports_back(site, tmp_path):
    for name in ("a.tar", "b.tar"):
        assert site.program.json("data", "export", "small", tmp_path / name, "--split", "test")["files"] == 400
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    with tarfile.open(tmp_path / "a.tar") as archive:
        members = archive.getmembers()
    assert {m.mtime for m in members} == {0} and all(m.name.split("/")[0] == "test" for m in members)
    site.program.run("data", "export", "small", tmp_path / "folder")
    assert sum(1 for _ in (tmp_path / "folder/test/cat").iterdir()) == 40
    back = site.program.json("data", "import", tmp_path / "folder", "--name", "back")
    assert back["counts"] == site.program.json("data", "show", "small")["counts"]
    diff = site.program.json("data", "diff", "small", "back")
    assert diff["unchanged"] == 2400 and diff["added"] == diff["removed"] == diff["relabelled"] == diff["moved"] == []
    again = site.program.run("data", "export", "small", tmp_path / "folder", check=False)
    assert again.returncode == 1 and "is there already" in again.stderr
    os.rename(tmp_path / "folder/train/cat", tmp_path / "folder/train/wildcat")
    shutil.move(tmp_path / "folder/test/cat", tmp_path / "folder/test/wildcat")
    shutil.rmtree(tmp_path / "folder/validation")
    site.program.run("data", "import", tmp_path / "folder", "--name", "changed")
    text = site.program.run("data", "diff", "small", "changed").stdout
    assert "0 added, 200 removed" in text and "cat -> wildcat" in text


def test_import_takes_tables_and_arrays(site, tmp_path):
    rows = ["path,label,split"]
    for i in range(12):
        (tmp_path / f"{i}.png").write_bytes(picture(i, side=8))
        rows.append(f"{i}.png,{'cat' if i % 2 else 'dog'},{'test' if i > 9 else 'train'}")
    (tmp_path / "list.csv").write_text("\n".join(rows))
    report = site.program.json("data", "import", tmp_path / "list.csv", "--name", "listed")
    assert report["kept"] == 12 and report["labels"] == ["cat", "dog"] and report["counts"]["test"] == [1, 1]
    pixels = numpy.random.default_rng(0).integers(0, 256, (30, 8, 8, 3), dtype=numpy.uint8)
    numpy.savez(tmp_path / "arrays.npz", x_train=pixels[:20], y_train=numpy.arange(20) % 2, x_test=pixels[20:], y_test=numpy.arange(10) % 2)
    report = site.program.json("data", "import", tmp_path / "arrays.npz")
    assert report["dataset"] == "arrays" and report["labels"] == ["0", "1"] and report["counts"]["test"] == [5, 5]
    samples = site.get("/v1/datasets/arrays/samples?split=test&limit=10").json()["samples"]
    read = {sample["path"]: numpy.asarray(Image.open(io.BytesIO(site.get(sample["url"]).content))) for sample in samples}
    for i in range(10):
        assert (read[f"test/{i % 2}/{i:06}.png"] == pixels[20 + i]).all()
    (tmp_path / "empty.npz").write_bytes(npz_of(weights=pixels))
    (tmp_path / "wrong.csv").write_text("a,b\n1,2\n")
    for name, word in (("empty.npz", "x_train and y_train"), ("wrong.csv", "path and label")):
        done = site.program.run("data", "import", tmp_path / name, check=False)
        assert done.returncode == 1 and word in done.stderr, done.stderr
