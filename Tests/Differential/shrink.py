"""Cutting a failing program down to the steps that matter (delta debugging)."""

from collections.abc import Callable
from dataclasses import replace

from program import Burst, Program


def shrunk(program: Program, fails: Callable[[Program], bool], tries: int = 300) -> Program:
    """The smallest failing program found within ``tries`` runs; ``program`` itself fails."""
    budget = [tries]

    def still_fails(candidate: Program) -> bool:
        if budget[0] == 0 or not candidate.bursts:
            return False
        budget[0] -= 1
        return fails(candidate)

    steps = list(program.steps())
    parts = 2
    while len(steps) > 1 and parts <= len(steps):
        size = -(-len(steps) // parts)
        for start in range(0, len(steps), size):
            rest = steps[:start] + steps[start + size :]
            if still_fails(program.keeping(rest)):
                steps = rest
                parts = max(2, parts - 1)
                break
        else:
            if size == 1:
                break
            parts = min(len(steps), parts * 2)
    smallest = program.keeping(steps)
    uncut = replace(smallest, bursts=tuple(Burst(burst.steps, 0) for burst in smallest.bursts))
    return uncut if still_fails(uncut) else smallest
