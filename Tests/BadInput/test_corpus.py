"""Replays the corpus: a clear error or a close, bounded memory, and the server answers others."""

import contextlib
import re
import socket
from pathlib import Path

import pytest

from blackbox.servers import Server, kind_under_test
from blackbox.waiting import wait_until
from blackbox.wire import Connection, ServerClosed
from corpus import CASES, NOT_APPLICABLE, TESTED_ELSEWHERE, Case

DUMP_END = rb"(?:^|\n)(?:END|EN|ERROR.*|BUSY.*|BADCLASS.*|CLIENT_ERROR.*)\r\n$"


def assert_healthy(server: Server) -> None:
    """A new client is served as if nothing had happened."""
    assert server.is_running(), server.log()[-2000:]
    with server.connect() as connection:
        assert connection.set(b"healthy", b"yes") == b"STORED"
        assert connection.get(b"healthy") == b"yes"


def replay(server: Server, case: Case) -> tuple[bytes, bool]:
    """What came back, and whether the server closed."""
    with server.connect(timeout=10) as connection:
        try:
            connection.send(case.bytes_to_send())
            if case.ends_connection and not case.must_close:
                with contextlib.suppress(OSError):  # The server may have closed first.
                    connection.socket.shutdown(socket.SHUT_WR)
                return connection.read_to_end(), True
            if case.must_close:
                return connection.read_to_end(), True
            lines = b""
            while case.is_dump and not re.search(DUMP_END, lines):
                lines += connection.read_until(b"\r\n")
            connection.send(b"mn\r\n")
            return lines + connection.read_until(b"MN\r\n").removesuffix(b"MN\r\n"), False
        except ServerClosed as closed:
            return closed.received, True
        except ConnectionError:
            return connection.read_to_end(), True


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_replay(server: Server, case: Case) -> None:
    if kind_under_test() == "memcached" and case.memcached_fails:
        pytest.xfail(case.memcached_fails)
    with server.connect() as connection:
        connection.set(b"victim", b"alive")
    before = server.resident_bytes()
    reply, closed = replay(server, case)
    growth = server.resident_bytes() - before
    if not case.must_close and not case.ends_connection:
        assert not closed or case.may_close, f"closed after {reply[-300:]!r}"
    if not (closed and not reply and case.may_close):
        assert re.fullmatch(case.replies, reply, re.DOTALL), f"answered {reply[:500]!r}"
    assert growth <= case.growth_bytes, f"resident memory grew by {growth} bytes"
    assert_healthy(server)
    with server.connect() as connection:
        flushes = case.bytes_to_send()[:40].startswith(b"flush_all")
        assert flushes or connection.get(b"victim") == b"alive", "the input was run as commands"
        assert connection.get(b"http") is None


@pytest.mark.parametrize("row", sorted(NOT_APPLICABLE), ids=lambda row: f"row{row:02}")
def test_not_applicable(row: int) -> None:
    pytest.skip(NOT_APPLICABLE[row])


def test_every_row_is_accounted_for() -> None:
    """All 31 rows are replayed, tested elsewhere by a test that exists, or marked with a reason."""
    rows = {case.row for case in CASES} | set(NOT_APPLICABLE) | set(TESTED_ELSEWHERE)
    assert rows == set(range(1, 32))
    for place in TESTED_ELSEWHERE.values():
        file, name = place.split("::")
        assert f"def {name}(" in (Path(__file__).parent / file).read_text(), place


def test_no_udp_socket(server: Server) -> None:
    """Rows 3 and 9: there is nothing to amplify with."""
    inodes = set()
    for link in Path(f"/proc/{server.process.pid}/fd").iterdir():
        if match := re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink())):
            inodes.add(match[1])
    for table in ("udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            assert line.split()[9] not in inodes, f"a UDP socket is open: {line}"


def test_connection_list_names_unix_sockets(tmp_path: Path) -> None:
    """Row 6: addresses of every family are rendered."""
    path = tmp_path / "socket"
    with Server(kind_under_test(), unix_socket=path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"stats conns\r\n")
        reply = b""
        while not reply.endswith(b"END\r\n"):
            data = client.recv(65536)
            assert data, reply
            reply += data
    assert f"unix:{path}".encode() in reply


def test_lease_winners_that_vanish(server: Server) -> None:
    """Row 28: clients that win a fill lease and are gone at once leave nothing behind."""
    for index in range(500):
        connection = server.connect()
        connection.send(b"mg lease%d N30 c v\r\n" % (index % 10))
        connection.reset()
    assert_healthy(server)
    with server.connect() as connection:
        assert connection.ask_line(b"ms lease0 1\r\nx\r\n") == b"HD"
        assert connection.get(b"lease0") == b"x"


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_pipelined_sets_in_single_bytes(server: Server, piece: int) -> None:
    """Row 23 without TLS: a row of sets in pieces of any size is stored whole."""
    request = b"".join(b"set piece%d 0 0 %d\r\n%b\r\n" % (i, i, b"v" * i) for i in range(150))
    with server.connect() as connection:
        connection.send_pieces(request[at : at + piece] for at in range(0, len(request), piece))
        assert connection.read_exactly(150 * 8) == b"STORED\r\n" * 150
        assert connection.get(b"piece149") == b"v" * 149


def test_half_commands_then_close(server: Server) -> None:
    """Every prefix of a command, followed by a close or a reset, is forgotten."""
    command = b"set half 0 0 10\r\n0123456789\r\n"
    before = server.open_file_count()
    for count in range(1, len(command) - 1):
        for leave in (Connection.close, Connection.reset):
            connection = server.connect()
            connection.send(command[:count])
            leave(connection)
    wait_until(lambda: server.open_file_count() <= before, "the connections to be gone")
    with server.connect() as connection:
        assert connection.get(b"half") is None
