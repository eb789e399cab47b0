# SPDX-License-Identifier: Apache-2.0
"""`imago evaluate` and `imago compare`: a trained model measured through its package and through a live server, against scikit-learn."""

import json
import os
import re
import shutil
import subprocess

import pytest

from conftest import ROOT, Program, Server

SKLEARN = ROOT / ".deps" / "mlflow" / "bin" / "python"

# Reads predictions.jsonl, prints what scikit-learn says of it.
MEASURE = """
import json, sys
import numpy as np
from sklearn import metrics as sk

rows = [json.loads(line) for line in open(sys.argv[1])]
labels = json.loads(sys.argv[2])
truth = np.array([labels.index(row["truth"]) for row in rows])
said = np.array([labels.index(row["prediction"]) for row in rows])
scores = np.array([row["probabilities"] for row in rows])
every = list(range(len(labels)))
macro = sk.precision_recall_fscore_support(truth, said, labels=every, average="macro", zero_division=0)
print(json.dumps({
    "accuracy": sk.accuracy_score(truth, said),
    "macro_precision": macro[0], "macro_recall": macro[1], "macro_f1": macro[2],
    "balanced_accuracy": sk.balanced_accuracy_score(truth, said),
    "matthews": sk.matthews_corrcoef(truth, said),
    "log_loss": sk.log_loss(truth, scores, labels=every),
    "brier": sk.brier_score_loss(truth, scores, labels=every),
    "macro_roc_auc": sk.roc_auc_score(truth, scores, multi_class="ovr", labels=every),
    "macro_average_precision": np.mean([sk.average_precision_score(truth == k, scores[:, k]) for k in every]),
    "top_k": [sk.top_k_accuracy_score(truth, scores, k=k, labels=every) for k in (2, 3, 5)],
    "confusion": sk.confusion_matrix(truth, said, labels=every).tolist()}))
"""


@pytest.fixture(scope="module")
def own(trained, tmp_path_factory):
    """A copy of the workspace, to add data sets, keys and versions to."""
    folder = tmp_path_factory.mktemp("own") / "workspace"
    shutil.copytree(trained.workspace, folder)
    return Program(folder)


@pytest.fixture(scope="module")
def report(trained, tmp_path_factory):
    """The folder of a whole report, and the answer it came with."""
    folder = tmp_path_factory.mktemp("evaluate") / "report"
    return folder, trained.json("evaluate", "small:1", "--data", "small:test", "--slice", "folder", "--report", folder)


