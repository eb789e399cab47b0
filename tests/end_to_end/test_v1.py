# SPDX-License-Identifier: Apache-2.0
"""The versioned API as a client walks through it: many images, aliases, limits, feedback, jobs, pages."""

import base64
import json
import time

import pytest
import requests

from conftest import Program, Server
from test_models import contents, sealed_again, write_tar


@pytest.fixture(scope="module")
def images(small_cifar):
    return sorted((small_cifar / "test" / "cat").iterdir())[:20]


@pytest.fixture(scope="module")
def own(trained, tmp_path_factory):
    """A server whose registry the tests may change: with two versions of the model."""
    folder = tmp_path_factory.mktemp("v1")
    trained.json("models", "export", "small:1", folder / "small.tar")
    files = contents(folder / "small.tar")
    lineage = json.loads(files["lineage.json"])
    program = Program(folder / "workspace")
    for note in ("one", "two"):
        package = sealed_again(files, **{"lineage.json": json.dumps({**lineage, "note": note}).encode()})
        program.run("models", "import", write_tar(folder / f"{note}.tar", package), "--name", "small")
    running = Server(program.workspace, "--model", "small")
    running.program = program
    yield running
    assert running.stop() == 0


def ask(server, method, path, status=200, **options):
    answer = requests.request(method, server.url + path, timeout=30, **options)
    assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json()


def test_many_images_are_answered_as_each_alone(server, images):
    many = ask(server, "POST", "/v1/predict/many", files=[("images", (path.name, path.read_bytes())) for path in images])
    assert many["count"] == len(images) and many["failed"] == 0 and many["model"] == "small"
    for path, item in zip(images, many["predictions"], strict=True):
        alone = ask(server, "POST", "/v1/predict", files={"file": path.read_bytes()})
        assert item["filename"] == path.name
        assert item["probabilities"] == pytest.approx(alone["probabilities"], abs=1e-5)


def test_one_bad_image_spoils_only_its_own_place(server, images):
    sent = [base64.b64encode(images[0].read_bytes()).decode(), base64.b64encode(b"nonsense").decode(), [0] * 3072]
    many = ask(server, "POST", "/v1/models/small/predict/many?top=3", json={"images": sent})
    first, second, third = many["predictions"]
    assert many["failed"] == 1 and len(first["top"]) == 3 and "confidence" in third
    assert second["index"] == 1 and second["status"] == 400 and second["error"]


def test_many_images_are_quicker_than_one_by_one(server, images):
    body = {"images": [base64.b64encode(path.read_bytes()).decode() for path in images] * 5}
    with requests.Session() as session:
        session.post(server.url + "/v1/predict/many", json=body, timeout=30)
        start = time.monotonic()
        assert session.post(server.url + "/v1/predict/many", json=body, timeout=30).json()["failed"] == 0
        together = time.monotonic() - start
        start = time.monotonic()
        for path in images * 5:
            session.post(server.url + "/predict", data=path.read_bytes(), headers={"Content-Type": "image/jpeg"}, timeout=30)
        alone = time.monotonic() - start
    assert together < alone


def test_an_alias_is_moved_only_by_who_saw_it(own):
    alias = "/v1/models/small/aliases/staging"
    assert ask(own, "PUT", alias, json={"version": 1}, headers={"If-None-Match": "*"})["previous"] is None
    seen = requests.get(own.url + alias, timeout=10).headers["ETag"]
    assert ask(own, "PUT", alias, json={"version": 2}, headers={"If-Match": seen})["version"] == 2
    ask(own, "PUT", alias, 412, json={"version": 1}, headers={"If-Match": seen})
    assert {"alias": "staging", "version": 2} in ask(own, "GET", "/v1/models/small/aliases")["aliases"]
    assert ask(own, "DELETE", alias)["previous"] == 2
    ask(own, "GET", alias, 404)


def test_promoting_by_alias_changes_what_is_served(own):
    """As a PUT on the champion; the server follows within about a second."""
    for version in (1, 2):
        ask(own, "PUT", "/v1/models/small/aliases/champion", json={"version": version})
        for _ in range(100):
            if ask(own, "GET", "/v1/models")["serving"]["version"] == version:
                break
            time.sleep(0.1)
        assert ask(own, "POST", "/v1/predict", json={"image": [0] * 3072})["model_version"] == version


def test_limits_are_what_the_command_shows(own):
    path = "/v1/models/small/versions/2/abstention"
    ask(own, "PUT", path, json={"least_confidence": 0.9, "reason": "over HTTP"})
    shown = own.program.json("models", "threshold", "small:2")
    assert shown["abstention"]["least_confidence"] == 0.9 and shown["changes"][0]["reason"] == "over HTTP"
    assert ask(own, "DELETE", path)["abstention"] is None
    assert own.program.json("models", "threshold", "small:2")["abstention"]["least_confidence"] is None


def test_feedback_survives_a_restart_and_its_image_waits_for_a_retraining(own, images):
    content = images[0].read_bytes()
    answer = ask(own, "POST", "/v1/predict", files={"file": content})
    kept = ask(own, "POST", "/v1/feedback", data={"request_id": answer["request_id"], "label": "kitten"}, files={"file": content})
    assert kept["prediction"] == answer["prediction"] and kept["label"] == "cat"
    uploads = ask(own, "GET", "/v1/uploads")["uploads"]
    assert [(upload["id"], upload["label"]) for upload in uploads] == [(kept["upload"], "cat")]
    again = Server(own.program.workspace, "--model", "small")
    try:
        listed = ask(again, "GET", "/v1/feedback")
        assert listed["feedback"] == [kept]
        assert ask(again, "GET", "/v1/stats")["feedback"] == listed["accuracy"]
        forgotten = {"request_id": answer["request_id"], "label": "dog"}
        ask(again, "POST", "/v1/feedback", 404, json=forgotten)
        told = {**forgotten, **{name: answer[name] for name in ("model", "model_version", "prediction")}}
        assert ask(again, "POST", "/v1/feedback", json=told)["id"] == kept["id"]
    finally:
        assert again.stop() == 0


def test_a_job_asked_for_twice_is_one(server):
    headers = {"Idempotency-Key": "twice"}
    body = {"kind": "train", "dataset": "small", "recipe": "improved-cnn", "epochs": 1}
    first = ask(server, "POST", "/v1/jobs", 202, json=body, headers=headers)
    try:
        assert ask(server, "POST", "/v1/jobs", 202, json=body, headers=headers)["id"] == first["id"]
        ask(server, "POST", "/v1/jobs", 409, json={**body, "epochs": 2}, headers=headers)
    finally:
        ask(server, "DELETE", "/v1/jobs/" + first["id"])
    listed = ask(server, "GET", "/v1/jobs?limit=1")
    assert len(listed["jobs"]) == 1


def test_lists_come_in_pages(own):
    versions = [ask(own, "GET", f"/v1/models/small/versions?limit=1&offset={offset}") for offset in (0, 1)]
    assert [page["versions"][0]["version"] for page in versions] == [2, 1]
    assert [page["next_offset"] for page in versions] == [1, None]


def test_an_array_of_images_as_numpy_gives_it(server):
    numpy = pytest.importorskip("numpy")
    pixels = numpy.zeros((4, 32, 32, 3), dtype=numpy.uint8)
    many = ask(server, "POST", "/v1/predict/many?fields=class_index", json={"images": pixels.tolist(), "range": "0-255"})
    assert [sorted(item) for item in many["predictions"]] == [["class_index", "index"]] * 4
