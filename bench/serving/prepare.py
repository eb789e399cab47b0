# SPDX-License-Identifier: Apache-2.0
"""Three models in a workspace, and the photographs that clients send."""

import json
import subprocess

from common import ROOT

PYTHON = ROOT / ".deps" / "bench" / "bin" / "python"
PHOTOGRAPHS = 64
PARTS = ("torch", "torchvision", "onnxruntime", "openvino", "fastapi", "uvicorn", "starlette", "litserve", "bentoml", "pillow", "numpy")

# Speed does not depend on what a network has learnt: little is taught, from the data set named, each kept for the next run in the same workspace.
MODELS = {"improved-cnn": {"side": 32, "data": "cifar10"}, "gap-cnn": {"side": 224, "data": "cats-dogs"},
          "mobilenet-v2": {"side": 224, "data": "cats-dogs"}}


def prepare(program, data):
    """The models of MODELS under their names, where they are not there yet."""
    for name in ("cifar10", "cats-dogs"):
        if not (program.workspace / "datasets" / name).exists():
            program.json("data", "import", name, "--from", data)
    missing = [name for name in MODELS if not (program.workspace / "models" / name).exists()]
    if "improved-cnn" in missing:
        program.json("train", "--data", "cifar10", "--recipe", "improved-cnn", "--epochs", "1", "--model", "improved-cnn")
    if "gap-cnn" in missing:
        if not (program.workspace / "datasets" / "few-cats-dogs").exists():
            program.import_part("cats-dogs", 30, "few-cats-dogs")
        program.json("train", "--data", "few-cats-dogs", "--recipe", "gap-cnn", "--epochs", "1", "--model", "gap-cnn")
    if "mobilenet-v2" in missing:
        program.json("models", "import", ROOT / "models" / "cats-dogs.tar", "--name", "mobilenet-v2")


def package_of(program, model):
    return max((program.workspace / "models" / model).iterdir(), key=lambda folder: int(folder.name) if folder.name.isdigit() else 0)


def photographs(program, model, folder):
    """Test images at the size of the network, in `folder` as N.jpg; of small ones the numbers as N.json too."""
    folder.mkdir(parents=True)
    _, rows = program.rows(MODELS[model]["data"])
    rows = [row for row in rows if row["split"] == "test"]
    files = [program.object_path(row) for row in rows[::max(1, len(rows) // PHOTOGRAPHS)][:PHOTOGRAPHS]]
    subprocess.run([PYTHON, ROOT / "bench" / "peers" / "pictures.py", folder, str(MODELS[model]["side"]), *files], check=True, timeout=120)


def of_one_class(folder, answers, form, most=16):
    """Up to `most` pictures of the class that most are of, in a folder of their own: then every answer to a load can be checked.

    @param answers  {picture's number: class}
    @return  the class, the files to send
    """
    classes = list(answers.values())
    label = max(sorted(set(classes)), key=classes.count)
    chosen = [number for number, its in answers.items() if its == label][:most]
    own = folder / f"all-{label}"
    own.mkdir(exist_ok=True)
    for number in chosen:
        target = own / f"{number}.jpg"
        if not target.exists():
            target.hardlink_to(folder / f"{number}.jpg")
    suffix = "json" if form == "json" else "jpg"
    return label, own, [folder / f"{number}.{suffix}" for number in chosen]


def versions():
    """Of what the peers are made of."""
    code = "import importlib.metadata as m, json, sys; print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))"
    return json.loads(subprocess.run([PYTHON, "-c", code, *PARTS], capture_output=True, text=True, check=True).stdout)


