# SPDX-License-Identifier: Apache-2.0
"""Start, liveness, readiness, and the way out; what a service manager is told of it."""

import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest
import requests

from conftest import IMAGO, ROOT, Server, free_port
from test_security import wait_for


@pytest.fixture
def manager(tmp_path):
    """systemd's end of the notification socket."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(20)
        yield receiver


@pytest.fixture
def told(manager, monkeypatch):
    """A server with a watchdog of 0.6 s, and what it says."""

    def start(workspace, *arguments):
        monkeypatch.setenv("NOTIFY_SOCKET", manager.getsockname())
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        server = Server(workspace, *arguments, ready=False)
        return server, lambda: manager.recv(4096).decode()

    return start


def test_systemd_hears_when_it_is_ready_that_it_lives_and_when_it_stops(told, trained):
    server, hear = told(trained.workspace, "--model", "small")
    try:
        first = hear()
        assert first.startswith("READY=1\n") and f"STATUS=answering on port {server.port}" in first
        assert requests.get(server.url + "/ready", timeout=5).status_code == 200, "ready when it says so"
        assert [hear() for _ in range(3)] == ["WATCHDOG=1"] * 3
    finally:
        assert server.stop() == 0
    last = hear()
    while last == "WATCHDOG=1":
        last = hear()
    assert last.startswith("STOPPING=1")


def test_startup_liveness_and_readiness_are_three_things(tmp_path):
    server = Server(tmp_path / "empty", ready=False)
    try:
        for _ in range(100):
            startup = requests.get(server.url + "/startup", timeout=5)
            if startup.status_code == 200:
                break
        assert startup.json() == {"status": "started"}
        assert requests.get(server.url + "/health", timeout=5).status_code == 200
        unready = requests.get(server.url + "/ready", timeout=5)
        assert unready.status_code == 503 and "no model yet" in unready.json()["error"] and "Retry-After" in unready.headers
    finally:
        assert server.stop() == 0


def test_requests_that_are_in_are_answered_while_it_stops(trained, small_cifar):
    image = next((small_cifar / "test" / "frog").iterdir()).read_bytes()
    server = Server(trained.workspace, "--model", "small")
    statuses, stop = [], threading.Event()

    def ask():
        with requests.Session() as session:
            while not stop.is_set():
                try:
                    statuses.append(session.post(server.url + "/predict", files={"file": image}, timeout=10).status_code)
                except requests.ConnectionError:
                    return  # it is gone: refused, or closed between two requests

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(statuses) < 40:
        stop.wait(0.01)
    assert server.stop() == 0
    stop.set()
    for thread in threads:
        thread.join(15)
    assert set(statuses) <= {200, 503} and statuses.count(200) >= 40


def test_it_stops_in_the_order_that_load_balancers_need(trained, small_cifar):
    """Not ready first, and still answering; then no new connections; then an end with 0, with a slow request answered."""
    image = next((small_cifar / "test" / "frog").iterdir()).read_bytes()
    server = Server(trained.workspace, "--model", "small", "--drain-delay", "2")
    body = b"x" * 1000
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n" + body[:500])
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: requests.get(server.url + "/ready", timeout=5).status_code == 503, seconds=1.5)
        unready = requests.get(server.url + "/ready", timeout=5)
        assert "stopping" in unready.json()["error"] and requests.get(server.url + "/health", timeout=5).json()["ready"] is False
        assert requests.post(server.url + "/predict", files={"file": image}, timeout=5).status_code == 200, "who has not noticed yet"

        def refused():
            try:
                requests.get(server.url + "/health", timeout=5)
                return False
            except requests.ConnectionError:
                return True

        wait_for(refused, seconds=10)
        assert server.process.poll() is None, "a request is still in"
        slow.sendall(body[500:])
        answer = slow.recv(4096)
        assert answer.startswith(b"HTTP/1.1 400") and b"onnection: close" in answer, "answered, though it was nonsense"
    assert server.process.wait(timeout=20) == 0


def test_no_request_holds_it_up_for_ever(tmp_path):
    server = Server(tmp_path / "empty", "--drain-timeout", "1", ready=False)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as never:
        never.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx")
        wait_for(lambda: requests.get(server.url + "/health", timeout=5).ok)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=15) == 0


def test_systemd_hears_of_a_reload(told, tmp_path):
    server, hear = told(tmp_path / "empty")
    try:
        assert hear().startswith("READY=1\n")
        server.process.send_signal(signal.SIGHUP)
        heard = [message for message in (hear() for _ in range(6)) if message != "WATCHDOG=1"]
        assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", heard[0]) and heard[1].startswith("READY=1\n")
        assert requests.get(server.url + "/health", timeout=5).status_code == 200
    finally:
        assert server.stop() == 0


def test_a_rate_limit_does_not_look_like_death_to_the_watchdog(told, tmp_path):
    server, hear = told(tmp_path / "empty", "--no-trust-loopback", "--rate-limit", "3/min")
    try:
        assert hear().startswith("READY=1\n")
        assert [hear() for _ in range(6)] == ["WATCHDOG=1"] * 6
        assert requests.get(server.url + "/health", timeout=5).status_code == 429
    finally:
        assert server.stop() == 0


def test_what_it_knew_is_there_after_a_restart(trained, small_cifar, tmp_path):
    workspace = shutil.copytree(trained.workspace, tmp_path / "workspace")
    image = next((small_cifar / "test" / "cat").iterdir()).read_bytes()
    upload = {"files": ("one.jpg", image), "class_name": (None, "cat")}
    first = Server(workspace, "--model", "small")
    try:
        before = requests.get(first.url + "/status", timeout=5).json()["model"]
        assert requests.post(first.url + "/upload_data", files=upload, timeout=10).status_code == 200
        staged = requests.get(first.url + "/v1/uploads", timeout=5).json()
    finally:
        first.process.kill()  # not even asked to stop
        first.process.wait(10)
    second = Server(workspace, "--model", "small")
    try:
        assert requests.get(second.url + "/status", timeout=5).json()["model"] == before
        assert requests.get(second.url + "/v1/uploads", timeout=5).json() == staged
    finally:
        assert second.stop() == 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_systemd_reads_the_unit_without_a_word(tmp_path):
    unit = tmp_path / "imago.service"
    unit.write_text((ROOT / "deploy/systemd/imago.service").read_text().replace("/usr/local/bin/imago", str(IMAGO)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=30,
                          env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
    assert not re.search(r"imago\.service", done.stdout + done.stderr), done.stderr


def test_it_ends_with_its_terminal(tmp_path):
    """Closing the terminal sends SIGHUP as a reload does; a server that somebody started there is not to stay behind."""
    port = free_port()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(IMAGO, [str(IMAGO), "--workspace", str(tmp_path), "serve", "--port", str(port)])

    def alive():
        try:
            return requests.get(f"http://127.0.0.1:{port}/startup", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    wait_for(alive, seconds=20)
    os.close(terminal)
    ended = []
    wait_for(lambda: ended.append(os.waitpid(pid, os.WNOHANG)) or ended[-1][0] == pid, seconds=20)
    assert os.waitstatus_to_exitcode(ended[-1][1]) == 0
