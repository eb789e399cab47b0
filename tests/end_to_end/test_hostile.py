# SPDX-License-Identifier: Apache-2.0
"""Bad input at every entrance of the loop: a clear 4xx or exit status 1, the server alive, and nothing changed."""

import io
import json
import shutil
import zipfile

import numpy as np
import pytest
import requests
from PIL import Image

from conftest import Program, Server

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def workspace(trained, tmp_path_factory):
    copy = tmp_path_factory.mktemp("hostile") / "workspace"
    shutil.copytree(trained.workspace, copy)
    return Program(copy)


@pytest.fixture(scope="module")
def server(workspace):
    running = Server(workspace.workspace, "--model", "small")
    yield running
    assert running.stop() == 0


def everything(server):
    """What clients could have changed. A training that failed leaves its record, and nothing else."""
    get = lambda path: requests.get(server.url + path, timeout=30).json()
    runs = [run for run in get("/v1/runs")["runs"] if run["status"] != "failed"]
    return {"runs": runs} | {path: get(path) for path in ("/v1/uploads", "/v1/datasets", "/v1/models", "/v1/jobs", "/v1/models/small/history")}


@pytest.fixture(autouse=True)
def nothing_changes(server):
    before = everything(server)
    yield
    assert everything(server) == before
    assert requests.get(server.url + "/ready", timeout=5).status_code == 200


def refused(response, *words, statuses=(400,)):
    assert response.status_code in statuses, f"{response.status_code}: {response.text[:300]}"
    answer = response.json()
    assert {"error", "detail", "code", "request_id"} <= set(answer)
    assert all(word in response.text for word in words), response.text[:500]
    assert "\n" not in answer["error"] and len(answer["error"]) < 1000


def png(color=(200, 10, 10)):
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), color).save(buffer, "PNG")
    return buffer.getvalue()


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


UPLOAD_PATHS = ["/v1/uploads", "/upload-data", "/upload_data", "/retrain"]


@pytest.mark.parametrize("path", UPLOAD_PATHS)
def test_uploads_that_are_refused_whole(server, path):
    post = lambda **options: requests.post(server.url + path, timeout=60, **options)
    refused(post(files={"files": ("x.png", png())}, data={"label": "zebra"}), "zebra", "airplane")
    refused(post(files={"files": ("zebra/x.png", png())}), "zebra")
    refused(post(files={"files": ("cat/x.png", b"")}))
    refused(post(files={"files": ("cat/x.png", b"I am no image")}), "x.png")
    refused(post(files={"files": ("../../cat/x.png", png())}))
    refused(post(files={"files": ("/etc/cat/x.png", png())}))
    refused(post(files={"note": (None, "no file")}))
    refused(post(files={"files": ("x.zip", zipped([("../cat/x.png", png())]))}))
    refused(post(files={"files": ("bomb.zip", zipped([(f"cat/{i}.png", bytes(40 << 20)) for i in range(8)]))}))
    refused(post(files={"files": ("cut.zip", zipped([("cat/x.png", png())])[:-30])}))
    refused(post(files={"files": ("x.npz", b"PK\x03\x04 not one")}))


@pytest.mark.parametrize("path", UPLOAD_PATHS)
def test_ten_thousand_and_one_files(server, path):
    content = zipped([(f"cat/{i}.png", b"") for i in range(10_001)])
    refused(requests.post(server.url + path, files={"files": ("many.zip", content)}, timeout=60), "10", statuses=(400, 413))


def test_arrays_of_other_shapes(server):
    def npz(**arrays):
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        return {"files": ("new_data.npz", buffer.getvalue())}

    post = lambda files: requests.post(server.url + "/upload-data", files=files, timeout=30)
    refused(post(npz(x_new=np.zeros((3, 32, 32, 3), np.float32), y_new=np.zeros(2, int))), "2", "3")
    refused(post(npz(x_new=np.zeros((3, 32, 32, 5), np.float32), y_new=np.zeros(3, int))))
    refused(post(npz(x_new=np.zeros(3072, np.float32), y_new=np.zeros(1, int))))
    refused(post(npz(x_new=np.zeros((2, 32, 32, 3), np.float32), y_new=np.array([10, -1]))))
    refused(post(npz(x_new=np.full((1, 32, 32, 3), np.nan, np.float32), y_new=np.array([3]))))
    refused(post(npz(x_new=np.array([{"a": 1}], dtype=object), y_new=np.array([3]))))


