# SPDX-License-Identifier: Apache-2.0
"""Real Locust on the real server, with S1's command line; and proof that its checks can fail."""

import csv

import pytest

from bounded import ROOT, quiet_environment, run, tool

LOCUSTFILE = ROOT / "deploy" / "locust" / "locustfile.py"


@pytest.fixture(scope="module")
def known_image(trained, small_cifar):
    """(file, class): an image whose class the command line says and its folder confirms."""
    for label in ("frog", "ship", "automobile", "horse", "cat"):
        files = sorted((small_cifar / "test" / label).iterdir())[:20]
        for answer in trained.json("predict", "small", *files)["predictions"]:
            if answer["prediction"] == label:
                return answer["file"], label
    raise AssertionError("the model recognises none of a hundred images")


def locust(server, folder, image, expected, *arguments):
    done = run(
        [
            tool("locust/bin/locust"),
            "-f",
            LOCUSTFILE,
            "--host",
            server.url,
            "--headless",
            "--only-summary",
            "--csv",
            folder / "load",
            *arguments,
        ],
        check=False,
        timeout=120,
        cwd=folder,
        env=quiet_environment(SAMPLE_IMAGE=image, EXPECTED_CLASS=expected),
    )
    with open(folder / "load_stats.csv") as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    return done, rows


def test_twenty_users_for_thirty_seconds_without_a_failure(server, known_image, tmp_path):
    image, label = known_image
    done, rows = locust(server, tmp_path, image, label, "-u", "20", "-r", "5", "-t", "30s")
    total = rows["Aggregated"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(total["Failure Count"]) == 0
    # 20 users who wait 2 s on average ask 10 times a second; the first four seconds are ramp.
    assert int(total["Request Count"]) > 200
    assert int(rows["/predict (form)"]["Request Count"]) > 0 and int(rows["/predict (bytes)"]["Request Count"]) > 0


def test_a_wrong_class_is_a_failure(server, known_image, tmp_path):
    image, label = known_image
    done, rows = locust(
        server, tmp_path, image, "truck" if label != "truck" else "cat", "-u", "10", "-r", "10", "-t", "4s"
    )
    assert done.returncode == 1
    assert int(rows["/predict (form)"]["Failure Count"]) == int(rows["/predict (form)"]["Request Count"]) > 0
    assert f"class '{label}', expected" in done.stdout + done.stderr


def test_without_an_image_it_draws_one(server, tmp_path):
    done, rows = locust(server, tmp_path, "", "", "-u", "5", "-r", "5", "-t", "4s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(rows["/predict (form)"]["Failure Count"]) == 0
