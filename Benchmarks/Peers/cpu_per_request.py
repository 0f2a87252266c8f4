#!/usr/bin/env python3
"""Server CPU per request, ours against memcached, the two measured in turn.

CPU time per request holds where throughput does not: it stays the same when the generator is the
bottleneck or the machine has two cores. Both servers run one thread pinned to core 0, the generator
sits on core 1. Every pair starts both servers anew, so that a lucky memory layout cannot decide.
"""

import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common.generator import Generator, Load
from common.report import arguments, finish, in_turn, progress, spread, table, verdict
from common.servers import Server

MEMORY_MB = 2048
SERVER_CPUS, GENERATOR_CPUS, BOTH_CPUS = {0}, {1}, {0, 1}
# memcached grows its hash table in the background after a load, Kiln its index with requests.
SETTLE_SECONDS = 1.0
SETTLE_LOAD = Load(depth=16)

# name: (load, the highest ratio ours / memcached that counts as reached)
CASES = {
    "depth1": (Load(), 0.80),
    "depth16": (Load(depth=16), 0.14),
    "mget50": (Load(keys_per_get=50), 0.25),
    "sets16": (Load(depth=16, write_percent=100), 0.40),
    "mg16": (Load(depth=16, meta=True), 0.40),
    "value64k": (Load(keys=2000, value_bytes=64 << 10, prefix="mid:"), 1.0),
    "value512k": (Load(keys=200, value_bytes=512 << 10, prefix="big:"), 1.0),
}
# Our own server with two threads against itself with one, the generator beside them.
THREADS_CASES = {"depth1": 1.15, "depth16": 1.15}


def prepare(servers, generator, loads, keys):
    """Stores what the loads read and lets both servers come to rest."""
    for data in dict.fromkeys(load.data for load in loads):
        for server in servers:
            generator.store(server, data)
    time.sleep(SETTLE_SECONDS)
    for server in servers:
        if any(load.prefix == SETTLE_LOAD.prefix for load in loads):
            generator.measure(server, replace(SETTLE_LOAD, keys=keys), SETTLE_SECONDS)


def measure_pairs(options, start, loads, generator):
    """CPU per request of every case: {case: [(ours, peer), ...]}, one couple per pair."""
    figures = {name: [] for name in loads}
    for pair in range(options.pairs):
        ours, peer = start()
        with ours, peer:
            prepare([ours, peer], generator, loads.values(), options.keys)
            for name, load in loads.items():
                found = {}
                for server in in_turn([ours, peer], pair):
                    line = generator.measure(server, load, options.seconds)
                    found[server] = line["srv_us/req"]
                figures[name].append((found[ours], found[peer]))
                progress(f"pair {pair + 1}/{options.pairs} {name}: {found[ours]:.3f} us, "
                         f"{found[peer]:.3f} us, ratio {found[ours] / found[peer]:.3f}")
    return figures


def summarize(figures, targets, prefix=""):
    """One result per case, with the median of the pairs' ratios."""
    results = []
    for name, couples in figures.items():
        ratio = spread([ours / peer for ours, peer in couples])
        results.append({
            "case": prefix + name, "ratio": ratio, "target": targets[name],
            "passed": ratio["median"] <= targets[name],
            "ours_us": statistics.median(ours for ours, _ in couples),
            "peer_us": statistics.median(peer for _, peer in couples),
            "pairs": couples,
        })
    return results


def against_peer(options):
    """The chosen cases, ours against memcached, each pinned to one core."""
    loads = {name: CASES[name][0] for name in options.cases}
    loads = {name: replace(load, keys=options.keys) if load.prefix == "key:" else load
             for name, load in loads.items()}
    common = {"memory_mb": MEMORY_MB, "threads": 1, "cpus": SERVER_CPUS, "extra": ["-c", "4096"]}

    def start():
        return Server("ours", options.ours, **common), Server("peer", options.peer, **common)

    figures = measure_pairs(options, start, loads, Generator(GENERATOR_CPUS))
    return summarize(figures, {name: CASES[name][1] for name in loads})


def threads2(options):
    """Our server with `-t 2` against `-t 1`, both free to use two cores with the generator."""
    loads = {name: replace(CASES[name][0], keys=options.keys) for name in THREADS_CASES}
    common = {"memory_mb": MEMORY_MB, "cpus": BOTH_CPUS, "extra": ["-c", "4096"]}

    def start():
        return (Server("ours -t 2", options.ours, threads=2, **common),
                Server("ours -t 1", options.ours, threads=1, **common))

    figures = measure_pairs(options, start, loads, Generator(BOTH_CPUS))
    return summarize(figures, THREADS_CASES, prefix="threads2:")


def main():
    parser = arguments(__doc__.splitlines()[0], pairs=7)
    parser.add_argument("--cases", nargs="*", choices=list(CASES), default=list(CASES),
                        metavar="CASE", help=f"only these cases, of: {' '.join(CASES)}")
    parser.add_argument("--seconds", type=float, default=3.0, help="measured time per case")
    parser.add_argument("--keys", type=int, default=1_000_000, help="items of 100 B")
    parser.add_argument("--threads2", action="store_true",
                        help="also hold our own -t 2 against -t 1 on two cores")
    options = parser.parse_args()
    results = against_peer(options) if options.cases else []
    if options.threads2:
        results += threads2(options)
    table(
        ["case", "ours us", "peer us", "ratio", "low", "high", "target", ""],
        [[r["case"], f"{r['ours_us']:.3f}", f"{r['peer_us']:.3f}", f"{r['ratio']['median']:.3f}",
          f"{r['ratio']['low']:.3f}", f"{r['ratio']['high']:.3f}", f"<= {r['target']:.2f}",
          verdict(r["passed"])] for r in results])
    finish("cpu_per_request", options, results, all(r["passed"] for r in results))


if __name__ == "__main__":
    main()