def test_a_body_over_the_limit(server):
    response = requests.post(server.url + "/upload-data", data=bytes(33 << 20), headers={"Content-Type": "image/png"}, timeout=60)
    refused(response, statuses=(400, 413))


@pytest.mark.parametrize("size, limit", [((20_000, 10), "16384"), ((16_000, 16_000), "64000000")])
def test_images_with_more_pixels_than_are_taken(server, size, limit):
    buffer = io.BytesIO()
    Image.new("1", size).save(buffer, "PNG")
    assert len(buffer.getvalue()) < 100_000
    refused(requests.post(server.url + "/predict", files={"file": buffer.getvalue()}, timeout=10), str(size[0]), limit, statuses=(400, 413))


@pytest.mark.parametrize("body", ["", "{}", '{"files":[]}', '{"files":[],"labels":[]}', '{"files":["u0"],"labels":["cat"]}',
                                  '{"files":["../imago.db"],"labels":["cat"]}', '{"files":["a","b"],"labels":["cat"]}',
                                  '{"files":"a","labels":"cat"}', '{"files":[1],"labels":[2]}', '{"files":null}', "[]", "7", "{"])
def test_retraining_on_nothing(server, body):
    refused(requests.post(server.url + "/retrain", data=body, headers=JSON, timeout=30))


def test_stopping_what_does_not_run(server):
    refused(requests.post(server.url + "/train/stop", timeout=5), "nothing to stop", statuses=(400, 409))
    refused(requests.post(server.url + "/train/stop", params={"job_id": "nosuch"}, timeout=5), "nosuch", statuses=(400, 404))
    refused(requests.get(server.url + "/training-status", params={"job_id": "nosuch"}, timeout=5), "nosuch", statuses=(400, 404))
    refused(requests.get(server.url + "/v1/jobs/nosuch", timeout=5), "nosuch", statuses=(404,))
    refused(requests.delete(server.url + "/v1/jobs/nosuch", timeout=5), "nosuch", statuses=(404,))


@pytest.mark.parametrize("body, word", [
    ({"dataset": "nosuch"}, "nosuch"), ({"recipe": "nosuch"}, "nosuch"), ({"recipe": "/etc/passwd"}, "passwd"), ({"epochs": 0}, "epochs"),
    ({"epochs": "many"}, "epochs"), ({"epochs": -3}, "epochs"), ({"epochs": 1e12}, "epochs"), ({"max_minutes": -1}, "max_minutes"),
    ({"model": "../x"}, "../x"), ({"model": 7}, "model"), ({"seed": "x"}, "seed"), ({"dataset": ["small"]}, "dataset")])
def test_training_as_nobody_can(server, body, word):
    refused(requests.post(server.url + "/train", json=body, timeout=10), word, statuses=(400, 404))
    refused(requests.post(server.url + "/v1/jobs", json={"kind": "train"} | body, timeout=10), word, statuses=(400, 404))


@pytest.mark.parametrize("body", [{}, {"kind": "dance"}, {"kind": 1}, {"kind": "retrain", "model": "nosuch"}, {"kind": "retrain", "margin": 7},
                                  {"kind": "retrain", "epochs": True}, []])
def test_jobs_of_no_kind(server, body):
    refused(requests.post(server.url + "/v1/jobs", json=body, timeout=10), statuses=(400, 404))


def test_versions_that_are_not_there(server):
    post = lambda path, body: requests.post(server.url + "/v1/models/" + path, json=body, timeout=10)
    refused(post("small/promote", {"version": 99}), "99", statuses=(404,))
    refused(post("nosuch/promote", {"version": 1}), "nosuch", statuses=(404,))
    for version in ("one", 1.5, -1, None, [1], 2**40):
        refused(post("small/promote", {"version": version}), statuses=(400, 404))
    refused(post("small/promote", {}), "version")
    refused(post("small/promote", {"version": 1, "alias": "a/b"}))
    refused(post("small/rollback", {}), statuses=(409,))
    refused(post("nosuch/rollback", {}), statuses=(404, 409))
    refused(requests.get(server.url + "/v1/models/small/versions/99", timeout=5), "99", statuses=(404,))
    refused(requests.get(server.url + "/v1/datasets/nosuch", timeout=5), "nosuch", statuses=(404,))
    refused(requests.get(server.url + "/v1/runs/nosuch", timeout=5), "nosuch", statuses=(404,))
    refused(requests.get(server.url + "/v1/datasets/small/images/" + "0" * 64, timeout=5), statuses=(404,))


