# SPDX-License-Identifier: Apache-2.0
"""Keys, limits, addresses and the access log of the running server."""

import gzip
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


def test_a_key_is_limited_wherever_it_is_used(program, serve):
    """One with a rate of its own goes by that, on loopback too; any other has a bucket beside its address's."""
    slow, plain = make_key(program, "predict"), make_key(program, "predict")
    assert program.json("keys", "limit", slow["id"], "5/min")["rate_limit"] == "5/min"
    server = serve()
    ask = lambda key: requests.get(server.url + "/v1/models", headers={"X-API-Key": key["key"]}, timeout=10)
    answers = [ask(slow) for _ in range(8)]
    assert [answer.status_code for answer in answers].count(200) in (5, 6) and answers[-1].status_code == 429
    assert answers[0].headers["RateLimit-Limit"] == "5" and int(answers[-1].headers["Retry-After"]) >= 1
    assert all(ask(plain).status_code == 200 for _ in range(8)), "loopback has no limit"
    program.run("keys", "limit", slow["id"], "off")
    wait_for(lambda: ask(slow).status_code == 200)
    assert all(ask(slow).status_code == 200 for _ in range(10))
    assert program.run("keys", "limit", slow["id"], "often", check=False).returncode == 1
    limited = serve("--no-trust-loopback", "--rate-limit", "30/min")
    statuses = [requests.get(limited.url + "/v1/models", headers={"X-API-Key": plain["key"]}, timeout=10).status_code for _ in range(40)]
    assert 28 <= statuses.count(200) <= 33 and statuses[-1] == 429


def test_pages_of_named_sites_may_read(serve):
    server = serve("--cors", "https://app.example.org", "--rate-limit", "off")
    page = {"Origin": "https://app.example.org", "Sec-Fetch-Site": "cross-site"}
    asked = requests.options(server.url + "/predict", headers=page | {"Access-Control-Request-Method": "POST",
                                                                      "Access-Control-Request-Headers": "content-type,x-api-key"}, timeout=10)
    assert asked.status_code == 204 and asked.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert "POST" in asked.headers["Access-Control-Allow-Methods"] and asked.headers["Access-Control-Allow-Headers"] == "content-type,x-api-key"
    for answer in (requests.get(server.url + "/health", headers=page, timeout=10), requests.get(server.url + "/nosuch", headers=page, timeout=10),
                   requests.post(server.url + "/predict", headers=page, data=b"x", timeout=10)):
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.org", "errors too"
        assert "Origin" in answer.headers["Vary"] and answer.status_code != 403
    other = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert "Access-Control-Allow-Origin" not in requests.get(server.url + "/health", headers=other, timeout=10).headers
    assert requests.post(server.url + "/predict", headers=other, data=b"x", timeout=10).status_code == 403
    refused = requests.options(server.url + "/predict", headers=other | {"Access-Control-Request-Method": "POST"}, timeout=10)
    assert not any(name.startswith("Access-Control") for name in refused.headers)
    closed = serve()
    answer = requests.get(closed.url + "/health", headers=page, timeout=10)
    assert not any(name.startswith("Access-Control") for name in answer.headers)
    assert requests.options(closed.url + "/predict", timeout=10).status_code == 405


def test_bad_origins_are_refused(program):
    refused = program.run("serve", "--port", "0", "--cors", "app.example.org", check=False, timeout=30)
    assert refused.returncode == 1 and "'app.example.org' is no origin" in refused.stderr


def test_pages_and_answers_say_what_browsers_may_do_with_them(serve):
    server = serve()
    for path in ("/", "/docs"):
        page = requests.get(server.url + path, headers={"Accept": "text/html"}, timeout=10)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy and "object-src 'none'" in policy
        assert "unsafe" not in policy.replace("style-src 'self' 'unsafe-inline'", "") and page.headers["Referrer-Policy"] == "no-referrer"
    for path in ("/", "/docs", "/health", "/v1/models", "/nosuch", "/openapi.json"):
        assert requests.get(server.url + path, timeout=10).headers["X-Content-Type-Options"] == "nosniff", path


