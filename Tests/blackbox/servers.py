"""Starting and stopping the server under test, and Debian's memcached as the reference.

The server under test is Kiln unless ``KILN_TEST_SERVER=memcached`` puts memcached in its place,
which checks the suites themselves. ``KILN_BINARY`` names the executable.
"""

import ctypes
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .waiting import wait_until
from .wire import Connection

REPOSITORY = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1
#: memcached's `stats cachedump` shows one of its LRU queues: with these flags it has only that one.
CACHEDUMP_FLAGS = ("-o", "no_lru_maintainer") if os.environ.get("KILN_TEST_SERVER") == "memcached" else ()
_LIBC = ctypes.CDLL(None, use_errno=True)


def kind_under_test() -> str:
    """``kiln`` or ``memcached``."""
    kind = os.environ.get("KILN_TEST_SERVER", "kiln")
    if kind not in ("kiln", "memcached"):
        raise ValueError(f"KILN_TEST_SERVER is {kind!r}; it must be kiln or memcached")
    return kind


def kiln_binary() -> Path:
    """The executable under test."""
    return Path(os.environ.get("KILN_BINARY", REPOSITORY / ".build/release/kiln"))


class Server:
    """One running server process, listening on a port of 127.0.0.1 that it chose itself."""

    def __init__(self, kind: str, *flags: str, open_files: int | None = None, unix_socket: Path | None = None):
        self.kind = kind
        self.flags = flags
        self._open_files = open_files
        self._unix_socket = unix_socket  # Instead of a port, as memcached's -s has it.
        self._directory = Path(tempfile.mkdtemp(prefix="kiln-test-"))
        self._ports_file = self._directory / "ports"
        self.log_path = self._directory / "log"
        environment = dict(os.environ)
        environment["MEMCACHED_PORT_FILENAME"] = str(self._ports_file)
        environment["SWIFT_BACKTRACE"] = "enable=no"  # A crash must show as a dead process at once.
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                self._command(),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=self._prepare_child,
            )
        try:
            if unix_socket is None:
                self.port = wait_until(self._read_port, f"{kind} names its port")
                wait_until(self._accepts, f"{kind} accepts on port {self.port}")
            else:
                wait_until(unix_socket.is_socket, f"{kind} listens on {unix_socket}")
        except BaseException:
            self.stop()
            raise

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def connect(self, timeout: float = 20.0) -> Connection:
        return Connection(self.address, timeout)

    def is_running(self) -> bool:
        return self.process.poll() is None

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def status(self, field: str) -> int:
        """A field of /proc/PID/status, in its own unit (kB for sizes)."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(rf"^{field}:\s+(\d+)", text, re.MULTILINE)
        assert match, f"no {field} in /proc/PID/status"
        return int(match.group(1))

    def resident_bytes(self) -> int:
        return self.status("VmRSS") * 1024

    def peak_resident_bytes(self) -> int:
        return self.status("VmHWM") * 1024

    def reset_peak(self) -> None:
        """Makes :meth:`peak_resident_bytes` start again from the present size."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def open_file_count(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def statistics(self, group: str = "") -> dict[str, str]:
        """``stats [group]`` as a dictionary."""
        with self.connect() as connection:
            return connection.statistics(group)

    def stop(self) -> int:
        """Stops exactly this process; returns its exit status."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        status = self.process.wait()
        shutil.rmtree(self._directory, ignore_errors=True)
        return status

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _command(self) -> list[str]:
        if self._unix_socket is not None:
            server = ["memcached", "-u", "root"] if self.kind == "memcached" else [str(kiln_binary()), "serve"]
            return [*server, "-s", str(self._unix_socket), *self.flags]
        if self.kind == "memcached":
            return ["memcached", "-l", "127.0.0.1", "-p", "-1", "-U", "0", "-u", "root", *self.flags]
        return [
            str(kiln_binary()),
            "serve",
            "-l",
            "127.0.0.1",
            "-p",
            "0",
            "--ports-file",
            str(self._ports_file),
            *self.flags,
        ]

    def _prepare_child(self) -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # No server outlives a killed test run.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        limit = hard if self._open_files is None else self._open_files
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    def _read_port(self) -> int | None:
        if not self.is_running():
            raise AssertionError(f"{self._command()} ended at once:\n{self.log()}")
        try:
            return parse_ports_file(self._ports_file.read_text())
        except FileNotFoundError:
            return None

    def _accepts(self) -> bool:
        try:
            with self.connect() as connection:
                return connection.ask_line(b"version\r\n").startswith(b"VERSION")
        except OSError:
            return False


def parse_ports_file(text: str) -> int | None:
    """The client port in a ports file: memcached's ``TCP INET: N``, JSON or ``client N``."""
    try:
        ports = json.loads(text)
        if isinstance(ports, dict) and "client" in ports:
            return int(str(ports["client"]).rsplit(":", 1)[-1])
    except ValueError:
        pass
    match = re.search(r"^(?:TCP INET|client)\b.*?(\d+)\s*$", text, re.MULTILINE)
    return int(match.group(1)) if match else None
