# SPDX-License-Identifier: Apache-2.0
"""What the clients of S0 to S4 are given: a running server's address, images by class, a folder to work in."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import requests
from PIL import Image

PATIENCE = 240  # seconds for a training; the tests' own limit is far below


@dataclass
class Site:
    url: str
    images: Path  # <class>/<file>; the model was measured on these
    training_images: Path  # as above; the model was trained on these
    folder: Path
    program: object  # the command line on the server's workspace

    def image(self, label, index=0):
        return sorted((self.images / label).iterdir())[index]

    def new_image(self, label, index=0):
        """One that the data set has not: a training image mirrored."""
        path = self.folder / f"{label}-{index}.jpg"
        mirrored = Image.open(sorted((self.training_images / label).iterdir())[index]).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        mirrored.save(path, quality=95)
        return path

    def get(self, path, **options):
        return requests.get(self.url + path, timeout=30, **options)

    def post(self, path, **options):
        return requests.post(self.url + path, timeout=60, **options)

    def curl(self, *arguments):
        """(status, body) of a curl line; its last argument is the path."""
        *options, path = map(str, arguments)
        done = subprocess.run(["curl", "-sS", "-w", "\n%{http_code}", *options, self.url + path], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
        body, status = done.stdout.rsplit("\n", 1)
        return int(status), body

    def curl_json(self, *arguments, status=200):
        got, body = self.curl(*arguments)
        assert got == status, f"{got}: {body}"
        return json.loads(body)

    def wait_for_job(self, job_id):
        """Its /training-status once it has ended."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status = self.get("/training-status", params={"job_id": job_id}).json()
            if status["status"] in ("done", "failed", "cancelled"):
                return status
            time.sleep(0.2)
        raise AssertionError(f"job {job_id} did not end within {PATIENCE} s: {status}")

    def serving(self):
        return self.get("/status").json()["model"]
