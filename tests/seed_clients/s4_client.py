# SPDX-License-Identifier: Apache-2.0
"""S4, "ML Image Classifier": its README's curl lines, its API reference, its dashboard's start and stop."""

import json
from datetime import datetime, timezone

from s0_client import CLASSES


def reads_the_api_documentation(site):
    root = site.curl_json("/")
    assert "/upload-data" in json.dumps(root["endpoints"]) and "/training-status" in json.dumps(root["endpoints"])


def is_healthy(site):
    assert site.curl("/health")[0] == 200


def predicts_with_its_curl_line(site):
    answer = site.curl_json("-X", "POST", "-F", f"image=@{site.image('cat')}", "/predict")
    assert answer["predicted_class"] in CLASSES and 0 < answer["confidence"] <= 1
    assert 0 < answer["prediction_time"] < 1, "seconds: 0.15 is 150 ms"
    assert answer["timestamp"].endswith("Z")
    age = datetime.now(timezone.utc) - datetime.fromisoformat(answer["timestamp"].replace("Z", "+00:00"))
    assert abs(age.total_seconds()) < 60


def is_refused_with_400(site):
    assert site.curl("-X", "POST", "-F", "image=@/dev/null;filename=empty.jpg", "/predict")[0] == 400
    assert site.curl("-X", "POST", "-F", "note=no image", "/predict")[0] == 400
    assert site.curl("-X", "POST", "-F", "note=no files", "/upload-data")[0] == 400
    for body in ('{"files":[],"labels":[]}', '{"files":["nosuch"],"labels":["cat"]}', '{"files":["../../etc/passwd"],"labels":["cat"]}', "{"):
        assert site.curl("-X", "POST", "-H", "Content-Type: application/json", "-d", body, "/retrain")[0] == 400, body


def reads_status(site):
    status = site.curl_json("/status")
    assert status["status"] == "ready" and status["uptime_seconds"] > 0 and status["model"]["test"]["accuracy"] > 0
    assert status["requests"]["average_latency_seconds"] > 0


def uploads_then_retrains_with_its_curl_lines(site):
    """Two files without labels; /retrain names them back with the labels."""
    a, b = site.new_image("cat", 9), site.new_image("truck", 9)
    uploaded = site.curl_json("-X", "POST", "-F", f"files[]=@{a}", "-F", f"files[]=@{b}", "/upload-data")
    assert uploaded["count"] == 2 and uploaded["rejected"] == []
    body = json.dumps({"files": uploaded["files"], "labels": ["cat", "truck"]})
    started = site.curl_json("-X", "POST", "-H", "Content-Type: application/json", "-d", body, "/retrain")
    assert started["status"] in ("started", "queued") and started["files"] == 2
    ended = site.wait_for_job(started["job_id"])
    assert ended["status"] == "done", ended
    again, text = site.curl("-X", "POST", "-H", "Content-Type: application/json", "-d", body, "/retrain")
    assert again == 400, f"files that were used: {text}"


def starts_and_stops_training(site):
    """The dashboard's two buttons; progress meanwhile; the versions are as they were."""
    versions = site.program.json("models", "list")
    started = site.curl_json("-X", "POST", "/train")
    status = site.curl_json("/training-status")
    assert status["job_id"] == started["job_id"] and 0 <= status["progress"] <= 1
    stopped = site.curl_json("-X", "POST", "/train/stop")
    assert stopped["status"] in ("stopping", "cancelled") and stopped["job_id"] == started["job_id"]
    assert site.wait_for_job(started["job_id"])["status"] == "cancelled"
    status, body = site.curl("-X", "POST", "/train/stop")
    assert status in (400, 409) and "nothing" in body
    assert site.program.json("models", "list") == versions
    assert site.get("/ready").status_code == 200


STEPS = [reads_the_api_documentation, is_healthy, predicts_with_its_curl_line, is_refused_with_400, reads_status,
         uploads_then_retrains_with_its_curl_lines, starts_and_stops_training]
