# SPDX-License-Identifier: Apache-2.0
"""The description of the API is valid, describes every route and no other, and fits what the server answers."""

import os
import re
import shutil
import subprocess

import pytest
import requests
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from conftest import ROOT


@pytest.fixture(scope="module")
def document(server):
    answer = requests.get(server.url + "/openapi.json", timeout=10)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/json"
    return answer.json()


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_the_document_is_valid(document):
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_the_document_and_the_list_of_endpoints_agree(server, document):
    endpoints = requests.get(server.url + "/", timeout=10).json()["endpoints"]
    assert set(endpoints) - set(document["paths"]) == set(), "routes that docs/api/openapi.json lacks"
    assert set(document["paths"]) - set(endpoints) == set(), "paths of docs/api/openapi.json that are no routes"


def test_every_path_has_the_methods_of_its_route(server, document):
    for path, item in document["paths"].items():
        allowed = requests.request("PROPFIND", server.url + re.sub(r"\{[^}]*\}", "x", path), timeout=10)
        assert allowed.status_code == 405, path
        methods = {method.lower() for method in re.split(", *", allowed.headers["Allow"])} - {"head"}
        assert methods == set(item), path


def test_every_capture_is_a_described_parameter(document):
    for path, method, operation in operations(document):
        described = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert described == set(re.findall(r"\{([^}]*)\}", path)), f"{method} {path}"


def test_operations_have_names_of_their_own(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))


def first(server, path, list_name, member):
    rows = requests.get(server.url + path, timeout=10).json()[list_name]
    return rows[0][member] if rows else None


def test_answers_are_as_described(server, document):
    """Every JSON answer to a GET that this server can give, against the schema of its operation."""
    registry = Registry().with_resource("openapi", Resource(contents=document, specification=DRAFT202012))
    captures = {"/v1/datasets/{name}": "small", "/v1/datasets/{name}/samples": "small", "/v1/models/{name}": "small", "/v1/recipes/{name}": "quick",
                "/v1/models/{name}/history": "small", "/v1/models/{name}/versions/{version}": ("small", "1"),
                "/v1/runs/{id}": first(server, "/v1/runs", "runs", "id"), "/v1/jobs/{id}": first(server, "/v1/jobs", "jobs", "id")}
    checked = 0
    for path, method, operation in operations(document):
        content = operation["responses"].get("200", {}).get("content", {})
        values = captures.get(path, () if "{" not in path else None)
        if method != "get" or "application/json" not in content or values is None:
            continue
        values = [values] if isinstance(values, str) else list(values)
        url = server.url + re.sub(r"\{[^}]*\}", lambda _: values.pop(0), path)
        answer = requests.get(url, headers={"Accept": "application/json"}, timeout=30)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        at = "/".join(["", "paths", path.replace("/", "~1"), "get", "responses", "200", "content", "application~1json", "schema"])
        Draft202012Validator({"$ref": "openapi#" + at}, registry=registry).validate(answer.json())
        checked += 1
    assert checked >= 15


def test_a_prediction_is_as_described(server, document, small_cifar):
    image = sorted((small_cifar / "test" / "cat").iterdir())[0]
    answer = requests.post(server.url + "/predict", files={"file": image.read_bytes()}, timeout=10)
    registry = Registry().with_resource("openapi", Resource(contents=document, specification=DRAFT202012))
    Draft202012Validator({"$ref": "openapi#/components/schemas/Prediction"}, registry=registry).validate(answer.json())
    failed = requests.post(server.url + "/predict", files={"file": b"nonsense"}, timeout=10)
    assert failed.status_code == 400
    Draft202012Validator({"$ref": "openapi#/components/schemas/Error"}, registry=registry).validate(failed.json())


def test_the_page_needs_nothing_from_elsewhere(server):
    page = requests.get(server.url + "/docs", timeout=10)
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "unsafe-eval" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"""(?:https?:)?//\w""", page.text.split("<body>")[0])
    loaded = re.findall(r"""(?:src|href)="([^"]*)\"""", page.text)
    assert "/docs/swagger-ui-bundle.js" in loaded
    for path in loaded:
        assert path.startswith("/") and not path.startswith("//")
        part = requests.get(server.url + path, timeout=10)
        assert part.status_code == 200 and part.content, path
        assert "sourceMappingURL" not in part.text[-200:], path
        again = requests.get(server.url + path, headers={"If-None-Match": part.headers["ETag"]}, timeout=10)
        assert again.status_code == 304, path
    assert "inline" not in page.text and "<style" not in page.text
    assert requests.get(server.url + "/docs/nosuch.js", timeout=10).status_code == 404


def test_the_page_works_in_a_browser(server, small_cifar):
    """Under its policy, without a request to elsewhere: tests/browser/documentation.test.mjs."""
    folder = ROOT / "tests" / "browser"
    if not shutil.which("chromium") or not (folder / "node_modules").exists():
        pytest.skip("needs chromium, and tests/browser's packages (scripts/setup test)")
    image = sorted((small_cifar / "test" / "cat").iterdir())[0]
    done = subprocess.run(["node", "--test", "documentation.test.mjs"], cwd=folder, capture_output=True, text=True, timeout=120,
                          env={**os.environ, "IMAGO_URL": server.url, "IMAGE": str(image)})
    assert done.returncode == 0, done.stdout + done.stderr
