# SPDX-License-Identifier: Apache-2.0
"""Keys, limits, addresses and the access log of the running server."""

import json
import os
import re
import socket
import subprocess
import time

import pytest
import requests

from conftest import IMAGO, Program, Server, free_port


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path)


@pytest.fixture
def serve(program):
    """Starts servers without a model on the workspace; stops what still runs."""
    running = []

    def start(*arguments):
        running.append(Server(program.workspace, *arguments, ready=False))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            each.stop()


def make_key(program, scopes):
    return program.json("keys", "create", "--name", f"for {scopes}", "--scopes", scopes)


def status_of(server, path="/v1/models", key=None, method="GET"):
    headers = {"X-API-Key": key} if key else {}
    return requests.request(method, server.url + path, headers=headers, timeout=10).status_code


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def test_keys_are_made_listed_and_revoked(program):
    made = make_key(program, "predict,write")
    assert re.fullmatch(r"imago_[A-Za-z0-9_-]{32,}", made["key"])
    listed = program.json("keys", "list")
    assert [(key["id"], key["scopes"], key["revoked"]) for key in listed] == [(made["id"], ["predict", "write"], None)]
    assert made["key"] not in program.run("keys", "list").stdout
    assert program.json("keys", "revoke", made["id"])["revoked"]
    assert program.run("keys", "revoke", "nosuch", check=False).returncode == 1
    assert program.run("keys", "create", "--name", "x", "--scopes", "root", check=False).returncode == 1
    printed = program.run("keys", "create", "--name", "x")
    assert re.fullmatch(r"imago_\w+\n", printed.stdout), "the key alone, to be piped"
    assert "shown this once" in printed.stderr


def test_no_key_is_on_disk(program):
    secret = make_key(program, "admin")["key"].encode()
    for folder, _, names in os.walk(program.workspace):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert secret not in file.read(), name


def test_a_running_server_learns_of_keys_and_forgets_them(program, serve):
    server = serve()
    assert status_of(server) == 200
    predict = make_key(program, "predict")
    wait_for(lambda: status_of(server) == 401)
    assert status_of(server, key=predict["key"]) == 200
    assert status_of(server, "/v1/models/small/promote", predict["key"], "POST") == 403
    assert status_of(server, "/train", predict["key"], "POST") == 403
    bearer = requests.get(server.url + "/v1/models", headers={"Authorization": "Bearer " + predict["key"]}, timeout=10)
    assert bearer.status_code == 200
    challenge = requests.get(server.url + "/v1/models", timeout=10)
    assert challenge.headers["WWW-Authenticate"].startswith("Bearer")
    assert challenge.json()["code"] == "unauthorized"
    for path in ("/", "/health", "/metrics", "/openapi.json", "/docs", "/index.html"):
        assert status_of(server, path) == 200, path
    program.run("keys", "revoke", predict["id"])
    wait_for(lambda: status_of(server, key=predict["key"]) == 401)
    assert status_of(server) == 401, "revoking the last key must not open a running server"


def test_every_operation_asks_for_the_scope_it_is_described_with(program, serve):
    """No route is left open by mistake: each one, with each kind of key."""
    keys = {scope: make_key(program, scope)["key"] for scope in ("predict", "write", "admin")}
    server = serve()
    document = requests.get(server.url + "/openapi.json", timeout=10).json()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            scope = operation["x-imago-scope"]
            named = [list(alternative.values())[0] for alternative in operation["security"]]
            assert named == ([] if scope == "open" else [[scope]] * 2), path
            url = re.sub(r"\{[^}]*\}", "x", path)
            if path == "/v1/jobs/events" or (method, path) in {("post", "/train"), ("post", "/retrain")}:
                continue  # would start something, or never end
            assert (status_of(server, url, method=method) == 401) == (scope != "open"), f"{method} {path}"
            for own, key in keys.items():
                refused = status_of(server, url, key, method) in (401, 403)
                assert refused == (scope not in ("open", own) and own != "admin"), f"{method} {path} with {own}"


