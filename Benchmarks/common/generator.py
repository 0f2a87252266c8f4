"""The load: `kiln bench`, called with a plain description of what to ask and read by its JSON.

Python is too slow to load a fast server, so it only starts what can. The generator is the release
build in this checkout whatever server is measured; `KILN_BENCH` names another one.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

from .servers import default_ours

TIMEOUT_SECONDS = 300
# Clients of a run that only stores keys.
STORE_CLIENTS = 4


@dataclass(frozen=True)
class Load:
    """What is asked of the server."""

    depth: int = 1
    connections: int = 50
    keys: int = 1_000_000
    value_bytes: int = 100
    write_percent: int = 0
    keys_per_get: int = 1
    meta: bool = False
    prefix: str = "key:"
    # Bytes that a key is filled up to with zeros; 0: as long as prefix and number are.
    key_bytes: int = 0
    # Operations a second that are due whatever the server does; None: the next follows the answer.
    rate: float | None = None

    @property
    def data(self) -> tuple[str, int, int]:
        """What must be stored before this load can hit."""
        return (self.prefix, self.keys, self.value_bytes)


class Generator:
    """`kiln bench`, pinned to its own cores."""

    def __init__(self, cpus=None):
        self.program = os.environ.get("KILN_BENCH", default_ours())
        self.cpus = cpus

    def _run(self, words) -> dict:
        """The measured run of the call's JSON."""
        pin = (lambda: os.sched_setaffinity(0, self.cpus)) if self.cpus else None
        done = subprocess.run(
            [self.program, "bench", "--output", "json", "--quiet", *map(str, words)],
            capture_output=True, text=True, timeout=TIMEOUT_SECONDS, preexec_fn=pin)
        # Exit code 1 with results: the generator was full, which figures per request outlive.
        if done.returncode not in (0, 1) or not done.stdout or done.stderr:
            sys.exit(f"kiln bench: exit {done.returncode}\n{done.stdout[:500]}{done.stderr}")
        run = json.loads(done.stdout)["runs"][-1]
        if run["errors"] or run["unanswered"]:
            sys.exit(f"kiln bench: {run['errors']} errors, {run['unanswered']} unanswered")
        return run

    @staticmethod
    def _data_words(server, prefix, keys, value_bytes, key_bytes=0):
        words = ["--server", f"127.0.0.1:{server.port}", "--key-prefix", prefix,
                 "--key-count", keys, "--value-size", value_bytes]
        return words + (["--key-size", key_bytes] if key_bytes else [])

    def store(self, server, data, key_bytes=0):
        """Stores every key of a data set once."""
        self._run([*self._data_words(server, *data, key_bytes), "--load", "--warmup", 0,
                   "--clients", STORE_CLIENTS, "--requests", STORE_CLIENTS, "--ratio", "0:1"])

    def measure(self, server, load: Load, seconds) -> dict[str, float]:
        """Runs a load: requests a second, the server's CPU and latency percentiles in us.

        Every read must hit, or the figures mean nothing.
        """
        words = self._data_words(server, *load.data, load.key_bytes) + [
            "--clients", load.connections, "--pipeline", load.depth, "--mget", load.keys_per_get,
            "--ratio", f"{load.write_percent}:{100 - load.write_percent}",
            "--protocol", "meta" if load.meta else "text", "--warmup", 0.5, "--time", seconds,
            "--server-pid", server.pid]
        run = self._run(words + (["--rate", load.rate] if load.rate else []))
        reads = [one for one in run["operations"] if one["operation"] != "set"]
        if any(one["hit_ratio"] < 1 for one in reads):
            sys.exit(f"{server.label}: hit ratio {reads[0]['hit_ratio']} where all keys were stored")
        latency = (reads or run["operations"])[0]["latency_ns"]
        return {
            "rps": run["rate"], "srv_us/req": run["server_cpu_s_per_request"] * 1e6,
            "p50_us": latency["p50"] / 1e3, "p99_us": latency["p99"] / 1e3,
            "p999_us": latency["p99_9"] / 1e3,
        }
