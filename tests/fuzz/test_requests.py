# SPDX-License-Identifier: Apache-2.0
"""A short run of what `scripts/fuzz requests` does at length."""

import json

import against_server
import request_seeds

METHODS = ("get", "post", "put", "patch", "delete")


def test_no_request_breaks_the_server():
    """Each is answered, with a status that the API's document names, and with its own X-Request-ID; the same image always gets the same answer."""
    report = against_server.run(count=4000, connections=16, patience=120)
    assert report["faults"] == []
    assert report["requests"] == 4000 and report["kinds"]["probe"] >= 80
    assert int(report["answers"]["200"]) > 500 and int(report["answers"]["400"]) > 500, "some are sound, some are not"


def test_every_route_is_among_the_seeds():
    """A route that is new needs a seed: what nobody asks for is not tried."""
    asked = {(method, target.split("?")[0]) for method, target, _ in map(str.split, first_lines())}
    document = json.loads((against_server.ROOT / "docs" / "api" / "openapi.json").read_text())
    wanted = [(method.upper(), path) for path, operations in document["paths"].items() for method in operations if method in METHODS]
    assert [one for one in wanted if not any(one[0] == method and fits(one[1], target) for method, target in asked)] == []


def first_lines():
    return [text.split(b"\r\n")[0].decode() for makers in request_seeds.MAKERS.values() for maker in makers for text in maker()]


def fits(pattern, target):
    parts, given = pattern.split("/"), target.split("/")
    return len(parts) == len(given) and all(a == b or a.startswith("{") for a, b in zip(parts, given))
