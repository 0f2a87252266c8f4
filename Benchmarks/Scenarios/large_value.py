#!/usr/bin/env python3
"""A 100 MB value goes in and comes back byte for byte, with `-I 128m`.

Also what goes wrong around it: overwriting it, reading it over several connections at once, one
that closes in the middle of a reply, and a value above the limit, which is refused and takes the
old one with it, as memcached does.
"""

import random
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common.report import arguments, finish, table, verdict
from common.servers import Server

MEMORY_MB = 1024
LIMIT = "128m"
READERS = 3
TOO_LARGE_BYTES = (128 << 20) + 1


def run_checks(server, value_bytes):
    """Yields (what was checked, whether it held, seconds)."""
    source = random.Random(1)
    first, second = source.randbytes(value_bytes), source.randbytes(value_bytes - 12_345)

    def timed(name, action):
        start = time.monotonic()
        held = action()
        return name, held, time.monotonic() - start

    with server.client() as client:
        yield timed("store", lambda: client.set(b"large", first) == b"STORED")
        yield timed("get, byte for byte", lambda: client.get(b"large") == first)
        yield timed(f"{READERS} readers at once", lambda: read_at_once(server, first))
        yield timed("reader that leaves", lambda: leave_early(server))
        yield timed("overwrite", lambda: client.set(b"large", second) == b"STORED")
        yield timed("get the new one", lambda: client.get(b"large") == second)
        yield timed("beside small ones", lambda: client.set(b"small", b"s") == b"STORED"
                    and client.get(b"small") == b"s" and client.get(b"large") == second)
        del first
        yield timed("too large is refused", lambda: client.set(
            b"large", bytes(TOO_LARGE_BYTES)) == b"SERVER_ERROR object too large for cache")
        yield timed("and drops the old one", lambda: client.get(b"large") is None)
        yield timed("the connection serves on", lambda: client.get(b"small") == b"s")


def read_at_once(server, expected):
    """Several connections read the value at the same time."""
    held = []

    def read():
        with server.client() as client:
            held.append(client.get(b"large") == expected)

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return held == [True] * READERS


def leave_early(server):
    """A client that closes in the middle of the reply harms nobody."""
    with server.client() as client:
        client.send(b"get large\r\n")
        client.exactly(1 << 20)
    with server.client() as client:
        return client.version().startswith(b"VERSION")


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--bytes", type=int, default=100_000_000, help="size of the value")
    parser.add_argument("--with-peer", action="store_true", help="run the peer too, not judged")
    options = parser.parse_args()
    results = []
    for label in ["ours", "peer"] if options.with_peer else ["ours"]:
        with Server(label, getattr(options, label), memory_mb=MEMORY_MB,
                    extra=["-I", LIMIT]) as server:
            checks = [{"check": name, "passed": held, "seconds": seconds}
                      for name, held, seconds in run_checks(server, options.bytes)]
            results.append({"server": label, "checks": checks,
                            "peak_rss_mib": server.memory_kib("VmHWM") / 1024})
    table(["check", "server", "seconds", ""], [
        [c["check"], r["server"], f"{c['seconds']:.2f}", verdict(c["passed"])]
        for r in results for c in r["checks"]])
    table(["peak resident memory", "MiB"],
          [[r["server"], f"{r['peak_rss_mib']:.0f}"] for r in results])
    finish("large_value", options, results, all(c["passed"] for c in results[0]["checks"]))


if __name__ == "__main__":
    main()
