"""Random programs from a seed: classic and meta commands, right and wrong ones, mixed."""

import random

from classic_commands import ClassicCommands
from meta_commands import MetaCommands
from program import Burst, Pipelining, Program, Step

#: Every byte but "-": memcached looks for one in whatever memory follows a number of 2^63 or more,
#: and refuses to increment it if an older value left one there.
VALUE_BYTES = [byte for byte in range(256) if byte != ord("-")]


def random_program(seed: int, steps: int = 60) -> Program:
    """A program of about ``steps`` steps; the same for the same seed."""
    chance = random.Random(seed)
    has_markers = chance.random() < 0.75
    # Without markers a reply has no step, so no accepted difference could explain it.
    makers = [maker(chance, makes_bad_blocks=has_markers) for maker in (ClassicCommands, MetaCommands)]
    meta_share = chance.choice([0.0, 0.5, 0.5, 1.0])
    bursts: list[list[Step]] = [[]]
    size = 1
    for _ in range(steps):
        step = makers[chance.random() < meta_share].step()
        if len(bursts[-1]) >= size or not _may_follow(step, bursts[-1]):
            bursts.append([])
            size = chance.choice([1, 2, 5, 10, 25])
        bursts[-1].append(step)
    cuts = [chance.choice([0, chance.getrandbits(32) | 1]) for _ in bursts]
    return Program(tuple(map(Burst, map(tuple, bursts), cuts)), seed, has_markers)


def _may_follow(step: Step, burst: list[Step]) -> bool:
    """Whether memcached answers ``step`` the same however the burst is cut."""
    if burst and burst[-1].pipelining is Pipelining.ALONE:
        return False
    match step.pipelining:
        case Pipelining.ALONE:
            return not burst
        case Pipelining.NO_READ_BEFORE:
            return all(before.pipelining is not Pipelining.READS for before in burst)
    return True


def padded(chance: random.Random, words: list[bytes]) -> bytes:
    """A command line; now and then with spaces or a bare LF that clients are known to send."""
    line = b" ".join(words)
    style = chance.random()
    if style < 0.04:
        return line + b" \r\n"
    if style < 0.06:
        return b"  ".join(words) + b"\r\n"
    if style < 0.08:
        return b" " + line + b"\r\n"
    if style < 0.10:
        return line + b"\n"
    return line + b"\r\n"


def random_value(chance: random.Random) -> bytes:
    """Numbers, short texts, CRLF and NUL inside, and sizes around buffer boundaries.

    Never white space alone: looking for a number there, memcached reads on into other memory.
    """
    value = _any_value(chance)
    return value + b"." if value and not value.strip() else value


def _any_value(chance: random.Random) -> bytes:
    kind = chance.random()
    if kind < 0.35:
        return str(chance.choice([0, 1, 7, 10, 99, 100, 2**32, 2**63, 2**64 - 1, 2**64])).encode()
    if kind < 0.45:
        return chance.choice([b"", b"\r\n", b"a\r\nb", b"END\r\n", b"\0\0", b"\xff\x80", b"get a\r\n"])
    if kind < 0.52:
        return chance.choice([b" 7", b"7 ", b"+7", b"07", b"1x", b"0x10", b"12345678901234567890123"])
    if kind < 0.90:
        return bytes(chance.choices(VALUE_BYTES, k=chance.randrange(1, 40)))
    if kind < 0.98:
        return bytes(chance.choices(b"abc\r\n", k=chance.choice([500, 1000, 2040, 2048, 5000])))
    size = chance.choice([16_383, 16_384, 16_385, 70_000, 300_000, 600_000, 1_000_000])
    return bytes(chance.choices(VALUE_BYTES, k=64)) * (size // 64) + b"z" * (size % 64)
