"""Replies in comparable form.

Byte for byte, but for three things that two right servers may answer differently:

- CAS numbers: the n-th distinct number seen for a key becomes ``cas#n`` on either side, so that
  "the same number as before" and "another number" must agree.
- Ages and remaining times (`t`, `l`, `la=`, `exp=`): seconds that tick at different moments; they
  may differ by one, but not between "never" (-1) and a time.
- The server's own version string.
"""

import re
from dataclasses import dataclass

Token = bytes | int
Reply = list[tuple[Token, ...]]

NEVER = -1
_TIME_FLAG = re.compile(rb"[tl](-?\d+)$")
_META_CODES = (b"HD", b"VA", b"EN", b"NS", b"EX", b"NF")


@dataclass(frozen=True)
class Seconds:
    """A time that may be off by one tick."""

    name: bytes
    value: int

    def agrees_with(self, other: object) -> bool:
        if not isinstance(other, Seconds) or other.name != self.name:
            return False
        if NEVER in (self.value, other.value):
            return self.value == other.value
        return abs(self.value - other.value) <= 1


class Normaliser:
    """Reads one server's replies in order; remembers the CAS numbers it has shown."""

    def __init__(self, has_keys: bool = True):
        self.seen: dict[bytes, list[bytes]] = {}
        self._has_keys = has_keys

    def reply(self, raw: bytes, key: bytes | None) -> Reply:
        """One reply as token tuples; data blocks are tuples of one bytes value."""
        lines: Reply = []
        at = 0
        while at < len(raw):
            end = raw.find(b"\r\n", at)
            if end < 0:
                lines.append((b"unfinished", raw[at:]))
                break
            line = raw[at:end]
            at = end + 2
            lines.append(tuple(self._line(line, key)))
            if (count := data_count(line)) is not None:
                lines.append((raw[at : at + count],))
                assert raw[at + count : at + count + 2] == b"\r\n", f"data block of {line!r} ends badly"
                at += count + 2
        return lines

    def _line(self, line: bytes, key: bytes | None) -> list[Token]:
        tokens = line.split(b" ")
        code = tokens[0]
        if code == b"VALUE" and len(tokens) == 5:
            return [*tokens[:4], self._cas(tokens[4], tokens[1])]
        if code in _META_CODES:
            first = 2 if code == b"VA" else 1
            return tokens[:first] + [self._meta_flag(token, key) for token in tokens[first:]]
        if code == b"ME":
            return [self._debug_field(token, key) for token in tokens]
        if code == b"VERSION":
            return [code, b"<version>"]
        return tokens

    def _meta_flag(self, token: bytes, key: bytes | None) -> Token:
        if token[:1] == b"c" and token[1:].isdigit():
            return b"c" + self._cas(token[1:], key)
        if match := _TIME_FLAG.match(token):
            return Seconds(token[:1], int(match[1]))
        return token

    def _debug_field(self, token: bytes, key: bytes | None) -> Token:
        name, separator, value = token.partition(b"=")
        if not separator:
            return token
        if name == b"cas":
            return b"cas=" + self._cas(value, key)
        if name in (b"exp", b"la"):
            return Seconds(name, int(value))
        if name in (b"cls", b"size"):
            return name + b"=<of this server's memory>"
        return token

    def _cas(self, number: bytes, key: bytes | None) -> bytes:
        if not self._has_keys or key is None:
            return b"cas#?"
        numbers = self.seen.setdefault(key, [])
        if number not in numbers:
            numbers.append(number)
        return b"cas#%d" % numbers.index(number)


def data_count(line: bytes) -> int | None:
    """How many bytes of data follow a reply line."""
    tokens = line.split(b" ")
    if tokens[0] == b"VALUE" and len(tokens) in (4, 5) and tokens[3].isdigit():
        return int(tokens[3])
    if tokens[0] == b"VA" and len(tokens) > 1 and tokens[1].isdigit():
        return int(tokens[1])
    return None


def replies_agree(one: Reply, other: Reply) -> bool:
    """Whether two comparable replies are the same."""
    if len(one) != len(other):
        return False
    for left, right in zip(one, other, strict=True):
        if len(left) != len(right):
            return False
        for a, b in zip(left, right, strict=True):
            if a != b and not (isinstance(a, Seconds) and a.agrees_with(b)):
                return False
    return True
