# SPDX-License-Identifier: Apache-2.0
"""S3, "Cats vs Dogs": its API's shape, its smoke tests, and its post-deployment check, which is also a script:

    python s3_client.py http://localhost:8000 data/tests      # data/tests/{cats,dogs}; exit 1 below 0.6
"""

import subprocess
import sys
from pathlib import Path

import requests

THRESHOLD = 0.6


def post_deploy_accuracy(url, folder):
    """Each file of cats/ and dogs/ goes to /predict; the share whose predicted_label is its folder's."""
    right = total = 0
    for label in ("cat", "dog"):
        for path in sorted((Path(folder) / f"{label}s").iterdir()):
            with open(path, "rb") as file:
                response = requests.post(url + "/predict", files={"file": file}, timeout=10)
            assert response.status_code == 200, f"{path}: {response.status_code}"
            right += response.json()["predicted_label"] == label
            total += 1
    return right / total


def is_healthy(site):
    assert site.curl_json("--fail", "/health")["status"] == "ok"


def asks_for_a_dog(site):
    answer = site.curl_json("-X", "POST", "-F", f"file=@{site.image('dog')}", "/predict")
    assert answer["predicted_label"] in ("cat", "dog") and 0 <= answer["probability_dog"] <= 1 and answer["latency_seconds"] > 0
    assert (answer["probability_dog"] > 0.5) == (answer["predicted_label"] == "dog")


def is_told_what_is_wrong_with_a_request(site):
    assert site.post("/predict", files={"file": ("x.jpg", b"junk")}).status_code == 400
    assert 400 <= site.post("/predict").status_code < 500


def reads_its_counters(site):
    before = site.curl_json("/metrics")
    asks_for_a_dog(site)
    after = site.curl_json("/metrics")
    assert after["total_requests"] == before["total_requests"] + 1 and after["prediction_count"] == before["prediction_count"] + 1
    assert after["average_latency_seconds"] > 0


def opens_the_docs(site):
    assert site.get("/docs").status_code == 200 and site.get("/openapi.json").json()["openapi"].startswith("3.")


def checks_accuracy_after_deployment(site):
    """Two images of each class that the model knows: the check passes; with the folders exchanged it fails."""
    tests = site.folder / "data" / "tests"
    for label in ("cat", "dog"):
        known = [path for path in sorted((site.images / label).iterdir())
                 if requests.post(site.url + "/predict", files={"file": path.read_bytes()}, timeout=10).json()["predicted_label"] == label][:2]
        assert len(known) == 2, f"the model knows no {label}"
        (tests / f"{label}s").mkdir(parents=True)
        for path in known:
            (tests / f"{label}s" / path.name).write_bytes(path.read_bytes())
    script = [sys.executable, __file__, site.url, tests]
    assert subprocess.run(script, timeout=60, stdin=subprocess.DEVNULL).returncode == 0
    (tests / "cats").rename(tests / "c")
    (tests / "dogs").rename(tests / "cats")
    (tests / "c").rename(tests / "dogs")
    assert subprocess.run(script, timeout=60, stdin=subprocess.DEVNULL).returncode == 1


STEPS = [is_healthy, asks_for_a_dog, is_told_what_is_wrong_with_a_request, reads_its_counters, opens_the_docs, checks_accuracy_after_deployment]

if __name__ == "__main__":
    accuracy = post_deploy_accuracy(*sys.argv[1:3])
    print(f"post-deployment accuracy: {accuracy:.3f}")
    sys.exit(0 if accuracy >= THRESHOLD else 1)
