"""Random classic commands: get to flush_all, with the mistakes clients make."""

import random

import generator
from program import KEYS, Pipelining, Step, cas_placeholder

STORE_VERBS = [b"set", b"set", b"set", b"add", b"replace", b"append", b"prepend"]
FLAGS = [b"0", b"1", b"65535", b"4294967295"]
#: Not expired, for ever, absolute and far, at once expired.
EXPIRY_TIMES = [b"0", b"0", b"0", b"1000", b"2592000", b"2147483647", b"-1", b"2592001"]
DELTAS = [b"0", b"1", b"5", b"99", b"18446744073709551615"]
BAD_DELTAS = [b"-1", b"x", b"18446744073709551616", b"1x", b""]
#: The key that only meta commands use, so that lease stubs stay among them.
META_ONLY_KEYS = {b"n2", b"stale"}
CLASSIC_KEY_INDEXES = [i for i, key in enumerate(KEYS) if key not in META_ONLY_KEYS]

#: Whole lines that are answered alike whatever the cache holds.
FIXED_LINES = [
    b"version",
    b"verbosity 0",
    b"verbosity 0 noreply",
    b"verbosity",
    b"get",
    b"gets",
    b"gat",
    b"gats",
    b"gat 100",
    b"gat x a",
    b"set",
    b"set a",
    b"set a 0 0",
    b"delete",
    b"incr a",
    b"incr",
    b"touch a",
    b"touch",
    b"touch a x",
    b"delete a 5",
    b"delete a x y",
    b"delete a 0 0 0",
    b"GET a",
    b"",
    b"foo",
    b"foo bar",
    b"flush_all x",
    b"stats nosuchgroup",
    b"cas a 0 0 1",
    b"incr a 1 2 3 4",
    b"decr a x",
    b"quitt",
    b"g",
    b"gett a",
    b"setx a 0 0 1",
    b"verbosity 1 2 3 4",
    b"flush_all 0 0 0 0",
    b"mn extra",
    b"lru",
    b"lru mode",
    b"slabs",
    b"slabs automove",
    b"lru_crawler",
    b"cache_memlimit",
    b"shutdown",
]


class ClassicCommands:
    """Makes one random classic step at a time."""

    def __init__(self, chance: random.Random, makes_bad_blocks: bool = True):
        self.chance = chance
        self._makers = [
            (24, self.retrieve),
            (26, self.store),
            (6, self.compare_and_swap),
            (8, self.delete),
            (12, self.arithmetic),
            (6, self.touch),
            (5, self.get_and_touch),
            (1, self.flush),
            (6, self.fixed_line),
            (3 if makes_bad_blocks else 0, self.bad_store),
            (2, self.bad_key),
            (0.3, self.watch_nothing),
        ]

    def step(self) -> Step:
        weights, makers = zip(*self._makers, strict=True)
        return self.chance.choices(makers, weights)[0]()

    def key_index(self) -> int:
        return self.chance.choice(CLASSIC_KEY_INDEXES)

    def noreply(self) -> list[bytes]:
        return [b"noreply"] if self.chance.random() < 0.15 else []

    def line(self, *words: bytes) -> bytes:
        return generator.padded(self.chance, list(words))

    def retrieve(self) -> Step:
        count = self.chance.choice([1, 1, 1, 2, 5, 23, 24, 60])
        keys = [KEYS[self.key_index()] if count < 24 else KEYS[self.chance.choice([0, 1, 2])] for _ in range(count)]
        return Step(self.line(self.chance.choice([b"get", b"gets"]), *keys), pipelining=Pipelining.READS)

    def store(self) -> Step:
        value = generator.random_value(self.chance)
        words = [
            self.chance.choice(STORE_VERBS),
            KEYS[self.key_index()],
            self.chance.choice(FLAGS),
            self.chance.choice(EXPIRY_TIMES),
            b"%d" % len(value),
        ]
        return Step(self.line(*words, *self.noreply()) + value + b"\r\n")

    def compare_and_swap(self) -> Step:
        index = self.key_index()
        value = generator.random_value(self.chance)
        unique = cas_placeholder(index, self.chance.choice([0, 0, 0, 1]))
        words = [b"cas", KEYS[index], self.chance.choice(FLAGS), b"0", b"%d" % len(value), unique]
        return Step(self.line(*words, *self.noreply()) + value + b"\r\n")

    def delete(self) -> Step:
        zero = [b"0"] if self.chance.random() < 0.1 else []
        return Step(self.line(b"delete", KEYS[self.key_index()], *zero, *self.noreply()))

    def arithmetic(self) -> Step:
        delta = self.chance.choice(DELTAS if self.chance.random() < 0.9 else BAD_DELTAS)
        verb = self.chance.choice([b"incr", b"decr"])
        line = self.line(verb, KEYS[self.key_index()], delta, *self.noreply())
        return Step(line, pipelining=Pipelining.NO_READ_BEFORE)

    def touch(self) -> Step:
        time = self.chance.choice(EXPIRY_TIMES)
        return Step(self.line(b"touch", KEYS[self.key_index()], time, *self.noreply()))

    def get_and_touch(self) -> Step:
        # Short keys in long lists: memcached closes on a `gat` line of 2 KiB, if it comes in pieces.
        count = self.chance.choice([1, 2, 30])
        keys = [KEYS[self.key_index()] if count < 30 else KEYS[self.chance.choice([0, 1, 2])] for _ in range(count)]
        verb = self.chance.choice([b"gat", b"gats"])
        return Step(self.line(verb, self.chance.choice(EXPIRY_TIMES), *keys), pipelining=Pipelining.READS)

    def flush(self) -> Step:
        time = [b"0"] if self.chance.random() < 0.3 else []
        return Step(self.line(b"flush_all", *time, *self.noreply()))

    def fixed_line(self) -> Step:
        return Step(self.chance.choice(FIXED_LINES) + b"\r\n")

    def bad_key(self) -> Step:
        key = b"x" * self.chance.choice([251, 252, 300, 1000])
        verb = self.chance.choice([b"get", b"gets", b"delete", b"incr", b"touch", b"gat"])
        words = {b"incr": [key, b"1"], b"touch": [key, b"0"], b"gat": [b"0", key]}.get(verb, [key])
        return Step(self.line(verb, *words), pipelining=Pipelining.ALONE)

    def watch_nothing(self) -> Step:
        return Step(b"watch nosuchthing\r\n", pipelining=Pipelining.ALONE)

    def bad_store(self) -> Step:
        """A refused line with the data block it declares, or a block of another size."""
        value = self.chance.choice([b"x", b"hello", b"zz zz"])
        flags, time, count = b"0", b"0", b"%d" % len(value)
        key = KEYS[self.key_index()]
        match self.chance.randrange(6):
            case 0:
                flags = self.chance.choice([b"-1", b"x", b"1x"])
            case 1:
                time = self.chance.choice([b"x", b"1x"])
            case 2:
                return Step(
                    self.line(b"set", key, b"0", b"0", self.chance.choice([b"-1", b"x", b"4294967295"])),
                    pipelining=Pipelining.ALONE,
                )
            case 3:
                key = b"y" * 251
            case 4:
                return Step(
                    self.line(b"set", key, b"0", b"0", b"%d" % (len(value) - 1)) + value + b"\r\n",
                    pipelining=Pipelining.ALONE,
                )
            case 5:
                count = b"2000000"
                value = b"big" * 666_666 + b"--"
        verb = self.chance.choice([b"set", b"add", b"append"])
        return Step(self.line(verb, key, flags, time, count) + value + b"\r\n", pipelining=Pipelining.ALONE)
