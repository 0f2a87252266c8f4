"""Running one program on both servers and telling what differs."""

from dataclasses import dataclass

from accepted_differences import explanation
from normalise import replies_agree
from program import Program, Step
from runner import Outcome, Runner
from shrink import shrunk

#: How often the reference is asked again before a difference counts.
REFERENCE_RUNS = 8


@dataclass
class Mismatch:
    """The first step whose replies differ with no accepted reason."""

    step: Step | None
    reference: bytes
    tested: bytes

    def __str__(self) -> str:
        def shown(reply: bytes) -> str:
            return repr(reply) if len(reply) < 600 else repr(reply[:500]) + f"... {len(reply)} bytes"

        request = repr(self.step.request[:300]) if self.step else "(number of replies)"
        return f"request   {request}\nreference {shown(self.reference)}\ntested    {shown(self.tested)}"


class Comparison:
    """Two servers that must answer alike."""

    def __init__(self, reference: Runner, tested: Runner):
        self.reference = reference
        self.tested = tested

    def mismatch(self, program: Program) -> Mismatch | None:
        """The first difference that is neither accepted nor the reference's own wavering.

        memcached answers some programs in more than one way (about one in a thousand here, after
        what `Pipelining` rules out); the tested answer must be one that it gives.
        """
        tested = self.tested.run(program)
        found = first_mismatch(program, self.reference.run(program), tested)
        for _ in range(REFERENCE_RUNS if found else 0):
            if first_mismatch(program, self.reference.run(program), tested) is None:
                return None
        return found

    def check(self, program: Program) -> None:
        """Fails with a minimal program where the servers differ."""
        found = self.mismatch(program)
        if found is None:
            return
        smallest = shrunk(program, lambda candidate: self.mismatch(candidate) is not None)
        rest = self.mismatch(smallest)
        raise AssertionError(
            f"replies differ (seed {program.seed})\n{found}\nminimal {smallest}\n{rest or '(not every time)'}"
        )


def first_mismatch(program: Program, reference: Outcome, tested: Outcome) -> Mismatch | None:
    """Compares two outcomes of one program, step by step."""
    if not program.has_markers:
        return _burst_mismatch(program, reference, tested)
    for index, (_, step) in enumerate(program.steps()):
        left, right = reference.replies[index], tested.replies[index]
        if not replies_agree(left, right) and explanation(step, left, right) is None:
            return Mismatch(step, reference.raw[index], tested.raw[index])
    return None


def _burst_mismatch(program: Program, reference: Outcome, tested: Outcome) -> Mismatch | None:
    """Without markers a burst has one reply: all of it must agree."""
    for burst, (left, right) in enumerate(zip(reference.replies, tested.replies, strict=True)):
        if not replies_agree(left, right):
            steps = program.bursts[burst].steps
            return Mismatch(Step(b"".join(step.request for step in steps)), reference.raw[burst], tested.raw[burst])
    return None
