# SPDX-License-Identifier: Apache-2.0
"""What ./run does after building, by the commands it gives to imago: a copy of the script with programs that only take notes."""

import os
import shutil
import subprocess

import pytest

from conftest import ROOT

IMAGO = """\
#!/bin/sh
echo "$*" >>"$NOTES"
case "$1 $2" in
  "data show") [ -e "state/data-$3" ] ;;
  "models show") [ -e "state/model-$3" ] ;;
  "data import") case " $REACHABLE shapes " in *" $3 "*) touch "state/data-$3" ;; *) exit 1 ;; esac ;;
  "models import") touch "state/model-$3" ;;
  "train --data") touch "state/model-$3" ;;
esac
"""


@pytest.fixture
def project(tmp_path):
    """./run with a scripts/setup and cmake that do nothing; `state` has a file for each data set and model there is."""
    shutil.copy(ROOT / "run", tmp_path / "run")
    for name, text in (("scripts/setup", "#!/bin/sh\n"), ("bin/cmake", "#!/bin/sh\n"), ("build/imago", IMAGO)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    for folder in ("state", "models"):
        (tmp_path / folder).mkdir()
    return tmp_path


def run(project, *arguments, reachable="cifar10 cats-dogs", status=0):
    """What imago was told to do, looking aside; and what the terminal shows."""
    notes = project / "notes"
    notes.unlink(missing_ok=True)
    environment = os.environ | {"PATH": f"{project / 'bin'}:{os.environ['PATH']}", "NOTES": str(notes), "REACHABLE": reachable}
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        environment.pop(name, None)
    done = subprocess.run([project / "run", *arguments], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    lines = notes.read_text().splitlines() if notes.exists() else []
    return [line for line in lines if not line.startswith(("data show", "models show"))], done.stdout


SERVE = "serve --model cifar10 --port 8000"
TRAIN = "train --data cifar10 --recipe quick"


def ship(project, *names):
    for name in names:
        (project / "models" / f"{name}.tar").touch()


def test_a_shipped_model_serves_and_training_is_the_next_step(project):
    ship(project, "cifar10")
    commands, said = run(project)
    assert commands == ["data import cifar10", "models import cifar10", SERVE]
    assert "ships with Imago" in said and "./run --train" in said
    assert run(project) == ([SERVE], ""), "what is there is used again"
    assert run(project, "--train")[0] == [TRAIN, SERVE]


def test_a_shipped_model_needs_no_images(project):
    ship(project, "cifar10")
    commands, said = run(project, reachable="")
    assert commands == ["data import cifar10", "models import cifar10", SERVE]
    assert "needs no images" in said
    assert run(project, reachable="") == ([SERVE], ""), "nor are they looked for again"


def test_without_a_shipped_model_one_is_trained(project):
    assert run(project)[0] == ["data import cifar10", TRAIN, SERVE]
    assert run(project)[0] == [SERVE]


def test_without_images_and_shipped_model_some_are_drawn(project):
    commands, said = run(project, reachable="")
    assert commands == ["data import cifar10", "data import shapes", "train --data shapes --recipe quick", "serve --model shapes --port 8000"]
    assert "the program drew" in said
    assert run(project, reachable="")[0] == ["serve --model shapes --port 8000"]


def test_who_says_how_to_train_trains(project):
    ship(project, "cifar10", "cats-dogs")
    assert run(project, "--recipe", "resnet9", "--no-serve")[0] == ["data import cifar10", "train --data cifar10 --recipe resnet9", "models list"]
    assert run(project, "--data", "shapes", "--port", "9")[0] == \
        ["data import shapes", "train --data shapes --recipe quick", "serve --model shapes --port 9"]
    assert run(project, "--data", "cats-dogs")[0] == \
        ["data import cats-dogs", "models import cats-dogs", "serve --model cats-dogs --port 8000"]


def test_chosen_images_that_are_nowhere_end_it(project):
    assert run(project, "--data", "nosuch", status=1)[0] == ["data import nosuch"]
    assert run(project, "--data", "cifar10", "--train", reachable="", status=1)[0] == ["data import cifar10"]


def test_options_are_checked(project):
    run(project, "--nosuch", status=2)
    run(project, "--port", status=2)
    assert "--train" in run(project, "--help")[1]
