# SPDX-License-Identifier: Apache-2.0
"""Load on a server, every answer checked: wrk for as many requests as it takes, `imago bench` at a given rate, and the bare engine."""

import json
import re
import subprocess
import threading
import urllib.request

from common import ROOT

WRK_SCRIPT = ROOT / "bench" / "lua" / "post.lua"


def in_a_form(data):
    """As the wrk script has it."""
    head = b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="x.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    return "multipart/form-data; boundary=frontier", head + data + b"\r\n--frontier--\r\n"


def ask(service, target, form, file):
    """The answer to one request; of a list with one answer, that one."""
    media_type, body = in_a_form(file.read_bytes()) if form == "multipart" else ("application/json", file.read_bytes())
    request = urllib.request.Request(service.url + target, body, {"Content-Type": media_type})
    with urllib.request.urlopen(request, timeout=60) as answer:
        value = json.load(answer)
    return value[0] if isinstance(value, list) else value


def drive(service, target, form, files, needle, connections, seconds, tolerate=False):
    """One run of wrk. An end to everything when an answer is wrong; with `tolerate`, lost connections are only counted. No answer at all is no
    wrong one."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", WRK_SCRIPT, service.url]
    half_way = threading.Timer(seconds / 2, service.note_memory)
    half_way.start()
    done = subprocess.run([*command, "--", target, form, needle, *files], capture_output=True, text=True, timeout=seconds + 60)
    half_way.join()
    found = re.search(r"RESULT (.*)", done.stdout)
    if not found:
        raise SystemExit(f"wrk on {service.name}: {done.stdout}{done.stderr}")
    figures = json.loads(found[1])
    if figures["wrong"] or figures["socket_errors"] and not tolerate:
        raise SystemExit(f"wrong answers of {service.name}: {figures}\n{service.log.read_text()[-2000:]}")
    row = {"rps": figures["requests"] / figures["seconds"], "p50_ms": figures["p50_ms"], "p99_ms": figures["p99_ms"]}
    return {**row, "socket_errors": figures["socket_errors"]} if tolerate else row


def bench_url(program, service, folder, form, connections, seconds, rate=0.0):
    """`imago bench` on a server: at a rate whatever comes back, or without one as fast as answers come."""
    words = ["bench", service.url, "--images", folder, "--form", form, "--connections", connections, "--seconds", seconds]
    return program.json(*words, *(["--rate", f"{rate:.3f}"] if rate else []), limit=seconds + 60)


def bench_engine(program, model, folder, seconds):
    """`imago bench` on the engine alone: {batch: trial}, all of them on all cores."""
    trials = program.json("bench", model, "--images", folder, "--seconds", seconds, limit=seconds + 120)["trials"]
    most = max(trial["workers"] for trial in trials)
    return {trial["batch"]: trial for trial in trials if trial["workers"] == most}


def suggestion(program, model, folder, seconds):
    """The settings that `imago bench` suggests for a server of this model: {option: value}."""
    return program.json("bench", model, "--images", folder, "--seconds", seconds, limit=seconds + 120)["suggested"]
