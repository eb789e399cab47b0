# SPDX-License-Identifier: Apache-2.0
"""S2, "End-to-End MLOps Tutorial with PyTorch": predictions from a flattened array, scraping as Prometheus scrapes."""

import json

import numpy as np
from PIL import Image

from s0_client import CLASSES

PROMETHEUS_ACCEPT = ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
                     "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1")


def sends_a_flattened_array(site):
    pixels = np.asarray(Image.open(site.image("horse")).convert("RGB"), np.float32) / 255
    body = site.folder / "body.json"
    body.write_text(json.dumps({"image": pixels.flatten().tolist()}))
    answer = site.curl_json("-X", "POST", "-H", "Content-Type: application/json", "-d", f"@{body}", "/predict")
    assert answer["prediction"] in CLASSES
    as_index = site.curl_json("-X", "POST", "-H", "Content-Type: application/json", "-d", f"@{body}", "/predict?prediction=index")
    assert CLASSES[as_index["prediction"]] == answer["prediction"]
    as_file = site.post("/predict", files={"file": site.image("horse").read_bytes()}).json()
    assert as_file["prediction"] == answer["prediction"]


def is_told_how_long_the_array_must_be(site):
    answer = site.post("/predict", json={"image": [0.0] * 784})
    assert answer.status_code == 400 and "3072" in answer.json()["error"]


def is_scraped(site):
    page = site.get("/metrics", headers={"Accept": PROMETHEUS_ACCEPT})
    assert page.status_code == 200 and page.headers["Content-Type"].split(";")[0] in ("text/plain", "application/openmetrics-text")
    samples = [line for line in page.text.splitlines() if line and not line.startswith("#")]
    for line in samples:
        name, value = line.rsplit(" ", 1)
        assert name[0].isalpha() and float(value) == float(value), line
    assert any(line.startswith("imago_requests_total{") for line in samples)


STEPS = [sends_a_flattened_array, is_told_how_long_the_array_must_be, is_scraped]
