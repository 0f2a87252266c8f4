"""Waiting for a condition, never for an amount of time."""

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

#: How long a condition that should come about at once may take on a busy machine.
DEADLINE_SECONDS = 20.0


def wait_until(condition: Callable[[], Result], what: str, deadline_seconds: float = DEADLINE_SECONDS) -> Result:
    """Returns the first true result of ``condition``; fails, naming ``what``, at the deadline."""
    end = time.monotonic() + deadline_seconds
    pause = 0.001
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_seconds} s: {what}")
        time.sleep(pause)  # Between two looks at the condition; not a guess at how long it takes.
        pause = min(pause * 2, 0.05)
