# SPDX-License-Identifier: Apache-2.0
"""Everything that a server does, at the same time, on one that was built with sanitizers: it must answer, and they must find nothing.

    mixed_load.py BUILD [--minutes M] [--no-grpc] [--output FILE]      BUILD: the folder of the sanitized imago; scripts/sanitize serve

The workspace is made, and the keys, by the usual build; trainings run its imago-trainer.
"""

import argparse
import base64
import collections
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path += [str(ROOT / "tests" / "fuzz"), str(ROOT / "bench")]
import against_server  # noqa: E402
import common  # noqa: E402
import request_seeds  # noqa: E402

SANITIZERS = ROOT / "tests" / "sanitizers"
OPENVINO = ROOT / ".deps" / "openvino" / "openvino" / "libs"
MODEL, OTHER = request_seeds.MODEL, request_seeds.OTHER
FINE = {200, 202, 304}
REFUSED = {400, 401, 403, 404, 405, 409, 413, 415}
BUSY = {503}  # a training, or a model that is being loaded, has the machine


def environment(reports):
    """What the sanitizers are told. Their reports go to files of their own: `reports`.PID."""
    return {
        # TBB opens its libraries in a way (RTLD_DEEPBIND) that sanitizers refuse, unless it is told of them.
        "TBB_ENABLE_SANITIZERS": "1",
        "ASAN_OPTIONS": f"detect_leaks=1:strict_string_checks=1:log_path={reports}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:log_path={reports}",
        "LSAN_OPTIONS": f"suppressions={SANITIZERS}/lsan.txt:print_suppressions=0",
        "TSAN_OPTIONS": f"halt_on_error=0:second_deadlock_stack=1:suppressions={SANITIZERS}/tsan.txt:print_suppressions=0:log_path={reports}",
    }


