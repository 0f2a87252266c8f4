#!/usr/bin/env python3
"""Heap allocations per hit on the data path, counted by an interposed malloc.

The counter must first prove itself: a helper program allocates a known number of times and the
count must be exact; then the server runs with an allocation planted on every receive, and each hit
must be seen to allocate. Only then does a zero mean zero. Allocations of an idle server are counted
as long as a case runs and taken off: they belong to its background threads.
"""

import contextlib
import mmap
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from common.report import arguments, finish, table, verdict
from common.servers import Server

FIELDS = ("malloc", "calloc", "realloc", "aligned", "free", "bytes")
ALLOCATIONS = FIELDS[:4]
PLANTED_TIMES = 1000
PLANTED = {"malloc": 1000, "calloc": 1000, "realloc": 1000, "aligned": 2000, "free": 5000}
MEMORY_MB = 256
ITEMS = 10_000
VALUE = b"v" * 100
LARGE_ITEMS = 20
LARGE_VALUE = b"V" * 65536
CONNECTIONS = 8
PLANTED_CONNECTIONS = 200
PLANTED_CASE = "get depth 1"
NOISE_PER_HIT = 0.001  # Background work that falls into a case, but not into the idle stretch.
SLOPE_SECONDS, SLOPE_STEP = 4.0, 1600


