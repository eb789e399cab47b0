# SPDX-License-Identifier: Apache-2.0
"""Who is measured beside us, and the settings that their documentation suggests: each is tried, the fastest is compared."""

import os
from dataclasses import dataclass, field

from common import ROOT
from serving.processes import Service, free_port

BIN = ROOT / ".deps" / "bench" / "bin"
FOLDER = ROOT / "bench" / "peers"
CORES = os.cpu_count()


def uvicorn(app, port, workers=1):
    return [BIN / "uvicorn", "--app-dir", FOLDER, "--port", port, "--workers", workers, "--log-level", "warning", app]


COMMANDS = {
    "FastAPI": lambda port, setting: uvicorn("fastapi_service:app", port, setting["workers"]),
    "LitServe": lambda port, setting: [BIN / "python", FOLDER / "litserve_service.py", port],
    "BentoML": lambda port, setting: [BIN / "bentoml", "serve", "--quiet", "bentoml_service:Classify", "--working-dir", FOLDER, "--host", "127.0.0.1",
                                      "--port", port],
    "S3's service": lambda port, setting: uvicorn("cats_dogs_service:app", port),
}
HEALTH = {"FastAPI": "/health", "LitServe": "/health", "BentoML": "/readyz", "S3's service": "/health"}

one_for_each_core = {"workers": CORES, "threads": 1}
one_with_all_cores = {"workers": 1, "threads": CORES}
SETTINGS = {
    "FastAPI": [one_with_all_cores, {"workers": 1, "threads": 1}, one_for_each_core],
    "LitServe": [{**one_with_all_cores, "batch": 1}, {**one_for_each_core, "batch": 1}, {**one_for_each_core, "batch": 16}],
    "BentoML": [{**one_with_all_cores, "batch": 32}, {**one_for_each_core, "batch": 32}, {**one_for_each_core, "batch": 1}],
    "S3's service": [{}],
}


@dataclass
class Peer:
    framework: str
    engine: str
    started: list = field(default_factory=list)  # seconds from start to ready, each time

    @property
    def name(self):
        return self.framework if self.framework == "S3's service" else f"{self.framework} + {self.engine}"

    def start(self, package, setting, folder):
        port = free_port()
        environment = {"PEER_PACKAGE": str(package), "PEER_ENGINE": self.engine.lower().replace("pytorch", "torch").replace(" ", ""),
                       **{f"PEER_{key.upper()}": str(value) for key, value in setting.items()},
                       "BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
        log = folder / f"{self.framework}-{port}.log"
        service = Service(self.name, COMMANDS[self.framework](port, setting), port, HEALTH[self.framework], log, environment)
        self.started.append(service.start_seconds)
        return service


FRAMEWORKS = [("FastAPI", "PyTorch"), ("FastAPI", "OpenVINO"), ("LitServe", "PyTorch"), ("LitServe", "ONNX Runtime"), ("BentoML", "PyTorch"),
              ("BentoML", "ONNX Runtime")]


def start_ours(program, model, folder, setting=None):
    """@param setting  {option: value}"""
    port = free_port()
    command = [program.folder / "imago", "--workspace", program.workspace, "serve", "--model", model, "--port", port]
    command += [word for option, value in (setting or {}).items() for word in (f"--{option}", value)]
    return Service("imago", command, port, "/ready", folder / f"imago-{port}.log")