def test_large_requests_are_refused_by_value(serve):
    server = serve()
    answer = requests.get(server.url + "/health", headers={"X-Long": "x" * 20_000}, timeout=10)
    assert answer.status_code == 431 and "at most 16384 are taken" in answer.json()["error"]
    answer = requests.get(server.url + "/health", headers={f"X-{i}": "x" for i in range(150)}, timeout=10)
    assert answer.status_code == 431 and "at most 100 are taken" in answer.json()["error"]
    answer = requests.post(server.url + "/predict", data=bytes(33 << 20), timeout=60)
    assert answer.status_code == 413 and str(33 << 20) in answer.json()["error"] and str(32 << 20) in answer.json()["error"]
    bomb = gzip.compress(bytes(200 << 20), 6)
    assert len(bomb) < 1 << 20
    answer = requests.post(server.url + "/predict", data=bomb, headers={"Content-Encoding": "gzip"}, timeout=60)
    assert answer.status_code == 413 and str(32 << 20) in answer.json()["error"]
    answer = requests.post(server.url + "/predict", data=b"x", headers={"Content-Encoding": "br"}, timeout=60)
    assert answer.status_code == 415 and "'br'" in answer.json()["error"] and "gzip" in answer.json()["error"]


def test_a_connection_whose_headers_trickle_is_closed(serve):
    server = serve("--idle-timeout", "1")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        connection.settimeout(0.2)
        start = time.monotonic()
        with pytest.raises((ConnectionError, EOFError)):
            while time.monotonic() - start < 15:
                connection.sendall(b"x")
                try:
                    if connection.recv(100) == b"":
                        raise EOFError
                except TimeoutError:
                    pass
    assert requests.get(server.url + "/health", timeout=10).status_code == 200


def test_answers_are_compressed_for_who_wants_it(serve):
    server = serve()
    for _ in range(30):
        requests.post(server.url + "/v1/models/nosuch/rollback", timeout=10)
    for coding in ("gzip", "deflate"):
        packed = requests.get(server.url + "/v1/audit", headers={"Accept-Encoding": coding}, timeout=10)
        assert packed.headers["Content-Encoding"] == coding and "Accept-Encoding" in packed.headers["Vary"]
        plain = requests.get(server.url + "/v1/audit", headers={"Accept-Encoding": "identity"}, timeout=10)
        assert "Content-Encoding" not in plain.headers and plain.json() == packed.json() and len(plain.json()["entries"]) == 30
        assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2


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


TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_the_access_log_is_json_without_secrets(program, tmp_path):
    made = make_key(program, "predict")
    key, key_id = made["key"], made["id"]
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
        traced = requests.post(url + "/predict", data=b"body-bytes", headers=headers | {"traceparent": TRACEPARENT}, timeout=10)
        refused = requests.get(url + "/v1/models", headers={"traceparent": TRACEPARENT}, timeout=10)
        requests.get(url + "/v1/nosuch", headers={"traceparent": "nonsense"}, timeout=10)
        for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 40_000 + b"\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
                raw.sendall(nonsense)
                raw.recv(100)
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
        assert set(line) - {"key", "trace_id", "span_id", "parent_id"} == {
            "time", "level", "message", "method", "route", "status", "milliseconds", "request_id", "client"}
        assert line["client"] == ("" if line["status"] in (400, 431) else "127.0.0.1") and 0 <= line["milliseconds"] < 10_000
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert {line["route"] for line in requests_logged} >= {"other", "/health"}
    assert {line["status"] for line in requests_logged} >= {200, 400, 401, 404, 431, 503}, "whatever the outcome, what is no HTTP too"
    assert all(line["key"] == key_id for line in mine), "the key's name for logs"
    in_trace = {line["status"]: line for line in requests_logged if "trace_id" in line}
    for answer in (traced, refused):
        line = in_trace[answer.status_code]
        assert (line["trace_id"], line["parent_id"]) == tuple(TRACEPARENT.split("-")[1:3])
        assert answer.headers["traceresponse"] == f"00-{line['trace_id']}-{line['span_id']}-01"
    assert sorted(in_trace) == [401, 503]
    assert any(line["message"].startswith("401 for GET /v1/models from 127.0.0.1") for line in lines)


def test_no_access_log_unless_asked_for(serve):
    quiet = serve()
    loud = serve("--access-log", "on")
    for server in (quiet, loud):
        requests.get(server.url + "/v1/stats", timeout=10)
        assert server.stop() == 0
    assert "/v1/stats" not in quiet.process.stdout.read()
    assert re.search(r'info: 127\.0\.0\.1 "GET" /v1/stats 200 [\d.]+ ms \w+', loud.process.stdout.read())