class Counters:
    """The counters of one process, read from the file it shares."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self._map = mmap.mmap(file.fileno(), 8 * len(FIELDS), prot=mmap.PROT_READ)

    def read(self) -> dict[str, int]:
        """All counters now."""
        return dict(zip(FIELDS, struct.unpack(f"{len(FIELDS)}Q", self._map[:])))

    def allocations(self) -> int:
        """Calls that may have taken memory from the heap."""
        now = self.read()
        return sum(now[field] for field in ALLOCATIONS)


def build(directory):
    """Compiles the interposer and the helper; returns their paths."""
    compiler = os.environ.get("CC", "cc")
    library, helper = f"{directory}/count_malloc.so", f"{directory}/planted"
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-fno-builtin",
                    "-o", library, HERE / "count_malloc.c"], check=True)
    subprocess.run([compiler, "-O0", "-fno-builtin", "-o", helper, HERE / "planted.c"], check=True)
    plant = f"{directory}/plant_on_receive.so"
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-fno-builtin",
                    "-o", plant, HERE / "plant_on_receive.c", "-ldl"], check=True)
    return library, helper, plant


def check_planted(library, helper, path):
    """The helper's known allocations must be counted exactly."""
    with subprocess.Popen(
            [helper, str(PLANTED_TIMES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
            env={**os.environ, "LD_PRELOAD": library, "COUNT_MALLOC_FILE": path}) as process:
        process.stdout.read(1)
        counters = Counters(path)
        before = counters.read()
        process.stdin.write(b"\n")
        process.stdout.read(1)
        after = counters.read()
        process.stdin.write(b"\n")
    seen = {field: after[field] - before[field] for field in PLANTED}
    if seen != PLANTED:
        sys.exit(f"the counter saw {seen} of {PLANTED}: its zeros would mean nothing")
    return seen


def key(number) -> bytes:
    """A stored key; numbers beyond the last start again."""
    return b"k%07d" % (number % ITEMS)


def large_key(number) -> bytes:
    """A key with a large value."""
    return b"L%02d" % (number % LARGE_ITEMS)


def found(name, value=VALUE) -> bytes:
    """What `get` answers for one key it has."""
    return b"VALUE %b 0 %d\r\n%b\r\n" % (name, len(value), value)


@dataclass(frozen=True)
class Case:
    """One kind of request, and the exact reply to it."""

    request: Callable[[int], bytes]
    reply: Callable[[int], bytes]
    depth: int = 1  # Requests in one send.
    keys: int = 1  # Keys in one request.
    judged: bool = True


GET = (lambda n: b"get %b\r\n" % key(n), lambda n: found(key(n)) + b"END\r\n")
META_GET = (lambda n: b"mg %b v\r\n" % key(n), lambda n: b"VA %d\r\n%b\r\n" % (len(VALUE), VALUE))
SET = (lambda n: b"set %b 0 0 %d\r\n%b\r\n" % (key(n), len(VALUE), VALUE), lambda n: b"STORED\r\n")
CASES = {
    "get depth 1": Case(*GET),
    "get depth 16": Case(*GET, depth=16),
    "get of 50 keys": Case(
        lambda n: b"get " + b" ".join(key(n + i) for i in range(50)) + b"\r\n",
        lambda n: b"".join(found(key(n + i)) for i in range(50)) + b"END\r\n", keys=50),
    "mg depth 1": Case(*META_GET),
    "mg depth 16": Case(*META_GET, depth=16),
    "get 64 KiB": Case(lambda n: b"get %b\r\n" % large_key(n),
                       lambda n: found(large_key(n), LARGE_VALUE) + b"END\r\n"),
    "set depth 1": Case(*SET, judged=False),
    "set depth 16": Case(*SET, depth=16, judged=False),
    "miss depth 16": Case(
        lambda n: b"get none%d\r\n" % n, lambda n: b"END\r\n", depth=16, judged=False),
}


def drive(clients, case, hits):
    """Asks over the connections in turn until `hits` keys are answered, as they must be."""
    for turn, first in enumerate(range(0, hits, case.depth * case.keys)):
        client = clients[turn % len(clients)]
        firsts = range(first, first + case.depth * case.keys, case.keys)
        client.send(b"".join(map(case.request, firsts)))
        expected = b"".join(map(case.reply, firsts))
        if (reply := client.exactly(len(expected))) != expected:
            sys.exit(f"expected {expected[:100]!r}, got {reply[:100]!r}")


def measure(server, counters, cases, options):
    """One row per case: allocations in `hits` requests, less an idle stretch as long."""
    rows = []
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(CONNECTIONS)]
        for i in range(ITEMS):
            clients[0].set(key(i), VALUE)
        for i in range(LARGE_ITEMS):
            clients[0].set(large_key(i), LARGE_VALUE)
        for name, case in cases.items():
            drive(clients, case, options.warm_up)
            time.sleep(0.2)
            before, start = counters.read(), time.monotonic()
            drive(clients, case, options.hits)
            after, seconds = counters.read(), time.monotonic() - start
            time.sleep(seconds)
            idle = counters.allocations() - sum(after[field] for field in ALLOCATIONS)
            kinds = {field: after[field] - before[field] for field in FIELDS}
            total = sum(kinds[field] for field in ALLOCATIONS)
            per_hit = max(0, total - idle) / options.hits
            rows.append({"case": name, "hits": options.hits, "allocations": total, "idle": idle,
                         "per_hit": per_hit, "kinds": kinds,
                         "target": 0 if case.judged else None,
                         "passed": per_hit < NOISE_PER_HIT if case.judged else None})
    return rows


def without_hot_keys(label):
    """Flags that leave our own server only the work of requests: reports of hot keys come by time."""
    return ("--hot-keys", "off") if label == "ours" else ()


def slope_with_hot_keys(name, options, library, path):
    """Allocations per further request while hot keys are looked for.

    Their reports allocate four times a second, however many requests there are. So two loads of the
    same length are held against each other: what the larger one allocates more is the requests'.
    """
    with Server("ours", name, memory_mb=MEMORY_MB, threads=options.threads,
                env={"LD_PRELOAD": library, "COUNT_MALLOC_FILE": path}) as server:
        counters = Counters(path)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(server.client()) for _ in range(CONNECTIONS)]
            for i in range(ITEMS):
                clients[0].set(key(i), VALUE)
            found = []
            for case in (CASES["mg depth 1"], CASES["mg depth 16"]):
                drive(clients, case, options.warm_up)
                time.sleep(1.5)  # Reports are as small again as they were.
                before, requests = counters.allocations(), 0
                end = time.monotonic() + SLOPE_SECONDS
                while time.monotonic() < end:
                    drive(clients, case, SLOPE_STEP)
                    requests += SLOPE_STEP
                found.append((requests, counters.allocations() - before))
    (few, allocated), (many, allocated_more) = found
    return {"requests": [few, many], "allocations": [allocated, allocated_more],
            "per_request": (allocated_more - allocated) / (many - few)}


