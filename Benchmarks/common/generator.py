"""The external load generator: how it is called and how its one line of output is read.

Python is too slow to load a fast server, so the load comes from a program named by `MCLOAD`
(default: `mcload` on the PATH). It takes `-p port -c connections -d depth -n keys -v value_bytes
-w write_percent -m keys_per_get -k key_prefix -M (meta get) -L (load first) -t seconds
-P server_pid` and prints `name=value` words, of which `rps`, `hit`, `errs` and `srv_us/req` (the server's CPU time
per request in the measured window) are read here. Another generator needs only this file changed.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

TIMEOUT_SECONDS = 300


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

    @property
    def data(self) -> tuple[str, int, int]:
        """What must be stored before this load can hit."""
        return (self.prefix, self.keys, self.value_bytes)


class Generator:
    """The load generator, pinned to its own cores."""

    def __init__(self, cpus=None):
        name = os.environ.get("MCLOAD", "mcload")
        self.program = shutil.which(name)
        self.cpus = cpus
        if self.program is None:
            sys.exit(f"no load generator: {name} (name one by MCLOAD)")

    def _run(self, words) -> dict[str, float]:
        pin = (lambda: os.sched_setaffinity(0, self.cpus)) if self.cpus else None
        done = subprocess.run([self.program, *map(str, words)], capture_output=True, text=True,
                              timeout=TIMEOUT_SECONDS, preexec_fn=pin)
        if done.returncode != 0:
            sys.exit(f"load generator: exit {done.returncode}\n{done.stdout}{done.stderr}")
        pairs = (word.split("=", 1) for word in done.stdout.split() if "=" in word)
        return {name: float(value) for name, value in pairs}

    def store(self, server, data):
        """Stores every key of a data set once."""
        prefix, keys, value_bytes = data
        self._run(["-p", server.port, "-k", prefix, "-n", keys, "-v", value_bytes, "-L", "-t", 0])

    def measure(self, server, load: Load, seconds) -> dict[str, float]:
        """Runs a load; every read must hit, or the figure means nothing."""
        words = ["-p", server.port, "-c", load.connections, "-d", load.depth, "-n", load.keys,
                 "-v", load.value_bytes, "-w", load.write_percent, "-m", load.keys_per_get,
                 "-k", load.prefix, "-t", seconds, "-P", server.pid]
        found = self._run(words + (["-M"] if load.meta else []))
        if load.write_percent < 100 and not 0.999 <= found["hit"] <= 1.001:
            sys.exit(f"{server.label}: hit ratio {found['hit']} where all keys were stored")
        return found
