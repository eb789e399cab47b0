# SPDX-License-Identifier: Apache-2.0
"""When a model says that it does not know: limits found on a split, followed by every path that answers."""

import json
import random
import shutil
import struct
import time
import zlib

import pytest
import requests

from conftest import Program, Server


@pytest.fixture(scope="module")
def own(trained, tmp_path_factory):
    """A copy of the workspace, to set limits in."""
    folder = tmp_path_factory.mktemp("abstention") / "workspace"
    shutil.copytree(trained.workspace, folder)
    return Program(folder)


def predictions(program, split, folder):
    report = program.json("evaluate", "small:1", "--data", f"small:{split}", "--report", folder, "--explain", "0")
    return report, [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]


def widest(rows, accuracy):
    """The most images that can be answered, and from which confidence on: by trying every limit."""
    best = (0, None)
    for limit in sorted({row["confidence"] for row in rows}, reverse=True):
        answered = [row for row in rows if row["confidence"] >= limit]
        if sum(row["prediction"] == row["truth"] for row in answered) >= accuracy * len(answered):
            best = max(best, (len(answered), limit))
    return best


def test_the_limit_is_the_one_that_trying_all_finds(own, tmp_path):
    _, rows = predictions(own, "val", tmp_path / "before")
    assert all("abstained" not in row for row in rows)
    found = own.json("models", "threshold", "small", "--accuracy", "0.75", "--certainty", "0")
    answered, limit = widest(rows, 0.75)
    assert found["abstention"]["least_confidence"] == pytest.approx(limit, abs=1e-12)
    assert found["found_on"]["answered"] == answered > 0
    report, rows = predictions(own, "val", tmp_path / "after")
    assert report["abstention"]["answered"] == answered and report["abstention"]["accuracy"] >= 0.75
    assert [row["abstained"] for row in rows] == [row["confidence"] < limit for row in rows]
    assert {row.get("abstained_because") for row in rows} == {None, "confidence"}


def test_a_report_says_what_can_be_answered(own, tmp_path):
    report, rows = predictions(own, "test", tmp_path / "report")
    for at in report["coverage"]["at"]:
        answered, limit = widest(rows, at["accuracy"])
        assert at["coverage"] == answered / report["n"] and at["least_confidence"] == limit
        assert at["interval"]["low"] <= at["coverage"] <= at["interval"]["high"]
    curve = report["coverage"]["curve"]
    assert curve[-1] == {"coverage": 1.0, "accuracy": report["accuracy"], "least_confidence": min(row["confidence"] for row in rows)}
    assert report["uncalibrated"]["expected_error"] != report["calibration"]["expected_error"]
    assert "answered at 99 % accuracy" in (tmp_path / "report" / "report.html").read_text()
    assert "## Answering only what it is sure of" in (tmp_path / "report" / "report.md").read_text()
    assert (tmp_path / "report" / "coverage.svg").read_text().startswith("<svg ")


