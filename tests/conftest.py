# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: the built programs, real images, a workspace, a running server."""

import json
import os
import signal
import socket
import subprocess
import tarfile
import threading
import time
from pathlib import Path

import pytest
import requests

from coverage_page import coverage_rows

ROOT = Path(__file__).resolve().parents[1]
IMAGO = ROOT / "build" / "imago"


def pytest_terminal_summary(terminalreporter, config):
    """With the data there, no test that docs/coverage.md leans on may be skipped."""
    if data_folder() is None:
        return
    named = {test for row in coverage_rows() for test in row.tests}
    skipped = sorted({report.nodeid for report in terminalreporter.stats.get("skipped", [])
                      if report.nodeid in named or report.nodeid.partition("[")[0] in named})
    if skipped:
        terminalreporter.section("skipped, but docs/coverage.md names them as proof", red=True)
        for name in skipped:
            terminalreporter.write_line(name)
        terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED


def data_folder():
    """Where the real data sets are, or None."""
    for place in (os.environ.get("IMAGO_DATA"), ROOT.parent / "shared" / "data"):
        if place and (Path(place) / "cifar-10-images.tar.zst").exists():
            return Path(place)
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_epoch(process, epoch, seconds=180):
    """Until a training has reported that epoch on its standard error, which is a pipe of text; it is killed when it takes longer."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        reached = any(line.startswith(f"epoch {epoch:>3}") for line in process.stderr)
    finally:
        timer.cancel()
    assert reached, f"training ended with {process.wait()} before epoch {epoch}"


class Program:
    """The built command line on one workspace."""

    def __init__(self, workspace):
        self.workspace = Path(workspace)

    def run(self, *arguments, check=True, timeout=300, **options):
        done = subprocess.run([IMAGO, "--workspace", self.workspace, *map(str, arguments)], capture_output=True, text=True,
                              timeout=timeout, stdin=subprocess.DEVNULL, **options)
        if check:
            assert done.returncode == 0, f"imago {' '.join(map(str, arguments))}: status {done.returncode}\n{done.stderr}"
        return done

    def json(self, *arguments, **options):
        return json.loads(self.run("--json", *arguments, **options).stdout)


class Server:
    """`imago serve` on a free port; stopped by SIGTERM. With `trust`, a certificate, it is asked over https."""

    def __init__(self, workspace, *arguments, ready=True, trust=None):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"{'https' if trust else 'http'}://127.0.0.1:{self.port}"
        self.trust = str(trust) if trust else True
        self.process = subprocess.Popen([IMAGO, "--workspace", workspace, "serve", "--port", str(self.port), *arguments],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._wait("/ready" if ready else "/health")

    def _wait(self, path):
        for _ in range(200):
            if self.process.poll() is not None:
                raise AssertionError(f"imago serve ended with {self.process.returncode}: {self.process.stdout.read()}")
            try:
                if requests.get(self.url + path, timeout=5, verify=self.trust).status_code == 200:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{path} did not answer 200 within 10 s")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        return self.process.returncode


@pytest.fixture(scope="session")
def small_cifar(tmp_path_factory):
    """A real subset of CIFAR-10 in the layout people have: train/<class>/x.jpg, 200 + 40 images of each class."""
    folder = data_folder()
    if folder is None:
        pytest.skip("needs CIFAR-10: set IMAGO_DATA to the folder of cifar-10-images.tar.zst")
    target = tmp_path_factory.mktemp("images")
    limits = {"train": 200, "test": 40}
    taken = {}
    unpack = subprocess.Popen(["zstd", "-dcq", folder / "cifar-10-images.tar.zst"], stdout=subprocess.PIPE)
    with tarfile.open(fileobj=unpack.stdout, mode="r|") as archive:
        for member in archive:
            parts = Path(member.name).parts[-3:]
            if not member.isfile() or len(parts) != 3 or parts[0] not in limits:
                continue
            count = taken.get(parts[:2], 0)
            if count < limits[parts[0]]:
                taken[parts[:2]] = count + 1
                path = target.joinpath(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.extractfile(member).read())
    unpack.wait()
    assert len(taken) == 20
    return target


def unpack_photos(target, each):
    """That many photographs of cats and of dogs: target/cat/0000.jpg, ..."""
    folder = data_folder()
    if folder is None:
        pytest.skip("needs cats-dogs.tar: set IMAGO_DATA to its folder")
    with tarfile.open(folder / "cats-dogs.tar") as archive:
        for member in archive:
            if member.isfile() and int(member.name[-8:-4]) < each:
                path = target / member.name[-12:]
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(archive.extractfile(member).read())
    assert len(list(target.glob("*/*.jpg"))) == 2 * each
    return target


@pytest.fixture(scope="session")
def trained(small_cifar, tmp_path_factory):
    """A workspace in which `small` was imported and trained for two epochs: what the tests after it look at."""
    program = Program(tmp_path_factory.mktemp("workspace"))
    program.import_report = program.json("data", "import", small_cifar, "--name", "small")
    program.train_report = program.json("train", "--data", "small", "--recipe", "improved-cnn-bn", "--epochs", "4")
    return program


@pytest.fixture(scope="session")
def server(trained):
    running = Server(trained.workspace, "--model", "small")
    yield running
    assert running.stop() == 0, "the server must end with 0 on SIGTERM"
