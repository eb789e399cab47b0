# SPDX-License-Identifier: Apache-2.0
"""The load test of S1 as it was meant: sample_image.jpg to /predict, status 200, and the keys its page reads."""

from locust import HttpUser, between, task


class PredictionUser(HttpUser):
    wait_time = between(1, 3)

    def on_start(self):
        with open("sample_image.jpg", "rb") as file:
            self.image = file.read()

    @task
    def predict(self):
        with self.client.post("/predict", files={"file": ("sample_image.jpg", self.image, "image/jpeg")}, catch_response=True) as response:
            if response.status_code != 200:
                response.failure(f"status {response.status_code}")
            elif not {"filename", "prediction", "confidence"} <= set(response.json()):
                response.failure(f"an answer without its keys: {response.text[:200]}")