def test_a_key_is_asked_for_on_demand(serve):
    server = serve("--require-key")
    assert status_of(server) == 401
    assert status_of(server, "/health") == 200


def test_beyond_loopback_there_must_be_a_key(program, serve):
    refused = program.run("serve", "--listen", "0.0.0.0", "--port", "0", check=False, timeout=30)
    assert refused.returncode == 1 and "imago keys create" in refused.stderr and "--insecure" in refused.stderr
    refused = program.run("serve", "--port", "0", "--also-listen", "0.0.0.0:0", check=False, timeout=30)
    assert refused.returncode == 1 and "0.0.0.0" in refused.stderr
    assert program.run("serve", "--also-listen", "8000", check=False, timeout=30).returncode == 1


def test_a_client_is_limited(serve):
    server = serve("--rate-limit", "20/min", "--no-trust-loopback")
    session = requests.Session()
    answers = [session.get(server.url + "/health", timeout=10) for _ in range(40)]
    granted = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(granted) + len(refused) == 40 and 15 <= len(granted) <= 22
    for answer in answers:
        assert answer.headers["RateLimit-Limit"] == "20"
        assert 0 <= int(answer.headers["RateLimit-Remaining"]) < 20
        assert 0 < int(answer.headers["RateLimit-Reset"]) <= 60
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 3
    assert refused[0].json()["code"] == "too_many_requests"
    forged = session.get(server.url + "/health", headers={"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}, timeout=10)
    assert forged.status_code == 429


@pytest.mark.parametrize("arguments", [(), ("--no-trust-loopback", "--trusted", "127.0.0.0/8"), ("--no-trust-loopback", "--rate-limit", "off")])
def test_trusted_clients_are_not_limited(serve, arguments):
    server = serve(*arguments)
    session = requests.Session()
    for _ in range(150):
        answer = session.get(server.url + "/health", timeout=10)
        assert answer.status_code == 200 and "RateLimit-Limit" not in answer.headers


@pytest.mark.parametrize("arguments", [("--rate-limit", "fast"), ("--trusted", "10.0.0.1/8"), ("--trusted", "example.org")])
def test_bad_limits_are_refused(program, arguments):
    refused = program.run("serve", "--port", "0", *arguments, check=False, timeout=30)
    assert refused.returncode == 1 and arguments[1] in refused.stderr


def test_it_answers_at_several_places(serve):
    more = free_port()
    server = serve("--also-listen", f"127.0.0.1:{more}", "--also-listen", f"localhost:{free_port()}")
    assert requests.get(f"http://127.0.0.1:{more}/health", timeout=10).status_code == 200
    assert server.stop() == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{more}/health", timeout=10)


@pytest.fixture
def compat_ports():
    """Ports 5000, 8050 and 8501 of loopback held, so that no other program takes them; the test lets go of what it wants free."""
    held = {}
    for port in (5000, 8050, 8501):
        probe = socket.socket()
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
            held[port] = probe
        except OSError:
            probe.close()
    yield held
    for probe in held.values():
        probe.close()


def test_compat_takes_the_ports_that_are_free(serve, compat_ports):
    if 8050 not in compat_ports or 5000 not in compat_ports:
        pytest.skip("somebody else has port 5000 or 8050")
    compat_ports.pop(5000).close()
    server = serve("--compat")
    assert requests.get("http://127.0.0.1:5000/health", timeout=10).status_code == 200
    assert server.stop() == 0
    assert "port 8050 of 127.0.0.1 is in use" in server.process.stdout.read()


@pytest.fixture
def asked(serve):
    """Asks a server as a browser does that was led here under another name."""

    def ask(server, host, path="/v1/models", method="GET"):
        answer = requests.request(method, server.url + path, headers={"Host": host, "Sec-Fetch-Site": "same-origin"}, timeout=10)
        return answer.status_code, answer.json().get("error", "") if answer.status_code != 200 else ""

    return ask


def test_a_name_that_another_site_lets_lead_here_is_refused(serve, asked):
    server = serve()
    for host in ("localhost", f"localhost:{server.port}", f"127.0.0.1:{server.port}", "[::1]:8000", "imago.localhost"):
        assert asked(server, host) == (200, ""), host
    for method, path in (("GET", "/v1/models"), ("GET", "/v1/uploads"), ("POST", "/predict"), ("POST", "/train"), ("DELETE", "/v1/jobs/x")):
        status, told = asked(server, f"evil.example:{server.port}", path, method)
        assert status == 403 and "'evil.example:" in told and "--allowed-hosts" in told, (method, path)
    assert asked(server, "evil.example", "/health") == (200, ""), "what is open to all shows nothing of the data"


def test_names_can_be_allowed(program, serve, asked):
    server = serve("--allowed-hosts", "imago.example.org", "--allowed-hosts", ".lab.example")
    for host in ("imago.example.org", "a.lab.example:80", "localhost"):
        assert asked(server, host) == (200, ""), host
    assert asked(server, "example.org")[0] == 403
    beyond = serve("--listen", "0.0.0.0", "--insecure")
    assert asked(beyond, "whatever.example") == (200, ""), "there, nobody knows the names"
    named = serve("--listen", "0.0.0.0", "--insecure", "--allowed-hosts", "imago.example.org")
    assert asked(named, "whatever.example")[0] == 403 and asked(named, "imago.example.org") == (200, "")
    refused = program.run("serve", "--port", "0", "--allowed-hosts", "http://imago", check=False, timeout=30)
    assert refused.returncode == 1 and "'http://imago' is no host name" in refused.stderr
    key = make_key(program, "predict")["key"]
    keyed = serve()
    assert asked(keyed, "evil.example")[0] == 401
    answer = requests.get(keyed.url + "/v1/models", headers={"Host": "evil.example", "X-API-Key": key}, timeout=10)
    assert answer.status_code == 200, "who has the key is no stranger"


def test_the_access_log_is_json_without_secrets(program, tmp_path):
    key = make_key(program, "predict")["key"]
    port = free_port()
    log = tmp_path / "log"
    with open(log, "wb") as errors:
        process = subprocess.Popen([IMAGO, "--workspace", program.workspace, "serve", "--port", str(port), "--log-format", "json"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
    try:
        url = f"http://127.0.0.1:{port}"

        def alive():
            try:
                return requests.get(url + "/health", timeout=5).status_code == 200
            except requests.ConnectionError:
                return False

        wait_for(alive)
        headers = {"X-API-Key": key, "X-Request-ID": "mine-1"}
        assert requests.get(url + "/v1/models/hushed?alias=hidden&api_key=" + key, headers=headers, timeout=10).status_code == 404
        requests.get(url + "/v1/models", headers={"X-API-Key": "imago_wrong"}, timeout=10)
        requests.get(url + "/no/such/hushed", timeout=10)
        requests.post(url + "/predict", data=b"body-bytes", headers=headers, timeout=10)
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0
    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    requests_logged = [line for line in lines if line["message"] == "request"]
    for word in (key, "imago_wrong", "hushed", "hidden", "body-bytes"):
        assert word not in text
    mine = [line for line in requests_logged if line["request_id"] == "mine-1"]
    assert [(line["method"], line["route"], line["status"]) for line in mine] == [("GET", "/v1/models/{name}", 404), ("POST", "/predict", 503)]
    for line in requests_logged:
        assert set(line) == {"time", "level", "message", "method", "route", "status", "milliseconds", "request_id", "client"}
        assert line["client"] == "127.0.0.1" and 0 <= line["milliseconds"] < 10_000
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert {line["route"] for line in requests_logged} >= {"other", "/health"}
    assert any(line["message"].startswith("401 for GET /v1/models from 127.0.0.1") for line in lines)


def test_no_access_log_unless_asked_for(serve):
    quiet = serve()
    loud = serve("--access-log", "on")
    for server in (quiet, loud):
        requests.get(server.url + "/v1/stats", timeout=10)
        assert server.stop() == 0
    assert "/v1/stats" not in quiet.process.stdout.read()
    assert re.search(r'info: 127\.0\.0\.1 "GET" /v1/stats 200 [\d.]+ ms \w+', loud.process.stdout.read())
