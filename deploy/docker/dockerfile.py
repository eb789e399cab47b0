# SPDX-License-Identifier: Apache-2.0
"""Reads a Dockerfile: stages of instructions, as far as ours goes. What it does not know is an error, not skipped."""

import json
import re
import shlex
from dataclasses import dataclass, field

KNOWN = {
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "RUN",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
}


@dataclass
class Instruction:
    name: str
    text: str  # what stands after the name
    line: int

    def words(self):
        """(flags as a dict, the other words)."""
        words = json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)
        flags = {}
        while words and words[0].startswith("--"):
            name, _, value = words.pop(0)[2:].partition("=")
            flags[name] = value
        return flags, words


@dataclass
class Stage:
    name: str
    base: str
    instructions: list = field(default_factory=list)

    def last(self, name):
        found = [instruction for instruction in self.instructions if instruction.name == name]
        return found[-1] if found else None


def logical_lines(text):
    """(number of its first line, text) with continuations joined and comments left out."""
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not line.strip() and not joined):
            continue
        if not joined:
            start = number
        if line.rstrip().endswith("\\"):
            joined += line.rstrip()[:-1] + " "
            continue
        yield start, joined + line.strip()
        joined = ""
    if joined:
        raise ValueError(f"line {start}: the last line is continued")


def parse(text):
    """The stages of a Dockerfile, in order."""
    stages = []
    for number, line in logical_lines(text):
        match = re.fullmatch(r"(\w+)\s+(.*)", line)
        if not match or match.group(1) not in KNOWN:
            raise ValueError(f"line {number}: not an instruction this reads: {line[:60]}")
        instruction = Instruction(match.group(1), match.group(2).strip(), number)
        if instruction.name == "FROM":
            parts = re.fullmatch(r"(\S+)\s+AS\s+(\S+)", instruction.text)
            if not parts:
                raise ValueError(f"line {number}: expected FROM IMAGE AS NAME")
            stages.append(Stage(parts.group(2), parts.group(1)))
        elif not stages:
            raise ValueError(f"line {number}: {instruction.name} before the first FROM")
        else:
            stages[-1].instructions.append(instruction)
    return stages