def run(label, name, options, library, path):
    """Starts a server under the counter, proves that it is seen, and measures it."""
    with Server(label, name, memory_mb=MEMORY_MB, threads=options.threads,
                extra=without_hot_keys(label), env={"LD_PRELOAD": library, "COUNT_MALLOC_FILE": path}) as server:
        counters = Counters(path)
        started = counters.allocations()
        if started == 0:
            sys.exit(f"{label}: no allocation seen while it started; is it linked statically?")
        with contextlib.ExitStack() as stack:
            for _ in range(PLANTED_CONNECTIONS):
                stack.enter_context(server.client()).version()
            connections = counters.allocations() - started
        return {"server": label, "allocations_at_start": started,
                f"allocations_for_{PLANTED_CONNECTIONS}_connections": connections,
                "cases": measure(server, counters, CASES, options)}


def check_planted_in_server(label, name, options, libraries, path):
    """With an allocation planted on each receive, a hit must be seen to allocate."""
    with Server(label, name, memory_mb=MEMORY_MB, threads=options.threads,
                extra=without_hot_keys(label), env={"LD_PRELOAD": libraries, "COUNT_MALLOC_FILE": path}) as server:
        cases = {PLANTED_CASE: CASES[PLANTED_CASE]}
        seen = measure(server, Counters(path), cases, options)[0]["per_hit"]
    if seen < 0.99:
        sys.exit(f"{label}: one planted allocation per request was counted as {seen:.3f}")
    return seen


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--hits", type=int, default=20_000, help="requests counted per case")
    parser.add_argument("--warm-up", type=int, default=5_000, help="requests before them")
    parser.add_argument("--threads", type=int, default=1, help="-t of the server")
    parser.add_argument("--with-peer", action="store_true", help="run the peer too, not judged")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        library, helper, plant = build(directory)
        planted = check_planted(library, helper, f"{directory}/planted.counts")
        in_server = check_planted_in_server(
            "ours", options.ours, options, f"{library} {plant}", f"{directory}/plant.counts")
        print(f"planted allocations seen: {planted}; planted on each receive: "
              f"{in_server:.3f} per request")
        results = [
            run(label, getattr(options, label), options, library, f"{directory}/{label}.counts")
            for label in (["ours", "peer"] if options.with_peer else ["ours"])]
        slope = slope_with_hot_keys(options.ours, options, library, f"{directory}/slope.counts")
    for r in results:
        print(f"{r['server']}: " + ", ".join(
            f"{k.replace('_', ' ')} {v}" for k, v in r.items() if k.startswith("allocations")))
    table(["case", "server", "requests", "allocations", "idle", "per request", ""], [
        [c["case"], r["server"], c["hits"], c["allocations"], c["idle"], f"{c['per_hit']:.4f}",
         verdict(c["passed"])] for r in results for c in r["cases"]])
    looks = slope["per_request"] < NOISE_PER_HIT
    print(f"with hot keys looked for: {slope['allocations'][0]} allocations in {slope['requests'][0]} requests, "
          f"{slope['allocations'][1]} in {slope['requests'][1]} in the same time: "
          f"{slope['per_request']:.4f} per further request, {verdict(looks)}")
    finish("allocations_per_hit", options, [*results, slope],
           looks and all(c["passed"] is not False for c in results[0]["cases"]))


if __name__ == "__main__":
    main()
