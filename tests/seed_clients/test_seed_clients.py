# SPDX-License-Identifier: Apache-2.0
"""Every step of every client of S0 to S4, against one running server; S3's against a server of cats and dogs."""

import shutil
import tarfile

import pytest
import requests

import s0_client
import s1_client
import s2_client
import s3_client
import s4_client
from conftest import Program, Server, data_folder
from seed_site import Site

CLIENTS = {"s0": s0_client, "s1": s1_client, "s2": s2_client, "s4": s4_client}
PETS = {"train": 120, "validation": 20, "test": 40}  # images of each class


@pytest.fixture(scope="module")
def workspace(trained, tmp_path_factory):
    """A copy: what is retrained here is nobody else's champion."""
    copy = tmp_path_factory.mktemp("seeds") / "workspace"
    shutil.copytree(trained.workspace, copy)
    return Program(copy)


@pytest.fixture(scope="module")
def server(workspace):
    running = Server(workspace.workspace, "--model", "small", "--compat")
    yield running
    assert running.stop() == 0


@pytest.fixture
def site(server, workspace, small_cifar, tmp_path):
    return Site(server.url, small_cifar / "test", small_cifar / "train", tmp_path, workspace)


@pytest.mark.parametrize("client, step", [(name, step.__name__) for name, client in CLIENTS.items() for step in client.STEPS])
def test_client(site, client, step):
    getattr(CLIENTS[client], step)(site)


@pytest.mark.parametrize("port, step", [(5000, s4_client.predicts_with_its_curl_line), (8050, s4_client.reads_status),
                                        (8501, s1_client.asks_like_its_streamlit_page)])
def test_the_ports_of_the_originals(site, port, step):
    """S4's API and dashboard, S1's page; where somebody else has the port, the server does without it."""
    started = site.get("/uptime").json()["started"]
    site.url = f"http://127.0.0.1:{port}"
    try:
        ours = site.get("/uptime").json().get("started") == started
    except requests.ConnectionError:
        raise AssertionError(f"nobody answers on {port}") from None
    except ValueError:
        ours = False
    if ours:
        step(site)


def test_metrics_are_text_for_clients_that_do_not_say_where_that_is_wanted(workspace):
    """S2's scraper through something that drops its Accept; those who ask for JSON still get it."""
    running = Server(workspace.workspace, "--model", "small", "--metrics-format", "prometheus")
    plain, asked = requests.get(running.url + "/metrics", timeout=10), requests.get(running.url + "/metrics?format=json", timeout=10)
    assert running.stop() == 0
    assert plain.headers["Content-Type"].startswith("text/plain") and "imago_requests_total" in plain.text
    assert asked.json()["total_requests"] == 0


@pytest.fixture(scope="module")
def pets(tmp_path_factory):
    """Cats and dogs from S3's kind of data: gap-cnn, one logit, 224 x 224, trained here on a few photos, and served."""
    folder = data_folder()
    if folder is None or not (folder / "cats-dogs.tar").exists():
        pytest.skip("needs cats-dogs.tar: set IMAGO_DATA to its folder")
    base = tmp_path_factory.mktemp("pets")
    with tarfile.open(folder / "cats-dogs.tar") as archive:
        for member in archive:
            label, name = member.name.split("/")[-2:] if member.isfile() else ("", "")
            if label in ("cat", "dog") and int(name.split(".")[0]) < sum(PETS.values()):
                path = base / "photos" / label / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.extractfile(member).read())
    program = Program(base / "workspace")
    program.run("data", "import", base / "photos", "--name", "pets")
    program.run("train", "--data", "pets", "--recipe", "gap-cnn", "--epochs", 2)
    running = Server(program.workspace, "--model", "pets")
    yield running, program, base / "photos"
    assert running.stop() == 0


@pytest.mark.parametrize("step", [step.__name__ for step in s3_client.STEPS])
def test_s3_client(pets, tmp_path, step):
    server, program, photos = pets
    getattr(s3_client, step)(Site(server.url, photos, photos, tmp_path, program))
