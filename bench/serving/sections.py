# SPDX-License-Identifier: Apache-2.0
"""A work beside its peers: pairs of ours and theirs, then the bare engine, then a rate that we can bear; and that again."""

import statistics
from contextlib import ExitStack
from dataclasses import dataclass, field

from common import spread
from serving import prepare
from serving.load import ask, bench_engine, bench_url, drive, suggestion
from serving.peers import FRAMEWORKS, SETTINGS, Peer, start_ours
from serving.processes import Service

SHARE_OF_CAPACITY = 0.7
TOLERATED_CONFIDENCE = 0.02  # between decoders and engines


@dataclass
class Work:
    question: str
    model: str
    connections: int
    peers: list
    form: str = "multipart"
    peer_target: str = "/predict"
    needle: str = '"prediction":%s*"{}"'

    def expected_seconds(self, pairs, seconds):
        """Starts, trials of settings, pairs; roughly."""
        trials = 2 + sum(len(SETTINGS[framework]) for framework, _ in self.peers)
        return 2 * seconds + trials * (7 + seconds) + (pairs * seconds + 1) * (2 * len(self.peers) + 2) * 1.1


WORKS = {
    "improved-cnn": Work("a 32 x 32 JPEG as a form to S2's network", "improved-cnn", 32, FRAMEWORKS),
    "json": Work("the same image as a JSON array of 3,072 numbers", "improved-cnn", 32, FRAMEWORKS[:1], "json", "/predict_json"),
    "mobilenet-v2": Work("a 224 x 224 JPEG as a form to MobileNetV2", "mobilenet-v2", 16, FRAMEWORKS),
    "gap-cnn": Work("a 224 x 224 JPEG as a form to S3's network, beside its own service", "gap-cnn", 16, [("S3's service", "PyTorch")],
                    needle='"predicted_label":%s*"{}"'),
}


@dataclass
class Bench:
    """What all sections share."""
    program: object
    folder: object  # for pictures and logs
    pairs: int
    seconds: float

    def pictures(self, service, model, form):
        """The class, a folder and the files to send: of one class, as `service` says, so that every answer to a load can be checked."""
        folder = self.folder / model
        if not folder.exists():
            prepare.photographs(self.program, model, folder)
        answers = {file.stem: ask(service, "/predict", "multipart", file)["predicted_label"]
                   for file in sorted(folder.glob("*.jpg"), key=lambda path: int(path.stem))}
        return prepare.of_one_class(folder, answers, form)


@dataclass
class Side:
    """Of a pair."""
    service: Service
    target: str
    setting: dict
    rate: float = 0.0  # when it was tried
    rows: list = field(default_factory=list)

    def figures(self):
        return {key: spread([row[key] for row in self.rows]) for key in self.rows[0]}


