"""Hostile input that has broken caches, as a table that tests replay.

Row numbers group the inputs by the weakness they come from: memcached's CVEs and crash fixes
(1-23), Redis's (24-29), memberlist's (30), and request smuggling (31).
"""

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

ERROR = rb"(?:ERROR|CLIENT_ERROR [^\r\n]*|SERVER_ERROR [^\r\n]*)\r\n"
ANY_LINES = rb"(?:[^\r\n]*\r?\n)*"


# A first item of a time-to-live class may touch a new page of the store, and the kernel hands those out 2 MiB at a time.
HUGE_PAGE_BYTES = 2 << 20


@dataclass(frozen=True)
class Case:
    """One input and what may come back before the server answers `mn` again, or closes."""

    row: int
    name: str
    request: bytes | Callable[[], bytes]
    replies: bytes = ERROR  # A regular expression for the whole reply.
    may_close: bool = True
    must_close: bool = False
    ends_connection: bool = False  # The input leaves the server waiting for more: no `mn` follows.
    is_dump: bool = False  # Answered over time, up to a last line; nothing may be pipelined behind it.
    growth_bytes: int = (2 << 20) + HUGE_PAGE_BYTES
    memcached_fails: str = ""  # Why memcached itself does not pass.

    def bytes_to_send(self) -> bytes:
        return self.request() if callable(self.request) else self.request

    @property
    def id(self) -> str:
        return f"row{self.row:02}-{self.name}".replace(" ", "-")


def binary(opcode: int, key_count: int, extras_count: int, body_count: int, rest: bytes = b"") -> bytes:
    """A request header of the binary protocol with lengths of one's own choice."""
    return struct.pack(">BBHBBHIIQ", 0x80, opcode, key_count, extras_count, 0, 0, body_count, 0, 0) + rest


NO_BINARY = "memcached speaks the binary protocol"
SMUGGLES = "memcached reads the block of a refused line as commands"


def binary_cases() -> list[Case]:
    """Rows 1, 2 and 7: lengths that contradict each other. Kiln hangs up at the first byte."""
    inputs = {
        "append-body-shorter-than-key": binary(0x0E, 250, 0, 10, b"k" * 10),
        "set-body-shorter-than-extras": binary(0x01, 5, 8, 0),
        "sasl-huge-length": binary(0x21, 0xFFFF, 0, 0xFFFFFFFF),
        "getq-setq": binary(0x11, 0xFFFF, 0xFF, 1) + binary(0x09, 0xFFFF, 0, 0),
        "extras-overflow": binary(0x1D, 1, 0xFF, 0xFFFFFFFF, b"x" * 300),
        "one-byte": b"\x80",
    }
    return [
        Case(
            1 if index < 3 else 2 if index == 3 else 7,
            "binary-" + name,
            request,
            rb"",
            must_close=True,
            memcached_fails=NO_BINARY,
        )
        for index, (name, request) in enumerate(inputs.items())
    ]


def admin_cases() -> list[Case]:
    """Rows 5 and 21: every administrative command with none to too many words, of every kind."""
    commands = [
        "lru",
        "lru mode",
        "lru temp_ttl",
        "lru tune",
        "lru_crawler",
        "lru_crawler sleep",
        "lru_crawler tocrawl",
        "lru_crawler crawl",
        "lru_crawler metadump",
        "slabs",
        "slabs reassign",
        "slabs automove",
        "stats",
        "stats cachedump",
        "stats detail",
        "stats sizes",
        "stats reset",
        "cache_memlimit",
        "verbosity",
        "flush_all",
        "watch",
        "extstore",
        "refresh_certs",
        "debugtime",
        "config",
        "config get",
        "kiln",
        "shutdown",
    ]
    words = [
        "",
        "0",
        "-1",
        "99999999999999999999",
        "x" * 200,
        "0 0",
        "-1 0",
        "64 64 64",
        "1 2 3 4 5",
        "0.1 0.1 0.1 0.1",
        "all x y",
        "%s%s%n",
        "1,2,3,4",
        ",",
    ]
    lines = [f"{command} {word}".strip() for command in commands for word in words]
    lines.remove("watch")  # Turns the connection into a watcher.
    return [
        Case(
            21 if line.startswith("slabs") else 5,
            "admin-" + line[:40].replace(" ", "_"),
            line.encode() + b"\r\n",
            ANY_LINES,
            is_dump="metadump" in line,
            memcached_fails="memcached never answers a list of no classes" if line.endswith("metadump ,") else "",
        )
        for line in lines
    ]


