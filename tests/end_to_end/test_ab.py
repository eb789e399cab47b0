# SPDX-License-Identifier: Apache-2.0
"""Two versions of a model compared on live traffic: who gets which, and what happens when versions move."""

import json
from collections import Counter

import pytest
import requests

from conftest import Program, Server
from test_models import contents, sealed_again, write_tar
from test_security import wait_for

SHARE = 30


@pytest.fixture(scope="module")
def program(trained, tmp_path_factory):
    """A workspace with two versions of one model: 1 is the champion, 2 the challenger."""
    folder = tmp_path_factory.mktemp("ab")
    trained.json("models", "export", "small:1", folder / "small.tar")
    files = contents(folder / "small.tar")
    lineage = json.loads(files["lineage.json"])
    fresh = Program(folder / "workspace")
    for note in ("one", "two"):
        package = sealed_again(files, **{"lineage.json": json.dumps({**lineage, "note": note}).encode()})
        fresh.run("models", "import", write_tar(folder / f"{note}.tar", package), "--name", "pets")
    promote(fresh, champion=1, challenger=2)
    return fresh


def promote(program, **aliases):
    for alias, version in aliases.items():
        program.run("models", "promote", f"pets:{version}", "--alias", alias)


@pytest.fixture
def serve(program):
    promote(program, champion=1, challenger=2)
    running = []

    def start(*arguments):
        running.append(Server(program.workspace, "--model", "pets", *arguments))
        return running[-1]

    yield start
    for each in running:
        assert each.stop() == 0


@pytest.fixture(scope="module")
def image(small_cifar):
    return sorted((small_cifar / "test" / "cat").iterdir())[0].read_bytes()


def predict(server, image, key=None, session=requests):
    answer = session.post(server.url + "/predict", data=image, headers={"X-AB-Key": key} if key else {}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["model_version"]


def arms(server):
    return [(arm["version"], arm["share"]) for arm in requests.get(server.url + "/status", timeout=10).json()["arms"]]


def test_both_versions_answer_about_as_often_as_stated(serve, image):
    server = serve("--ab", f"challenger={SHARE}")
    assert arms(server) == [(1, 100 - SHARE), (2, SHARE)]
    session = requests.Session()
    counts = Counter(predict(server, image, session=session) for _ in range(200))
    assert set(counts) == {1, 2}
    assert abs(counts[2] - 200 * SHARE / 100) < 33, "five standard deviations"
    text = requests.get(server.url + "/metrics/prometheus", timeout=10).text
    for version, times in counts.items():
        assert f'imago_prediction_stage_seconds_count{{model="pets",stage="total",version="{version}"}} {times}\n' in text


def test_a_key_stays_with_its_version_over_restarts(serve, image):
    seen = []
    for _ in range(2):
        server = serve("--ab", f"challenger={SHARE}")
        seen.append([predict(server, image, f"user-{i}") for i in range(30)])
        assert seen[-1] == [predict(server, image, f"user-{i}") for i in range(30)]
    assert seen[0] == seen[1] and set(seen[0]) == {1, 2}


def test_the_arms_follow_their_aliases(program, serve, image):
    server = serve("--ab", f"challenger={SHARE}")
    key = next(key for key in (f"user-{i}" for i in range(100)) if predict(server, image, key) == 2)
    promote(program, champion=2, challenger=1)
    wait_for(lambda: arms(server) == [(2, 100 - SHARE), (1, SHARE)])
    assert predict(server, image, key) == 1, "the key is the challenger's, whatever version that is"
    promote(program, challenger=2)
    wait_for(lambda: arms(server) == [(2, 100)])
    assert {predict(server, image) for _ in range(30)} == {2} and predict(server, image, key) == 2
    promote(program, champion=1)
    wait_for(lambda: arms(server) == [(1, 100 - SHARE), (2, SHARE)])


def test_a_challenger_that_is_not_there_yet_is_waited_for(program, serve, image):
    server = serve("--ab", "canary=50")
    assert arms(server) == [(1, 100)]
    assert {predict(server, image) for _ in range(20)} == {1}
    promote(program, canary=2)
    wait_for(lambda: arms(server) == [(1, 50), (2, 50)])


def test_the_challenger_may_be_a_version(serve):
    assert arms(serve("--ab", "2=0.5")) == [(1, 99.5), (2, 0.5)]


def test_what_is_not_compared_is_said(program, serve):
    server = serve("--ab", "1=50")
    assert arms(server) == [(1, 100)]
    server.process.terminate()
    assert "--ab 1: that is the version served anyway; pets:1 answers all" in server.process.communicate(timeout=30)[0]


@pytest.mark.parametrize("text", ["challenger", "challenger=", "challenger=0", "challenger=100", "challenger=ten", "=10", "Bad Name=10",
                                  "challenger=10%", "challenger=nan"])
def test_bad_shares_are_refused(program, text):
    refused = program.run("serve", "--port", "0", "--ab", text, check=False, timeout=30)
    assert refused.returncode == 1 and f"--ab '{text}'" in refused.stderr and refused.stderr.count("\n") == 1
