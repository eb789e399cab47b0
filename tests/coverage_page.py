# SPDX-License-Identifier: Apache-2.0
"""Reads docs/coverage.md: one row a promise, with the tests that keep it."""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "coverage.md"


@dataclass(frozen=True)
class Row:
    section: str
    key: str
    promise: str
    where: str
    tests: tuple  # "tests/FILE.py::NAME", "FOLDER_test Suite.Name", "browser: TITLE"
    rest: str  # of the cell: what is no test


def coverage_rows():
    section, rows = "", []
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            section = line[3:]
        cells = [cell.strip() for cell in line.split("|")[1:-1]] if line.startswith("| ") else []
        if len(cells) == 4 and cells[0] != "row":
            tests = re.findall(r"`([^`]+)`", cells[3])
            rows.append(Row(section, cells[0], cells[1], cells[2], tuple(tests), re.sub(r"`[^`]+`", "", cells[3]).strip()))
    return rows
