# SPDX-License-Identifier: Apache-2.0
"""S0, "CIFAR-10 MLOps Pipeline": its dashboard's requests, its folder-labelled retraining, its metrics and uptime."""

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def opens_the_dashboard(site):
    page = site.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html") and "<script" in page.text


def opens_the_swagger_page(site):
    page = site.get("/docs")
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html") and "swagger" in page.text.lower()
    assert "/predict" in site.get("/openapi.json").json()["paths"]
    assert site.get("/redoc").url == site.url + "/docs", "FastAPI's other page"


def draws_a_bar_of_each_class(site):
    answer = site.curl_json("-X", "POST", "-F", f"file=@{site.image('cat')}", "/predict")
    assert answer["predicted_class"] in CLASSES
    assert list(answer["class_probabilities"]) == CLASSES and len(answer["probabilities"]) == 10


def asks_with_a_slash_at_the_end(site):
    """FastAPI sends such a client on."""
    assert site.post("/predict/", files={"file": site.image("cat").read_bytes()}).json()["predicted_class"] in CLASSES


def shows_uptime(site):
    first, second = (site.get("/uptime").json()["uptime_seconds"] for _ in range(2))
    assert 0 < first <= second


def shows_training_metrics(site):
    metrics = site.curl_json("/metrics")
    assert len(metrics["loss"]) == len(metrics["accuracy"]) == len(metrics["val_loss"]) == len(metrics["val_accuracy"]) > 0
    assert all(0 <= value <= 1 for value in metrics["accuracy"])


def retrains_on_folders_named_by_class(site):
    """Its three files; the labels are the folders. Three epochs, with old data mixed in; predictions go on meanwhile."""
    before = site.serving()["version"]
    names = {"cat/image1.jpg": "cat", "dog/image2.png": "dog", "truck/photo3.jpeg": "truck"}
    answer = site.post("/retrain", files=[("files", (name, site.new_image(label, 1).read_bytes())) for name, label in names.items()])
    assert answer.status_code == 200, answer.text
    started = answer.json()
    assert started["status"] in ("started", "queued") and started["files"] == 3 and started["rejected"] == []
    assert site.post("/predict", files={"file": site.image("cat").read_bytes()}).status_code == 200
    ended = site.wait_for_job(started["job_id"])
    assert ended["status"] == "done", ended
    assert ended["epochs"] == 3 and len(ended["history"]) == 3
    versions = {version["version"] for version in site.program.json("models", "list")}
    assert ended["result"]["version"] in versions and ended["result"]["version"] > before
    latest = next(v for v in site.program.json("models", "list") if "latest" in v["aliases"])
    assert latest["version"] == ended["result"]["version"]


def reads_the_training_log_file(site):
    """logs/training_logs.json: the curves of the latest training under Keras' names."""
    import json

    logs = json.loads((site.program.workspace / "logs" / "training_logs.json").read_text())
    assert len(logs["loss"]) == len(logs["accuracy"]) == len(logs["val_loss"]) == len(logs["val_accuracy"]) > 0


STEPS = [opens_the_dashboard, opens_the_swagger_page, draws_a_bar_of_each_class, asks_with_a_slash_at_the_end,
         shows_uptime, shows_training_metrics,
         retrains_on_folders_named_by_class, reads_the_training_log_file]
