# SPDX-License-Identifier: Apache-2.0
"""What can be said of the Dockerfile without building it; deploy/docker/verify carries it out and takes its time."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bounded import ROOT, run, tool

sys.path.insert(0, str(ROOT / "deploy" / "docker"))
from dockerfile import parse  # noqa: E402

TEXT = (ROOT / "Dockerfile").read_text()
STAGES = {stage.name: stage for stage in parse(TEXT)}


def test_hadolint_finds_nothing():
    run([tool("test/bin/hadolint"), "--config", ROOT / ".hadolint.yaml", ROOT / "Dockerfile"])


def test_hadolint_would_find_something(tmp_path):
    (tmp_path / "Dockerfile").write_text(TEXT.replace("USER 10001:10001", "USER imago").replace("12.11-slim", "latest"))
    done = run([tool("test/bin/hadolint"), "--config", ROOT / ".hadolint.yaml", tmp_path / "Dockerfile"], check=False)
    assert done.returncode == 1 and "DL3007" in done.stdout and "DL3066" in done.stdout


def installed(stage):
    """The Debian packages that a stage installs."""
    text = " ".join(
        instruction.text
        for instruction in STAGES[stage].instructions
        if instruction.name == "RUN" and "apt-get install" in instruction.text
    )
    return {
        word for word in text.split("--no-install-recommends")[1].split("&&")[0].split() if not word.startswith("-")
    }


def needed_packages(program):
    """The Debian packages of the libraries that a built program names; and those libraries that are in none."""
    names = re.findall(r"NEEDED\s+(\S+)", run(["objdump", "-p", ROOT / "build" / program]).stdout)
    cache = dict(
        re.findall(r"^\s+(\S+) \(libc6,x86-64[^)]*\) => (\S+)", run(["/sbin/ldconfig", "-p"]).stdout, re.MULTILINE)
    )
    packages, others = set(), set()
    for name in names:
        # By folder as well: another architecture's package may have a library of the same name.
        file = f"*/{Path(cache[name]).parent.name}/{name}" if name in cache else None
        owner = re.match(r"([^:,]+)", run(["dpkg", "-S", file], check=False).stdout) if file else None
        packages.add(owner.group(1)) if owner else others.add(name)
    return packages, others


def test_it_has_a_serving_and_a_full_image():
    assert list(STAGES) == ["build", "serve", "full"]
    assert STAGES["full"].base == "serve"


def test_bases_are_pinned():
    for stage in STAGES.values():
        assert stage.base in STAGES or re.fullmatch(r"debian:12\.\d+-slim", stage.base), stage.base


@pytest.mark.parametrize("name", ["serve", "full"])
def test_an_image_runs_as_a_user_of_its_own(name):
    stage = STAGES[name]
    assert stage.last("USER").text == "10001:10001"  # a number, so that Kubernetes can tell it is not root
    assert stage.instructions.index(stage.last("USER")) > max(
        stage.instructions.index(i) for i in stage.instructions if i.name in ("RUN", "COPY")
    )
    assert "--gid 10001" in TEXT and "--uid 10001" in TEXT


def test_the_serving_image_has_what_an_image_should_have():
    serve = STAGES["serve"]
    assert "/health" in serve.last("HEALTHCHECK").text and "curl" in installed("serve")
    assert serve.last("ENTRYPOINT").words()[1] == ["/opt/imago/bin/imago"]
    assert serve.last("CMD").words()[1] == ["serve", "--listen", "0.0.0.0"]
    assert "org.opencontainers.image.licenses" in serve.last("LABEL").text
    assert serve.last("VOLUME").text == "/var/lib/imago" and serve.last("EXPOSE").text == "8000"


def test_package_lists_are_taken_away_in_the_step_that_fetched_them():
    for stage in STAGES.values():
        for instruction in stage.instructions:
            if instruction.name == "RUN" and (
                "apt-get update" in instruction.text or "scripts/setup" in instruction.text
            ):
                assert instruction.text.endswith("rm -rf /var/lib/apt/lists/*"), f"line {instruction.line}"


def test_nothing_of_a_secret_goes_in():
    assert not re.search(r"(?i)(password|secret|token|api_?key)\s*=", TEXT)
    copied = [
        instruction.text
        for instruction in STAGES["serve"].instructions + STAGES["full"].instructions
        if instruction.name == "COPY"
    ]
    assert copied and all("--from=build" in text for text in copied), "an image takes files from the build only"
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".env", "build", "workspace", ".deps"} <= set(ignored)


# The C and C++ libraries are in every Debian tree or come with any of the others.
BASE = {"libc6", "libstdc++6", "libgcc-s1"}


def test_the_serving_image_installs_every_library_the_program_names():
    packages, others = needed_packages("imago")
    assert packages - BASE <= installed("serve"), packages - BASE - installed("serve")
    assert all(name.startswith("libopenvino.so") for name in others), others


def test_the_full_image_installs_every_library_the_trainer_names():
    packages, others = needed_packages("imago-trainer")
    assert packages - BASE <= installed("serve") | installed("full"), (
        packages - BASE - installed("serve") - installed("full")
    )
    assert not others


def test_the_serving_image_has_nothing_of_training():
    assert not {name for name in installed("serve") if re.search("torch|onnx|blas|python", name)}


def test_what_it_cannot_read_is_an_error():
    with pytest.raises(ValueError, match="line 2"):
        parse("FROM a AS b\nADD x y\n")
    with pytest.raises(ValueError, match="continued"):
        parse("FROM a AS b\nRUN x \\\n")
    with pytest.raises(ValueError, match="before the first FROM"):
        parse("RUN x\n")


def test_verify_says_what_it_needs():
    done = subprocess.run([ROOT / "deploy/docker/verify", "--help"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and "debootstrap" in done.stdout
