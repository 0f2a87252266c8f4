"""Every difference from Debian's memcached 1.6.18 that is meant, one entry each, with the reason.

A difference that no entry explains fails the differential run. Each entry has an example that a
test runs on both servers: an entry whose example shows no difference is stale and fails too.

Group ``older``: 1.6.18 is older than memcached's newest doc/protocol.txt, which is what Kiln
follows. Group ``kiln``: Kiln's own deviations, the list in README.md and no more.
"""

from collections.abc import Callable
from dataclasses import dataclass

from normalise import Reply
from program import Step


@dataclass(frozen=True)
class AcceptedDifference:
    """One meant difference. ``matches`` gets the request and both replies, reference first."""

    name: str
    group: str
    reason: str
    example: bytes
    matches: Callable[[bytes, Reply, Reply], bool]


def _first_line(request: bytes) -> bytes:
    return request.split(b"\n", 1)[0].rstrip(b"\r")


def _is_storage(request: bytes) -> bool:
    verb = request.lstrip(b" ").split(b" ", 1)[0]
    return verb in (b"set", b"add", b"replace", b"append", b"prepend", b"cas", b"ms")


def _runs_block_as_commands(request: bytes, reference: Reply, kiln: Reply) -> bool:
    """The reference answers the refused line, then the block as if it were commands."""
    error, rest = kiln[:1], kiln[1:]
    return (
        _is_storage(request)
        and error[0][0] == b"CLIENT_ERROR"
        and rest in ([], [(b"unfinished", b"<closed>")])
        and reference[:1] == error
        and all(line == (b"ERROR",) for line in reference[1:])
    )


def _wraps_remaining_time(request: bytes, reference: Reply, kiln: Reply) -> bool:
    """The same replies but for a `t` that is negative, printed as if it were unsigned."""
    wrapped = [token for token in reference[0] if getattr(token, "name", b"") == b"t" and token.value > 1 << 31]
    ended = [token for token in kiln[0] if getattr(token, "name", b"") == b"t" and token.value in (0, -1)]
    return len(wrapped) == len(ended) == 1 and reference[1:] == kiln[1:]


def _is_meta_with_flag(request: bytes, verb: bytes, letters: bytes) -> bool:
    words = _first_line(request).split()
    return bool(words) and words[0] == verb and any(word[:1] in letters for word in words[2:] if word)


ACCEPTED: list[AcceptedDifference] = [
    AcceptedDifference(
        "explicit CAS",
        "older",
        "E(token) sets an item's CAS number; 1.6.18 does not know the flag.",
        b"ms a 1 E99 c\r\nx\r\n",
        lambda request, reference, kiln: (
            reference[0][0] == b"CLIENT_ERROR"
            and any(word[:1] == b"E" for word in _first_line(request).split()[2:])
            and kiln[0][0] == b"HD"
        ),
    ),
    AcceptedDifference(
        "md x",
        "older",
        "x removes the value and keeps the item; 1.6.18 does not know the flag.",
        b"md a x\r\n",
        lambda request, reference, kiln: (
            _is_meta_with_flag(request, b"md", b"x")
            and reference[0][0] == b"CLIENT_ERROR"
            and kiln[0][0] in (b"HD", b"NF")
        ),
    ),
    AcceptedDifference(
        "append vivifies",
        "older",
        "ms with MA or MP and N creates an absent item; 1.6.18 ignores N there.",
        b"ms absent 1 MA N30\r\nx\r\n",
        lambda request, reference, kiln: (
            _is_meta_with_flag(request, b"ms", b"N") and reference[0][0] == b"NS" and kiln[0][0] == b"HD"
        ),
    ),
    AcceptedDifference(
        "mgdump",
        "older",
        "lru_crawler mgdump came after 1.6.18.",
        b"lru_crawler mgdump all\r\n",
        lambda request, reference, kiln: (
            request.startswith(b"lru_crawler mgdump")
            and reference == [(b"ERROR",)]
            and kiln[-1] in ((b"EN",), (b"END",))
        ),
    ),
    AcceptedDifference(
        "blocks are never commands",
        "kiln",
        "After a refused storage line memcached reads the data block as commands (request smuggling); "
        "Kiln swallows the block where the line tells its length, and closes otherwise.",
        b"set a x 0 5\r\nhello\r\n",
        _runs_block_as_commands,
    ),
    AcceptedDifference(
        "stubs are a miss",
        "kiln",
        "A fill lease's stub is a miss to classic commands; memcached shows an empty value.",
        b"mg stub N30\r\nget stub\r\n",
        lambda request, reference, kiln: (
            request.startswith(b"mg stub N") and kiln[-1] == (b"END",) and (b"VALUE", b"stub", b"0", b"0") in reference
        ),
    ),
    AcceptedDifference(
        "time left of the dead",
        "kiln",
        "For an item that a negative T ended just now memcached prints its "
        "negative remaining time as an unsigned number.",
        b"set t 0 0 1\r\nx\r\nmn\r\nmg t T-1 t\r\n",
        lambda request, reference, kiln: _wraps_remaining_time(request, reference[-1:], kiln[-1:]),
    ),
    AcceptedDifference(
        "ma T keeps its promise",
        "kiln",
        "Where ma makes the number longer, memcached gives the new TTL to the item that it has just replaced.",
        b"set m 0 500 1\r\n9\r\nma m D1 T1000\r\nmg m t\r\n",
        lambda request, reference, kiln: (
            request.startswith(b"set m 0 500") and reference[:-1] == kiln[:-1] and reference[-1] != kiln[-1]
        ),
    ),
    AcceptedDifference(
        "slab tuning",
        "kiln",
        "There are no slab classes: tuning commands are accepted without effect.",
        b"slabs reassign 1 2\r\n",
        lambda request, reference, kiln: (
            request.startswith((b"slabs ", b"lru ")) and kiln == [(b"OK",)] and reference != [(b"ERROR",)]
        ),
    ),
]


def explanation(step: Step, reference: Reply, kiln: Reply) -> AcceptedDifference | None:
    """The entry that explains a difference, if one does."""
    if not reference or not kiln:
        return None
    for entry in ACCEPTED:
        if entry.matches(step.request, reference, kiln):
            return entry
    return None
