"""A program: what is sent to both servers, in a form that can be cut down and printed.

A program is a list of bursts. A burst is a list of steps that are sent in one go, cut into TCP
segments at random places; its replies are read before the next burst is sent, so that later
bursts can use CAS numbers from them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

#: Keys that programs use; a placeholder names one by its index.
KEYS = [b"a", b"bb", b"key:3", b"k" * 250, b"n1", b"n2", b"caf\xc3\xa9", b"stale"]

_PLACEHOLDER = re.compile(rb"<<cas (\d+) (\d+)>>")

#: Sent where no CAS number has been seen yet: no server hands it out.
UNSEEN_CAS = b"1234567890123"


def cas_placeholder(key_index: int, age: int) -> bytes:
    """Stands for the newest CAS number seen for a key (age 0), or one seen before it."""
    return b"<<cas %d %d>>" % (key_index, age)


class Pipelining(Enum):
    """What may stand before a step in its burst, for memcached to answer it the same every time."""

    FREE = "anything"
    #: A value queued for sending pins its item in memcached: whether a later incr is done in place
    #: (and pads a shorter number with spaces) then depends on how TCP cut the requests.
    READS = "anything, and it pins items"
    NO_READ_BEFORE = "nothing that pins items"
    #: memcached drops replies it has not sent yet when a retrieval has a bad key; and a server may
    #: close after a storage line whose block it cannot tell.
    ALONE = "nothing"


@dataclass(frozen=True)
class Step:
    """One request with its data block."""

    request: bytes
    key: bytes | None = None  # Whose CAS number a meta reply without `k` carries.
    pipelining: Pipelining = Pipelining.FREE

    def render(self, seen: dict[bytes, list[bytes]]) -> bytes:
        """The bytes for a server that has shown the CAS numbers ``seen``."""

        def number(match: re.Match[bytes]) -> bytes:
            numbers = seen.get(KEYS[int(match[1])], [])
            age = int(match[2])
            return numbers[-1 - age] if age < len(numbers) else UNSEEN_CAS

        return _PLACEHOLDER.sub(number, self.request)


@dataclass(frozen=True)
class Burst:
    """Steps sent together. ``seed`` decides where they are cut; 0 sends them in one piece."""

    steps: tuple[Step, ...]
    seed: int = 0


@dataclass(frozen=True)
class Program:
    bursts: tuple[Burst, ...]
    seed: int
    has_markers: bool = True  # Whether a marker after each step tells replies apart.

    def steps(self) -> Iterator[tuple[int, Step]]:
        """Every step with the index of its burst."""
        for index, burst in enumerate(self.bursts):
            for step in burst.steps:
                yield index, step

    def keeping(self, steps: list[tuple[int, Step]]) -> "Program":
        """The program reduced to some of its steps, in the same bursts."""
        bursts = []
        for index, burst in enumerate(self.bursts):
            kept = tuple(step for at, step in steps if at == index)
            if kept:
                bursts.append(replace(burst, steps=kept))
        return replace(self, bursts=tuple(bursts))

    def __str__(self) -> str:
        lines = [f"program of seed {self.seed}, markers {'on' if self.has_markers else 'off'}"]
        for number, burst in enumerate(self.bursts):
            lines.append(f"  burst {number} (cut seed {burst.seed})")
            for step in burst.steps:
                shown = repr(step.request)
                lines.append("    " + (shown if len(shown) < 400 else shown[:300] + f"... {len(step.request)} bytes"))
        return "\n".join(lines)
