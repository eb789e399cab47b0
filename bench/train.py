#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many images a second does training take in, augmentation on, and with how much memory, beside PyTorch and Keras?

    bench/train.py [--pairs 10] [--seconds 8] [--nets improved-cnn,...] [--peers "PyTorch eager,Keras"] [--batch-size N] [--program build]

Needs a workspace with CIFAR-10 and, for mobilenet-v2 (224 x 224, all layers learn), the cats and dogs photographs
(`imago data import cats-dogs`); and `scripts/setup bench`. One pair is: imago-trainer, then each peer, with the recipe's network,
augmentation, loss, optimiser and batch on the same packed images; float32, and bfloat16 for those that have it. What is measured is
the same for all (peers/window.py). PyTorch gets its images in the fastest of three ways, tried first: a DataLoader with 0 or 2 workers, or
whole batches changed at once. The networks are checked to have as many parameters as ours. A part of the results is a network on the widest
vectors of the processor, as a machine with AVX-512 is another world.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from common import ROOT, Program, machine, merge_result, spread

PEERS_FOLDER = ROOT / "bench" / "peers"
sys.path.append(str(PEERS_FOLDER))
from window import Window, peak_mib  # noqa: E402

PYTHON = ROOT / ".deps" / "bench" / "bin" / "python"
DATA = {"improved-cnn": "cifar10", "three-block-cnn": "cifar10", "resnet9": "cifar10", "airbench94": "cifar10", "mobilenet-v2": "cats-dogs"}
PEERS = {  # script, its settings, and which of ours it is held against
    "PyTorch eager": ("torch_train.py", {"compile": False, "bfloat16": False}, "imago"),
    "PyTorch compiled": ("torch_train.py", {"compile": True, "bfloat16": False}, "imago"),
    "Keras": ("keras_train.py", {}, "imago"),
    "PyTorch eager bfloat16": ("torch_train.py", {"compile": False, "bfloat16": True}, "imago bfloat16"),
    "PyTorch compiled bfloat16": ("torch_train.py", {"compile": True, "bfloat16": True}, "imago bfloat16"),
}
INPUTS = ("0", "2", "batch")
LIMIT = 900  # seconds, of one run


def output(command):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


def peer_output(script, *arguments):
    return json.loads(output([PYTHON, PEERS_FOLDER / script, *arguments]).splitlines()[-1])


def recipe_of(program, net, batch_size):
    recipe = program.json("recipes", "show", net)["recipe"]
    recipe["batch_size"] = batch_size or recipe["batch_size"]
    recipe.update(epochs=1000, max_minutes=0, early_stopping_patience=0)
    if net == "mobilenet-v2":  # torchvision's padding, and everything learns from the start
        recipe.update(freeze="none", architecture={**recipe["architecture"], "padding": "torch"})
        del recipe["pretrained"]
    return recipe


def ours(program, data, recipe, seconds):
    """From the trainer's own events, as long as it trains; validation between epochs is no training."""
    window = Window(seconds)
    epoch = parameters = event = None
    with program.training(data, recipe, LIMIT) as (pid, events):
        for event in events:
            if event["event"] == "start":
                parameters = event["parameters"]
            if event["event"] != "step":
                continue
            if epoch not in (None, event["epoch"]):
                window.skip(event["step"], event["elapsed"])
            epoch = event["epoch"]
            if window.note(event["step"], event["elapsed"]):
                return {"images_per_second": window.steps_per_second() * recipe["batch_size"], "peak_mib": peak_mib(pid), "parameters": parameters}
    raise SystemExit(f"imago-trainer ended before {seconds} s of {recipe['name']} were measured: {event}")


