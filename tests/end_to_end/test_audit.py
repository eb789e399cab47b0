# SPDX-License-Identifier: Apache-2.0
"""The audit log: every write is in it, whoever asked, before he hears of it."""

import getpass
import io
import re
import subprocess
import threading

import pytest
import requests
from PIL import Image

from conftest import ROOT, free_port
from test_security import make_key, program, serve, wait_for  # noqa: F401 (fixtures among them)

TRITON = ROOT / ".deps" / "triton" / "bin" / "python"


def png(color):
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), color).save(buffer, "PNG")
    return buffer.getvalue()


def upload(server, color=(200, 10, 10), **headers):
    return requests.post(server.url + "/v1/uploads", files={"files": ("x.png", png(color))}, data={"label": "cat"}, headers=headers, timeout=10)


def told(entry):
    return entry["via"], entry["action"], entry["target"], entry["outcome"], entry["status"]


def test_writes_are_noted_and_what_reads_is_not(program, serve):
    server = serve()
    answer = upload(server, **{"X-Request-ID": "mine-1"})
    requests.get(server.url + "/v1/uploads", timeout=10)
    requests.post(server.url + "/predict", data=b"x", timeout=10)
    entries = program.json("audit")
    assert [told(entry) for entry in entries] == [
        ("http", "POST /v1/uploads", "/v1/uploads", "ok" if answer.ok else "refused", str(answer.status_code))]
    assert entries[0]["who"] == entries[0]["address"] == "127.0.0.1" and entries[0]["request_id"] == "mine-1"
    assert requests.post(server.url + "/v1/models/nosuch/promote", json={"version": 1}, timeout=10).status_code == 404
    assert requests.get(server.url + "/v1/audit", timeout=10).json()["entries"] == program.json("audit")
    newest = program.json("audit", "-n", 1)[0]
    assert told(newest) == ("http", "POST /v1/models/{name}/promote", "/v1/models/nosuch/promote", "refused", "404")
    assert [entry["number"] for entry in program.json("audit")] == [2, 1]


def test_keys_are_named_and_never_shown(program, serve):
    admin, predict = make_key(program, "admin"), make_key(program, "predict")
    server = serve()
    requests.delete(server.url + "/v1/uploads/nosuch?key=" + admin["key"], headers={"X-API-Key": admin["key"]}, timeout=10)
    requests.post(server.url + "/train", headers={"X-API-Key": predict["key"]}, timeout=10)
    requests.post(server.url + "/train", headers={"X-API-Key": "imago_wrong"}, timeout=10)
    wait_for(lambda: len(program.json("audit", "--via", "http")) == 3)
    by_status = {entry["status"]: entry for entry in program.json("audit", "--via", "http")}
    assert by_status["404"]["who"] == f"key {admin['name']} ({admin['id']})"
    assert by_status["403"]["who"] == f"key {predict['name']} ({predict['id']})" and by_status["403"]["outcome"] == "refused"
    assert by_status["401"]["who"] == "127.0.0.1"
    everything = program.run("--json", "audit").stdout + program.run("audit").stdout
    for secret in (admin["key"], predict["key"], "imago_wrong"):
        assert secret not in everything
    assert requests.get(server.url + "/v1/audit", headers={"X-API-Key": predict["key"]}, timeout=10).status_code == 403
    assert requests.get(server.url + "/v1/audit", headers={"X-API-Key": admin["key"]}, timeout=10).status_code == 200


def test_commands_that_change_keys_aliases_and_limits_are_noted(program):
    key = make_key(program, "predict")
    program.run("keys", "limit", key["id"], "600/min")
    program.run("keys", "revoke", key["id"])
    program.run("keys", "revoke", "nosuch", check=False)
    program.run("models", "promote", "nosuch:1", check=False)
    program.run("models", "rollback", "nosuch", check=False)
    program.run("keys", "list")
    entries = program.json("audit")[::-1]
    assert [(entry["action"], entry["outcome"]) for entry in entries] == [
        ("keys create", "ok"), ("keys limit", "ok"), ("keys revoke", "ok"), ("keys revoke", "refused"), ("models promote", "refused"),
        ("models rollback", "refused")]
    assert {(entry["who"], entry["via"]) for entry in entries} == {(f"user {getpass.getuser()}", "cli")}
    assert entries[1]["target"] == f"{key['id']} to 600/min"
    assert key["key"] not in str(entries)


