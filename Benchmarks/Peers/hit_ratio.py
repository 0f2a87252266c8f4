#!/usr/bin/env python3
"""Hit ratio at equal `-m`, ours against memcached, on the same seeded requests.

A client that asks, and sets what was missing: the way caches are used. Both servers see the very
same keys in the same order; only what they answered decides what is set. Requests travel as gets of
`BATCH_KEYS` keys, like that many clients asking at once. Several times more data is asked for than
fits, and ratios are counted after a warm-up that fills both servers.
"""

import itertools
import math
import random
import re
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common.report import arguments, finish, progress, spread, table, verdict
from common.servers import Server

BATCH_KEYS = 100
CHUNK_BATCHES = 1000
ITEM_OVERHEAD_BYTES = 60  # Key, header and index, roughly: only sizes the population.
# One chunk of requests in five is followed by a scan of this many keys never asked for before.
SCAN_EVERY_CHUNKS = 5
SCAN_KEYS = CHUNK_BATCHES * BATCH_KEYS
MIXED_BYTES = (20, 8000)  # Log-uniform: many small values, bytes mostly in large ones.
FOUND = re.compile(rb"VALUE (\S+) ")


@dataclass(frozen=True)
class Workload:
    """What is asked for."""

    exponent: float
    scan: bool = False
    mixed: bool = False


WORKLOADS = {
    "zipf0.9": Workload(0.9),
    "zipf1.1": Workload(1.1),
    "zipf0.9+scan": Workload(0.9, scan=True),
    "zipf0.9-mixed": Workload(0.9, mixed=True),
    "zipf1.1-mixed": Workload(1.1, mixed=True),
}


class Requests:
    """The seeded stream of keys and the value each key has."""

    def __init__(self, workload, options, seed):
        self.workload = workload
        self.random = random.Random(seed)
        low, high = MIXED_BYTES if workload.mixed else (options.value_bytes, options.value_bytes)
        self.log_range = (math.log(low + 0.5), math.log(high + 0.5))
        mean = (high - low) / math.log(high / low) if workload.mixed else options.value_bytes
        footprint = mean + ITEM_OVERHEAD_BYTES
        self.population = int(options.oversize * options.memory * 2**20 / footprint)
        self.weights = list(itertools.accumulate(
            rank ** -workload.exponent for rank in range(1, self.population + 1)))
        self.keys = [b"key:%d" % i for i in range(self.population)]
        self.block = b"x" * (high + 1)
        self.seed = seed
        self.scanned = 0

    def chunks(self):
        """Lists of keys, for ever; a scan is a list of its own."""
        for chunk in itertools.count(1):
            count = CHUNK_BATCHES * BATCH_KEYS
            yield self.random.choices(self.keys, cum_weights=self.weights, k=count)
            if self.workload.scan and chunk % SCAN_EVERY_CHUNKS == 0:
                first, self.scanned = self.scanned, self.scanned + SCAN_KEYS
                yield [b"scan:%d" % i for i in range(first, self.scanned)]

    def set_command(self, key) -> bytes:
        """The noreply set of a key, always with the same value."""
        low, high = self.log_range
        share = zlib.crc32(key, self.seed) / 2**32
        size = int(math.exp(low + share * (high - low)))
        return b"set %b 0 0 %d noreply\r\n%b\r\n" % (key, size, self.block[:size])


class Side:
    """One server and what it answered."""

    def __init__(self, server):
        self.server = server
        self.client = server.client()
        self.hits = 0

    def answer(self, batch, requests):
        """Reads the reply to a batch and sets what was missing."""
        reply = self.client.until(b"END\r\n")
        found = FOUND.findall(reply)
        if not found and reply != b"END\r\n":
            sys.exit(f"{self.server.label}: {reply[:200]!r}")
        self.hits += len(found)
        if len(found) < len(batch):
            present = set(found)
            missing = dict.fromkeys(key for key in batch if key not in present)
            self.client.send(b"".join(map(requests.set_command, missing)))


def drive(sides, requests, options):
    """Sends the stream to both servers batch by batch; returns requests counted after warm-up."""
    asked = counted = 0
    for keys in requests.chunks():
        for first in range(0, len(keys), BATCH_KEYS):
            batch = keys[first : first + BATCH_KEYS]
            command = b"get " + b" ".join(batch) + b"\r\n"
            for side in sides:
                side.client.send(command)
            for side in sides:
                side.answer(batch, requests)
        asked += len(keys)
        if asked <= options.warm_up:
            for side in sides:
                side.hits = 0
        else:
            counted += len(keys)
        if counted >= options.requests:
            return counted


def run(name, options, seed):
    """One workload with one seed on two new servers."""
    requests = Requests(WORKLOADS[name], options, seed)
    start = {"memory_mb": options.memory, "threads": 1}
    with Server("ours", options.ours, **start) as ours, \
            Server("peer", options.peer, **start) as peer:
        sides = [Side(ours), Side(peer)]
        counted = drive(sides, requests, options)
        result = {"seed": seed, "population": requests.population, "requests": counted}
        for side in sides:
            stats = side.server.stats()
            if not int(stats["evictions"]):
                sys.exit(f"{side.server.label}: nothing was evicted; raise --warm-up or --oversize")
            result[side.server.label] = {
                "hit_ratio": side.hits / counted, "curr_items": int(stats["curr_items"]),
                "evictions": int(stats["evictions"]), "rss_kib": side.server.memory_kib()}
    progress(f"{name} seed {seed}: ours {result['ours']}, peer {result['peer']}")
    return result


def summarize(name, runs):
    """The medians of one workload; the target is a difference of zero or more."""
    difference = spread([r["ours"]["hit_ratio"] - r["peer"]["hit_ratio"] for r in runs])
    medians = {side: spread([r[side]["hit_ratio"] for r in runs])["median"]
               for side in ("ours", "peer")}
    return {"workload": name, **medians, "difference": difference, "target": 0.0,
            "passed": difference["median"] >= 0, "runs": runs}


def main():
    parser = arguments(__doc__.splitlines()[0], pairs=3)
    parser.add_argument("--workloads", nargs="*", choices=list(WORKLOADS), metavar="NAME",
                        default=list(WORKLOADS), help=f"of: {' '.join(WORKLOADS)}")
    parser.add_argument("--memory", type=int, default=64, help="-m of both servers, MiB")
    parser.add_argument("--value-bytes", type=int, default=100, help="where sizes are not mixed")
    parser.add_argument("--oversize", type=float, default=6, help="data asked for / -m")
    parser.add_argument("--warm-up", type=int, default=2_500_000, help="requests not counted")
    parser.add_argument("--requests", type=int, default=2_500_000, help="requests counted")
    parser.add_argument("--seed", type=int, default=1, help="of the first pair; then one more")
    options = parser.parse_args()
    results = [
        summarize(name, [run(name, options, options.seed + i) for i in range(options.pairs)])
        for name in options.workloads]
    table(
        ["workload", "ours", "peer", "ours - peer", "low", "high", "target", ""],
        [[r["workload"], f"{r['ours']:.4f}", f"{r['peer']:.4f}",
          *(f"{r['difference'][k]:+.4f}" for k in ("median", "low", "high")), ">= 0",
          verdict(r["passed"])] for r in results])
    finish("hit_ratio", options, results, all(r["passed"] for r in results))


if __name__ == "__main__":
    main()
