# SPDX-License-Identifier: Apache-2.0
"""The running server, asked in every form that the clients of requirements 1.8 C1 to C6 and C16 use."""

import base64
import io
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
from PIL import Image

from conftest import Server
from test_first_light import LABELS

SUPERSET = {"filename", "prediction", "predicted_class", "predicted_label", "class_index", "confidence", "probabilities",
            "class_probabilities", "latency_seconds", "prediction_time", "timestamp", "model", "model_version", "request_id"}


@pytest.fixture(scope="session")
def image(small_cifar):
    return sorted((small_cifar / "test" / "frog").iterdir())[3]


@pytest.fixture(scope="session")
def reference(server, image):
    """The answer to the file itself: every other form of the same pixels must agree."""
    answer = requests.post(server.url + "/predict", files={"file": ("frog.jpg", image.read_bytes(), "image/jpeg")}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def pixels_of(image):
    return np.asarray(Image.open(image).convert("RGB"))


def test_the_answer_is_the_superset(reference):
    assert SUPERSET <= set(reference)
    assert reference["filename"] == "frog.jpg"
    assert reference["prediction"] == reference["predicted_class"] == reference["predicted_label"] == LABELS[reference["class_index"]]
    assert sum(reference["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert reference["class_probabilities"] == dict(zip(LABELS, reference["probabilities"]))
    assert reference["confidence"] == max(reference["probabilities"])
    assert reference["timestamp"].endswith("Z") and reference["latency_seconds"] == reference["prediction_time"]


def test_server_and_command_line_agree(trained, image, reference):
    answer = trained.json("predict", "small", image)["predictions"][0]
    assert [answer["class_probabilities"][label] for label in LABELS] == pytest.approx(reference["probabilities"], abs=1e-5)


@pytest.mark.parametrize("field", ["file", "image", "data", "files", "files[]", "whatever"])
def test_any_multipart_field_name(server, image, reference, field):
    answer = requests.post(server.url + "/predict", files={field: ("x.jpg", image.read_bytes())}, timeout=10).json()
    assert answer["probabilities"] == pytest.approx(reference["probabilities"], abs=1e-6)


@pytest.mark.parametrize("media_type", ["image/jpeg", "application/octet-stream"])
def test_raw_body(server, image, reference, media_type):
    answer = requests.post(server.url + "/predict", data=image.read_bytes(), headers={"Content-Type": media_type}, timeout=10).json()
    assert answer["probabilities"] == pytest.approx(reference["probabilities"], abs=1e-6)


def json_forms(image):
    pixels = pixels_of(image)
    encoded = base64.b64encode(image.read_bytes()).decode()
    return {
        "flat 0..255": {"image": pixels.flatten().tolist()},
        "flat 0..1": {"image": (pixels.flatten() / 255).tolist()},
        "nested HWC": {"image": pixels.tolist()},
        "nested CHW": {"image": pixels.transpose(2, 0, 1).tolist(), "layout": "chw"},
        "range given": {"image": (pixels.flatten() / 255).tolist(), "range": "0-1"},
        "base64": {"image": encoded},
        "data URL": {"image": "data:image/jpeg;base64," + encoded},
    }


@pytest.mark.parametrize("form", ["flat 0..255", "flat 0..1", "nested HWC", "nested CHW", "range given", "base64", "data URL"])
def test_json_forms(server, image, reference, form):
    answer = requests.post(server.url + "/predict", json=json_forms(image)[form], timeout=10)
    assert answer.status_code == 200, answer.text
    # Pillow's and our JPEG decoder are both libjpeg-turbo; a difference of a pixel value would show at 1e-2.
    assert answer.json()["probabilities"] == pytest.approx(reference["probabilities"], abs=2e-3)


def test_prediction_as_index_and_chosen_fields(server, image, reference):
    post = lambda query: requests.post(f"{server.url}/predict?{query}", files={"file": image.read_bytes()}, timeout=10).json()
    assert post("prediction=index")["prediction"] == reference["class_index"]
    assert set(post("fields=prediction,confidence")) == {"prediction", "confidence"}


def test_png_webp_and_other_sizes(server, image):
    for kind in ("PNG", "WEBP", "BMP", "GIF"):
        buffer = io.BytesIO()
        Image.open(image).convert("RGB").resize((90, 70)).save(buffer, kind)
        answer = requests.post(server.url + "/predict", files={"file": buffer.getvalue()}, timeout=10)
        assert answer.status_code == 200, (kind, answer.text)


def error_of(response, status):
    assert response.status_code == status, response.text
    body = response.json()
    assert {"error", "detail", "code", "request_id"} <= set(body) and isinstance(body["error"], str)
    return body["error"] + " " + str(body["detail"])


def test_bad_requests_get_a_clear_4xx(server, image):
    post = lambda **options: requests.post(server.url + "/predict", timeout=10, **options)
    assert "3072" in error_of(post(json={"image": [0.5] * 100}), 400)
    error_of(post(json={"image": ["x"] * 3072}), 400)
    error_of(post(json={"picture": []}), 400)
    error_of(post(data="{not json", headers={"Content-Type": "application/json"}), 400)
    error_of(post(files={"file": ("a.jpg", b"I am text", "image/jpeg")}), 400)
    error_of(post(files={"file": ("cut.jpg", image.read_bytes()[:400])}), 400)
    error_of(post(data={"field": "no file"}), 415)
    boundary = b"--b\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nno file here\r\n--b--\r\n"
    error_of(post(data=boundary, headers={"Content-Type": "multipart/form-data; boundary=b"}), 400)
    error_of(post(data=b"<xml/>", headers={"Content-Type": "application/xml"}), 415)
    error_of(requests.get(server.url + "/predict", timeout=10), 405)
    error_of(requests.get(server.url + "/nosuch", timeout=10), 404)


def test_a_body_over_the_limit_is_413(server):
    response = requests.post(server.url + "/predict", data=b"0" * (33 << 20), headers={"Content-Type": "image/jpeg"}, timeout=30)
    error_of(response, 413)


def test_a_pixel_bomb_is_refused(server):
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    assert "20000" in error_of(requests.post(server.url + "/predict", files={"file": buffer.getvalue()}, timeout=10), 413)


def test_health_ready_uptime_status(server, trained):
    assert next(iter(requests.get(server.url + "/health", timeout=5).json().items())) == ("status", "ok")
    assert requests.get(server.url + "/ready", timeout=5).status_code == 200
    assert requests.get(server.url + "/uptime", timeout=5).json()["uptime_seconds"] > 0
    status = requests.get(server.url + "/status", timeout=5).json()
    assert status["status"] == "ready" and status["model"]["version"] == 1
    assert status["model"]["test"]["accuracy"] == pytest.approx(trained.train_report["test"]["accuracy"])


def test_metrics_by_what_the_client_accepts(server, reference):
    plain = requests.get(server.url + "/metrics", timeout=5).json()
    assert {"total_requests", "average_latency_seconds", "prediction_count", "loss", "accuracy", "val_loss", "val_accuracy"} <= set(plain)
    assert plain["prediction_count"] >= 1 and len(plain["val_accuracy"]) == 4
    for request in ({"headers": {"Accept": "text/plain"}}, {"params": {"format": "prometheus"}}):
        text = requests.get(server.url + "/metrics", timeout=5, **request).text
        assert "# TYPE imago_requests_total counter" in text
    assert "imago_predictions_total" in requests.get(server.url + "/metrics/prometheus", timeout=5).text


def test_root_is_the_dashboard_for_browsers_and_json_for_programs(server):
    page = requests.get(server.url + "/", headers={"Accept": "text/html"}, timeout=5)
    assert page.headers["Content-Type"].startswith("text/html") and "<html" in page.text
    assert "/predict" in str(requests.get(server.url + "/", timeout=5).json()["endpoints"])


def test_many_clients_at_once_get_their_own_answers(server, small_cifar):
    files = [sorted((small_cifar / "test" / label).iterdir())[i] for label in LABELS for i in range(8)]
    session = requests.Session()
    ask = lambda path: session.post(server.url + "/predict", files={"file": (path.parent.name + path.name, path.read_bytes())}, timeout=30).json()
    alone = {path: ask(path) for path in files}
    with ThreadPoolExecutor(16) as pool:
        together = dict(zip(files * 4, pool.map(ask, files * 4)))
    for path in files:
        assert together[path]["filename"] == path.parent.name + path.name
        assert together[path]["probabilities"] == pytest.approx(alone[path]["probabilities"], abs=1e-5)


def test_the_server_maps_no_libtorch_and_the_right_tbb(server):
    maps = open(f"/proc/{server.process.pid}/maps").read()
    assert "libopenvino" in maps
    assert "libtorch" not in maps and "libonnx" not in maps


def test_without_a_model_the_server_is_alive_but_not_ready(tmp_path):
    empty = Server(tmp_path / "workspace", ready=False)
    try:
        assert requests.get(empty.url + "/health", timeout=5).status_code == 200
        assert requests.get(empty.url + "/ready", timeout=5).status_code == 503
        response = requests.post(empty.url + "/predict", files={"file": b"x"}, timeout=5)
        assert "train" in error_of(response, 503)
    finally:
        assert empty.stop() == 0


@pytest.mark.skipif(not os.path.exists("/usr/bin/chromium"), reason="needs Chromium")
def test_the_dashboard_in_a_browser(server, image):
    import subprocess
    from conftest import ROOT
    environment = os.environ | {"IMAGO_URL": server.url, "IMAGE": str(image), "EXPECT_CLASSES": "10"}
    done = subprocess.run(["npm", "test", "--silent"], cwd=ROOT / "tests" / "browser", env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr


def test_recipes_are_those_of_the_command_line(server, trained):
    listed = requests.get(server.url + "/v1/recipes", timeout=10).json()["recipes"]
    known = trained.json("recipes", "list")
    assert [(one["name"], one["description"]) for one in listed] == [(one["name"], one["description"]) for one in known]
    quick = next(one for one in listed if one["name"] == "quick")
    whole = requests.get(server.url + "/v1/recipes/quick", timeout=10).json()
    assert whole == trained.json("recipes", "show", "quick")["recipe"]
    assert (quick["epochs"], quick["max_minutes"], quick["batch_size"]) == (whole["epochs"], whole["max_minutes"], whole["batch_size"])
    unknown = requests.get(server.url + "/v1/recipes/best", timeout=10)
    assert unknown.status_code == 404 and "improved-cnn" in unknown.json()["error"]