class Load:
    """Threads that each do one thing again and again until they are told to stop."""

    def __init__(self, port, grpc_port, key, workspace, folder):
        self.url, self.port, self.grpc_port, self.key, self.workspace, self.folder = f"http://127.0.0.1:{port}", port, grpc_port, key, workspace, folder
        self.image, self.images = request_seeds.png(200, 40, 40), request_seeds.pictures()
        self.counts = collections.defaultdict(collections.Counter)  # by thread, then by status
        self.faults = []
        self.stop = threading.Event()

    def ask(self, session, method, path, allowed=FINE | BUSY, **options):
        """Status and body. Whatever is not in `allowed` is a fault."""
        options.setdefault("headers", {}).setdefault("X-API-Key", self.key)
        answer = session.request(method, self.url + path, timeout=120, **options)
        self.counts[threading.current_thread().name][answer.status_code] += 1
        if answer.status_code not in allowed:
            self.faults.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer

    def predicts(self, session):
        for image in self.images:
            self.ask(session, "POST", "/predict", allowed=FINE | BUSY | {400}, files={"file": ("a.png", image)})
        self.ask(session, "POST", "/predict", json={"image": [i % 256 for i in range(3072)]})
        self.ask(session, "POST", f"/v1/models/{MODEL}/predict", json={"image": base64.b64encode(self.image).decode()})
        many = self.ask(session, "POST", "/v1/predict/many", files=[("files", ("a.png", image)) for image in self.images[:8] + [b"no image"]]).json()
        self.ask(session, "POST", "/v1/feedback", allowed=FINE | {201}, json={"request_id": many["request_id"], "index": 1, "label": "red"})
        self.ask(session, "POST", "/predict?details=energy", data=self.image, headers={"Content-Type": "image/png"})

    def infers(self, session):
        """Many images at once, as JSON; and raw bytes with a deadline that may pass."""
        encoded = base64.b64encode(self.image).decode()
        tensor = {"name": "image", "datatype": "BYTES", "shape": [16], "data": [encoded] * 16}
        self.ask(session, "POST", f"/v2/models/{MODEL}/infer", json={"inputs": [tensor]})
        pixels = {"name": "pixels", "datatype": "UINT8", "shape": [1, 2, 2, 3], "data": list(range(12))}
        self.ask(session, "POST", f"/v2/models/{MODEL}/infer", json={"inputs": [pixels], "parameters": {"binary_data_output": True}})
        for late in ("1", "1000"):
            headers = {"Inference-Header-Content-Length": "0", "X-Request-Timeout-Ms": late, "X-Request-Priority": "low"}
            self.ask(session, "POST", f"/v2/models/{MODEL}/infer", allowed=FINE | BUSY | {504}, data=self.image, headers=headers)

    def looks(self, session):
        """What a dashboard and Prometheus ask for."""
        pages = ["/", "/metrics", "/metrics/prometheus", "/status", "/v1/stats", "/v1/models", "/v1/jobs", "/v1/runs", "/v1/uploads", "/v1/datasets",
                 f"/v1/datasets/{request_seeds.DATASET}/samples?limit=5", "/v1/feedback", "/v1/audit?limit=5", "/training-status", "/v2/models/stats", "/openapi.json", "/docs", "/ready"]
        for page in pages:
            self.ask(session, "GET", page, headers={"Accept": "text/html" if page == "/" else "*/*"})
        time.sleep(0.2)

    def follows(self, session):
        """Server-sent events, read for a moment."""
        with session.get(self.url + "/v1/jobs/events", headers={"X-API-Key": self.key}, stream=True, timeout=120) as answer:
            self.counts["follows"][answer.status_code] += 1
            next(answer.iter_content(64))
        time.sleep(0.05)

    def swaps(self, session):
        """The champion changes under load; versions come and go; a model is taken away and comes back."""
        for version in (2, 1):
            self.ask(session, "POST", f"/v1/models/{OTHER}/promote", json={"version": version})
            self.ask(session, "POST", f"/v1/models/{OTHER}/load", allowed=FINE | BUSY | REFUSED, json={"version": version})
            self.ask(session, "POST", f"/v1/models/{OTHER}/predict", allowed=FINE | BUSY | {404}, data=self.image, headers={"Content-Type": "image/png"})
            self.ask(session, "POST", f"/v1/models/{OTHER}/default", allowed=FINE | BUSY | REFUSED, json={"version": version})
        self.ask(session, "POST", f"/v1/models/{MODEL}/default", allowed=FINE | BUSY)
        self.ask(session, "POST", f"/v2/repository/models/{OTHER}/unload", allowed=FINE | BUSY | REFUSED)
        self.ask(session, "POST", f"/v2/repository/models/{OTHER}/load", allowed=FINE | BUSY | REFUSED)

    def uploads(self, session):
        """Images come, get a label, and are taken back, if no retraining was faster."""
        still = FINE | {404}
        files = [("files", (f"red/{i}.png", request_seeds.png(200 + i, 40, 40))) for i in range(5)]
        ids = self.ask(session, "POST", "/upload-data", files=files).json().get("files", [])
        for number, id in enumerate(ids):
            self.ask(session, "PATCH", f"/v1/uploads/{id}", allowed=still, json={"label": ["blue", None][number % 2]})
            self.ask(session, "DELETE", f"/v1/uploads/{id}", allowed=still)
        for archive in request_seeds.archives():
            ids = self.ask(session, "POST", "/v1/uploads?name=a.zip&label=red", data=archive).json().get("files", [])
            for id in ids:
                self.ask(session, "DELETE", f"/v1/uploads/{id}", allowed=still)

    def trains(self, session):
        """A training that is stopped, a retraining that is not, and an explanation."""
        started = self.ask(session, "POST", "/train", json={"recipe": "quick", "epochs": 50, "model": "spare"}).json()
        time.sleep(2)
        self.ask(session, "POST", "/train/stop", allowed=FINE | {409}, json={"job_id": started.get("job_id", "")})
        self.ask(session, "POST", "/v1/explain", allowed=FINE | BUSY | {504}, files={"file": ("a.png", self.image)})
        self.ask(session, "POST", "/retrain", files={"file": ("red/new.png", request_seeds.png(time.time_ns() % 255, 40, 90))}, data={"epochs": "1"})
        time.sleep(3)

    def strangers(self, session):
        """No key, a wrong one, one that is revoked meanwhile."""
        self.ask(session, "POST", "/train", allowed={401}, headers={"X-API-Key": ""})
        self.ask(session, "GET", "/v1/runs", allowed={401}, headers={"Authorization": "Bearer nobody's", "X-API-Key": ""})
        made = command(self.workspace, "keys", "create", "--name", "passing", "--scopes", "predict")
        for _ in range(20):
            self.ask(session, "POST", "/predict", allowed=FINE | BUSY | {401}, data=self.image, headers={"X-API-Key": made["key"], "Content-Type": "image/png"})
        command(self.workspace, "keys", "revoke", made["id"])
        time.sleep(0.5)

    def leaves(self, session):
        """Clients that go away before the answer, or in the middle of what they send."""
        head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {self.key}\r\nContent-Type: image/png\r\nContent-Length: {len(self.image)}\r\n\r\n".encode()
        for length in (1, len(head) // 2, len(head), len(head) + 100, len(head) + len(self.image)):
            with socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
                client.sendall((head + self.image)[:length])
        time.sleep(0.02)

    def calls(self, session):
        """The same questions over gRPC; calls without a key, too late, given up."""
        image = self.folder / "image.png"
        image.write_bytes(self.image)
        client = [ROOT / ".deps" / "triton" / "bin" / "python", SANITIZERS / "grpc_load.py", f"127.0.0.1:{self.grpc_port}", self.key, MODEL, image]
        with subprocess.Popen(list(map(str, client)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            self.stop.wait()
            ended = json.loads(process.communicate(timeout=180)[0])
        self.counts["calls"].update(ended)
        strange = set(ended) - {"OK"} - {f"StatusCode.{name}" for name in ("INVALID_ARGUMENT", "UNAUTHENTICATED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "CANCELLED")}
        if strange or "OK" not in ended:
            self.faults.append(f"calls over gRPC ended as {ended}")

    def fuzzes(self, session):
        """What scripts/fuzz sends, with the key."""
        seed = next(self.seeds)
        client = [ROOT / "build" / "tests" / "fuzz_requests", self.port, self.folder / "seeds", 2000, seed, 8]
        done = subprocess.run(list(map(str, client)), capture_output=True, text=True, timeout=1200, stdin=subprocess.DEVNULL)
        report = json.loads(done.stdout)
        self.counts["fuzzes"].update({int(status): count for status, count in report["answers"].items()})
        self.faults += [f"fuzz_requests, seed {seed}: {fault}" for fault in report["faults"]]

    seeds = itertools.count(1)

    def repeat(self, act):
        with requests.Session() as session:
            while not self.stop.is_set():
                try:
                    act(session)
                except (requests.RequestException, OSError, ValueError, KeyError, AssertionError, StopIteration, subprocess.SubprocessError) as error:
                    if not self.stop.is_set():
                        self.faults.append(f"{act.__name__}: {error!r}")
                        return

    def run(self, seconds, process):
        acts = [self.predicts, self.predicts, self.infers, self.looks, self.follows, self.swaps, self.uploads, self.trains, self.strangers, self.leaves, self.fuzzes]
        acts += [self.calls] if self.grpc_port else []
        threads = [threading.Thread(target=self.repeat, args=(act,), name=act.__name__) for act in acts]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and process.poll() is None and any(thread.is_alive() for thread in threads):
            time.sleep(0.5)
        self.stop.set()
        for thread in threads:
            thread.join()


def command(workspace, *arguments):
    done = subprocess.run([ROOT / "build" / "imago", "--workspace", workspace, "--json", *arguments], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run(build, minutes, grpc, keep):
    with tempfile.TemporaryDirectory(prefix="sanitized-") as name:
        folder = Path(name)
        workspace = against_server.prepare(folder)
        key = command(workspace, "keys", "create", "--name", "load", "--scopes", "admin")["key"]
        against_server.add_header(folder / "seeds", f"X-API-Key: {key}")
        grpc_port = against_server.free_port() if grpc else None
        options = ["--grpc-port", str(grpc_port)] if grpc else []
        process, port = against_server.start(build, folder, workspace, environment(folder / "report"), *options, trainer=ROOT / "build" / "imago-trainer")
        watch = against_server.Watch(process)
        load = Load(port, grpc_port, key, workspace, folder)
        try:
            load.run(minutes * 60, process)
            memory = watch.stop()
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=180)
        finally:
            watch.stop()
            process.kill()
            process.wait()
        reports = [path.read_text(errors="replace") for path in sorted(folder.glob("report.*"))]
        keep.mkdir(parents=True, exist_ok=True)
        (keep / "reports.txt").write_text("\n".join(reports))
        (keep / "server.txt").write_bytes((folder / "server.txt").read_bytes())
    if status != 0:
        load.faults.append(f"the server ended with {status}")
    answers = sum(load.counts.values(), collections.Counter())
    return {"minutes": minutes, "answers": dict(sorted((str(status), count) for status, count in answers.items())),
            "requests": {name: sum(counts.values()) for name, counts in sorted(load.counts.items())}, "server_mib": memory,
            "sanitizer_reports": sum(text.count("WARNING: ") + text.count("ERROR: ") + text.count("runtime error: ") for text in reports), "faults": load.faults[:20]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--no-grpc", action="store_true", help="leave the calls over gRPC out")
    parser.add_argument("--output", type=Path, help="JSON in which this build's part is replaced")
    options = parser.parse_args()
    result = run(options.build.resolve(), options.minutes, not options.no_grpc, options.build.resolve() / "mixed_load")
    print(json.dumps(result, indent=2))
    if options.output:
        parts = json.loads(options.output.read_text()) if options.output.exists() else {}
        common.write(options.output, {**parts, options.build.name: {"command": f"scripts/sanitize serve {options.build.name} --minutes {options.minutes:g}", "date": time.strftime("%Y-%m-%d"),
                                                                    "commit": common.commit(), "machine": common.machine(), **result}})
    clean = not result["faults"] and result["sanitizer_reports"] == 0
    print(f"{options.build.name}: {'clean' if clean else 'NOT clean, see ' + str(options.build / 'mixed_load')}")
    sys.exit(0 if clean else 1)


if __name__ == "__main__":
    main()
