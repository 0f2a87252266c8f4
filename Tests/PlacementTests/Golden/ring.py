"""Writes ring.txt: who owns 10,000 keys, worked out without a line of the ring's own code.

    python3 ring.py > ring.txt

It needs libxxhash.so.0 and nothing else. The file holds the members with their weights, overrides,
boundaries, and for every key its owner as one digit in base 36, first by position, then by range.
"""

import bisect
import ctypes

xxhash = ctypes.CDLL("libxxhash.so.0")
xxhash.XXH3_64bits.restype = ctypes.c_uint64
xxhash.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
VIRTUAL_NODES = 160
KEYS = 10_000


def position(text: bytes) -> int:
    """The place of a key or a virtual node."""
    return xxhash.XXH3_64bits(text, len(text))


def key(number: int) -> bytes:
    """Three kinds of keys, of lengths that XXH3 treats in ways of its own."""
    kinds = [f"{number}", f"user:{number}:profile", f"session/{number}/" + "x" * (number % 240)]
    return kinds[number % 3].encode()


def owner_of(points: list[tuple[int, int]], place: int) -> int:
    """The member of the first point at or after a place, going round."""
    index = bisect.bisect_left(points, (place, -1))
    return points[index % len(points)][1]


members = sorted((f"node-{number}", number % 4) for number in range(12))
names = [name for name, _ in members]
ring = sorted(
    (position(f"{name}-{number}".encode()), index)
    for index, (name, weight) in enumerate(members)
    for number in range(weight * VIRTUAL_NODES)
)
# Positions far apart, a point of the ring, the end of all positions, and an owner that has no weight.
overrides = [
    (0x1000_0000_0000_0000, "node-5"),
    (0x7FFF_0000_0000_0000, "node-1"),
    (ring[100][0], "node-7"),
    (ring[700][0] - 1, "node-11"),
    (0xFFFF_FFFF_FFFF_FFFF, "node-2"),
    (0xA000_0000_0000_0000, "node-4"),
]
splits = sorted([b"session/", b"session/5", b"session/52", b"3", b"5", b"7", b"user:", b"user:4", b"user:6"])
range_overrides = {b"session/5": "node-9", b"": "node-6"}

table = dict(ring[::-1])
for place, name in overrides:
    if dict(members)[name] > 0:
        table[place] = names.index(name)
points = sorted(table.items())

range_owners = []
for boundary in [b"", *splits]:
    by_ring = owner_of(ring, position(boundary))
    name = range_overrides.get(boundary)
    range_owners.append(names.index(name) if name else by_ring)

for name, weight in members:
    print("member", name, weight)
for place, name in overrides:
    print("override", f"{place:x}", name)
for boundary in splits:
    print("split", boundary.decode())
for boundary, name in range_overrides.items():
    print("range-override", name, boundary.decode())
print("owners", "".join(DIGITS[owner_of(points, position(key(n)))] for n in range(KEYS)))
print("range-owners", "".join(DIGITS[range_owners[bisect.bisect_right(splits, key(n))]] for n in range(KEYS)))