def line_cases() -> list[Case]:
    """Rows 10, 11, 13, 17: lines, their ends, and flags without their numbers."""
    cases = [
        Case(10, f"get-{count}-spaces", b"get" + b" " * count + b"a b c\r\n", rb"(?:END\r\n|" + ERROR + rb")")
        for count in (1, 200, 500, 772, 1500, 5_000, 100_000)
    ]
    cases += [
        Case(10, f"{verb}-only-spaces", verb.encode() + b" " * 1000 + b"\r\n")
        for verb in ("get", "set", "mg", "incr", "touch", "gat", "")
    ]
    cases += [
        Case(11, "lf-only", b"get absent\n", rb"END\r\n", may_close=False),
        Case(11, "cr-cr-lf", b"get absent\r\r\n", rb"(?:END\r\n|" + ERROR + rb")"),
        Case(11, "lf-cr", b"get absent\n\rget absent\r\n", rb"END\r\n(?:END\r\n|" + ERROR + rb")"),
        Case(11, "cr-only", b"get absent\rget absent\r\n", rb"(?:END\r\n|" + ERROR + rb")"),
        Case(11, "nul-in-line", b"get a\0b\r\n", rb"(?:END\r\n|" + ERROR + rb")"),
        Case(11, "nul-line", b"\0\r\n"),
        Case(11, "block-ends-in-lf", b"set eol 0 0 1\r\nx\n\r\n", rb"CLIENT_ERROR bad data chunk\r\n(?:ERROR\r\n)?"),
        Case(11, "block-without-end", b"set eol 0 0 1\r\nxyz\r\n", rb"CLIENT_ERROR bad data chunk\r\n(?:ERROR\r\n)?"),
        Case(11, "set-with-lf", b"set eol 0 0 1\nx\r\n", rb"STORED\r\n", may_close=False),
        Case(13, "empty-lines", b"\r\n" * 10_000, rb"(?:ERROR\r\n){1,10000}"),
        Case(13, "lf-lines", b"\n" * 10_000, rb"(?:ERROR\r\n){1,10000}"),
        Case(13, "space-lines", b" \r\n" * 10_000, rb"(?:ERROR\r\n){1,10000}"),
    ]
    flags = [
        "mg k T",
        "mg k N",
        "mg k R",
        "mg k E",
        "ms k S",
        "ms k T",
        "ms k F",
        "ms k C",
        "ms k M",
        "ms k",
        "ma k D",
        "ma k J",
        "ma k N",
        "ma k M",
        "ma k T",
        "md k C",
        "md k T",
        "mg",
        "mg ",
        "ms",
        "me",
        "md",
        "ma",
        "mg k T ",
        "mg k Tx",
        "mg k T99999999999999999999",
        "ma k D-1",
        "ma k D99999999999999999999",
        "mg k C",
        "ma k C",
        "mg k kk vv",
        "mg k b",
        "mg = b",
        "mg ==== b",
        "mg Zg b",
        "mg k O" + "x" * 33,
    ]
    # A flag that needs no number in one command, or is unknown in 1.6.18, may also be a plain miss.
    cases += [
        Case(
            17,
            flag.replace(" ", "_")[:30],
            flag.encode() + b"\r\n",
            rb"(?:" + ERROR + rb"|EN\r\n|NF\r\n|EN [^\r\n]*\r\n)",
        )
        for flag in flags
    ]
    return cases


