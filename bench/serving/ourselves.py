# SPDX-License-Identifier: Apache-2.0
"""What is asked of our server alone: how soon it is ready, and how many clients it bears."""

import resource

from common import spread
from serving.load import drive
from serving.peers import start_ours
from serving.prepare import MODELS

CLIENTS = (1, 100, 1000, 5000)
NEEDLE = '"prediction":%s*"{}"'
FILES_FOR_EACH = 2  # open files, with some to spare


def starts(bench):
    """From the process's start to the first 200 of /ready, and what it has taken by then."""
    figures = {}
    for model in MODELS:
        seconds, memory = [], []
        for _ in range(bench.pairs):
            with start_ours(bench.program, model, bench.folder) as service:
                seconds.append(service.start_seconds)
                memory.append(service.idle_mib)
        figures[model] = {"start_to_ready_seconds": spread(seconds), "idle_mib": spread(memory)}
        print(f"{model}: ready after {figures[model]['start_to_ready_seconds']['median']:.3f} s", flush=True)
    return {"question": "how soon is the server ready, and what does it hold then?", "models": figures}


def starts_take(pairs, seconds):
    return pairs * len(MODELS) * 0.6


def allow_files(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if wanted < count:
        raise SystemExit(f"{count} open files are needed, {hard} allowed: raise `ulimit -Hn`")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def clients(bench):
    """The same load by one to thousands of connections, in turn, each when the server has worked off what thousands of the last left to it. The queue
    has room for all of them: else the rest gets its 503 at once."""
    allow_files(FILES_FOR_EACH * max(CLIENTS))
    rows = {count: [] for count in CLIENTS}
    with start_ours(bench.program, "improved-cnn", bench.folder, {"max-queue": 2 * max(CLIENTS)}) as service:
        label, _, files = bench.pictures(service, "improved-cnn", "multipart")
        for pair in range(bench.pairs + 1):
            for count in CLIENTS:
                service.settle()
                row = drive(service, "/predict", "multipart", files, NEEDLE.format(label), count, bench.seconds if pair else 1, tolerate=True)
                if pair:
                    rows[count].append(row)
        memory = service.memory()
    figures = {count: {key: spread([row[key] for row in its]) for key in its[0]} for count, its in rows.items()}
    to_100 = {count: spread([row["rps"] / base["rps"] for row, base in zip(rows[count], rows[100])]) for count in CLIENTS}
    for count in CLIENTS:
        print(f"{count} connections: {figures[count]['rps']['median']:.0f} req/s, p99 {figures[count]['p99_ms']['median']:.1f} ms, "
              f"{figures[count]['socket_errors']['max']} lost", flush=True)
    return {"question": "does throughput hold with the number of clients?", "model": "improved-cnn",
            "max_queue": 2 * max(CLIENTS), "connections": figures,
            "throughput_to_that_of_100": to_100, "memory_mib": memory}


def clients_take(pairs, seconds):
    return len(CLIENTS) * (pairs * (seconds + 0.6) + 1) * 1.1
