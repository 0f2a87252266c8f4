#!/usr/bin/env python3
"""How long it takes until a flash crowd on one key is in `kiln hotkeys`.

A loader sends gets of keys that hardly ever repeat. At a moment of its own choice, unknown to the
node and at any phase of its sub-windows, a share of the gets goes to one new key. Measured is the time
from the first such get to the first answer of `kiln hotkeys` that lists the key, and to the first that
calls it hot. After each trial the crowd leaves; the last one is followed until it is demoted.
"""

import json
import random
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common.client import Client
from common.report import arguments, finish, progress, table, verdict
from common.servers import Server

BATCH = 50
BATCHES_PER_SECOND = 400  # 20,000 gets a second
POLL_SECONDS = 0.004
# share of the crowd: seconds within which 99 of 100 trials must list the key
TARGETS = {0.2: 0.75, 0.6: 0.3}
GIVE_UP_SECONDS = 5.0


class Loader(threading.Thread):
    """Sends batches of gets at a fixed rate; `crowd` is (key, share), or None."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.client = Client(port)
        self.crowd = None
        self.begun = None
        self.running = True

    def run(self):
        due = time.perf_counter()
        while self.running:
            crowd = self.crowd
            hot = round(BATCH * crowd[1]) if crowd else 0
            keys = [f"cold:{random.getrandbits(40)}" for _ in range(BATCH - hot)]
            keys += [crowd[0]] * hot if crowd else []
            random.shuffle(keys)
            data = "".join(f"get {key}\r\n" for key in keys) + "mn\r\n"
            if crowd and self.begun is None:
                self.begun = time.perf_counter()
            self.client.send(data.encode())
            while self.client.line() != b"MN":
                pass
            due += 1 / BATCHES_PER_SECOND
            time.sleep(max(0, due - time.perf_counter()))

    def start_crowd(self, key, share):
        self.begun = None
        self.crowd = (key, share)

    def end_crowd(self):
        self.crowd = None


def ask(client, words):
    """The JSON of one answer."""
    client.send(f"kiln {words}\r\n".encode())
    head = client.line()
    assert head.startswith(b"VALUE kiln 0 "), head
    body = client.exactly(int(head.split()[3]) + 2)
    assert client.line() == b"END"
    return json.loads(body)


def trial(loader, client, key, share):
    """Seconds until the key is listed, and until it is hot."""
    loader.start_crowd(key, share)
    listed = None
    while True:
        rows = [row for row in ask(client, "hotkeys n=5")["hot_keys"] if row["key"] == key]
        now = time.perf_counter()
        passed = now - loader.begun if loader.begun else 0.0
        if rows and listed is None:
            listed = passed
        if rows and rows[0]["state"] == "hot":
            return listed, passed
        if passed > GIVE_UP_SECONDS:
            sys.exit(f"{key} was not found hot within {GIVE_UP_SECONDS} s (listed: {listed})")
        time.sleep(POLL_SECONDS)


def demotion(client, key):
    """Seconds until the key is demoted."""
    start = time.perf_counter()
    while True:
        decisions = ask(client, f"why {key}")["decisions"]
        if decisions and decisions[0]["action"] == "demote":
            return time.perf_counter() - start
        if time.perf_counter() - start > 60:
            sys.exit(f"{key} was not demoted within a minute")
        time.sleep(0.05)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=100, help="crowds of each size")
    options = parser.parse_args()
    results = []
    with Server("ours", options.ours, memory_mb=64, threads=2) as server:
        loader = Loader(server.port)
        loader.start()
        client = server.client()
        time.sleep(1.5)
        for share, target in TARGETS.items():
            times = []
            for number in range(options.trials):
                key = f"crowd:{share}:{number}"
                times.append(trial(loader, client, key, share))
                loader.end_crowd()
                time.sleep(random.uniform(0.3, 0.55))
            listed = [one[0] for one in times]
            hot = [one[1] for one in times]
            found = percentile(listed, 0.99)
            results.append({
                "share": share, "target_s": target, "passed": found <= target,
                "listed_p50_s": statistics.median(listed), "listed_p99_s": found,
                "hot_p50_s": statistics.median(hot), "hot_p99_s": percentile(hot, 0.99)})
            progress(f"crowds of {share}: listed within {found:.3f} s (p99)")
        last = f"crowd:{share}:{options.trials - 1}"
        gone = demotion(client, last)
        loader.running = False
        loader.join()
    table(["share", "listed p50 ms", "p99 ms", "target", "", "hot p50 ms", "p99 ms"],
          [[r["share"], *(f"{r[k] * 1000:.0f}" for k in ("listed_p50_s", "listed_p99_s")),
            f"<= {r['target_s'] * 1000:.0f}", verdict(r["passed"]),
            *(f"{r[k] * 1000:.0f}" for k in ("hot_p50_s", "hot_p99_s"))] for r in results])
    print(f"demoted {gone:.1f} s after the crowd had left (rule: 10 s)")
    passed = all(r["passed"] for r in results) and gone < 12.5
    finish("hot_key_detection", options, results + [{"demoted_s": gone}], passed)


if __name__ == "__main__":
    main()