class Contest:
    """Everybody trains one network."""

    def __init__(self, options, program, net):
        self.options, self.program, self.net = options, program, net
        self.recipe = recipe_of(program, net, options.batch_size)
        self.data = program.json("data", "show", DATA[net])
        self.run_ours("imago", 0.1)  # packs the images if they are not
        side = self.recipe["preprocess"]["width"]
        self.images = next((program.workspace / "datasets" / "cache").glob(f"{self.data['version']}-train-{side}x{side}-*.npy"))
        self.input = None
        if any("PyTorch" in peer for peer in options.peers):
            self.input = max(INPUTS, key=lambda way: self.run_peer("PyTorch eager", min(options.seconds, 4), way)["images_per_second"])

    def run_ours(self, who, seconds):
        recipe = {**self.recipe, "precision": "bfloat16" if who == "imago bfloat16" else "float32"}
        return ours(self.program, DATA[self.net], recipe, seconds)

    def run_peer(self, who, seconds, way):
        script, settings, _ = PEERS[who]
        job = {"recipe": self.recipe, "images": str(self.images), "classes": len(self.data["labels"]), "seconds": seconds, "input": way, **settings}
        return peer_output(script, json.dumps(job))

    def pair(self):
        rows = {}
        for who in self.options.ours:
            rows[who] = self.run_ours(who, self.options.seconds)
        for who in self.options.peers:
            rows[who] = self.run_peer(who, self.options.seconds, self.input)
        counts = {row["parameters"] for row in rows.values()}
        if len(counts) != 1:
            raise SystemExit(f"{self.net} has not the same parameters everywhere: {counts}")
        print(f"{self.net}: " + ", ".join(f"{who} {row['images_per_second']:.1f} images/s {row['peak_mib']:.0f} MiB" for who, row in rows.items()),
              flush=True)
        return rows

    def measure(self):
        pairs = [self.pair() for _ in range(self.options.pairs)]
        rate = {who: [pair[who]["images_per_second"] for pair in pairs] for who in pairs[0]}
        against = {f"{PEERS[who][2]} / {who}": (PEERS[who][2], who) for who in self.options.peers}
        return {"batch_size": self.recipe["batch_size"], "image": [self.recipe["preprocess"]["width"]] * 2, "data": DATA[self.net],
                "parameters": pairs[0]["imago"]["parameters"], "pytorch_input": self.input,
                "images_per_second": {who: spread(values) for who, values in rate.items()},
                "ratio": {name: spread([a / b for a, b in zip(rate[mine], rate[other])]) for name, (mine, other) in against.items()},
                "peak_mib": {who: spread([pair[who]["peak_mib"] for pair in pairs]) for who in pairs[0]}}


def check_parameters(program, nets, peers):
    """Every network is ours at ten classes."""
    listed = {recipe["name"]: recipe["parameters"] for recipe in program.json("recipes", "list")}
    for script in {"keras_networks.py" if peer == "Keras" else "networks.py" for peer in peers}:
        counted = peer_output(script, *nets)
        wrong = {net: (listed[net], counted[net]) for net in nets if listed[net] != counted[net]}
        if wrong:
            raise SystemExit(f"{script}: other parameter counts than the recipes (ours, theirs): {wrong}")


def choice(allowed):
    def parse(text):
        wanted = text.split(",") if text else []
        if unknown := [name for name in wanted if name not in allowed]:
            raise argparse.ArgumentTypeError(f"no '{unknown[0]}'; there are {', '.join(allowed)}")
        return wanted
    return parse


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pairs", type=int, default=10)
    arguments.add_argument("--seconds", type=float, default=8)
    arguments.add_argument("--nets", type=choice(DATA), default=list(DATA))
    arguments.add_argument("--peers", type=choice(PEERS), default=list(PEERS))
    arguments.add_argument("--batch-size", type=int, help="images a step, for all, instead of the recipe's: a slow machine's steps are long")
    arguments.add_argument("--program", type=Path, default=ROOT / "build")
    arguments.add_argument("--workspace", type=Path, default=Path(os.environ.get("IMAGO_WORKSPACE", "workspace")))
    options = arguments.parse_args()
    program = Program(options.program, options.workspace)
    options.ours = ["imago", *(["imago bfloat16"] if not options.peers or any("bfloat16" in peer for peer in options.peers) else [])]
    check_parameters(program, options.nets, options.peers)
    packages = ("torch", "torchvision", "keras", "tensorflow_cpu")
    versions = json.loads(output([PYTHON, "-c", "import importlib.metadata as m, json, sys; "
                                                "print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))", *packages]))
    for net in options.nets:
        body = Contest(options, program, net).measure()
        merge_result("train", f"{net}, {machine()['vectors']}", {"peers": versions, "threads": os.cpu_count(), "seconds": options.seconds, **body})


if __name__ == "__main__":
    main()