def test_every_figure_is_scikit_learns(report):
    folder, metrics = report
    if not SKLEARN.exists():
        pytest.skip("needs scikit-learn, which comes with MLflow: ./run sets it up for the tests")
    labels = [one["label"] for one in metrics["classes"]]
    said = subprocess.run([SKLEARN, "-c", MEASURE, folder / "predictions.jsonl", json.dumps(labels)], capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stderr
    expected = json.loads(said.stdout)
    assert metrics["confusion"] == expected.pop("confusion")
    assert [one["accuracy"] for one in metrics["top_k"]] == pytest.approx(expected.pop("top_k"), abs=1e-9)
    for name, value in expected.items():
        assert metrics[name] == pytest.approx(value, abs=1e-9), name


def test_a_report_has_all_that_was_measured(report):
    folder, metrics = report
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    assert metrics["n"] == 400 == len((folder / "predictions.jsonl").read_text().splitlines())
    assert metrics["latency"]["single_images"]["calls"] == 200
    assert metrics["latency"]["batches"]["images_per_call"] == 256
    assert 0 < metrics["latency"]["single_images"]["p50_ms"] <= metrics["latency"]["single_images"]["p99_ms"]
    assert metrics["lineage"]["dataset"].startswith("small@")
    for name in ("confusion_matrix.svg", "reliability.svg", "ranking.svg", "training.svg"):
        assert (folder / name).read_text().startswith("<svg "), name
    markdown = (folder / "report.md").read_text()
    assert "# small:1 on small@" in markdown and "## Slices, worst first" in markdown


def test_slices_come_worst_first_and_add_up(report):
    _, metrics = report
    slices = metrics["slices"]
    assert {one["column"] for one in slices} == {"class", "brightness", "folder"}, "all files are 32 x 32 of one source"
    highs = [one["interval"]["high"] for one in slices]
    assert highs == sorted(highs)
    for column in ("class", "brightness", "folder"):
        parts = [one for one in slices if one["column"] == column]
        assert sum(one["n"] for one in parts) == metrics["n"]
        assert sum(one["correct"] for one in parts) == round(metrics["accuracy"] * metrics["n"])
    assert len([one for one in slices if one["column"] == "brightness"]) == 5


def test_the_page_stands_alone_and_every_number_opens(report):
    folder, metrics = report
    page = (folder / "report.html").read_text()
    assert "<script" not in page and "http://" not in page.replace("http://www.w3.org/", "") and "https://" not in page
    assert set(re.findall(r'src="([^",]*)', page)) == {"data:image/jpeg;base64"}
    targets = set(re.findall(r'href="#(cell-\d+-\d+)"', page))
    assert targets == set(re.findall(r'id="(cell-\d+-\d+)"', page))
    assert len(targets) == sum(count > 0 for row in metrics["confusion"] for count in row)


def test_the_worst_errors_are_explained(report):
    folder, metrics = report
    assert metrics["explanations"]["images"] == 24 == len([one for one in metrics["worst_errors"] if one["faithfulness"]])
    scores = metrics["explanations"]["mean_faithfulness"]
    assert 0 < scores["deletion"] < scores["insertion"] < 1
    page, markdown = ((folder / name).read_text() for name in ("report.html", "report.md"))
    assert page.count('<figure class="explained">') == 24 and page.count('<span class="for">') == 48
    mean = f"{scores['deletion']:.3f} (low is good)"
    assert mean in page and mean in markdown and "| confidence | deletion | insertion |" in markdown


def test_the_page_works_in_a_browser(report):
    """Opened from disk: tests/browser/report.test.mjs."""
    browser = ROOT / "tests" / "browser"
    if not shutil.which("chromium") or not (browser / "node_modules").exists():
        pytest.skip("needs chromium, and tests/browser's packages (scripts/setup test)")
    done = subprocess.run(["node", "--test", "report.test.mjs"], cwd=browser, capture_output=True, text=True, timeout=120,
                          env={**os.environ, "REPORT": str(report[0] / "report.html")})
    assert done.returncode == 0, done.stdout + done.stderr


def test_one_file_is_written_when_its_name_says_which(trained, tmp_path):
    trained.run("evaluate", "small:1", "--explain", "0", "--report", tmp_path / "page.html")
    trained.run("evaluate", "small:1", "--explain", "0", "--report", tmp_path / "page.md", "--output", tmp_path / "metrics.json")
    assert "<figure>" in (tmp_path / "page.html").read_text() and "Grad-CAM" not in (tmp_path / "page.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metrics.json", "page.html", "page.md"]
    first = (tmp_path / "metrics.json").read_bytes()
    trained.run("evaluate", "small:1", "--output", tmp_path / "metrics.json")
    assert (tmp_path / "metrics.json").read_bytes() == first, "what a pipeline keeps is the same each time"


def test_a_live_server_gives_what_its_package_gives(trained, server, report):
    _, direct = report
    served = trained.json("evaluate", "small:1", "--data", "small:test", "--via", server.url)
    assert served["via"] == server.url
    assert served["confusion"] == direct["confusion"]
    assert served["log_loss"] == pytest.approx(direct["log_loss"], abs=1e-5)
    assert served["latency"]["single_images"]["calls"] == 400 and served["latency"]["batches"] is None


def test_the_learner_gives_what_its_package_gives(trained, report):
    """libtorch on the weights against the engine that serves: within float32's rounding."""
    _, direct = report
    learned = trained.json("evaluate", "small:1", "--data", "small:test", "--via", "learner")
    assert learned["via"] == "learner"
    assert learned["confusion"] == direct["confusion"]
    for name in ("log_loss", "brier", "macro_roc_auc"):
        assert learned[name] == pytest.approx(direct[name], abs=1e-5), name
    assert learned["latency"]["batches"]["images_per_call"] == 256 and learned["latency"]["single_images"]["calls"] == 200


def test_a_server_with_keys_is_measured_with_one(own):
    key = own.json("keys", "create", "--name", "measure", "--scopes", "predict")["key"]
    locked = Server(own.workspace, "--model", "small:1", "--require-key")
    try:
        refused = own.run("evaluate", "small:1", "--via", locked.url, check=False)
        assert refused.returncode == 1 and "API key" in refused.stderr and "(401)" in refused.stderr
        measured = own.json("evaluate", "small:1", "--via", locked.url, "--api-key", key)
        assert measured["n"] == 400
    finally:
        locked.stop()


@pytest.mark.parametrize("arguments, message", [
    (("small:1", "--data", "small:nosuch"), "nosuch"),
    (("small:1", "--data", "nosuch"), "nosuch"),
    (("nosuch",), "nosuch"),
    (("small:1", "--slice", "weather"), "class, brightness, size"),
    (("small:1", "--via", "ftp://x"), "--via ftp://x"),
    (("small:1", "--via", "learners"), "'learner'"),
    (("small:1", "--via", "http://127.0.0.1:1"), "127.0.0.1:1"),
])
def test_what_cannot_be_measured_is_said_and_nothing_is_written(trained, tmp_path, arguments, message):
    refused = trained.run("evaluate", *arguments, "--output", tmp_path / "metrics.json", "--report", tmp_path / "report", check=False)
    assert refused.returncode == 1
    assert message in refused.stderr and refused.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_other_classes_and_an_empty_split_are_refused(own, small_cifar, tmp_path):
    for name, classes, splits in (("two", 2, ("train", "test")), ("renamed", 10, ("train", "test")), ("bare", 10, ("train",))):
        for split in splits:
            for folder in sorted((small_cifar / split).iterdir())[:classes]:
                target = tmp_path / name / split / (folder.name if name != "renamed" or folder.name != "cat" else "tomcat")
                target.mkdir(parents=True)
                for file in sorted(folder.iterdir())[:4]:
                    shutil.copy(file, target)
        own.json("data", "import", tmp_path / name, "--name", name)
    out = tmp_path / "metrics.json"
    refusals = {data: own.run("evaluate", "small:1", "--data", data, "--output", out, check=False) for data in ("two", "renamed", "bare:test")}
    assert "10 classes, the data set 2" in refusals["two"].stderr
    assert "'cat'" in refusals["renamed"].stderr
    assert "no test split: it has train (" in refusals["bare:test"].stderr and "--data bare:SPLIT" in refusals["bare:test"].stderr
    assert all("--data" in refused.stderr and refused.stderr.count("\n") == 1 for refused in refusals.values())
    assert all(refused.returncode == 1 for refused in refusals.values()) and not out.exists()


def test_a_model_whose_data_set_is_elsewhere_needs_one_named(trained, tmp_path):
    trained.json("models", "export", "small:1", tmp_path / "small.tar")
    elsewhere = Program(tmp_path / "elsewhere")
    elsewhere.run("models", "import", tmp_path / "small.tar")
    refused = elsewhere.run("evaluate", "small", "--output", tmp_path / "metrics.json", check=False)
    assert refused.returncode == 1 and "no data set 'small'" in refused.stderr and "--data" in refused.stderr
    assert "`imago data import FOLDER --name small`" in refused.stderr
    assert not (tmp_path / "metrics.json").exists()


def test_a_model_is_measured_on_the_newest_version_where_its_own_is_elsewhere(trained, small_cifar, tmp_path):
    trained.json("models", "export", "small:1", tmp_path / "small.tar")
    elsewhere = Program(tmp_path / "elsewhere")
    elsewhere.run("models", "import", tmp_path / "small.tar")
    for split in ("train", "test"):
        for folder in sorted((small_cifar / split).iterdir()):
            target = tmp_path / "part" / split / folder.name
            target.mkdir(parents=True)
            for file in sorted(folder.iterdir())[:5]:
                shutil.copy(file, target)
    version = elsewhere.json("data", "import", tmp_path / "part", "--name", "small")["version"]
    measured = elsewhere.json("evaluate", "small", "--report", tmp_path / "report.md", "--explain", "0")
    assert measured["n"] == 50 and measured["dataset"] == f"small@{version}"
    assert measured["note"].startswith("small:1 was trained on small@") and f"measured on small@{version}" in measured["note"]
    assert "which is not here" in (tmp_path / "report.md").read_text()
    assert elsewhere.run("evaluate", "small").stdout.startswith("note: small:1 was trained on ")


@pytest.fixture(scope="module")
def second(own):
    """Another version of the model, trained for less: its name."""
    trained_again = own.json("train", "--data", "small", "--recipe", "improved-cnn-bn", "--epochs", "1", "--seed", "9")
    return f"small:{trained_again['version']}"


def test_two_versions_are_compared_image_by_image(own, second, tmp_path):
    before, after = (own.json("evaluate", version) for version in ("small:1", second))
    compared = own.json("compare", "small:1", second, "--report", tmp_path / "compare.html")
    assert compared["a"]["accuracy"] == before["accuracy"] and compared["b"]["accuracy"] == after["accuracy"]
    assert compared["difference"] == pytest.approx(after["accuracy"] - before["accuracy"], abs=1e-12)
    assert compared["difference_interval"]["low"] <= compared["difference"] <= compared["difference_interval"]["high"]
    assert compared["fixed"] == len(compared["fixed_images"]) and compared["broken"] == len(compared["broken_images"])
    for image in compared["fixed_images"]:
        assert image["b"]["prediction"] == image["truth"] != image["a"]["prediction"]
    classes = [change for change in compared["changes"] if change["column"] == "class"]
    assert len(classes) == 10 and sum(change["fixed"] for change in classes) == compared["fixed"]
    assert compared["verdict"].count(". ") == 0 and "McNemar" in compared["verdict"]
    page = (tmp_path / "compare.html").read_text()
    assert "<script" not in page and page.count("<figure>") == min(24, compared["fixed"]) + min(24, compared["broken"])
    assert own.json("compare", "small:1", second) == compared, "the bootstrap is seeded"


def test_a_server_of_another_version_is_not_taken_for_this_one(own, second):
    running = Server(own.workspace, "--model", second)
    try:
        refused = own.run("evaluate", "small:1", "--via", running.url, check=False)
        assert refused.returncode == 1 and f"serves {second}" in refused.stderr
    finally:
        running.stop()


def test_a_model_compared_with_itself_differs_nowhere(trained):
    text = trained.run("compare", "small:1", "small:1").stdout
    assert text.startswith("No difference is shown between small:1 and small:1: ")
    assert "0 fixed and 0 broken." in text
