# SPDX-License-Identifier: Apache-2.0
"""A short run of what `scripts/fuzz requests` does at length."""

import json

import against_server
import request_seeds


def test_no_request_breaks_the_server():
    """Each is answered, with a status that the API's document names, and with its own X-Request-ID; the same image always gets the same answer."""
    report = against_server.run(count=4000, connections=16, patience=120)
    assert report["faults"] == []
    assert report["requests"] == 4000 and report["kinds"]["probe"] >= 80
    assert int(report["answers"]["200"]) > 500 and int(report["answers"]["400"]) > 500, "some are sound, some are not"


def test_every_route_is_among_the_seeds():
    """A route that is new needs a seed: what nobody asks for is not tried."""
    asked = {line.split(" ")[1].split("?")[0] for line in first_lines()}
    document = json.loads((against_server.ROOT / "docs" / "api" / "openapi.json").read_text())
    missing = [path for path in document["paths"] if not any(fits(path, target) for target in asked)]
    assert missing == []


def first_lines():
    makers = (request_seeds.predictions, request_seeds.inferences, request_seeds.reads, request_seeds.small_writes, request_seeds.large_writes)
    return [text.split(b"\r\n")[0].decode() for maker in makers for text in maker()]


def fits(pattern, target):
    parts, given = pattern.split("/"), target.split("/")
    return len(parts) == len(given) and all(a == b or a.startswith("{") for a, b in zip(parts, given))
