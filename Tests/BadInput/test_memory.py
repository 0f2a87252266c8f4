"""Memory stays bounded whatever one or many clients send."""

import contextlib
import resource
import socket
from collections.abc import Callable, Iterator

import pytest

from blackbox.servers import Server, kind_under_test
from blackbox.waiting import wait_until
from blackbox.wire import Connection, ServerClosed
from test_corpus import assert_healthy

CONNECTIONS = 15_000
MANY = ("-c", "19000", "-m", "64", "-t", "1")


@pytest.fixture
def many_files() -> Iterator[None]:
    """Lets this process open as many files as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < CONNECTIONS + 500:
        pytest.skip(f"RLIMIT_NOFILE is {hard}")
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def opened(server: Server, request: bytes, reply: bytes) -> list[socket.socket]:
    """Many connections, each of which has sent ``request`` and read ``reply``."""
    sockets = []
    for start in range(0, CONNECTIONS, 500):
        batch = []
        for _ in range(500):
            one = socket.socket()
            one.settimeout(20)
            one.connect(server.address)
            one.sendall(request)
            batch.append(one)
        for one in batch:
            received = b""
            while len(received) < len(reply):
                data = one.recv(100)
                assert data, f"closed at connection {start}"
                received += data
            assert received == reply
        sockets += batch
    return sockets


def close_all(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # No TIME_WAIT for 15,000.
        one.close()


@pytest.mark.slow
def test_idle_connections(start_server: Callable[..., Server], many_files: None) -> None:
    """15,000 clients that have asked something and are idle: at most 2 KiB each."""
    server = start_server(*MANY)
    before_files = server.open_file_count()
    before = server.resident_bytes()
    sockets = opened(server, b"mn\r\n", b"MN\r\n")
    growth = server.resident_bytes() - before
    print(f"{growth / CONNECTIONS:.0f} bytes a connection")
    assert growth <= CONNECTIONS * 2048
    assert_healthy(server)
    close_all(sockets)
    wait_until(lambda: server.open_file_count() <= before_files, "15,000 connections to be gone")
    assert_healthy(server)


@pytest.mark.slow
def test_half_sent_sets(start_server: Callable[..., Server], many_files: None) -> None:
    """15,000 clients that declare 100 kB each and send little: what they hold counts against -m."""
    server = start_server(*MANY)
    before_files = server.open_file_count()
    before = server.resident_bytes()
    sockets = opened(server, b"mn\r\nset half 0 0 100000\r\nfew bytes", b"MN\r\n")
    with server.connect() as connection:  # Its answer comes after all of theirs were read.
        assert connection.ask_line(b"mn\r\n") == b"MN"
    growth = server.resident_bytes() - before
    print(f"{growth / CONNECTIONS:.0f} bytes a connection")
    if kind_under_test() == "memcached":
        pytest.xfail(f"memcached holds {growth / CONNECTIONS:.0f} bytes a connection, more than -m")
    assert growth <= (64 << 20) + CONNECTIONS * 2048
    assert server.is_running()
    close_all(sockets)
    wait_until(lambda: server.open_file_count() <= before_files, "15,000 connections to be gone")
    with server.connect() as connection:
        for index in range(20):
            assert connection.set(b"after%d" % index, b"x" * 100_000) == b"STORED"
        assert connection.get(b"after19") == b"x" * 100_000


def test_unterminated_get_of_32_megabytes(start_server: Callable[..., Server]) -> None:
    """Row 19: the key list of a `get` is read in bounded memory."""
    if kind_under_test() == "memcached":
        pytest.xfail("memcached buffers the whole line")
    server = start_server("-m", "64", "-t", "1")
    piece = b"absent-key " * 6000
    with server.connect() as connection:
        connection.send(b"get " + piece * 16)  # First the buffers that any client may have.
        wait_until(lambda: unread_by(server, connection) == 0, "the server to read")
        before = server.resident_bytes()
        try:
            for _ in range((32 << 20) // len(piece)):
                connection.send(piece)
            wait_until(lambda: unread_by(server, connection) == 0, "the server to read")
        except ConnectionError:
            pass  # A close is as good.
        growth = server.resident_bytes() - before
        assert growth <= 64 << 10, f"{growth} bytes"
    assert_healthy(server)


def unread_by(server: Server, connection: Connection) -> int:
    """Bytes that the kernel still holds for the server on this connection, by /proc/net/tcp."""
    port = connection.socket.getsockname()[1]
    total = 0
    with open("/proc/net/tcp") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            local, remote = (int(fields[i].split(":")[1], 16) for i in (1, 2))
            sending, receiving = (int(part, 16) for part in fields[4].split(":"))
            if (local, remote) == (server.port, port):
                total += receiving
            elif (local, remote) == (port, server.port):
                total += sending
    return total


def test_one_key_a_million_times(start_server: Callable[..., Server]) -> None:
    """Row 4: a multi-get of one key holds no more than a screenful of it at a time."""
    if kind_under_test() == "memcached":
        pytest.xfail("memcached holds the whole line and one reply object a key")
    server = start_server("-m", "64", "-t", "1")
    count = 1_000_000
    with server.connect() as connection:
        connection.set(b"a", b"v")
        before = server.resident_bytes()
        request = memoryview(b"get " + b"a " * count + b"\r\n")
        expected = len(b"VALUE a 0 1\r\nv\r\n") * count + len(b"END\r\n")
        connection.socket.setblocking(False)
        sent = received = peak = 0
        ending = b""
        while received < expected:
            with contextlib.suppress(BlockingIOError):
                sent += connection.socket.send(request[sent : sent + 65536]) if sent < len(request) else 0
            try:
                data = connection.socket.recv(1 << 20)
                assert data, "the server closed"
                received += len(data)
                ending = data[-5:]
                peak = max(peak, server.resident_bytes())
            except BlockingIOError:
                pass
        assert ending == b"END\r\n" and received == expected
        assert peak - before <= 4 << 20
    assert_healthy(server)


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        b"ms leak 2 O" + b"o" * 40 + b"\r\nxx\r\n",
        b"ms leak 2 MZ\r\nxx\r\n",
        b"ms leak 2 Tx\r\nxx\r\n",
        b"mg leak O" + b"o" * 40 + b"\r\n",
        b"mg leak Q v v\r\n",
        b"ms leak 2 q MR\r\nxy\r\n",
        b"mg !!! b\r\n",
        b"ms leak 2\r\nxyz\r\n",
        b"ma leak MZ N0\r\n",
        b"md leak Cx\r\n",
    ],
    ids=lambda line: line[:20].decode().strip().replace(" ", "_"),
)
def test_a_million_malformed_meta_commands(start_server: Callable[..., Server], line: bytes) -> None:
    """Row 18: paths that end in an error give back what they took."""
    server = start_server("-m", "64", "-t", "1")
    send_many(server, line, 20_000)  # Warm-up: what is taken once.
    items, before = server.statistics()["curr_items"], server.resident_bytes()
    send_many(server, line, 1_000_000)
    growth = server.resident_bytes() - before
    assert growth <= 512 << 10, f"{growth} bytes after a million errors"
    assert server.statistics()["curr_items"] == items
    assert_healthy(server)


def send_many(server: Server, line: bytes, count: int) -> None:
    """Sends a line ``count`` times, reading along; connects anew where the server has had enough."""
    batch = 2000
    connection = server.connect()
    for _ in range(count // batch):
        try:
            connection.send(line * batch + b"mn\r\n")
            connection.read_until(b"MN\r\n")
        except (ServerClosed, ConnectionError):
            connection.close()
            connection = server.connect()
    connection.close()


def test_prefix_statistics_are_bounded(start_server: Callable[..., Server]) -> None:
    """Row 20: counts by key prefix are capped, however many prefixes clients make up."""
    if kind_under_test() == "memcached":
        pytest.xfail("memcached keeps every prefix for ever")
    server = start_server("-m", "64", "-t", "1")
    with server.connect() as connection:
        assert connection.ask_line(b"stats detail on\r\n") == b"OK"
        before = server.resident_bytes()
        for start in range(0, 200_000, 1000):
            connection.ask(
                b"".join(b"mg prefix%d:k\r\n" % i for i in range(start, start + 1000)) + b"mn\r\n", b"MN\r\n"
            )
        assert server.resident_bytes() - before <= 8 << 20
    assert_healthy(server)


def test_time_is_linear_in_the_line(server: Server) -> None:
    """Row 10: ten times the spaces, or keys, cost about ten times the CPU, not a hundred."""
    for make in (lambda n: b"get" + b" " * n + b"a\r\n", lambda n: b"get " + b"k " * (n // 2) + b"\r\n"):
        costs = []
        for count in (100_000, 1_000_000):
            before = server.cpu_seconds()
            with server.connect() as connection:
                for _ in range(10):
                    try:
                        connection.ask(make(count) + b"mn\r\n", b"MN\r\n")
                    except (ServerClosed, ConnectionError):
                        break  # Refusing such a line is fine.
            costs.append(server.cpu_seconds() - before)
        assert costs[1] <= 10 * max(costs[0], 0.02) * 5, costs
