"""Random meta commands: every flag of mg, ms, md, ma, me and mn that memcached 1.6.18 knows."""

import base64
import random

import generator
from program import KEYS, Pipelining, Step, cas_placeholder

#: No TTL equals a limit that `R` asks with: whether 30 is below 30 depends on the clock's tick.
TIMES = [b"0", b"0", b"100", b"1000", b"2592000", b"-1"]
OPAQUES = [b"1", b"opaque", b"x" * 31, b"0", b""]
#: Keys that no classic command sees: vivified stubs live here.
VIVIFY_KEY_INDEXES = [KEYS.index(b"n2"), KEYS.index(b"stale")]
BAD_LINES = [
    b"mg",
    b"ms",
    b"md",
    b"ma",
    b"me",
    b"mg a v v",
    b"mg a Q",
    b"md a Q",
    b"ma a Q",
    b"mg a T",
    b"mg a Tx",
    b"mg a N",
    b"mg a Rx",
    b"ma a Dx",
    b"ma a D-1",
    b"ma a MZ",
    b"md a Tx I",
    b"md a Cx",
    b"ms a",
    b"mg nosuchkey O" + b"o" * 33,
    b"mg " + b"k" * 251,
    b"mg !!!! b",
    b"md %% b k",
    b"me nosuchkey",
    b"mg a k O1 q q",
    b"mgg a",
    b"m",
    b"mx a",
    b"ma a N",
    b"mg a " + b"v " * 30,
]


class MetaCommands:
    """Makes one random meta step at a time."""

    def __init__(self, chance: random.Random, makes_bad_blocks: bool = True):
        self.chance = chance
        self._makers = [
            (34, self.get),
            (30, self.set),
            (12, self.delete),
            (16, self.arithmetic),
            (3, self.no_op),
            (3, self.debug),
            (4, self.bad_line),
            (3 if makes_bad_blocks else 0, self.bad_set),
        ]

    def step(self) -> Step:
        weights, makers = zip(*self._makers, strict=True)
        return self.chance.choices(makers, weights)[0]()

    def flags(self, *choices: tuple[float, bytes]) -> list[bytes]:
        """A shuffled choice of flags, each with its own probability."""
        flags = [flag for share, flag in choices if self.chance.random() < share]
        self.chance.shuffle(flags)
        return flags

    def pick(self, choices: list[bytes]) -> bytes:
        return self.chance.choice(choices)

    def key(self, index: int) -> tuple[bytes, list[bytes]]:
        """A key as it stands in the line, and the flag that says it is base64."""
        if self.chance.random() < 0.15 and len(KEYS[index]) < 100:
            return base64.b64encode(KEYS[index]), [b"b"]
        return KEYS[index], []

    def key_index(self) -> int:
        return self.chance.randrange(len(KEYS))

    def common(self) -> list[bytes]:
        """Flags that every meta command takes and only echoes."""
        return self.flags((0.25, b"k"), (0.2, b"O" + self.pick(OPAQUES)), (0.15, b"q"))

    def make(self, verb: bytes, index: int, flags: list[bytes], size: list[bytes] | None = None) -> bytes:
        key, binary = self.key(index)
        flags = flags + binary
        self.chance.shuffle(flags)
        return generator.padded(self.chance, [verb, key, *(size or []), *flags])

    def get(self) -> Step:
        index = self.key_index()
        flags = self.common() + self.flags(
            (0.6, b"v"),
            (0.3, b"c"),
            (0.2, b"f"),
            (0.15, b"h"),
            (0.1, b"l"),
            (0.2, b"s"),
            (0.2, b"t"),
            (0.1, b"T" + self.pick(TIMES)),
            (0.1, b"R" + self.pick([b"60", b"700", b"0"])),
        )
        if b"T-1" in flags and b"t" in flags:
            flags.remove(b"t")  # memcached prints a wrapped number: see "time left of the dead".
        if index in VIVIFY_KEY_INDEXES and self.chance.random() < 0.4:
            flags.append(b"N" + self.pick([b"30", b"1000", b"0"]))
        return Step(self.make(b"mg", index, flags), KEYS[index], Pipelining.READS)

    def set(self) -> Step:
        index = self.key_index()
        value = generator.random_value(self.chance)
        modes = [b"E", b"A", b"P", b"R", b"S", b"e", b"a", b"p", b"r", b"s"]
        age = self.chance.choice([0, 0, 1])
        flags = self.common() + self.flags(
            (0.25, b"c"),
            (0.25, b"F" + self.pick([b"0", b"1", b"4294967295"])),
            (0.2, b"T" + self.pick(TIMES)),
            (0.4, b"M" + self.pick(modes)),
            (0.2, b"C" + cas_placeholder(index, age)),
            (0.1, b"I"),
        )
        return Step(self.make(b"ms", index, flags, [b"%d" % len(value)]) + value + b"\r\n", KEYS[index])

    def delete(self) -> Step:
        index = self.key_index()
        flags = self.common() + self.flags(
            (0.35, b"I"),
            (0.2, b"T" + self.pick(TIMES[:-1])),
            (0.25, b"C" + cas_placeholder(index, 0)),
        )
        return Step(self.make(b"md", index, flags), KEYS[index])

    def arithmetic(self) -> Step:
        index = self.key_index()
        modes = [b"I", b"i", b"+", b"incr", b"D", b"d", b"-", b"decr"]
        flags = self.common() + self.flags(
            (0.5, b"v"),
            (0.2, b"t"),
            (0.2, b"c"),
            (0.3, b"M" + self.pick(modes)),
            (0.4, b"D" + self.pick([b"0", b"1", b"10", b"18446744073709551615"])),
            (0.15, b"C" + cas_placeholder(index, 0)),
        )
        if b"D0" in flags:  # Where the number may grow, memcached gives the TTL to the item it replaces.
            flags += self.flags((0.4, b"T" + self.pick(TIMES[:-1])))
        if self.chance.random() < 0.4:
            flags.append(b"N" + self.pick([b"0", b"500"]))
            flags += self.flags((0.6, b"J" + self.pick([b"0", b"13", b"18446744073709551615"])))
        return Step(self.make(b"ma", index, flags), KEYS[index], Pipelining.NO_READ_BEFORE)

    def no_op(self) -> Step:
        return Step(b"mn\r\n")

    def debug(self) -> Step:
        index = self.key_index()
        key, binary = self.key(index)
        return Step(generator.padded(self.chance, [b"me", key, *binary]), KEYS[index])

    def bad_line(self) -> Step:
        return Step(self.pick(BAD_LINES) + b"\r\n", KEYS[0], Pipelining.ALONE)

    def bad_set(self) -> Step:
        """A refused `ms` with the block it declares, or a block of another size."""
        flags = self.pick([b"Fx", b"Tx", b"MZ", b"Cx", b"Q", b"v v", b"F1 F2", b"O" + b"o" * 40, b"b"])
        if self.chance.random() < 0.1:
            return Step(b"ms a " + self.pick([b"x", b"-1"]) + b"\r\n", b"a", Pipelining.ALONE)
        if self.chance.random() < 0.25:
            return Step(b"ms a 2 O7\r\nhello\r\n", b"a", Pipelining.ALONE)
        if self.chance.random() < 0.1:
            return Step(b"ms a 2000000 T0\r\n" + b"big" * 666_666 + b"--\r\n", b"a")
        return Step(b"ms a 5 " + flags + b"\r\nhello\r\n", b"a", Pipelining.ALONE)
