# SPDX-License-Identifier: Apache-2.0
"""docs/coverage.md is whole and true: no promise without a row, no row without a test, no test that is not there."""

import re
import subprocess
import sys

import pytest

from conftest import ROOT
from coverage_page import coverage_rows

ROWS = {
    "HTTP endpoints": "http.root-dashboard http.root-documentation http.root-message http.root-endpoints http.predict-s0 http.predict-s1 "
    "http.predict-s1-older http.predict-s2 http.predict-s3 http.predict-s4 http.retrain-folders http.retrain-json http.retrain-staged "
    "http.upload_data http.upload-data http.metrics-training http.metrics-prometheus http.metrics-runtime http.uptime http.status http.train "
    "http.train-stop http.training-status http.health http.docs http.new-endpoint http.other-mlflow http.other-prometheus-grafana "
    "http.other-locust",
    "Dashboard": "ui.predict ui.bars ui.preview ui.insights ui.uptime ui.training-metrics ui.retraining-upload ui.start-stop ui.monitoring "
    "ui.evidence ui.grad-cam ui.tabs ui.swagger ui.mlflow",
    "Data, training, evaluation": "data.cifar10 data.cats-dogs data.formats-checks data.validation-split data.separate-validation "
    "data.augmentation model.solomon model.simple-cnn model.improved-cnn model.gap-cnn model.mobilenet-v2 train.early-stopping train.schedule "
    "train.transfer evaluate.metrics evaluate.grad-cam retrain.replay retrain.npz retrain.folders models.versions",
    "Files": "file.latest-keras file.training-logs file.web file.base-h5 file.retrained-h5 file.new-data-npz file.notebook file.locustfile "
    "file.sample-image file.best-pth file.prometheus-yml file.mlruns file.dvc file.dvc-yaml file.data-raw file.data-processed file.baseline-pt "
    "file.confusion-matrix file.compose file.workflows file.post-deploy-eval file.data-tests file.data-train-test file.models-folder "
    "file.uploads-folder file.pipeline-notebook file.dockerfile file.requirements",
    "Command lines": "cmd.uvicorn cmd.uvicorn-host-port cmd.streamlit cmd.train cmd.test cmd.data-preparation cmd.app-port cmd.dashboard "
    "cmd.dvc cmd.mlflow-ui cmd.docker cmd.compose cmd.locust-s1 cmd.locust-s4 cmd.pytest cmd.curl-predict cmd.curl-upload cmd.curl-retrain",
    "Operations": "ops.ci ops.cd ops.weekly-check ops.prometheus-grafana ops.locust ops.several-ports ops.lazy-loading ops.request-log "
    "ops.rate-limit ops.api-key ops.tls ops.structured-log ops.alerts ops.backups ops.ab-testing ops.versioning ops.tracking ops.cloud",
}


@pytest.fixture(scope="module")
def pytest_names():
    """Every test pytest would run, with and without its parameters."""
    listed = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-q", "tests"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    names = {line for line in listed.stdout.splitlines() if "::" in line}
    assert len(names) > 50, listed.stdout + listed.stderr
    return names | {name.partition("[")[0] for name in names}


def unit_tests():
    for path in (ROOT / "src").glob("*/*_test.cpp"):
        for suite, name in re.findall(r"^TEST(?:_[FP])?\((\w+),\s*(\w+)\)", path.read_text(), re.MULTILINE):
            yield f"{path.parent.name}_test {suite}.{name}"


def browser_tests():
    for path in (ROOT / "tests" / "browser").glob("*.test.mjs"):
        for single, double in re.findall(r"""\btest\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")""", path.read_text()):
            yield "browser: " + (single or double).replace("\\'", "'").replace('\\"', '"')


def test_every_promise_has_its_row():
    rows = coverage_rows()
    assert {section: sorted(row.key for row in rows if row.section == section) for section in ROWS} == {
        section: sorted(keys.split()) for section, keys in ROWS.items()}
    assert len(rows) == len({row.key for row in rows})


def test_every_row_has_a_test():
    assert [row.key for row in coverage_rows() if not row.tests] == []
    assert [f"{row.key}: {row.rest}" for row in coverage_rows() if row.rest] == []


def test_every_test_named_exists(pytest_names):
    known = pytest_names | set(unit_tests()) | set(browser_tests())
    assert [f"{row.key}: {test}" for row in coverage_rows() for test in row.tests if test not in known] == []


def test_every_file_named_exists():
    missing = []
    for row in coverage_rows():
        folder = ""
        for place in filter(None, (part.strip() for part in row.where.split(","))):
            if place.startswith("--") or " " in place:
                continue
            here = place if "/" in place or (ROOT / place).exists() else f"{folder}/{place}"
            folder = here.rpartition("/")[0]
            if not (ROOT / here).exists():
                missing.append(f"{row.key}: {here}")
    assert missing == []


def test_every_requirement_is_pinned():
    """Of Python packages, to a version; of npm packages, by the lock file beside each package.json."""
    for path in (ROOT / "requirements").glob("*.txt"):
        lines = [line.split(";")[0].strip() for line in path.read_text().splitlines() if line.strip() and not line.startswith(("#", " "))]
        assert lines and [line for line in lines if "==" not in line] == [], path.name
    for path in (ROOT / "web", ROOT / "tests" / "browser"):
        assert (path / "package-lock.json").exists()
