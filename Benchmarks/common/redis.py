"""Redis beside the others: started like them, loaded by its own redis-benchmark.

Redis speaks another protocol, which `kiln bench` does not. redis-benchmark sends the same shape of
load (connections, pipeline, keys, values); it has no open loop, so there is no figure for one.
"""

import csv
import io
import os
import socket
import subprocess
import sys
import tempfile
import time

from .servers import START_SECONDS, Server, free_port

TIMEOUT_SECONDS = 300
# redis-benchmark fills __rand_int__ with twelve digits.
KEY_PATTERN = "key:__rand_int__"
KEY_BYTES = 16
# Commands sent before their answers are read while keys are stored.
STORE_BATCH = 1000


class RedisServer(Server):
    """A redis-server without persistence, its memory limited as the others' is."""

    def __init__(self, label, *, memory_mb, cpus=None):
        self.label = label
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory()
        self.command = [
            "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", self._folder.name, "--maxmemory", f"{memory_mb}mb",
            "--maxmemory-policy", "allkeys-lru"]
        self._log = tempfile.TemporaryFile()
        pin = (lambda: os.sched_setaffinity(0, cpus)) if cpus else None
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            preexec_fn=pin)
        deadline = time.monotonic() + START_SECONDS
        while self._ask(b"PING\r\n") != b"+PONG\r\n":
            if time.monotonic() > deadline or self.process.poll() is not None:
                log = self.log()
                self.stop()
                sys.exit(f"{label} did not start\n{log}")
            time.sleep(0.02)

    def _ask(self, request):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(request)
                return connection.recv(1 << 16)
        except OSError:
            return b""

    def store(self, keys, value_bytes):
        """Stores every key once, spelled as redis-benchmark spells it."""
        value = b"x" * value_bytes
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            replies = connection.makefile("rb")
            for start in range(0, keys, STORE_BATCH):
                numbers = range(start, min(start + STORE_BATCH, keys))
                connection.sendall(b"".join(
                    b"*3\r\n$3\r\nSET\r\n$%d\r\nkey:%012d\r\n$%d\r\n%b\r\n"
                    % (KEY_BYTES, number, value_bytes, value) for number in numbers))
                for _ in numbers:
                    if replies.readline() != b"+OK\r\n":
                        sys.exit("redis refused to store a key")

    def misses(self) -> int:
        """Reads so far that found nothing."""
        text = self._ask(b"INFO stats\r\n").decode()
        return int(text.split("keyspace_misses:")[1].split("\r\n")[0])

    def cpu_seconds(self) -> float:
        """Processor time of all its threads."""
        total = 0
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def measure(self, load, seconds, cpus) -> dict[str, float]:
        """Reads by redis-benchmark for about `seconds`; figures as `Generator.measure` names them."""
        rate = self._benchmark(load, 50_000, cpus)[0]
        requests = max(int(rate * seconds), 10_000)
        misses, before = self.misses(), self.cpu_seconds()
        rate, p50, p99 = self._benchmark(load, requests, cpus)
        used = self.cpu_seconds() - before
        if self.misses() > misses:
            sys.exit(f"{self.label}: {self.misses() - misses} misses where all keys were stored")
        return {"rps": rate, "srv_us/req": used / requests * 1e6, "p50_us": p50, "p99_us": p99}

    def _benchmark(self, load, requests, cpus):
        pin = (lambda: os.sched_setaffinity(0, cpus)) if cpus else None
        done = subprocess.run(
            ["redis-benchmark", "-p", str(self.port), "-c", str(load.connections), "-P",
             str(load.depth), "-n", str(requests), "-r", str(load.keys), "--csv",
             "GET", KEY_PATTERN],
            capture_output=True, text=True, timeout=TIMEOUT_SECONDS, preexec_fn=pin)
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        if done.returncode != 0 or len(rows) != 1:
            sys.exit(f"redis-benchmark: exit {done.returncode}\n{done.stdout}{done.stderr}")
        row = rows[0]
        return (float(row["rps"]), float(row["p50_latency_ms"]) * 1e3,
                float(row["p99_latency_ms"]) * 1e3)
