#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many requests a second does `imago serve` answer, and how fast, beside other servers and beside the bare engine?

    bench/serve.py [--only improved-cnn,json,mobilenet-v2,gap-cnn,starts,clients] [--pairs 10] [--seconds 3] [--workspace FOLDER]

Needs the targets imago and imago-trainer, the shipped model cats-dogs, FOLDER/cifar-10-images.tar.zst and cats-dogs.tar of --data (default:
$IMAGO_DATA, else ../shared/data) and `scripts/setup bench`. A --workspace keeps the models for the next time; without it there is one for the run.

improved-cnn    a 32 x 32 JPEG, 32 connections, beside FastAPI, LitServe and BentoML with PyTorch, OpenVINO or ONNX Runtime inside
json            the same as 3,072 numbers, beside FastAPI + PyTorch
mobilenet-v2    a 224 x 224 JPEG, 16 connections, beside the same six
gap-cnn         a 224 x 224 JPEG to S3's network, 16 connections, beside S3's service
starts          from start to ready, and the memory then
clients         1, 100, 1,000 and 5,000 connections

Server and load generator share this machine's cores; servers that are not measured are stopped meanwhile. Each peer is tried with the settings that
its documentation suggests (serving/peers.py), the fastest is compared. One pair is ours and then theirs, --seconds each, by wrk, which reads
every answer; before, each answers the pictures one by one with the same class and confidence. Ours is tried as it is and with what `imago
bench MODEL` suggests. After a round of pairs comes the bare engine (`imago
bench MODEL`: decode, preprocess and infer in a loop, no HTTP) and then `imago bench URL` at 70 % of what it found our capacity to be, requests
being sent when they are due. Memory is of all processes of a server: what each has for itself, and the largest one's mapped files.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from common import ROOT, Program, merge_result
from serving import ourselves, prepare
from serving.sections import WORKS, Bench, compare

SECTIONS = {**{name: (lambda bench, name=name: compare(bench, name), work.expected_seconds) for name, work in WORKS.items()},
            "starts": (ourselves.starts, ourselves.starts_take), "clients": (ourselves.clients, ourselves.clients_take)}
RESULT = "serving"


def summary(name, result):
    if "peers" not in result:
        return
    engine, steady = result["bare_engine"], result["open_loop"]
    print(f"{name}: {result['imago']['rps']['median']:.1f} req/s, {100 * engine['our_share_of_the_fastest']['median']:.0f} % of the bare engine; at "
          f"{steady['rate']:.0f} req/s p99 {steady['latency_ms']['p99']['median']:.2f} ms, {steady['p99_to_bare_p99']['median']:.1f} x the bare "
          f"engine's; {result['imago']['memory_mib']['under load']} MiB")
    for peer, row in result["peers"].items():
        ratio = row["ratio"]
        print(f"  {peer}: {row['rps']['median']:.1f} req/s, ratio {ratio['median']:.1f} ({ratio['min']:.1f} to {ratio['max']:.1f}), "
              f"{row['memory_mib']['under load']} MiB", flush=True)


def parse():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", default=",".join(SECTIONS), help="sections, separated by commas")
    arguments.add_argument("--pairs", type=int, default=10)
    arguments.add_argument("--seconds", type=int, default=3, help="of each run of a pair")
    arguments.add_argument("--program", default=ROOT / "build", help="folder of imago and imago-trainer")
    arguments.add_argument("--data", default=os.environ.get("IMAGO_DATA", ROOT.parent / "shared" / "data"))
    arguments.add_argument("--workspace", help="keeps what was prepared")
    options = arguments.parse_args()
    unknown = set(options.only.split(",")) - set(SECTIONS)
    if unknown:
        arguments.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    return options


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that the servers end too
    chosen = [name for name in SECTIONS if name in options.only.split(",")]
    expected = {name: SECTIONS[name][1](options.pairs, options.seconds) for name in chosen}
    parts = ", ".join(f"{name} {seconds / 60:.1f}" for name, seconds in expected.items())
    print(f"expected: {sum(expected.values()) / 60:.0f} minutes ({parts}), models to prepare not counted", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        program = Program(options.program, options.workspace or Path(folder) / "workspace")
        prepare.prepare(program, options.data)
        bench = Bench(program, Path(folder), options.pairs, options.seconds)
        for name in chosen:
            started = time.monotonic()
            result = SECTIONS[name][0](bench)
            summary(name, result)
            merge_result(RESULT, name, {**result, "load": f"wrk, 1 thread, {options.seconds} s a run, on the same cores", "pairs": options.pairs,
                                        "load_average": round(os.getloadavg()[0], 1), "took_seconds": round(time.monotonic() - started)})


if __name__ == "__main__":
    main()
