# SPDX-License-Identifier: Apache-2.0
"""The span of a training that is measured, by the same rule for everybody, and the memory a process has taken."""

import os
import re
from pathlib import Path

WARMUP_SHARE = 0.25
MIN_STEPS = 2


class Window:
    """The first step (start-up, compilation) does not count, nor a quarter of `seconds` after it, at least one step; then `seconds` do, at
    least two steps."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.first = self.since = self.last = None

    def note(self, step, now):
        """`step` steps are done; true when the span is over."""
        self.last = (step, now)
        if self.first is None:
            self.first = self.last
        elif self.since is None:
            if now - self.first[1] >= self.seconds * WARMUP_SHARE:
                self.since = self.last
        else:
            return now - self.since[1] >= self.seconds and step - self.since[0] >= MIN_STEPS
        return False

    def skip(self, step, now):
        """What lies between the last step and this one is not training."""
        steps, seconds = step - self.last[0], now - self.last[1]
        self.first = (self.first[0] + steps, self.first[1] + seconds)
        if self.since:
            self.since = (self.since[0] + steps, self.since[1] + seconds)
        self.last = (step, now)

    def steps_per_second(self):
        return (self.last[0] - self.since[0]) / (self.last[1] - self.since[1])


def peak_mib(pid):
    """Largest resident set (VmHWM) of a process so far; a status without it is one that has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return round(int(found[1]) / 1024, 1) if found else 0.0


def own_peak_mib():
    """With the children's, a DataLoader's workers."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return round(sum(map(peak_mib, [os.getpid(), *children])), 1)
