"""Starts and stops the servers under test, and reads what the kernel knows about them.

Both servers take memcached's short flags, so one class starts either; only the words before the
flags differ (`kiln serve` against `memcached -U 0`).
"""

import os
import random
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .client import Client

REPOSITORY = Path(__file__).resolve().parents[2]

# A Kiln node also takes client port + 10000 (peers) and + 20000 (admin HTTP): below 45536 all three
# exist, and below 12768 + 20000 none falls into Linux's range of outgoing ports.
PORT_RANGE = range(11300, 12700)
PORT_OFFSETS = (0, 10000, 20000)
START_SECONDS = 20.0
STOP_SECONDS = 20.0


def default_ours() -> str:
    """The server that is measured: `KILN_BINARY`, or the release build in this checkout."""
    return os.environ.get("KILN_BINARY", str(REPOSITORY / ".build/release/kiln"))


def command_words(server: str) -> list[str]:
    """The words that start a server, before memcached's short flags."""
    words = shlex.split(server)
    program = shutil.which(words[0])
    if program is None:
        sys.exit(f"no such server: {words[0]} (build it, or name it by --ours or KILN_BINARY)")
    words[0] = os.path.realpath(program)
    if os.path.basename(words[0]).startswith("memcached"):
        words += ["-U", "0"]  # Debian's build would listen on UDP too.
        words += ["-u", "root"] if os.geteuid() == 0 else []
    elif len(words) == 1:
        words.append("serve")
    return words


def free_port() -> int:
    """A client port whose peer and admin ports are free as well."""
    for port in random.SystemRandom().sample(PORT_RANGE, len(PORT_RANGE)):
        try:
            for offset in PORT_OFFSETS:
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port + offset))
        except OSError:
            continue
        return port
    sys.exit(f"no free port in {PORT_RANGE}")


class Server:
    """One running server; use it in a `with` statement, it is stopped by its own process id."""

    def __init__(self, label, server, *, memory_mb, threads=1, cpus=None, extra=(), env=None):
        self.label = label
        self.port = free_port()
        self.command = command_words(server) + [
            "-p", str(self.port), "-l", "127.0.0.1", "-m", str(memory_mb), "-t", str(threads),
            *extra,
        ]
        self._log = tempfile.TemporaryFile()
        pin = (lambda: os.sched_setaffinity(0, cpus)) if cpus else None
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            env={**os.environ, **(env or {})}, preexec_fn=pin)
        self._await_port()

    @property
    def pid(self) -> int:
        """The process to read in /proc."""
        return self.process.pid

    def _await_port(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with self.client() as client:
                    client.version()
                return
            except OSError:
                time.sleep(0.02)
        log = self.log()
        self.stop()
        sys.exit(f"{self.label} did not start: {shlex.join(self.command)}\n{log}")

    def client(self, timeout=60.0) -> Client:
        """A new connection."""
        return Client(self.port, timeout)

    def stats(self, group="") -> dict[str, str]:
        """The reply to `stats`, over a connection of its own."""
        with self.client() as client:
            return client.stats(group)

    def memory_kib(self, field="VmRSS") -> int:
        """Resident memory now (`VmRSS`) or at its highest (`VmHWM`), in KiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise ProcessLookupError(f"{self.label} is gone; it said:\n{self.log()}")

    def log(self, limit=4000) -> str:
        """The end of what the server printed."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-limit:]

    def stop(self):
        """Asks the server to stop, and ends it when it does not."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self._log.close()
