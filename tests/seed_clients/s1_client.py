# SPDX-License-Identifier: Apache-2.0
"""S1, "CIFAR-10 Image Classification": the API of its last commit and of the one before, its notebook's new_data.npz, its Locust file."""

import csv
import shutil
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

from s0_client import CLASSES

ROOT = Path(__file__).resolve().parents[2]


def asks_like_its_streamlit_page(site):
    answer = site.curl_json("-X", "POST", "-F", f"file=@{site.image('frog')};filename=frog.jpg", "/predict")
    assert answer["filename"] == "frog.jpg" and answer["prediction"] in CLASSES and 0 < answer["confidence"] <= 1


def asks_like_its_older_api(site):
    root = site.curl_json("/")
    assert isinstance(root["message"], str) and {"/predict", "/upload_data", "/retrain"} <= {e.split()[-1] for e in map(str, endpoints(root))}
    answer = site.post("/predict", files={"file": site.image("ship").read_bytes()}).json()
    assert answer["predicted_class"] in CLASSES and len(answer["probabilities"]) == 10
    assert answer["confidence"] == max(answer["probabilities"])


def endpoints(root):
    return [entry["path"] if isinstance(entry, dict) else entry for entry in root["endpoints"]]


def is_told_of_a_failure_by_status(site):
    answer = site.post("/predict", files={"file": ("x.jpg", b"no image")})
    assert answer.status_code == 400 and isinstance(answer.json()["error"], str)


def uploads_a_class_and_retrains_without_a_body(site):
    """Save uploaded images, then Trigger Model Retraining: class_name is the label of all, whatever folders there are.

    The cats stay cats: the original numbered the folders it found and trained them as airplanes."""
    files = [("files", (f"{i}.jpg", site.new_image("cat", i).read_bytes())) for i in range(2, 5)]
    saved = site.post("/upload_data", files=files, data={"class_name": "cat"})
    assert saved.status_code == 200, saved.text
    assert saved.json()["count"] == 3 and {upload["label"] for upload in saved.json()["uploads"]} == {"cat"}
    started = site.curl_json("-X", "POST", "/retrain")
    assert started["files"] == 3
    ended = site.wait_for_job(started["job_id"])
    assert ended["status"] == "done", ended
    dataset = site.get("/v1/datasets/small").json()
    assert dataset["labels"] == CLASSES


def calls_a_class_by_another_name(site):
    saved = site.post("/upload_data", files={"files": ("a.jpg", site.new_image("automobile", 5).read_bytes())}, data={"class_name": "Car"}).json()
    assert saved["uploads"][0]["label"] == "automobile" and saved["aliases"] == [{"given": "Car", "label": "automobile", "files": 1}]
    assert site.curl("-X", "DELETE", f"/v1/uploads/{saved['files'][0]}")[0] == 200


def fine_tunes_on_new_data_npz(site):
    """The notebook's file: x_new [n, 32, 32, 3] in [0, 1], y_new class indices; two epochs."""
    labels = [0, 3, 5, 9] * 2
    pixels = [np.asarray(Image.open(site.new_image(CLASSES[label], 6 + i // 4)).convert("RGB"), np.float32) / 255 for i, label in enumerate(labels)]
    path = site.folder / "new_data.npz"
    np.savez(path, x_new=np.stack(pixels), y_new=np.array(labels)[:, None])
    report = site.program.json("retrain", "--from", path, "--model", "small", "--epochs", 2)
    retrained = site.program.json("models", "show", "small:retrained")
    assert retrained["version"] == report["version"]
    assert site.program.json("models", "show", "small:base")["version"] == 1, "the base model stays what it was"


def retrains_from_class_folders(site):
    """data/train/<class>/, as src/model.py reads it: here two classes, which keep their meaning."""
    train = site.folder / "data" / "train"
    for label in ("dog", "horse"):
        (train / label).mkdir(parents=True)
        shutil.copy(site.new_image(label, 8), train / label)
    report = site.program.json("retrain", "--from", train, "--model", "small", "--epochs", 1)
    assert report["version"] > 1 and report["verdict"]


def runs_its_locust_file(site):
    """`locust -f locustfile.py --host ... --headless -u 20 -r 5`, its sample image beside it; 6 s in place of 30."""
    shutil.copy(site.image("frog"), site.folder / "sample_image.jpg")
    done = subprocess.run([ROOT / ".deps" / "locust" / "bin" / "locust", "-f", Path(__file__).with_name("s1_locustfile.py"), "--host", site.url,
                           "--headless", "-u", "20", "-r", "5", "-t", "6s", "--csv", "load", "--only-summary"], cwd=site.folder,
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(site.folder / "load_stats.csv") as file:
        total = next(row for row in csv.DictReader(file) if row["Name"] == "Aggregated")
    assert int(total["Request Count"]) > 20 and int(total["Failure Count"]) == 0


STEPS = [asks_like_its_streamlit_page, asks_like_its_older_api, is_told_of_a_failure_by_status, uploads_a_class_and_retrains_without_a_body,
         calls_a_class_by_another_name, fine_tunes_on_new_data_npz, retrains_from_class_folders, runs_its_locust_file]
