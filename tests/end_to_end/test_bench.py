# SPDX-License-Identifier: Apache-2.0
"""`imago bench` on a server and on the engine: what it reports, and what it refuses."""

import json
import shutil
import signal
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from conftest import IMAGO, Server, free_port


def bench(program, *arguments, check=True):
    return program.run("--json", "bench", *arguments, check=check, timeout=60)


def report(program, *arguments):
    return json.loads(bench(program, *arguments).stdout)


def test_a_closed_loop_checks_every_answer_and_says_where_the_time_went(trained, server, small_cifar):
    done = report(trained, server.url, "--connections", 4, "--seconds", 1, "--images", small_cifar / "test")
    assert done["right"] > 50 and done["wrong"] == done["failed"] == done["unsent"] == 0
    assert done["statuses"] == {"200": done["right"]}
    latency = done["latency_ms"]
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["max"]
    assert done["answers_per_second"] == pytest.approx(done["right"] / done["seconds"], rel=1e-3)
    # The server's own count, without the warm-up before it.
    assert done["server"]["images"] == done["right"] and done["server"]["mean_batch"] >= 1
    assert 0 < done["cores"]["client"] < 1.5 and done["cores"]["server"] > 0


@pytest.mark.parametrize("form", ["multipart", "raw", "json"])
def test_the_classes_are_those_of_the_model_here_in_every_form(trained, server, form):
    done = report(trained, server.url, "--connections", 2, "--seconds", 0.5, "--form", form, "--against", "small")
    assert done["right"] > 10 and done["wrong"] == 0


def test_an_open_loop_sends_at_its_rate(trained, server):
    done = report(trained, server.url, "--rate", 50, "--pace", "fixed", "--seconds", 2, "--images", "small:test")
    assert done["right"] == pytest.approx(100, abs=1) and done["rate"] == 50
    assert done["lateness_ms"]["p50"] < 50


def test_the_highest_rate_under_a_target_is_found(trained, server):
    found = report(trained, server.url, "--find-rate", "--p99", 2000, "--connections", 2, "--seconds", 0.3)
    assert 0 < found["rate"] <= found["closed_loop"]["answers_per_second"] * 1.001
    none = report(trained, server.url, "--find-rate", "--p99", 0.01, "--connections", 2, "--seconds", 0.2)
    assert none["rate"] == 0 and len(none["trials"]) == 7


def test_for_people_it_draws_a_histogram_and_gives_advice(trained, server):
    text = trained.run("bench", server.url, "--seconds", 0.5, "--connections", 2, timeout=60).stdout
    assert "answers/s" in text and "p99" in text and "100.00 %" in text and "#" in text
    assert "the settings are right" in text or "--max-batch" in text


def test_the_bare_engine_is_measured_in_batches(trained):
    done = report(trained, "small", "--seconds", 1.4)
    assert [trial["batch"] for trial in done["trials"]][:6] == [1, 2, 4, 8, 16, 32]
    assert all(trial["images"] > 0 and trial["wrong"] == 0 for trial in done["trials"])
    assert done["suggested"]["max-batch"] in [1, 2, 4, 8, 16, 32] and done["suggested"]["workers"] >= 1


def test_ctrl_c_prints_what_was_measured(trained, server):
    process = subprocess.Popen([IMAGO, "--workspace", trained.workspace, "--json", "bench", server.url, "--seconds", "60"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert json.loads(out)["right"] > 0 and json.loads(out)["seconds"] < 20


@pytest.mark.parametrize("url", ["http://192.0.2.1:8000", "http://example.org", "http://127.0.0.1@example.org/", "http://127.0.0.1.example.org"])
def test_another_machine_is_refused_without_asking_it(trained, url):
    done = bench(trained, url, check=False)
    assert done.returncode == 1 and "is not this machine" in done.stderr and "--allow-remote" in done.stderr


def test_what_is_too_much_is_refused_at_once_and_counted(trained, small_cifar):
    server = Server(trained.workspace, "--model", "small", "--max-queue", "1", "--max-batch", "1", "--workers", "1")
    try:
        done = bench(trained, server.url, "--connections", 64, "--seconds", 1.5, "--images", small_cifar / "test", check=False)
        measured = json.loads(done.stdout.split("\n}\n")[0] + "\n}")
        assert done.returncode == 1 and "503" in done.stderr
        assert set(measured["statuses"]) == {"200", "503"} and measured["wrong"] == 0 and measured["right"] > 20
        assert measured["server"]["rejected"] == measured["statuses"]["503"] == measured["failed"]
        assert "--max-queue" in measured["advice"]
        assert requests.get(server.url + "/ready", timeout=5).status_code == 200
    finally:
        assert server.stop() == 0


class Liar(BaseHTTPRequestHandler):
    """Another class after the first round of eight."""

    protocol_version = "HTTP/1.1"
    answers = 0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Liar.answers += 1
        body = json.dumps({"prediction": "cat", "class_index": (Liar.answers - 1) // 8}, separators=(",", ":")).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.send_error(404)

    def log_message(self, *_):
        pass


def test_wrong_answers_fail_the_command(trained, small_cifar, tmp_path):
    for path in sorted((small_cifar / "test" / "frog").iterdir())[:8]:
        shutil.copy(path, tmp_path)
    liar = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    threading.Thread(target=liar.serve_forever, daemon=True).start()
    done = bench(trained, f"http://127.0.0.1:{liar.server_port}", "--seconds", 1, "--connections", 2, "--images", tmp_path, check=False)
    liar.shutdown()
    assert done.returncode == 1 and "answers were wrong" in done.stderr
    assert json.loads(done.stdout.split("\n}\n")[0] + "\n}")["wrong"] > 0


def test_nobody_there_and_no_address_are_one_clear_line(trained):
    done = bench(trained, f"http://127.0.0.1:{free_port()}", check=False)
    assert done.returncode == 1 and "no answer" in done.stderr
    done = bench(trained, "ftp://localhost", check=False)
    assert done.returncode == 1 and "is no address" in done.stderr


def test_priority_and_deadline_of_a_request(server, small_cifar):
    image = next((small_cifar / "test" / "frog").iterdir()).read_bytes()
    post = lambda headers: requests.post(server.url + "/predict", files={"file": image}, headers=headers, timeout=10)
    for priority in ("high", "normal", "low"):
        assert post({"X-Request-Priority": priority, "X-Request-Timeout-Ms": "5000"}).status_code == 200
    for header, value in (("X-Request-Priority", "9"), ("X-Request-Timeout-Ms", "soon"), ("X-Request-Timeout-Ms", "-5")):
        refused = post({header: value})
        assert refused.status_code == 400 and f"{header} is '{value}'" in refused.json()["error"]
