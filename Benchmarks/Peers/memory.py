#!/usr/bin/env python3
"""Resident memory per item, ours against memcached, after loading and after setting again.

A store looks lean when it has only been filled once; the later rounds set every item again, first
with values of the same size, then of other sizes, where a store that cannot reuse what it frees
grows. Growth is counted from the running, empty server, by VmRSS.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common.report import arguments, finish, in_turn, progress, spread, table, verdict
from common.servers import Server

MEMORY_MB = 1024
TARGET = 0.75
BATCH_ITEMS = 5000
FIRST_BYTES = 100
# Longer than a background thread needs to grow a hash table or to hand pages back.
SETTLE_SECONDS = 3.0


def store_all(server, items, value_bytes):
    """Sets every item once over a connection of its own; keys are 10 bytes."""
    tail = b" 0 0 %d noreply\r\n%b\r\n" % (value_bytes, b"v" * value_bytes)
    with server.client() as client:
        for first in range(0, items, BATCH_ITEMS):
            last = min(first + BATCH_ITEMS, items)
            client.send(b"".join([b"set k%09d" % i + tail for i in range(first, last)]))
        if errors := client.barrier():
            sys.exit(f"{server.label}: {len(errors)} sets failed, the first: {errors[0]!r}")
    stats = server.stats()
    if int(stats["curr_items"]) != items or int(stats["evictions"]):
        sys.exit(f"{server.label}: {stats['curr_items']} of {items} items kept, "
                 f"{stats['evictions']} evicted: nothing to compare")


def growth_per_round(label, name, options):
    """Resident growth in KiB after each round of sets."""
    with Server(label, name, memory_mb=MEMORY_MB) as server:
        time.sleep(SETTLE_SECONDS)
        empty = server.memory_kib()
        grown = []
        for value_bytes in [FIRST_BYTES, *options.rounds]:
            store_all(server, options.items, value_bytes)
            time.sleep(SETTLE_SECONDS)
            grown.append(server.memory_kib() - empty)
        progress(f"{label}: empty {empty} KiB, grown by {grown} KiB")
        return empty, grown


def summarize(options, runs):
    """One result per round: bytes per item of both, and the median ratio."""
    results = []
    for index, value_bytes in enumerate([FIRST_BYTES, *options.rounds]):
        ours = [grown[index] for _, grown in runs["ours"]]
        peer = [grown[index] for _, grown in runs["peer"]]
        ratio = spread([a / b for a, b in zip(ours, peer)])
        results.append({
            "round": index, "value_bytes": value_bytes, "ratio": ratio, "target": TARGET,
            "passed": ratio["median"] <= TARGET,
            "ours_bytes_per_item": spread(ours)["median"] * 1024 / options.items,
            "peer_bytes_per_item": spread(peer)["median"] * 1024 / options.items,
            "ours_growth_kib": ours, "peer_growth_kib": peer,
            "ours_empty_kib": [empty for empty, _ in runs["ours"]],
            "peer_empty_kib": [empty for empty, _ in runs["peer"]],
        })
    return results


def main():
    parser = arguments(__doc__.splitlines()[0], pairs=3)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, nargs="*", default=[100, 60, 140, 100],
                        help="value sizes of the rounds that set every item again")
    options = parser.parse_args()
    runs = {"ours": [], "peer": []}
    for pair in range(options.pairs):
        for label in in_turn(["ours", "peer"], pair):
            runs[label].append(growth_per_round(label, getattr(options, label), options))
    results = summarize(options, runs)
    table(
        ["round", "value B", "ours B/item", "peer B/item", "ratio", "low", "high", "target", ""],
        [["load" if r["round"] == 0 else f"again {r['round']}", r["value_bytes"],
          f"{r['ours_bytes_per_item']:.1f}", f"{r['peer_bytes_per_item']:.1f}",
          f"{r['ratio']['median']:.3f}", f"{r['ratio']['low']:.3f}", f"{r['ratio']['high']:.3f}",
          f"<= {TARGET}", verdict(r["passed"])] for r in results])
    finish("memory", options, results, all(r["passed"] for r in results))


if __name__ == "__main__":
    main()
