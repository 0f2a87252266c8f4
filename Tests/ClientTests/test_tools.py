"""The command line tools people have: libmemcached's, and Debian's memcached-tool."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from blackbox.servers import CACHEDUMP_FLAGS, Server

MEMCACHED_TOOL = "/usr/share/memcached/scripts/memcached-tool"


def run(*command: str) -> subprocess.CompletedProcess[bytes]:
    """Runs a tool to its end."""
    return subprocess.run(command, capture_output=True, timeout=120, check=False)


@pytest.fixture
def tool(clean_server: Server) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Runs one of libmemcached's tools on the server."""
    return lambda name, *arguments: run(name, f"--servers={clean_server.name}", *arguments)


def test_memccapable(clean_server: Server) -> None:
    """libmemcached's conformance test of the text protocol: 27 of 27."""
    done = run("memccapable", "-h", "127.0.0.1", "-p", str(clean_server.port), "-a")
    output = done.stdout.decode()
    assert done.returncode == 0, output + done.stderr.decode()
    assert "All tests passed" in output
    assert output.count("[pass]") == 27, output
    assert "[FAIL]" not in output and "[skip]" not in output


def test_copy_show_touch_remove(tool: Callable, tmp_path: Path) -> None:
    content = b"line\r\n\x00\xff" * 1000
    (tmp_path / "copied").write_bytes(content)
    assert tool("memccp", str(tmp_path / "copied")).returncode == 0
    shown = tool("memccat", "copied")
    assert shown.returncode == 0 and shown.stdout == content + b"\n"
    assert tool("memcexist", "copied").returncode == 0
    assert tool("memcexist", "absent").returncode == 1
    assert tool("memctouch", "--expire=100", "copied").returncode == 0
    assert tool("memcrm", "copied").returncode == 0
    assert tool("memccat", "copied").returncode == 1


def test_ping_flush(tool: Callable, clean_server: Server) -> None:
    assert tool("memcping").returncode == 0
    with clean_server.connect() as connection:
        connection.set(b"k", b"v")
        assert tool("memcflush").returncode == 0
        assert connection.get(b"k") is None


def test_dump(start_server: Callable[..., Server]) -> None:
    """memcdump walks `stats cachedump` over every class."""
    server = start_server(*CACHEDUMP_FLAGS)
    keys = {b"dump%d" % i for i in range(50)}
    with server.connect() as connection:
        for index, key in enumerate(sorted(keys)):
            connection.set(key, b"v" * (index * 100 + 1))
    done = run("memcdump", f"--servers={server.name}")
    assert done.returncode == 0
    assert set(done.stdout.split()) == keys


def test_statistics(tool: Callable, clean_server: Server) -> None:
    done = tool("memcstat")
    assert done.returncode == 0
    shown = dict(line.strip().split(b": ", 1) for line in done.stdout.splitlines() if b": " in line)
    assert int(shown[b"pid"]) == clean_server.process.pid
    settings = tool("memcstat", "--args=settings")
    assert settings.returncode == 0 and b"maxconns: 1024" in settings.stdout


@pytest.mark.parametrize("test", ["set", "get", "mget"])
def test_load_generator(tool: Callable, test: str) -> None:
    done = tool("memcslap", f"--test={test}", "--concurrency=4", "--execute-number=500")
    assert done.returncode == 0, done.stderr
    assert b"Time to" in done.stdout


def test_verifying_load_generator(clean_server: Server) -> None:
    """memcaslap with verification: it compares what it gets with what it set."""
    done = run("memcaslap", "-s", clean_server.name, "-T", "1", "-c", "8", "-x", "5000", "-v", "0.5")
    output = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert re.search(r"^get_misses: 0$", output, re.MULTILINE), output
    assert re.search(r"^verify_failed: 0$", output, re.MULTILINE) or "verify_failed" not in output, output


@pytest.fixture
def memcached_tool(clean_server: Server) -> Callable[..., str]:
    """Runs a mode of memcached-tool on a server that holds a few items."""
    with clean_server.connect() as connection:
        for index in range(20):
            connection.set(b"tool%d" % index, b"value " * (index + 1), flags=index, ttl=index * 1000)

    def run_mode(*mode: str) -> str:
        done = run("perl", MEMCACHED_TOOL, clean_server.name, *mode)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    return run_mode


def test_tool_display(memcached_tool: Callable[..., str]) -> None:
    head, *rows = memcached_tool("display").splitlines()
    assert head.split() == ["#", "Item_Size", "Max_age", "Pages", "Count", "Full?", "Evicted", "Evict_Time", "OOM"]
    assert rows, "no class holds an item"
    for row in rows:
        assert re.fullmatch(r"\s*\d+\s+[\d.]+[BK]\s+\d+s\s+\d+\s+\d+\s+(yes|no)\s+\d+\s+\d+\s+\d+", row), row
    assert sum(int(row.split()[4]) for row in rows) >= 20


@pytest.mark.parametrize(
    ("mode", "name"), [("stats", "curr_items"), ("settings", "maxbytes"), ("sizes", "sizes_status")]
)
def test_tool_tables(memcached_tool: Callable[..., str], mode: str, name: str) -> None:
    rows = dict(line.split(None, 1) for line in memcached_tool(mode).splitlines()[1:])
    assert name in rows


def test_tool_keys(memcached_tool: Callable[..., str]) -> None:
    lines = memcached_tool("keys").splitlines()
    assert {f"key=tool{i}" for i in range(20)} <= {line.split()[0] for line in lines}


def test_tool_dump_restores(memcached_tool: Callable[..., str], clean_server: Server) -> None:
    """What `dump` prints is a program of `add` commands that brings every item back."""
    dump = memcached_tool("dump")
    assert dump.count("add tool") == 20
    with clean_server.connect() as connection:
        assert connection.ask_line(b"flush_all\r\n") == b"OK"
        connection.send(dump.replace("\n", "\r\n").replace("\r\r\n", "\r\n").encode() + b"mn\r\n")
        reply = connection.read_until(b"MN\r\n")
        assert reply.count(b"STORED\r\n") >= 20, reply
        assert connection.get(b"tool7") == b"value " * 8