class Comparison:
    """Everything started goes on `stack`, which ends it."""

    def __init__(self, bench, work, stack):
        self.bench, self.work, self.stack, self.ours = bench, work, stack, None
        self.package = prepare.package_of(bench.program, work.model)
        with start_ours(bench.program, work.model, bench.folder) as service:
            self.label, self.folder, self.files = bench.pictures(service, work.model, work.form)
        self.peers = [Peer(*peer) for peer in work.peers]
        self.tried, self.ratios = {}, {peer.name: [] for peer in self.peers}
        self.engine, self.open_loop = [], []

    def load(self, side, seconds):
        side.service.resume()
        row = drive(side.service, side.target, self.work.form, self.files, self.work.needle.format(self.label), self.work.connections, seconds)
        side.service.pause()
        return row

    def check_answers(self, side):
        """One by one: the class and the confidence that ours has."""
        self.ours.service.resume()
        for file in self.files:
            a, b = ask(self.ours.service, "/predict", self.work.form, file), ask(side.service, side.target, self.work.form, file)
            key = "confidence" if "confidence" in b else "probability_dog"
            if b.get("prediction", b.get("predicted_label")) != self.label or abs(a[key] - b[key]) > TOLERATED_CONFIDENCE:
                raise SystemExit(f"not the same network: imago {a}, {side.service.name} {b}")
        self.ours.service.pause()

    def fastest(self, name, settings, start, target):
        """Each of the settings for once; the fastest goes on running."""
        best, self.tried[name] = None, []
        for setting in settings:
            side = Side(self.stack.enter_context(start(setting)), target, setting)
            if self.ours:
                self.check_answers(side)
            self.load(side, 1)
            side.rate = self.load(side, self.bench.seconds)["rps"]
            self.tried[name].append({**setting, "rps": round(side.rate, 1)})
            print(f"  {name} {setting or 'as it is'}: {side.rate:.1f} req/s", flush=True)
            if best is None or side.rate > best.rate:
                best, side = side, best
            if side:  # the slower one
                side.service.stop()
        return best

    def fastest_of_ours(self):
        """As it is, or with what `imago bench MODEL` suggests."""
        program, model = self.bench.program, self.work.model
        suggested = suggestion(program, model, self.folder, 2 * self.bench.seconds)
        return self.fastest("imago", [{}, suggested], lambda setting: start_ours(program, model, self.bench.folder, setting), "/predict")

    def fastest_of(self, peer):
        return self.fastest(peer.name, SETTINGS[peer.framework], lambda setting: peer.start(self.package, setting, self.bench.folder),
                            self.work.peer_target)

    def round(self, sides, capacity, seconds, count):
        rates = []
        for peer, side in zip(self.peers, sides):
            a, b = self.load(self.ours, seconds), self.load(side, seconds)
            rates.append(a["rps"])
            if count:
                if not b["rps"]:
                    raise SystemExit(f"{peer.name} answered nothing in {seconds} s: give it longer with --seconds")
                self.ours.rows.append(a)
                side.rows.append(b)
                self.ratios[peer.name].append(a["rps"] / b["rps"])
        engine = bench_engine(self.bench.program, self.work.model, self.folder, seconds)
        self.ours.service.resume()
        steady = bench_url(self.bench.program, self.ours.service, self.folder, self.work.form, self.work.connections, seconds,
                           SHARE_OF_CAPACITY * capacity)
        self.ours.service.pause()
        if count:
            self.engine.append({**engine, "ours": statistics.median(rates)})
            self.open_loop.append(steady)

    def run(self):
        self.ours = self.fastest_of_ours()
        sides = [self.fastest_of(peer) for peer in self.peers]
        self.ours.service.resume()
        capacity = bench_url(self.bench.program, self.ours.service, self.folder, self.work.form, self.work.connections, self.bench.seconds)
        self.round(sides, capacity["answers_per_second"], 1, False)
        for _ in range(self.bench.pairs):
            self.round(sides, capacity["answers_per_second"], self.bench.seconds, True)
        return {"question": self.work.question, "model": self.work.model, "connections": self.work.connections, "peer_versions": prepare.versions(),
                "imago": {**self.ours.figures(), "setting": self.ours.setting, "tried": self.tried["imago"], "memory_mib": self.ours.service.memory(),
                          "start_seconds": self.ours.service.start_seconds},
                "peers": {peer.name: self.of_peer(peer, side) for peer, side in zip(self.peers, sides)},
                "bare_engine": self.of_engine(), "open_loop": self.of_open_loop(capacity)}

    def of_peer(self, peer, side):
        return {"ratio": spread(self.ratios[peer.name]), **side.figures(), "setting": side.setting, "tried": self.tried[peer.name],
                "memory_mib": side.service.memory(), "start_seconds": spread(peer.started)}

    def of_engine(self):
        """Each batch on all cores; the share is of the batch that is fastest over all rounds."""
        batches = [key for key in self.engine[0] if key != "ours"]
        rates = {batch: spread([row[batch]["images_per_second"] for row in self.engine]) for batch in batches}
        best = max(batches, key=lambda batch: rates[batch]["median"])
        share = {batch: spread([row["ours"] / row[batch]["images_per_second"] for row in self.engine]) for batch in (1, best)}
        return {"images_per_second": rates, "fastest_batch": best, "our_share_of_the_fastest": share[best], "our_share_of_one_by_one": share[1],
                "latency_ms_one_by_one": {key: spread([row[1]["latency_ms"][key] for row in self.engine]) for key in ("p50", "p99")}}

    def of_open_loop(self, capacity):
        p99 = [row["latency_ms"]["p99"] for row in self.open_loop]
        alone = {key: [row[1]["latency_ms"][key] for row in self.engine] for key in ("p50", "p99")}
        return {"capacity": capacity["answers_per_second"], "rate": SHARE_OF_CAPACITY * capacity["answers_per_second"],
                "latency_ms": {key: spread([row["latency_ms"][key] for row in self.open_loop]) for key in ("p50", "p99")},
                "p99_to_bare_p50": spread([ours / bare for ours, bare in zip(p99, alone["p50"])]),
                "p99_to_bare_p99": spread([ours / bare for ours, bare in zip(p99, alone["p99"])])}


def compare(bench, name):
    with ExitStack() as stack:
        return Comparison(bench, WORKS[name], stack).run()
