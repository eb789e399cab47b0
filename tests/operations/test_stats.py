# SPDX-License-Identifier: Apache-2.0
"""GET /v1/stats: the last hour as the server itself remembers it."""

from datetime import datetime, timezone

import pytest
import requests

from conftest import Server


@pytest.fixture(scope="module")
def fresh(trained):
    """A server that nobody has asked anything yet."""
    running = Server(trained.workspace, "--model", "small")
    yield running
    running.stop()


def stats(server, **query):
    answer = requests.get(server.url + "/v1/stats", params=query, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_new_server_has_a_history_without_requests(fresh):
    body = stats(fresh)
    assert body["interval_seconds"] == 5 and len(body["points"]) >= 1
    assert all(
        point["requests"] == 0 and point["latency_ms"] is None and point["error_rate"] == 0 for point in body["points"]
    )
    assert body["totals"] == {"total": 0, "errors": 0, "predictions": 0, "average_latency_seconds": 0}
    assert sum(body["predictions_by_label"].values()) == 0 and len(body["predictions_by_label"]) == 10


def test_it_counts_predictions_and_errors_and_nothing_else(fresh, small_cifar):
    for image in sorted((small_cifar / "test" / "ship").iterdir())[:8]:
        requests.post(fresh.url + "/predict", files={"file": image.read_bytes()}, timeout=10).raise_for_status()
    for _ in range(2):
        assert requests.post(fresh.url + "/predict", files={"file": b"no image"}, timeout=10).status_code == 400
    requests.get(fresh.url + "/status", timeout=10).raise_for_status()
    body = stats(fresh, seconds=60)
    assert body["interval_seconds"] == 1
    assert {key: sum(point[key] for point in body["points"]) for key in ("requests", "errors", "predictions")} == {
        "requests": 10,
        "errors": 2,
        "predictions": 8,
    }
    busy = [point for point in body["points"] if point["requests"]]
    for point in busy:
        latency = point["latency_ms"]
        assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"] < 10_000 and latency["mean"] > 0
        assert point["error_rate"] == pytest.approx(point["errors"] / point["requests"])
        assert 0 < point["throughput"] <= point["requests"]
    seen = datetime.fromisoformat(busy[-1]["time"].replace("Z", "+00:00"))
    assert abs((datetime.now(timezone.utc) - seen).total_seconds()) < 30
    totals = requests.get(fresh.url + "/status", timeout=10).json()["requests"]
    assert body["totals"] == totals and totals["total"] == 10
    assert sum(body["predictions_by_label"].values()) == 8
    assert body["uptime_seconds"] > 0


@pytest.mark.parametrize("seconds", ["0", "-1", "3601", "ten", "60s", "1e3"])
def test_it_refuses_a_span_it_does_not_have(fresh, seconds):
    answer = requests.get(fresh.url + "/v1/stats", params={"seconds": seconds}, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"] == f"seconds={seconds}: expected 1 to 3600"