@pytest.mark.skipif(not TRITON.exists(), reason="needs tritonclient (scripts/setup test)")
def test_writes_over_grpc_are_noted(program, serve):
    admin, predict = make_key(program, "admin"), make_key(program, "predict")
    port = free_port()
    serve("--grpc-port", str(port))
    for key in (admin, predict):
        script = (f"import tritonclient.grpc as triton; client = triton.InferenceServerClient('127.0.0.1:{port}')\n"
                  f"try: client.load_model('nosuch', headers={{'x-api-key': '{key['key']}'}})\n"
                  "except triton.InferenceServerException as error: print(error.status())")
        done = subprocess.run([TRITON, "-c", script], capture_output=True, text=True, timeout=60)
        assert done.stdout in ("StatusCode.NOT_FOUND\n", "StatusCode.PERMISSION_DENIED\n"), done.stderr
    wait_for(lambda: len(program.json("audit", "--via", "grpc")) == 2)
    entries = sorted(program.json("audit", "--via", "grpc"), key=lambda entry: entry["status"])
    assert [(entry["status"], entry["outcome"], entry["target"]) for entry in entries] == [("403", "refused", "nosuch"), ("404", "refused", "nosuch")]
    assert entries[1]["who"] == f"key {admin['name']} ({admin['id']})" and entries[1]["action"].endswith("/RepositoryModelLoad")


def test_what_was_answered_is_there_after_a_kill(program, serve):
    """Whoever heard that a write was done finds it in the log, however the server ended a moment later."""
    server = serve()
    answered, stop = [], threading.Event()

    def ask(worker):
        number = 0
        while not stop.is_set():
            name = f"w{worker}-{number}"
            try:
                requests.post(server.url + "/v1/models/nosuch/rollback", headers={"X-Request-ID": name}, timeout=10)
            except requests.ConnectionError:
                return
            answered.append(name)
            number += 1

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(answered) >= 40)
    server.process.kill()
    server.process.wait(10)
    stop.set()
    for thread in threads:
        thread.join(15)
    entries = program.json("audit", "-n", 100000)
    assert set(answered) <= {entry["request_id"] for entry in entries}
    assert [entry["number"] for entry in entries] == list(range(len(entries), 0, -1)), "no gap"


def test_it_is_asked_in_parts_and_by_what(program, serve):
    server = serve()
    for _ in range(5):
        requests.post(server.url + "/v1/models/a/rollback", timeout=10)
    requests.post(server.url + "/v1/models/b/rollback", timeout=10)
    ask = lambda **query: requests.get(server.url + "/v1/audit", params=query, timeout=10)
    page = ask(limit=4).json()
    assert [entry["number"] for entry in page["entries"]] == [6, 5, 4, 3] and page["next"] == 3
    page = ask(limit=4, below=page["next"]).json()
    assert [entry["number"] for entry in page["entries"]] == [2, 1] and page["next"] is None
    assert [entry["number"] for entry in ask(target="/b/").json()["entries"]] == [6]
    assert ask(outcome="ok").json()["entries"] == [] and ask(since="2999").json()["entries"] == []
    for wrong in ({"outcome": "fine"}, {"since": "yesterday"}, {"limit": 0}, {"limit": "x"}, {"below": -1}, {"via": "post"}):
        refused = ask(**wrong)
        assert refused.status_code == 400 and str(list(wrong.values())[0]) in refused.json()["error"], wrong
    assert program.run("audit", "--since", "yesterday", check=False).returncode == 1


def test_old_entries_go_when_told_and_that_is_noted(program):
    make_key(program, "predict")
    make_key(program, "write")
    assert program.json("audit", "forget", "--before", "2020-01-01")["removed"] == 0
    removed = program.json("audit", "forget", "--before", "2999")
    assert removed["removed"] == 1, "the last one stays"
    entries = program.json("audit")
    assert [entry["number"] for entry in entries] == [3, 2] and entries[0]["action"] == "audit forget"
    assert re.match(r"1 entries before 2999", entries[0]["target"])


def test_a_flood_of_strangers_does_not_fill_it(program, serve):
    server = serve("--require-key")
    with requests.Session() as session:
        for _ in range(200):
            assert session.post(server.url + "/train", timeout=10).status_code == 401
    assert server.stop() == 0
    assert 50 <= len(program.json("audit", "-n", 1000)) <= 70