def length_cases() -> list[Case]:
    """Row 12 and plain limits: keys, lines, and lengths no item can have."""
    too_long = b"k" * 251
    cases = [
        Case(
            12,
            f"length-{count}".replace("--", "-minus-"),
            b"set x 0 0 %s\r\n" % count.encode(),
            rb"(?:" + ERROR + rb")?",
            ends_connection=True,
        )
        for count in ("2147483646", "2147483645", "1073741824", "4294967294", "9223372036854775806")
    ]
    cases += [
        Case(12, f"bad-length-{count}", b"%s\r\n" % line.encode())
        for count in (
            "-1",
            "-2147483648",
            "2147483647",
            "4294967295",
            "18446744073709551615",
            "99999999999999999999999",
            "1e3",
            "0x10",
            "--1",
            "1.5",
        )
        for line in (f"set x 0 0 {count}", f"ms x {count}", f"cas x 0 0 {count} 1")
    ]
    cases += [
        Case(12, "over-long-key-get", b"get " + too_long + b"\r\n"),
        Case(12, "over-long-key-mg", b"mg " + too_long + b" v\r\n"),
        Case(12, "over-long-key-delete", b"delete " + too_long + b"\r\n"),
        Case(12, "over-long-key-100k", b"get " + b"k" * 100_000 + b"\r\n"),
        Case(12, "many-words", b"set " + b"w " * 500 + b"\r\n"),
        Case(12, "line-of-2048", b"x" * 2046 + b"\r\n"),
        Case(12, "line-of-4096", b"x" * 4094 + b"\r\n"),
        Case(12, "endless-line", b"x" * (1 << 20), rb"(?:" + ERROR + rb")?", must_close=True, ends_connection=True),
        Case(
            12,
            "endless-set-line",
            b"set " + b"x" * (1 << 20),
            rb"(?:" + ERROR + rb")?",
            must_close=True,
            ends_connection=True,
        ),
        Case(
            12,
            "endless-gets-one-key",
            b"gets " + b"x" * (1 << 20),
            rb"(?:" + ERROR + rb")?",
            ends_connection=True,
            growth_bytes=(4 << 20) + HUGE_PAGE_BYTES,
        ),
        Case(12, "control-bytes", bytes(range(1, 32)) + b"\r\n", rb"(?:" + ERROR + rb"){1,2}"),
        Case(12, "high-bytes", b"get " + bytes(range(129, 256)) + b"\r\n", rb"(?:END\r\n|" + ERROR + rb")"),
        Case(12, "incr-digits", b"incr x " + b"9" * 1000 + b"\r\n"),
        Case(12, "numbers-with-signs", b"set x +1 +1 +1\r\nx\r\n", rb"(?:STORED\r\n|(?:" + ERROR + rb"){1,2})"),
        Case(12, "half-command", b"set x 0 0", rb"", ends_connection=True),
        Case(12, "half-block", b"set x 0 0 100\r\nhalf", rb"", ends_connection=True),
        Case(12, "half-line-end", b"set x 0 0 4\r\nhalf\r", rb"", ends_connection=True),
    ]
    return cases


