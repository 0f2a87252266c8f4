"""Running `kiln bench` and reading what it says."""

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cached_property

from blackbox.servers import Server, kiln_binary
from blackbox.waiting import wait_until

ENVIRONMENT = {**os.environ, "SWIFT_BACKTRACE": "enable=no"}
#: A bench of a few seconds is over by then, on however busy a machine.
DEADLINE_SECONDS = 120


@dataclass
class Finished:
    """One call that is over."""

    status: int
    output: str
    complaint: str

    @cached_property
    def report(self) -> dict:
        """The JSON of a call with `-o json`."""
        return json.loads(self.output)

    @property
    def run(self) -> dict:
        """The last run in it."""
        return self.report["runs"][-1]

    def operation(self, name: str) -> dict:
        """One kind of operation of the last run."""
        return next(one for one in self.run["operations"] if one["operation"] == name)

    def complaint_line(self) -> str:
        """What was said on standard error: one line, and no more."""
        lines = self.complaint.splitlines()
        assert len(lines) == 1, self.complaint
        return lines[0]


def start(*arguments: str) -> subprocess.Popen:
    """Starts `kiln bench`."""
    return subprocess.Popen(
        [str(kiln_binary()), "bench", *arguments],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_of(process: subprocess.Popen) -> Finished:
    """Waits for the end of a started call."""
    try:
        output, complaint = process.communicate(timeout=DEADLINE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Finished(process.returncode, output, complaint)


def bench(*arguments: str) -> Finished:
    """Runs `kiln bench` to its end."""
    return end_of(start(*arguments))


def wait_for_reads(server: Server, count: int = 1_000) -> None:
    """Returns when the server has been asked for `count` keys more."""
    before = int(server.statistics()["cmd_get"])
    wait_until(lambda: int(server.statistics()["cmd_get"]) >= before + count, "the load arrives")


def percentile_ns(latency: dict, percentile: float) -> int:
    """A percentile from the counts of a histogram."""
    total = sum(count for _, count in latency["histogram"])
    so_far = 0
    for nanoseconds, count in latency["histogram"]:
        so_far += count
        if so_far >= total * percentile / 100:
            return nanoseconds
    return 0
