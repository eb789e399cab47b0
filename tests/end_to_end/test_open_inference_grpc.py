# SPDX-License-Identifier: Apache-2.0
"""The Open Inference Protocol over gRPC, by the real client of Triton: the answers of /predict, under the rules of HTTP."""

import json
import random
import shutil
import signal
import socket
import subprocess
import time

import numpy as np
import pytest
import requests

from conftest import ROOT, Program, Server, free_port
from test_open_inference import CLASSES, PYTHON, decoded, expected, images, workspace  # noqa: F401 (fixtures)
from test_security import make_key
from test_tls import Identity

CLIENT = ROOT / "tests" / "end_to_end" / "triton_grpc_client.py"


def start_client(*arguments):
    if not PYTHON.exists():
        pytest.skip("needs tritonclient: scripts/setup test")
    return subprocess.Popen([PYTHON, CLIENT, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result_of(client):
    output, errors = client.communicate(timeout=120)
    assert client.returncode == 0, errors
    return json.loads(output)


def run_client(*arguments):
    return result_of(start_client(*arguments))


class GrpcServer(Server):
    def __init__(self, workspace, *arguments, **options):
        self.grpc_port = free_port()
        self.address = f"127.0.0.1:{self.grpc_port}"
        super().__init__(workspace, "--grpc-port", str(self.grpc_port), *arguments, **options)


@pytest.fixture(scope="module")
def models(workspace):  # noqa: F811
    server = GrpcServer(workspace.workspace, "--model", "small@all")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def seen(models, workspace, images, tmp_path_factory):  # noqa: F811
    """All that tritonclient saw, in one run of it."""
    raw = tmp_path_factory.mktemp("raw") / "raw.npz"
    pixels, planes = decoded(workspace, images)
    np.savez(raw, pixels=pixels, input=planes)
    return run_client("tour", models.address, "small", raw, *images)


def test_the_messages_are_those_of_triton(tmp_path):
    compiled = tmp_path / "inference.pb"
    subprocess.run(["protoc", "-I", ROOT / "src" / "grpc", f"--descriptor_set_out={compiled}", "inference.proto"], check=True, timeout=30)
    seen = run_client("descriptors", compiled)
    assert seen["differences"] == [] and seen["messages"] > 30
    assert (seen["package"], seen["service"]) == ("inference", "GRPCInferenceService")


def test_the_server_describes_itself(seen):
    assert seen["live"] and seen["ready"] and seen["model_ready"] == [True, True, False]
    assert seen["health"] == [8, 1], "SERVING"
    assert seen["server"]["name"] == "imago"
    assert {"classification", "model_configuration", "model_repository", "statistics"} <= set(seen["server"]["extensions"])
    assert seen["metadata"]["versions"] == ["1"]
    assert {tensor["name"]: tensor["datatype"] for tensor in seen["metadata"]["inputs"]} == {"image": "BYTES", "pixels": "UINT8", "input": "FP32"}
    assert [tensor["name"] for tensor in seen["config"]["input"]] == ["image", "pixels", "input"]
    assert seen["config"]["input"][2]["dims"] == ["-1", "3", "32", "32"] and seen["config"]["input"][2]["data_type"] == "TYPE_FP32"


@pytest.mark.parametrize("kind, form", [("answers", "bytes"), ("answers", "bytes in columns"), ("answers", "pixels"), ("answers", "input"),
                                        ("answers", "version 1"), ("typed", "bytes"), ("typed", "pixels"), ("typed", "input")])
def test_every_form_is_answered_as_predict_answers(seen, expected, kind, form):  # noqa: F811
    answer = seen[kind][form]
    assert answer["label"] == [each["prediction"] for each in expected]
    wanted = np.array([each["probabilities"] for each in expected], np.float32)
    # Decoders may differ by a step where it is Pillow's, so what NumPy normalised is allowed a little.
    tolerance = 0 if form.startswith("bytes") or form == "version 1" else 0.02
    assert np.abs(np.array(answer["probabilities"], np.float32) - wanted).max() <= tolerance
    if kind == "typed":
        assert answer["raw"] == 0, "who sends typed contents gets typed contents"
    else:
        assert (answer["model"], answer["version"]) == ("small", "1")


def test_ids_come_back_and_the_likeliest_classes_are_named(seen, expected):  # noqa: F811
    assert seen["answers"]["bytes"]["id"] == "mine"
    for row, answer in zip(seen["likeliest"], expected, strict=True):
        ranked = sorted(answer["class_probabilities"].items(), key=lambda item: -item[1])[:3]
        assert [entry.split(":")[2] for entry in row] == [label for label, _ in ranked]


def test_a_stream_is_answered_in_its_order_and_outlives_errors(seen, expected):  # noqa: F811
    labels = [each["prediction"] for each in expected]
    assert "nosuch" in seen["stream"].pop(5)
    assert seen["stream"] == [labels] * 39


@pytest.mark.parametrize("what, status, text", [
    ("unknown model", "NOT_FOUND", "nosuch"), ("unknown version", "NOT_FOUND", "version 99"),
    ("wrong shape", "INVALID_ARGUMENT", "expected [n, 3, 32, 32]"), ("wrong name", "INVALID_ARGUMENT", "'images'"),
    ("wrong datatype", "INVALID_ARGUMENT", "FP64"), ("no image", "INVALID_ARGUMENT", "not an image"),
    ("bad priority", "INVALID_ARGUMENT", "'priority' is 9"), ("late", "DEADLINE_EXCEEDED", "deadline"),
    ("late by header", "INVALID_ARGUMENT", "'soon'"), ("too large", "RESOURCE_EXHAUSTED", "larger than max"),
    ("compressed", "UNIMPLEMENTED", ""), ("unload", "FAILED_PRECONDITION", "answers /predict"), ("load nothing", "NOT_FOUND", "nosuch"),
    ("no shared memory", "UNIMPLEMENTED", "")])
def test_errors_are_the_clients_exceptions(seen, what, status, text):
    assert seen["errors"][what]["status"] == status and text in seen["errors"][what]["message"]


def test_models_are_loaded_and_unloaded(seen, expected):  # noqa: F811
    assert seen["repository"] == {"small:1": "READY", "other:1": "UNAVAILABLE"}
    assert seen["repository after load"] == {"small:1": "READY", "other:1": "READY"}
    assert seen["repository after unload"] == {"small:1": "READY", "other:1": "UNAVAILABLE"}
    assert seen["other"]["label"] == [each["prediction"] for each in expected]


def test_calls_are_counted_as_requests_are(seen, models):
    [stats] = seen["stats"]
    assert stats["name"] == "small" and int(stats["inferenceCount"]) >= 3 * 48
    assert int(stats["inferenceStats"]["success"]["ns"]) > int(stats["inferenceStats"]["computeInfer"]["ns"]) > 0
    text = requests.get(models.url + "/metrics/prometheus", timeout=10).text
    for method in ("ModelInfer", "ModelStreamInfer", "RepositoryModelLoad"):
        assert f'"/inference.GRPCInferenceService/{method}"' in text


def test_hostile_bytes_do_no_harm(models, images, expected):  # noqa: F811
    """Not even HTTP/2; the beginning of it and then nonsense; frames of every kind."""
    chance = random.Random(7)
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    for i in range(200):
        with socket.create_connection(("127.0.0.1", models.grpc_port), timeout=10) as connection:
            garbage = chance.randbytes(chance.randrange(1, 3000))
            frame = len(garbage).to_bytes(3) + bytes([i % 11, chance.randrange(256)]) + chance.randrange(8).to_bytes(4)
            try:
                connection.sendall([garbage, preface + garbage, preface + bytes(9) + frame + garbage][i % 3])
            except ConnectionError:
                pass
    stuck = [socket.create_connection(("127.0.0.1", models.grpc_port), timeout=10) for _ in range(50)]
    answer = run_client("load", models.address, "small", images[0], 0.5)
    assert set(answer) == {"OK"} and answer["OK"] > 10
    for connection in stuck:
        connection.close()
    assert models.process.poll() is None


def headers_frame(fields):
    """A HEADERS frame of HTTP/2 that begins stream 1, every field as a literal."""
    block = b"".join(b"\0" + b"".join(b"\x7f" + leb128(len(text) - 127) + text if len(text) > 126 else bytes([len(text)]) + text
                                      for text in field) for field in fields)
    return len(block).to_bytes(3) + b"\x01\x05" + (1).to_bytes(4) + block


def leb128(number):
    return bytes([number]) if number < 128 else bytes([number % 128 | 128]) + leb128(number // 128)


@pytest.mark.parametrize("field", [(b"te", b"x"), (b":scheme", b"ftp"), (b"grpclb_client_stats", b"x"), (b"x-more", b"x")])
def test_headers_over_the_limit_do_not_end_it(models, field):
    """In some releases of gRPC they did (CVE-2023-1428)."""
    call = [(b":method", b"POST"), (b":path", b"/inference.GRPCInferenceService/ServerLive"), field, (b"content-type", b"application/grpc")]
    large = [(b"x-large-%d" % i, b"a" * 3000) for i in range(4)]
    with socket.create_connection(("127.0.0.1", models.grpc_port), timeout=10) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) + headers_frame(call + large))
        assert connection.recv(9)[3] == 4, "its settings"
    assert models.process.poll() is None
    assert requests.get(models.url + "/health", timeout=10).status_code == 200


def test_a_full_queue_says_when_to_try_again(workspace, images):  # noqa: F811
    server = GrpcServer(workspace.workspace, "--model", "small", "--max-queue", "4")
    try:
        [full] = run_client("many", server.address, "small", images[0], 30)
        assert full["status"] == "RESOURCE_EXHAUSTED" and "waiting" in full["message"]
        assert full["trailing"]["retry-after"] == "1" and full["trailing"]["grpc-retry-pushback-ms"] == "1000"
    finally:
        assert server.stop() == 0


def test_what_is_past_the_calls_deadline_is_not_computed(models, images):  # noqa: F811
    def failures():
        stats = requests.get(models.url + "/v2/models/small/stats", timeout=10).json()["model_stats"][0]["inference_stats"]
        return stats["success"]["count"], stats["fail"]["count"]

    images_before, failed_before = failures()
    ended = run_client("many", models.address, "small", images[0], 0.005, 20)
    assert {each["status"] for each in ended} == {"DEADLINE_EXCEEDED"}
    for _ in range(50):
        images_after, failed_after = failures()
        if failed_after > failed_before:
            break
        time.sleep(0.1)
    assert failed_after > failed_before and images_after < images_before + 20 * 256


def test_keys_count_as_over_http(workspace, images):  # noqa: F811
    keys = {scope: make_key(workspace, scope) for scope in ("predict", "admin")}
    server = GrpcServer(workspace.workspace, "--model", "small", "--require-key", "--log-format", "json")
    try:
        seen = run_client("who", server.address, "small", images[0], keys["predict"]["key"], keys["admin"]["key"], "imago_wrong")
        ok, unknown, forbidden = "OK", "UNAUTHENTICATED", "PERMISSION_DENIED"
        assert seen[""] == {"live": ok, "infer": unknown, "bearer": unknown, "load": unknown}
        assert seen["imago_wrong"] == seen[""]
        assert seen[keys["predict"]["key"]] == {"live": ok, "infer": ok, "bearer": ok, "load": forbidden}
        assert seen[keys["admin"]["key"]] == {"live": ok, "infer": ok, "bearer": ok, "load": ok}
    finally:
        assert server.stop() == 0
        for key in keys.values():
            workspace.run("keys", "revoke", key["id"])
    log = server.process.stdout.read()
    assert keys["predict"]["key"] not in log
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    infers = [line for line in lines if line.get("route") == "/inference.GRPCInferenceService/ModelInfer"]
    assert [line["status"] for line in infers] == [401, 200, 200, 401]
    assert all(line["client"] == "127.0.0.1" and line["request_id"] for line in infers)


def test_the_rate_limit_counts_calls(workspace):  # noqa: F811
    server = GrpcServer(workspace.workspace, "--rate-limit", "20/min", "--no-trust-loopback", ready=False)
    try:
        ended = run_client("often", server.address, "small", 30)
        refused = [each for each in ended if each["status"] == "RESOURCE_EXHAUSTED"]
        assert ended[0]["status"] == "OK" and 10 <= len(refused) < 30
        assert int(refused[0]["trailing"]["retry-after"]) >= 1 and "20 requests a minute" in refused[0]["message"]
    finally:
        server.stop()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_tls_is_that_of_https_and_its_certificate_may_be_replaced(workspace, images, expected, tmp_path):  # noqa: F811
    identity, later = Identity(tmp_path / "now"), Identity(tmp_path / "later")
    server = GrpcServer(workspace.workspace, "--model", "small", *identity.arguments(), trust=identity.certificate)
    try:
        seen = run_client("secure", server.address, "small", identity.certificate, images[0])
        assert seen == {"label": [expected[0]["prediction"]], "plain": "UNAVAILABLE"}
        shutil.copy(later.key, identity.key)
        shutil.copy(later.certificate, identity.certificate)
        for _ in range(10):
            client = start_client("secure", server.address, "small", later.certificate, images[0])
            output, _ = client.communicate(timeout=60)
            if client.returncode == 0:
                break
            time.sleep(0.5)
        assert json.loads(output) == seen
    finally:
        assert server.stop() == 0


def test_calls_that_are_in_are_answered_while_it_stops(workspace, images):  # noqa: F811
    server = GrpcServer(workspace.workspace, "--model", "small")
    clients = [start_client("load", server.address, "small", images[0], 20) for _ in range(2)]
    text = ""
    for _ in range(200):
        text = requests.get(server.url + "/metrics/prometheus", timeout=5).text
        if '"/inference.GRPCInferenceService/ModelInfer"' in text:
            break
        time.sleep(0.1)
    assert "ModelInfer" in text, "the clients came to nothing"
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=30) == 0
    ended = [result_of(client) for client in clients]
    assert sum(each.get("OK", 0) for each in ended) > 0
    assert all(set(each) <= {"OK", "UNAVAILABLE"} and each["UNAVAILABLE"] == 8 for each in ended), ended


def test_it_listens_only_when_and_where_it_may(workspace, tmp_path):  # noqa: F811
    fresh = Program(tmp_path / "fresh")
    refused = fresh.run("serve", "--port", "0", "--grpc-port", str(free_port()), "--listen", "0.0.0.0", check=False, timeout=30)
    assert refused.returncode == 1 and "asks for no key" in refused.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        busy = fresh.run("serve", "--port", "0", "--grpc-port", port, check=False, timeout=30)
    assert busy.returncode == 1 and "--grpc-port" in busy.stderr and busy.stderr.count("\n") == 1