def redis_cases() -> list[Case]:
    """Rows 24 and 29: other protocols at the wrong port."""
    hang_up = {"must_close": True}
    host = "memcached answers a line that starts with Host: with ERROR"
    return [
        Case(24, "multi-bulk-count", b"*1000000000\r\n$1000000000\r\n", rb"(?:" + ERROR + rb"){0,2}"),
        Case(24, "multi-bulk-negative", b"*-1\r\n$-1\r\n", rb"(?:" + ERROR + rb"){0,2}"),
        Case(29, "get-slash", b"GET / HTTP/1.1\r\nHost: kiln\r\n\r\nset http 0 0 1\r\nx\r\n", rb"", **hang_up),
        Case(29, "post", b"POST / HTTP/1.1\r\nHost: kiln\r\n\r\nset http 0 0 1\r\nx\r\n", rb"", **hang_up),
        Case(29, "host", b"Host: kiln\r\nset http 0 0 1\r\nx\r\n", rb"", **hang_up, memcached_fails=host),
        Case(
            29,
            "tls-hello",
            bytes.fromhex("160301020001000001fc0303") + b"\0" * 500,
            rb"(?:" + ERROR + rb")*",
            ends_connection=True,
        ),
        Case(29, "ssh", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ]


def smuggling_cases() -> list[Case]:
    """Row 31: a block is never run as commands. `victim` must survive (see the test)."""
    refused = {
        "bad-flags": b"set x -1 0 %d\r\n%b\r\n",
        "bad-exptime": b"set x 0 y %d\r\n%b\r\n",
        "over-long-key": b"set " + b"k" * 251 + b" 0 0 %d\r\n%b\r\n",
        "bad-cas": b"cas x 0 0 %d y\r\n%b\r\n",
        "meta-bad-flag": b"ms x %d Fx\r\n%b\r\n",
        "meta-bad-mode": b"ms x %d MZ\r\n%b\r\n",
        "meta-long-key": b"ms " + b"k" * 251 + b" %d\r\n%b\r\n",
        "meta-bad-base64": b"ms !! %d b\r\n%b\r\n",
    }
    block = b"delete victim\r\nflush_all\r\nset victim 0 0 1\r\nx"
    cases = [
        Case(
            31, name, line % (len(block), block), ERROR, memcached_fails="" if name.startswith("meta-bad") else SMUGGLES
        )
        for name, line in refused.items()
    ]
    cases.append(
        Case(
            31,
            "too-large",
            lambda: b"set x 0 0 3000000\r\n" + b"delete victim\r\n" * 200_000 + b"\r\n",
            rb"SERVER_ERROR object too large for cache\r\n",
        )
    )
    # Exactly the declared bytes and two more are swallowed: the LF that is left is an empty command.
    cases.append(
        Case(31, "block-too-long", b"set x 0 0 1\r\nab\r\n", rb"CLIENT_ERROR bad data chunk\r\n(?:ERROR\r\n)?")
    )
    return cases


def fuzz_cases() -> list[Case]:
    """Row 7: meta commands of random letters and numbers."""

    def lines(seed: int) -> bytes:
        chance = random.Random(seed)
        made = []
        for _ in range(400):
            flags = [
                chance.choice("abcefhiklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0-")
                + chance.choice(["", "", "0", "-1", "1", "99999999999999999999", "x" * 40])
                for _ in range(chance.randrange(9))
            ]
            words = [
                chance.choice(["mg", "md", "ma", "me", "mn"]),
                chance.choice(["k", "k" * 251, "Zm9v", "\x7f", ""]),
                *flags,
            ]
            made.append(" ".join(words).encode())
        return b"\r\n".join(made) + b"\r\n"

    return [Case(7, f"meta-fuzz-{seed}", lambda seed=seed: lines(seed), ANY_LINES) for seed in range(20)]


CASES: list[Case] = [
    *binary_cases(),
    *admin_cases(),
    *line_cases(),
    *length_cases(),
    *redis_cases(),
    *smuggling_cases(),
    *fuzz_cases(),
]

#: Rows without an input of their own here, each with the reason.
NOT_APPLICABLE: dict[int, str] = {
    8: "no authentication: there is no password file to reload",
    14: "no authentication: there is no listener that could opt out of it",
    15: "no authentication: there are no user names to guess",
    22: "no warm restart: there is no restart file to read",
    23: "no TLS; the plain-text half (pipelined sets in single bytes) is test_pipelined_sets_in_single_bytes",
    26: "no commands take patterns",
    27: "no scripting",
    30: "no gossip: this is a node of its own",
}

#: Rows whose test is not a table entry, and where it is.
TESTED_ELSEWHERE: dict[int, str] = {
    3: "test_corpus.py::test_no_udp_socket",
    4: "test_memory.py::test_one_key_a_million_times",
    6: "test_corpus.py::test_connection_list_names_unix_sockets",
    9: "test_corpus.py::test_no_udp_socket",
    16: "test_slow_clients.py::test_unread_dumps",
    18: "test_memory.py::test_a_million_malformed_meta_commands",
    19: "test_memory.py::test_unterminated_get_of_32_megabytes",
    20: "test_memory.py::test_prefix_statistics_are_bounded",
    25: "test_slow_clients.py::test_endless_errors_starve_nobody",
    28: "test_corpus.py::test_lease_winners_that_vanish",
}