WRONG_BODIES = ["", "{", "[]", "null", "7", '"x"', '{"a":' * 2000, "\xff\xfe", '{"version":{"a":1},"label":[],"files":{},"labels":0,"kind":[],'
                '"image":{"a":null},"epochs":{},"model":[],"dataset":{},"recipe":[],"job_id":{},"alias":[],"reason":{},"class":{}}']
PLACES = {"{id}": "nosuch", "{name}": "small", "{version}": "x", "{sha256}": "y", "{file}": "z", "{alias}": "champion"}


def routes(server):
    """Every operation of the API, with names in its path that are mostly nobody's."""
    for path, operations in requests.get(server.url + "/openapi.json", timeout=5).json()["paths"].items():
        for place, value in PLACES.items():
            path = path.replace(place, value)
        yield from ((method.upper(), path) for method in operations if method in ("get", "post", "put", "patch", "delete"))


WISHES = {"/train": "train as usual", "/v1/models/small/load": "what its policy says", "/v1/models/small/default": "its champion", "/v2/repository/models/small/load": "the same"}  # of an empty body
TAKE_ANYTHING = {"/train/stop", "/v2/repository/index"}  # members that they do not know are left alone


def test_no_route_fails_on_junk(server):
    """Every operation, with bodies of the wrong shape and type: never a 5xx, never a dropped connection."""
    listed = list(routes(server))
    assert ("POST", "/predict") in listed and len(listed) > 30, listed
    for method, path in listed:
        for body in WRONG_BODIES if method in ("POST", "PATCH", "PUT", "DELETE") else [""]:
            if method == "POST" and path in WISHES and body == "":
                continue
            for headers in (JSON, {"Content-Type": "multipart/form-data; boundary=x"}, {"Content-Type": "image/png"}):
                with requests.request(method, server.url + path, data=body.encode("latin-1"), headers=headers, timeout=20, stream=True) as response:
                    assert response.status_code < 500, f"{method} {path} {body[:60]!r}: {response.status_code} {response.text[:300]}"
                    if method == "POST" and path not in TAKE_ANYTHING:
                        assert response.status_code >= 400, f"{method} {path} {body[:60]!r} {headers}: {response.text[:300]}"


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "limit=99999999999999999999", "seconds=x", "seconds=-5", "version=nosuch", "split=nosuch"])
def test_queries_out_of_range(server, query):
    for path in ("/v1/jobs", "/v1/stats", "/v1/datasets/small", "/v1/datasets/small/samples"):
        assert requests.get(f"{server.url}{path}?{query}", timeout=10).status_code in (200, 400, 404)


def failed(done, *words):
    assert done.returncode == 1, f"{done.returncode}: {done.stderr}"
    line = done.stderr.strip().splitlines()[-1]
    assert all(word in line for word in words), line


def test_weights_of_another_shape(workspace, server, tmp_path):
    """Nothing is registered, and the line says which tensor does not fit."""
    from struct import pack

    header = json.dumps({"block1.1.bn.bias": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    weights = tmp_path / "other.safetensors"
    weights.write_bytes(pack("<Q", len(header)) + header + bytes(16))
    versions = workspace.json("models", "list")
    done = workspace.run("train", "--data", "small", "--recipe", "quick", "--weights", weights, "--model", "fresh", "--epochs", 1, check=False)
    assert done.returncode == 1 and "block1.1.bn.bias" in done.stderr.strip().splitlines()[-1], done.stderr
    assert workspace.json("models", "list") == versions


def test_the_command_line_refuses_in_the_same_way(workspace):
    failed(workspace.run("models", "promote", "small:99", check=False), "99")
    failed(workspace.run("models", "rollback", "small", check=False))
    failed(workspace.run("models", "show", "small:nosuch", check=False), "nosuch")
    failed(workspace.run("retrain", "--model", "small", check=False), "nothing new")
    failed(workspace.run("retrain", "--model", "nosuch", check=False), "nosuch")
    failed(workspace.run("data", "show", "nosuch", check=False), "nosuch")
    failed(workspace.run("runs", "show", "nosuch", check=False), "nosuch")
