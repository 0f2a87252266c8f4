"""Random commands on three connections against a model: a dictionary and memcached's rules."""

import os
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from blackbox.servers import Server
from blackbox.wire import Connection

KEYS = st.sampled_from([b"a", b"b", b"key:3", b"k" * 250])
VALUES = st.one_of(
    st.sampled_from([b"", b"0", b"7", b"99", b"18446744073709551615", b"\r\n.", b"word"]),
    st.binary(min_size=1, max_size=60),
).map(lambda value: value.replace(b"-", b"_") if value.strip() or not value else b".")
FLAGS = st.sampled_from([0, 1, 2**32 - 1])
DELTAS = st.sampled_from([0, 1, 10, 2**64 - 1])
CONNECTIONS = st.integers(0, 2)
EXAMPLES = int(os.environ.get("KILN_EXAMPLES", "60"))


@dataclass
class Entry:
    """One item: its value, flags, and the CAS number last seen (None: it has changed since)."""

    value: bytes
    flags: int
    cas: int | None = None
    old_cas: int | None = None

    def change(self, value: bytes, flags: int | None = None) -> None:
        self.old_cas = self.cas or self.old_cas
        self.value, self.cas = value, None
        self.flags = self.flags if flags is None else flags


class CacheMachine(RuleBasedStateMachine):
    """Every rule sends one command on one of three connections and predicts the reply."""

    server: Server

    def __init__(self) -> None:
        super().__init__()
        self.connections: list[Connection] = []
        self.model: dict[bytes, Entry] = {}

    @initialize()
    def connect(self) -> None:
        self.connections = [self.server.connect() for _ in range(3)]
        assert self.connections[0].ask_line(b"flush_all\r\n") == b"OK"

    def teardown(self) -> None:
        for connection in self.connections:
            connection.close()

    def expect(self, which: int, request: bytes, reply: bytes) -> None:
        """Sends a command and a `mn` behind it; the answer must be ``reply`` to the byte."""
        answer = self.connections[which].ask(request + b"mn\r\n", b"MN\r\n").removesuffix(b"MN\r\n")
        assert answer == reply, f"{request!r} answered {answer!r}, expected {reply!r}"

    @rule(
        which=CONNECTIONS,
        verb=st.sampled_from([b"set", b"add", b"replace", b"append", b"prepend"]),
        key=KEYS,
        value=VALUES,
        flags=FLAGS,
        quiet=st.booleans(),
    )
    def store(self, which: int, verb: bytes, key: bytes, value: bytes, flags: int, quiet: bool) -> None:
        entry = self.model.get(key)
        stored = verb == b"set" or (entry is None) == (verb == b"add")
        if stored:
            match verb:
                case b"append":
                    entry.change(entry.value + value)
                case b"prepend":
                    entry.change(value + entry.value)
                case _ if entry is not None:
                    entry.change(value, flags)
                case _:
                    self.model[key] = Entry(value, flags)
        line = b"%b %b %d 0 %d%b\r\n%b\r\n" % (verb, key, flags, len(value), b" noreply" if quiet else b"", value)
        self.expect(which, line, b"" if quiet else b"STORED\r\n" if stored else b"NOT_STORED\r\n")

    @rule(which=CONNECTIONS, verb=st.sampled_from([b"get", b"gat 0"]), keys=st.lists(KEYS, min_size=1, max_size=5))
    def retrieve(self, which: int, verb: bytes, keys: list[bytes]) -> None:
        found = [(key, self.model[key]) for key in keys if key in self.model]
        values = [b"VALUE %b %d %d\r\n%b\r\n" % (key, e.flags, len(e.value), e.value) for key, e in found]
        self.expect(which, verb + b" " + b" ".join(keys) + b"\r\n", b"".join(values) + b"END\r\n")

    @rule(which=CONNECTIONS, key=KEYS)
    def learn_cas(self, which: int, key: bytes) -> None:
        """The CAS number: unchanged if the item is, and new if it is."""
        reply = self.connections[which].ask_line(b"mg %b c\r\n" % key)
        entry = self.model.get(key)
        if entry is None:
            assert reply == b"EN"
            return
        number = int(reply.removeprefix(b"HD c"))
        assert entry.cas in (None, number), "the number changed though the item did not"
        assert entry.old_cas is None or number > entry.old_cas, "a later version has a smaller number"
        entry.cas = number

    @rule(which=CONNECTIONS, key=KEYS, value=VALUES, stale=st.booleans(), meta=st.booleans())
    def compare_and_swap(self, which: int, key: bytes, value: bytes, stale: bool, meta: bool) -> None:
        entry = self.model.get(key)
        number = (entry.old_cas if stale else entry.cas) if entry else 12345
        if number is None:
            return
        outcome = "absent" if entry is None else "same" if number == entry.cas else "other"
        if meta:
            line = b"ms %b %d C%d\r\n%b\r\n" % (key, len(value), number, value)
            reply = {"absent": b"NF\r\n", "same": b"HD\r\n", "other": b"EX\r\n"}[outcome]
        else:
            line = b"cas %b 5 0 %d %d\r\n%b\r\n" % (key, len(value), number, value)
            reply = {"absent": b"NOT_FOUND\r\n", "same": b"STORED\r\n", "other": b"EXISTS\r\n"}[outcome]
        if outcome == "same":
            entry.change(value, 0 if meta else 5)
        self.expect(which, line, reply)

    @rule(which=CONNECTIONS, key=KEYS, up=st.booleans(), delta=DELTAS, meta=st.booleans())
    def arithmetic(self, which: int, key: bytes, up: bool, delta: int, meta: bool) -> None:
        entry = self.model.get(key)
        number = number_in(entry.value) if entry else None
        if entry is not None and number is not None:
            number = (number + delta) % 2**64 if up else max(0, number - delta)
            digits = str(number).encode()
            entry.change(digits.ljust(len(entry.value)) if len(digits) < len(entry.value) else digits)
        if meta:
            line = b"ma %b M%b D%d v\r\n" % (key, b"I" if up else b"D", delta)
            right = b"VA %d\r\n%d\r\n" % (len(str(number)), number or 0)
            absent = b"NF\r\n"
        else:
            line = b"%b %b %d\r\n" % (b"incr" if up else b"decr", key, delta)
            right, absent = b"%d\r\n" % (number or 0), b"NOT_FOUND\r\n"
        bad = b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"
        self.expect(which, line, absent if entry is None else bad if number is None else right)

    @rule(which=CONNECTIONS, key=KEYS, meta=st.booleans())
    def delete(self, which: int, key: bytes, meta: bool) -> None:
        was_there = self.model.pop(key, None) is not None
        if meta:
            self.expect(which, b"md %b\r\n" % key, b"HD\r\n" if was_there else b"NF\r\n")
        else:
            self.expect(which, b"delete %b\r\n" % key, b"DELETED\r\n" if was_there else b"NOT_FOUND\r\n")

    @rule(which=CONNECTIONS, key=KEYS, flags=FLAGS, value=VALUES, mode=st.sampled_from("SERAP"))
    def meta_set(self, which: int, key: bytes, flags: int, value: bytes, mode: str) -> None:
        entry = self.model.get(key)
        stored = mode == "S" or (entry is None) == (mode == "E")
        if stored:
            if mode in "AP":
                entry.change(entry.value + value if mode == "A" else value + entry.value)
            elif entry is not None:
                entry.change(value, flags)
            else:
                self.model[key] = Entry(value, flags)
        line = b"ms %b %d M%b F%d O7 k\r\n%b\r\n" % (key, len(value), mode.encode(), flags, value)
        self.expect(which, line, b"%b O7 k%b\r\n" % (b"HD" if stored else b"NS", key))

    @rule(which=CONNECTIONS, key=KEYS)
    def touch(self, which: int, key: bytes) -> None:
        self.expect(which, b"touch %b 0\r\n" % key, b"TOUCHED\r\n" if key in self.model else b"NOT_FOUND\r\n")

    @rule(which=CONNECTIONS)
    def flush(self, which: int) -> None:
        self.model.clear()
        self.expect(which, b"flush_all\r\n", b"OK\r\n")


def number_in(value: bytes) -> int | None:
    """A value as memcached reads it: white space, a sign, digits; then white space or its end."""
    text = value.lstrip(b" \t\n\v\f\r")
    text = text[1:] if text[:1] == b"+" else text
    digits = text[: len(text) - len(text.lstrip(b"0123456789"))]
    rest = text[len(digits) :]
    if not digits or int(digits) >= 2**64 or (rest and rest[:1] not in b" \t\n\v\f\r"):
        return None
    return int(digits)


def test_model(server: Server) -> None:
    CacheMachine.server = server
    case = CacheMachine.TestCase
    case.settings = settings(
        max_examples=EXAMPLES,
        stateful_step_count=50,
        deadline=None,
        database=None,
        derandomize="KILN_EXAMPLES" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    case("runTest").runTest()
