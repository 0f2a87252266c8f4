"""The server under test answers random programs as Debian's memcached does, byte for byte."""

import os
from dataclasses import replace

import pytest

from accepted_differences import ACCEPTED, AcceptedDifference
from blackbox.servers import Server, kind_under_test
from compare import Comparison, first_mismatch
from generator import random_program
from program import Burst, Program, Step
from runner import Outcome, Runner

#: Another first seed, or more programs, for a longer hunt: KILN_SEED, KILN_PROGRAMS.
FIRST_SEED = int(os.environ.get("KILN_SEED", "1"))
PROGRAMS = int(os.environ.get("KILN_PROGRAMS", "400"))
SEEDS_PER_TEST = 50


@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + PROGRAMS, SEEDS_PER_TEST))
def test_random_programs(comparison: Comparison, first: int) -> None:
    for seed in range(first, min(first + SEEDS_PER_TEST, FIRST_SEED + PROGRAMS)):
        comparison.check(random_program(seed))


@pytest.mark.parametrize("seed", range(5))
def test_same_program_cut_into_single_bytes(comparison: Comparison, seed: int) -> None:
    """One-byte segments give the replies that one segment gives (on the same server)."""
    program = random_program(10_000 + seed, steps=25)
    whole = replace(program, bursts=tuple(replace(burst, seed=0) for burst in program.bursts))
    outcomes = [comparison.tested.run(candidate) for candidate in (whole, program)]
    assert first_mismatch(whole, *outcomes) is None


@pytest.mark.parametrize("entry", ACCEPTED, ids=lambda entry: entry.name)
def test_accepted_difference_is_real(comparison: Comparison, entry: AcceptedDifference) -> None:
    """Each entry of the list is a difference that exists, and explains it."""
    if kind_under_test() == "memcached":
        pytest.skip("the list says how Kiln differs; the server under test is memcached")
    step = Step(entry.example)
    program = Program((Burst((step,)),), seed=0)
    reference, tested = comparison.reference.run(program), comparison.tested.run(program)
    assert reference.raw != tested.raw, f"stale entry: both answer {tested.raw}"
    assert entry.matches(step.request, reference.replies[0], tested.replies[0]), (
        f"reference {reference.raw}, Kiln {tested.raw}"
    )


class MutatingRunner(Runner):
    """A runner that changes one byte of one reply: what a bug would look like."""

    def __init__(self, address: tuple[str, int], wanted: bytes, instead: bytes):
        super().__init__(address)
        self.wanted, self.instead = wanted, instead

    def _run_burst(self, *arguments: object) -> list[bytes]:
        replies = super()._run_burst(*arguments)
        return [reply.replace(self.wanted, self.instead, 1) for reply in replies]


@pytest.mark.parametrize(
    ("wanted", "instead"),
    [(b"STORED\r\n", b"STORE\r\n"), (b"EN\r\n", b""), (b"DELETED", b"NOT_FOUND"), (b" 65535 ", b" 65534 ")],
)
def test_planted_fault_is_found(reference: Server, wanted: bytes, instead: bytes) -> None:
    """The comparison sees a changed reply and prints a program of a few steps that shows it."""
    comparison = Comparison(Runner(reference.address), MutatingRunner(reference.address, wanted, instead))
    for seed in range(1, 40):
        try:
            comparison.check(random_program(seed))
        except AssertionError as failure:
            minimal = str(failure).split("minimal", 1)[1]
            assert 1 <= minimal.count("    b'") <= 6, minimal
            assert f"seed {seed}" in str(failure)
            return
    raise AssertionError("the planted fault was not found in 40 programs")


def test_planted_cas_fault_is_found(reference: Server) -> None:
    """A CAS number that should have changed and did not is a difference."""
    request = b"gets a\r\n"
    steps = (Step(b"set a 0 0 1\r\nx\r\n"), Step(request), Step(b"set a 0 0 1\r\ny\r\n"), Step(request))
    program = Program((Burst(steps),), seed=0)
    right = Runner(reference.address).run(program)
    wrong = Outcome(right.raw, list(right.replies))
    wrong.replies[3] = [(*wrong.replies[3][0][:4], right.replies[1][0][4]), *wrong.replies[3][1:]]
    assert first_mismatch(program, right, right) is None
    assert first_mismatch(program, right, wrong) is not None
