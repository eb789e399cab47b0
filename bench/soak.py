#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the server hold under what it cannot do, and while its models are swapped?

    bench/soak.py overload [--seconds 60] [--factor 4]      requests at 4 times what it can do
    bench/soak.py swaps [--swaps 1000]                      versions loaded, made the default and unloaded under load

Both need a workspace with a model, `swaps` one with two versions of it that do not always agree. Without --workspace, shapes are drawn; `overload` asks
the MobileNetV2 that ships about them, a network that a client on the same cores outruns, and `swaps` two small networks trained on them. `imago bench`
makes the load and checks every answer. Exit status 1 when something did not hold.
"""

import argparse
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from common import ROOT, Program, new_workspace, write_result


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`imago serve` on a workspace, ready."""

    def __init__(self, program, *arguments):
        self.program, self.url = program, f"http://127.0.0.1:{(port := free_port())}"
        command = [program.folder / "imago", "--workspace", program.workspace, "serve", "--port", str(port), *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while True:
            try:
                self.ask("/ready")
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.process.kill()
                    raise SystemExit("imago serve did not become ready")
                time.sleep(0.05)

    def ask(self, path, body=None):
        """GET, or POST of JSON; an error for any status but 200."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers={"Content-Type": "application/json"} if data else {})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def resident_mib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text()).group(1)) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def serving(program, *arguments):
    server = Server(program, *arguments)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


def bench(program, server, *arguments):
    """A running `imago bench`."""
    command = [program.folder / "imago", "--workspace", program.workspace, "--json", "bench", server.url, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def measured(process, limit):
    """What it measured: JSON comes before what it says of failures, which is what is asked about here."""
    out, err = process.communicate(timeout=limit)
    try:
        return json.JSONDecoder().raw_decode(out)[0]
    except json.JSONDecodeError:
        raise SystemExit(f"imago bench: {out}{err}") from None


class Watch(threading.Thread):
    """The server's resident memory, twice a second."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.mib, self.over = server, [], threading.Event()

    def run(self):
        while not self.over.wait(0.5):
            self.mib.append(self.server.resident_mib())

    def end(self):
        self.over.set()
        self.join()
        return self.mib


def growth(mib):
    """From the median of the second third, when all buffers are there, to that of the last."""
    third = max(1, len(mib) // 3)
    return statistics.median(mib[-third:]) - statistics.median(mib[-2 * third:-third] or mib)


def overload(program, options):
    queue = ["--max-queue", options.max_queue]
    images = ["--images", options.images] if options.images else []
    with serving(program, "--model", options.model, *queue) as server:
        run = lambda *more: measured(bench(program, server, *images, *more), options.seconds + 120)  # noqa: E731
        calm = run("--connections", 16, "--seconds", max(1, options.seconds / 10))
        rate = options.factor * calm["answers_per_second"]
        watch = Watch(server)
        watch.start()
        # A connection for each that may wait, and enough for those that are on their way to be refused.
        connections = options.max_queue + 448
        flood = run("--rate", rate, "--connections", connections, "--seconds", options.seconds)
        memory = watch.end()
        after = run("--connections", 1, "--seconds", 1)
        again = run("--connections", 16, "--seconds", max(1, options.seconds / 10))
        status = server.stop()
    # Each connection has a request on its way, none costs more than an inference, and the client on the same cores may take two thirds of them. Counted
    # from the sending on: a client that cannot send as fast is late itself.
    bound_ms = 3000 * connections / calm["answers_per_second"]
    checks = {
        "every answer was right or a 503": set(flood["statuses"]) <= {"200", "503"} and flood["wrong"] == 0,
        "what was too much was refused": flood["statuses"].get("503", 0) > 0 and flood["unsent"] == 0,
        "the 99th percentile of the admitted is bounded": flood["since_sent_ms"]["p99"] <= bound_ms,
        "it went on computing": flood["answers_per_second"] >= 0.33 * calm["answers_per_second"],
        "memory is flat": growth(memory) < 16,
        "it recovers at once": after["failed"] == 0 and again["failed"] == 0 and again["answers_per_second"] >= 0.5 * calm["answers_per_second"],
        "it stops when told": status == 0,
    }
    return {"question": f"{options.factor:g} times what the server can do, for {options.seconds:g} s", "model": options.model,
            "max_queue": options.max_queue, "asked_per_second": rate, "admitted_p99_ms": flood["since_sent_ms"]["p99"], "bound_ms": bound_ms,
            "before": calm, "overload": flood, "alone_after": after, "after": again,
            "resident_mib": {"first": memory[0], "median": statistics.median(memory), "max": max(memory), "growth": growth(memory)},
            "checks": checks}


def swap(server, name, to, away):
    server.ask(f"/v1/models/{name}/load", {"version": to})
    server.ask(f"/v1/models/{name}/default", {"version": to})
    server.ask(f"/v1/models/{name}/unload", {"version": away})


def swaps(program, options):
    first, second = options.versions
    images = ["--images", options.images] if options.images else []
    with serving(program, "--model", f"{options.model}@{first}") as server:
        against = [word for version in (first, second) for word in ("--against", f"{options.model}:{version}")]
        load = bench(program, server, *images, *against, "--connections", options.connections, "--seconds", 86_400)
        watch, seconds = Watch(server), []
        watch.start()
        try:
            while server.ask("/status")["requests"]["predictions"] < 100:
                if load.poll() is not None:
                    raise SystemExit(f"imago bench: {load.communicate()}")
                time.sleep(0.05)
            for i in range(options.swaps):
                begun = time.monotonic()
                swap(server, options.model, *((second, first) if i % 2 == 0 else (first, second)))
                seconds.append(time.monotonic() - begun)
        finally:
            load.send_signal(signal.SIGINT)
        answers = measured(load, 60)
        memory = watch.end()
        by_version = {str(row["version"]): row["predictions"] for row in server.ask("/v1/stats")["models"]}
        status = server.stop()
    checks = {
        "no request failed": answers["failed"] == 0 and answers["unsent"] == 0,
        "no answer was mixed": answers["wrong"] == 0 and answers["right"] > options.swaps,
        "both versions answered": min(by_version.get(str(version), 0) for version in (first, second)) > 0,
        "memory is flat": growth(memory) < 32,
        "it stops when told": status == 0,
    }
    return {"question": f"{options.swaps} hot swaps under load: does a request fail, does an answer mix versions?", "model": options.model,
            "versions": [first, second], "predictions_by_version": by_version, "answers": answers,
            "seconds_a_swap": {"median": statistics.median(seconds), "max": max(seconds), "sum": sum(seconds)},
            "resident_mib": {"first": memory[0], "median": statistics.median(memory), "max": max(memory), "growth": growth(memory)},
            "checks": checks}


@contextmanager
def workspace(options):
    """The one that is named, or one with what is asked about as model "soak"."""
    if options.workspace:
        yield Program(options.program, options.workspace)
        return
    with new_workspace(options.program) as program:
        program.json("data", "import", "shapes", "--name", "shapes")
        if options.what == "overload":
            program.json("models", "import", ROOT / "models" / "cats-dogs.tar", "--name", "soak")
        else:
            for seed in (1, 2):
                program.json("train", "--data", "shapes", "--recipe", "improved-cnn", "--epochs", 1, "--model", "soak", "--seed", seed)
        options.model, options.images, options.versions = "soak", "shapes:test", (1, 2)
        yield program


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["overload", "swaps"])
    parser.add_argument("--program", default=str(ROOT / "build"), help="folder of imago and imago-trainer")
    parser.add_argument("--workspace", default=os.environ.get("IMAGO_SOAK_WORKSPACE"))
    parser.add_argument("--model", default="soak")
    parser.add_argument("--images", help="a folder, or a split as cifar10:test; else they are drawn")
    parser.add_argument("--seconds", type=float, default=60, help="of overload")
    parser.add_argument("--factor", type=float, default=4, help="how many times what it can do")
    parser.add_argument("--max-queue", type=int, default=64)
    parser.add_argument("--swaps", type=int, default=1000)
    parser.add_argument("--versions", type=int, nargs=2, default=(1, 2))
    parser.add_argument("--connections", type=int, default=8, help="of swaps")
    options = parser.parse_args()
    with workspace(options) as program:
        result = (overload if options.what == "overload" else swaps)(program, options)
    write_result(f"soak_{options.what}", result)
    failed = [check for check, held in result["checks"].items() if not held]
    raise SystemExit("did not hold: " + "; ".join(failed) if failed else 0)


if __name__ == "__main__":
    main()