def test_the_most_energy_keeps_the_share_asked_for(own, tmp_path):
    _, rows = predictions(own, "val", tmp_path / "report")
    found = own.json("models", "threshold", "small", "--keep", "0.9")
    energies = sorted(row["energy"] for row in rows)
    assert found["abstention"]["most_energy"] == pytest.approx(energies[-(-9 * len(energies) // 10) - 1], abs=1e-6)
    assert found["found_on"]["unfamiliar"] == sum(energy > found["abstention"]["most_energy"] for energy in energies)


def test_every_path_abstains_alike_and_a_server_follows(own, small_cifar):
    images = sorted((small_cifar / "test" / "cat").iterdir())[:12]
    own.json("models", "threshold", "small", "--confidence", "0.5", "--reason", "tried out")
    server = Server(own.workspace, "--model", "small")
    try:
        direct = own.json("predict", "small", *images)["predictions"]
        for image, expected in zip(images, direct):
            answer = requests.post(server.url + "/predict?details=energy", files={"file": image.read_bytes()}, timeout=10).json()
            assert answer["abstained"] == expected["abstained"] == (expected["confidence"] < 0.5)
            assert answer.get("abstained_because") == expected.get("abstained_because")
            assert answer["predicted_class"] == expected["prediction"]
            assert answer["confidence"] == pytest.approx(expected["confidence"], abs=1e-5)
            assert answer["energy"] == pytest.approx(expected["energy"], abs=1e-4)
        abstained = sum(one["abstained"] for one in direct)
        text = requests.get(server.url + "/metrics/prometheus", timeout=10).text
        assert f'imago_abstentions_total{{model="small",reason="confidence",version="1"}} {abstained}\n' in text
        listed = requests.get(server.url + "/v1/models/small", timeout=10).json()["versions"][0]
        assert listed["abstention"]["least_confidence"] == 0.5
        served = own.json("evaluate", "small:1", "--via", server.url)
        package = own.json("evaluate", "small:1")
        assert served["abstention"]["answered"] == pytest.approx(package["abstention"]["answered"], abs=1)

        assert own.json("models", "threshold", "small", "--off")["abstention"]["least_confidence"] is None
        deadline = time.monotonic() + 20
        while "abstained" in requests.post(server.url + "/predict", files={"file": images[0].read_bytes()}, timeout=10).json():
            assert time.monotonic() < deadline, "a server follows within seconds"
            time.sleep(0.1)
    finally:
        assert server.stop() == 0
    changes = own.json("models", "threshold", "small")["changes"]
    assert changes[0]["reason"] == "switched off" and changes[1]["reason"] == "tried out"


@pytest.mark.parametrize("arguments, message", [
    (("--accuracy", "0.999"), "no least confidence gives an accuracy of 0.999"),
    (("--accuracy", "0.9", "--confidence", "0.5"), "one of these"),
    (("--per-class",), "--accuracy"),
    (("--confidence", "1.5"), "not from 0 to 1"),
    (("--accuracy", "0.5", "--data", "small:nosuch"), "nosuch"),
])
def test_what_cannot_be_a_limit_is_refused_and_nothing_changes(own, arguments, message):
    before = own.json("models", "threshold", "small")
    refused = own.run("models", "threshold", "small", *arguments, check=False)
    assert refused.returncode == 1 and message in refused.stderr
    assert own.json("models", "threshold", "small") == before


def png(draw, side=32):
    """A PNG of which each value is drawn anew."""
    rows = b"".join(b"\0" + bytes(draw() for _ in range(3 * side)) for _ in range(side))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def test_what_is_no_image_of_its_kind_is_unfamiliar(own, tmp_path):
    """Noise, sent to the shipped model. It keeps 95 % of real images, and none of these."""
    own.run("models", "import", "cifar10")
    refused = own.run("models", "threshold", "cifar10", "--keep", "0.95", check=False)
    assert refused.returncode == 1 and "--data" in refused.stderr, "the validation split here may be what it learned from"
    found = own.json("models", "threshold", "cifar10", "--keep", "0.95", "--data", "small:test")
    assert found["found_on"]["coverage"] == pytest.approx(0.95)
    draw = random.Random(7)
    files = []
    for low, high in ((0, 255), (100, 155), (0, 60)):
        for i in range(4):
            files.append(tmp_path / f"{low}-{high}-{i}.png")
            files[-1].write_bytes(png(lambda: draw.randint(low, high)))
    answers = own.json("predict", "cifar10", *files)["predictions"]
    assert [(one["file"], one.get("abstained_because")) for one in answers] == [(str(file), "energy") for file in files]


def test_a_version_trained_beside_it_gets_limits_of_its_own(own):
    first = own.json("models", "threshold", "small:1", "--keep", "0.9")["abstention"]
    version = own.json("train", "--data", "small", "--recipe", "improved-cnn-bn", "--epochs", "1")["version"]
    second = own.json("models", "threshold", f"small:{version}")
    assert second["abstention"]["fitted"]["keep"] == 0.9 and second["abstention"]["most_energy"] != first["most_energy"]
    assert second["changes"][0]["reason"].endswith("as for version 1")
