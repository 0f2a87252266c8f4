#!/usr/bin/env python3
"""The longest wait of a reader while ten million items are loaded and the index grows.

A second connection asks for one key again and again and keeps the time of each answer: first on a
quiet server, then while items are loaded, then while the same items are set again, which is the
same load without growth. What the load phase has beyond the last one is the growth's. On a small machine
these times hold scheduling too, so the verdict is the server's own figure for its longest growth
step (`stats`: `index_growth_pause_max_us`), where it has one.
"""

import gc
import multiprocessing
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common.client import Client
from common.report import arguments, finish, progress, table, verdict
from common.servers import Server

PAUSE_STAT = "index_growth_pause_max_us"
TARGET_US = 1000
SERVER_CPUS, CLIENT_CPUS = {0}, {1}
BATCH_ITEMS = 1000
PROBE_INTERVAL_SECONDS = 0.0002
PROBE_KEY = b"probe"
QUIET_SECONDS = 2.0


def load(port, items, value_bytes, failed):
    """The body of the loading process: sets every item once, without replies."""
    os.sched_setaffinity(0, CLIENT_CPUS)
    os.nice(10)  # The reader shares this core and must not wait for it.
    tail = b" 0 0 %d noreply\r\n%b\r\n" % (value_bytes, b"v" * value_bytes)
    client = Client(port)
    for first in range(0, items, BATCH_ITEMS):
        last = min(first + BATCH_ITEMS, items)
        client.send(b"".join([b"set k%09d" % i + tail for i in range(first, last)]))
    failed.value = len(client.barrier())


def probe(client, running) -> list[float]:
    """Asks for one key while `running()`; returns the microseconds of each answer."""
    times, command = [], b"get %b\r\n" % PROBE_KEY
    gc.disable()
    try:
        while running():
            start = time.perf_counter_ns()
            client.send(command)
            found = client.get_reply()
            times.append((time.perf_counter_ns() - start) / 1000)
            if found is None:
                client.set(PROBE_KEY, b"p")  # Evicted: only a full server does that.
            time.sleep(PROBE_INTERVAL_SECONDS)
    finally:
        gc.enable()
    return times


def describe(phase, times, seconds) -> dict:
    """Percentiles of one phase."""
    ordered = sorted(times)
    at = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return {"phase": phase, "probes": len(times), "seconds": seconds, "p50_us": at(0.5),
            "p99_us": at(0.99), "p999_us": at(0.999), "max_us": ordered[-1],
            "above_1ms": sum(t > 1000 for t in times)}


def load_phase(server, client, phase, options) -> dict:
    """Probes while another process sets all items."""
    failed = multiprocessing.Value("q", -1)
    loader = multiprocessing.Process(
        target=load, args=(server.port, options.items, options.value_bytes, failed), daemon=True)
    start = time.monotonic()
    loader.start()
    times = probe(client, loader.is_alive)
    loader.join()
    if failed.value != 0:
        sys.exit(f"{server.label}: loading failed ({failed.value} sets refused)")
    return describe(phase, times, time.monotonic() - start)


def run(label, name, options) -> dict:
    """All phases on one server."""
    with Server(label, name, memory_mb=options.memory, cpus=SERVER_CPUS,
                threads=options.threads) as server, server.client() as client:
        client.set(PROBE_KEY, b"p")
        end = time.monotonic() + QUIET_SECONDS
        phases = [describe("quiet", probe(client, lambda: time.monotonic() < end), QUIET_SECONDS)]
        for phase in ("load", "set again"):
            phases.append(load_phase(server, client, phase, options))
            progress(f"{label} {phase}: {phases[-1]}")
        stats = server.stats()
        if int(stats["curr_items"]) != options.items + 1:
            sys.exit(f"{label}: holds {stats['curr_items']} of {options.items} items: raise -m")
        pause = float(stats[PAUSE_STAT]) if PAUSE_STAT in stats else None
        return {"server": label, "phases": phases, PAUSE_STAT: pause,
                "rss_mib": server.memory_kib() / 1024,
                "passed": None if pause is None else pause <= TARGET_US}


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=10_000_000)
    parser.add_argument("--value-bytes", type=int, default=8)
    parser.add_argument("--memory", type=int, default=2048, help="-m of both servers, MiB")
    parser.add_argument("--threads", type=int, default=1, help="-t of both servers")
    parser.add_argument("--without-peer", action="store_true")
    options = parser.parse_args()
    try:  # The reader goes before everything else on its core, where the system allows it.
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        progress("no real-time priority: times include waiting for the core")
    os.sched_setaffinity(0, CLIENT_CPUS)
    labels = ["ours"] if options.without_peer else ["ours", "peer"]
    results = [run(label, getattr(options, label), options) for label in labels]
    table(["phase", "server", "probes", "p50 us", "p99 us", "p99.9 us", "max us", "> 1 ms"], [
        [p["phase"], r["server"], p["probes"],
         *(f"{p[k]:.0f}" for k in ("p50_us", "p99_us", "p999_us", "max_us")), p["above_1ms"]]
        for r in results for p in r["phases"]])
    for r in results:
        text = "not reported" if r[PAUSE_STAT] is None else f"{r[PAUSE_STAT]:.0f} us"
        print(f"{r['server']}: longest index growth step {text} (<= {TARGET_US} us): "
              f"{verdict(r['passed'])}; resident {r['rss_mib']:.0f} MiB")
    finish("load_pause", options, results, results[0]["passed"] is not False)


if __name__ == "__main__":
    main()
