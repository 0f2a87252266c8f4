#!/usr/bin/env python3
"""Churn: mixed sizes and TTLs in little memory, with every value checked and memory watched.

Two client processes set, get and delete values of 8 B to 1 MB while the sizes that dominate change
every few seconds: the pattern that fragments a store. Resident memory must stay within `-m` plus a
fixed allowance, and a get must return the last acknowledged value of its key, or miss: never other
bytes, never an older value, never one past its TTL. Then, on a new server, items expire without
being touched, and the memory they held must take new ones without growth or eviction.
"""

import math
import multiprocessing
import queue
import random
import struct
import sys
import time
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common.report import arguments, finish, progress, table, verdict
from common.servers import Server

MEMORY_MB = 256
ALLOWANCE_MIB = 64
WORKERS = 2
KEYS_PER_WORKER = 20_000
SAMPLE_SECONDS = 0.1
PHASE_SECONDS = 10.0
PATIENCE_SECONDS = 90  # Longer than a client waits for a reply before it gives up.
# Value sizes, log-uniform in a range; the ranges take turns. 1 MB is the largest that `-I 1m` takes
# with its header.
PHASES = [(8, 1_000_000), (8, 512), (100_000, 1_000_000), (512, 32_768)]
TTLS = [0, 0, 0, 1, 2, 3, 5, 8, 13, 30, 60, 300]
# A server's clock ticks once a second, so an item may live one second longer than asked; one more
# for a busy machine.
LATE_SECONDS = 2.0
BATCH_BYTES = 2_000_000
BATCH_COMMANDS = 32
HEADER = struct.Struct("<II")  # CRC of key, sequence number and body; sequence number.

EXPIRY_FILL = 0.6  # Of `-m`, filled twice: more than fits, unless the first half expired.
EXPIRY_VALUE_BYTES = 1000
EXPIRY_TTLS = (4, 8)
EXPIRY_DEADLINE_SECONDS = 60
EXPIRY_LEFT = 0.01
EXPIRY_GROWTH_MIB = 16


def seal(key, sequence, body) -> bytes:
    """A value that names its key and its write."""
    crc = zlib.crc32(body, zlib.crc32(b"%b %d" % (key, sequence)))
    return HEADER.pack(crc, sequence) + body


