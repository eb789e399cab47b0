# SPDX-License-Identifier: Apache-2.0
"""Load test that reads the answers: a wrong label or a probability missing is a failure, not only a status.

    locust -f locustfile.py --host http://localhost:8000 --headless -u 20 -r 5 -t 30s

Exit status 1 when anything failed. Settings, all optional, from the environment:

    SAMPLE_IMAGE      image to send; else sample_image.jpg beside this file, else one drawn here
    EXPECTED_CLASS    the class it must be given
    IMAGO_API_KEY     for servers that ask for a key
"""

import os
import struct
import zlib
from pathlib import Path

from locust import HttpUser, between, events, task

BESIDE = Path(__file__).with_name("sample_image.jpg")
EXPECTED_CLASS = os.environ.get("EXPECTED_CLASS")


def drawn_png(side=64):
    """A PNG of coloured stripes."""
    rows = b"".join(
        b"\0" + bytes(value for x in range(side) for value in ((x * 4) % 256, (y * 4) % 256, 128)) for y in range(side)
    )

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def sample_image():
    named = os.environ.get("SAMPLE_IMAGE")
    if named:
        return Path(named).read_bytes()
    return BESIDE.read_bytes() if BESIDE.exists() else drawn_png()


def wrong_with(answer, classes):
    """What is wrong with an answer of /predict; None when nothing is."""
    probabilities = answer.get("class_probabilities", {})
    label = answer.get("predicted_class")
    if label not in classes:
        return f"class {label!r} is none of the model's {len(classes)}"
    if set(probabilities) != set(classes):
        return f"probabilities of {len(probabilities)} classes, not of the model's {len(classes)}"
    if abs(sum(probabilities.values()) - 1) > 1e-3:
        return f"probabilities sum to {sum(probabilities.values()):.4f}"
    if max(probabilities, key=probabilities.get) != label:
        return f"{label!r} is not the most probable class"
    if abs(answer.get("confidence", -1) - probabilities[label]) > 1e-6:
        return f"confidence {answer.get('confidence')} is not the probability of {label!r}"
    if EXPECTED_CLASS and label != EXPECTED_CLASS:
        return f"class {label!r}, expected {EXPECTED_CLASS!r}"
    return None


class Client(HttpUser):
    wait_time = between(1, 3)
    image = sample_image()

    def on_start(self):
        key = os.environ.get("IMAGO_API_KEY")
        if key:
            self.client.headers["X-API-Key"] = key
        with self.client.get("/status", catch_response=True) as response:
            model = response.json().get("model") if response.ok else None
            self.classes = model["labels"] if model else []
            if not self.classes:
                response.failure("/status names no model")

    def predict(self, name, **request):
        with self.client.post("/predict", name=name, catch_response=True, timeout=10, **request) as response:
            if response.status_code != 200:
                response.failure(f"status {response.status_code}: {response.text[:200]}")
                return
            wrong = wrong_with(response.json(), self.classes)
            if wrong:
                response.failure(wrong)
            else:
                response.success()

    @task(8)
    def upload(self):
        self.predict("/predict (form)", files={"file": ("sample_image.jpg", self.image)})

    @task(3)
    def send_bytes(self):
        self.predict("/predict (bytes)", data=self.image, headers={"Content-Type": "application/octet-stream"})

    @task(1)
    def health(self):
        with self.client.get("/health", catch_response=True) as response:
            if not response.ok or response.json().get("status") != "ok":
                response.failure(f"status {response.status_code}: {response.text[:200]}")


@events.quitting.add_listener
def nothing_sent_is_no_success(environment, **_):
    if environment.stats.total.num_requests == 0:
        environment.process_exit_code = 1