class Worker:
    """One client, alone with its keys, so it knows what each of them may hold."""

    def __init__(self, port, number, seed):
        from common.client import Client

        self.client = Client(port)
        self.random = random.Random(seed * 1000 + number)
        self.noise = self.random.randbytes(2_100_000)
        self.keys = [b"w%d:%d" % (number, i) for i in range(KEYS_PER_WORKER)]
        self.written = {}  # key: (sequence, expires at) of the last acknowledged set
        self.sequence = 0
        self.counts = dict.fromkeys(
            ("sets", "refused", "gets", "hits", "deletes", "corrupt", "stale", "late"), 0)

    def run(self, seconds):
        """Works until the time is over; the phase follows the clock, so all workers share it."""
        start = time.monotonic()
        while (elapsed := time.monotonic() - start) < seconds:
            sizes = PHASES[int(elapsed / PHASE_SECONDS) % len(PHASES)]
            [self.set_some, self.set_some, self.get_some, self.get_some, self.delete_some][
                self.random.randrange(5)](sizes)
        return self.counts

    def _size(self, sizes):
        low, high = sizes
        return int(math.exp(self.random.uniform(math.log(low), math.log(high))))

    def set_some(self, sizes):
        """Sets a batch of keys, then reads what the server said to each."""
        sent, out, room = [], [], BATCH_BYTES
        while room > 0 and len(sent) < BATCH_COMMANDS:
            key, ttl, size = self.random.choice(self.keys), self.random.choice(TTLS), \
                self._size(sizes)
            first = self.random.randrange(len(self.noise) - size)
            self.sequence += 1
            value = seal(key, self.sequence, self.noise[first : first + size - HEADER.size])
            out.append(b"set %b 0 %d %d\r\n%b\r\n" % (key, ttl, len(value), value))
            sent.append((key, self.sequence, ttl))
            room -= size
        self.client.send(b"".join(out))
        for key, sequence, ttl in sent:
            self.counts["sets"] += 1
            if (line := self.client.line()) == b"STORED":
                until = time.monotonic() + ttl + LATE_SECONDS if ttl else math.inf
                self.written[key] = (sequence, until)
            elif line.startswith(b"SERVER_ERROR"):
                self.counts["refused"] += 1
                self.written.pop(key, None)  # memcached drops the old value of a refused set.
            else:
                raise RuntimeError(f"set {key!r}: {line[:200]!r}")

    def get_some(self, _):
        """Gets a batch of keys and checks each value."""
        asked = self.random.choices(self.keys, k=BATCH_COMMANDS)
        at = time.monotonic()
        self.client.send(b"".join([b"get %b\r\n" % key for key in asked]))
        for key in asked:
            self.counts["gets"] += 1
            if (value := self.client.get_reply()) is not None:
                self.check(key, value, at)

    def check(self, key, value, at):
        """A hit must be the last acknowledged write, whole and in time."""
        self.counts["hits"] += 1
        sequence, until = self.written.get(key, (None, math.inf))
        if len(value) < HEADER.size:
            self.counts["corrupt"] += 1
            return
        found = HEADER.unpack_from(value)[1]
        if seal(key, found, value[HEADER.size :]) != value:
            self.counts["corrupt"] += 1
        elif found != sequence:
            self.counts["stale"] += 1
        elif at > until:
            self.counts["late"] += 1

    def delete_some(self, _):
        """Deletes a batch of keys; they miss from now on."""
        asked = self.random.choices(self.keys, k=BATCH_COMMANDS // 4)
        self.client.send(b"".join([b"delete %b\r\n" % key for key in asked]))
        for key in asked:
            self.counts["deletes"] += 1
            self.client.line()
            self.written.pop(key, None)


def work(port, number, seed, seconds, results):
    """The body of a client process."""
    try:
        results.put(Worker(port, number, seed).run(seconds))
    except Exception as error:  # Told to the parent, which fails the run.
        results.put(f"client {number}: {error!r}")


def churn(label, name, options):
    """Runs the churn on one server; returns its result row."""
    with Server(label, name, memory_mb=MEMORY_MB, threads=options.threads) as server:
        results = multiprocessing.Queue()
        seconds = options.minutes * 60
        clients = [multiprocessing.Process(
            target=work, args=(server.port, i, options.seed, seconds, results), daemon=True)
            for i in range(WORKERS)]
        for client in clients:
            client.start()
        samples, answers, start = [], [], time.monotonic()
        while len(answers) < WORKERS and not any(isinstance(a, str) for a in answers):
            samples.append(server.memory_kib())
            if len(samples) % 300 == 0:
                progress(f"{label}: {time.monotonic() - start:.0f} s, {samples[-1] >> 10} MiB")
            try:
                answers.append(results.get(timeout=SAMPLE_SECONDS))
            except queue.Empty:
                if time.monotonic() - start > seconds + PATIENCE_SECONDS:
                    answers.append("a client did not come back")
        if failed := [answer for answer in answers if isinstance(answer, str)]:
            sys.exit(f"{label}: {'; '.join(failed)}\n{server.log()}")
        counts = {key: sum(answer[key] for answer in answers) for key in answers[0]}
        peak = server.memory_kib("VmHWM") / 1024  # The kernel's own mark misses no short peak.
        evictions = int(server.stats()["evictions"])
    wrong = counts["corrupt"] + counts["stale"] + counts["late"]
    limit = MEMORY_MB + ALLOWANCE_MIB
    return {"check": "churn", "server": label, **counts, "evictions": evictions,
            "peak_rss_mib": peak, "limit_mib": limit, "rss_samples_mib":
            [sample >> 10 for sample in samples[:: max(1, len(samples) // 60)]],
            "passed": peak <= limit and wrong == 0 and counts["hits"] > 0}


def fill(server, prefix, ttls):
    """Fills a share of `-m` with small values; returns how many."""
    count = int(EXPIRY_FILL * MEMORY_MB * 2**20 / (EXPIRY_VALUE_BYTES + 60))
    value = b"e" * EXPIRY_VALUE_BYTES
    with server.client() as client:
        for first in range(0, count, 1000):
            client.send(b"".join([
                b"set %b%d 0 %d %d noreply\r\n%b\r\n"
                % (prefix, i, ttls[i % len(ttls)], len(value), value)
                for i in range(first, min(first + 1000, count))]))
        if errors := client.barrier():
            sys.exit(f"{server.label}: {errors[0]!r}")
    return count


def expiry(label, name, options):
    """Items expire untouched; then as many new ones must fit into what they held."""
    with Server(label, name, memory_mb=MEMORY_MB, threads=options.threads) as server:
        count = fill(server, b"old:", EXPIRY_TTLS)
        stored, before = server.stats(), server.memory_kib()
        due = time.monotonic() + max(EXPIRY_TTLS)
        while int((stats := server.stats())["curr_items"]) > EXPIRY_LEFT * count:
            if time.monotonic() > due + EXPIRY_DEADLINE_SECONDS:
                break
            time.sleep(0.25)
        late = time.monotonic() - due
        fill(server, b"new:", (0,))
        after, growth = server.stats(), (server.memory_kib() - before) / 1024
        left, evictions = int(stats["curr_items"]), int(after["evictions"])
        return {"check": "expiry", "server": label, "stored": int(stored["curr_items"]),
                "stored_bytes": int(stored["bytes"]), "left": left,
                "left_bytes": int(stats["bytes"]), "seconds_after_ttl": late,
                "evictions": evictions, "growth_mib": growth,
                "passed": left <= EXPIRY_LEFT * count and evictions == 0
                and growth <= EXPIRY_GROWTH_MIB}


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=1, help="-t of the server")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["churn", "expiry"], help="one of the two checks")
    parser.add_argument("--with-peer", action="store_true", help="run the peer too, not judged")
    options = parser.parse_args()
    results = []
    for label in ["ours", "peer"] if options.with_peer else ["ours"]:
        for check in (churn, expiry):
            if options.only in (None, check.__name__):
                results.append(check(label, getattr(options, label), options))
    for row in results:
        print(f"\n{row['check']}, {row['server']}: {verdict(row['passed'])}")
        table(["figure", "value"], [
            [k, f"{v:.1f}" if isinstance(v, float) else v] for k, v in row.items()
            if k not in ("check", "server", "passed", "rss_samples_mib")])
    finish("churn", options, results,
           all(row["passed"] for row in results if row["server"] == "ours"))


if __name__ == "__main__":
    main()
