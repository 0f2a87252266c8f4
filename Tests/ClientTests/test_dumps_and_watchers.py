"""Dumps of all keys, and `watch`: line formats as memcached writes them."""

import re
from collections.abc import Iterator

import pytest

from blackbox.servers import CACHEDUMP_FLAGS, Server, kind_under_test
from blackbox.waiting import wait_until
from blackbox.wire import Connection

HEAD = rb"ts=\d+\.\d{1,6} gid=\d+ "
META_LINE = rb"key=\S+ exp=-?\d+ la=\d+ cas=\d+ fetch=(?:yes|no) cls=\d+ size=\d+"


def filled(server: Server) -> None:
    with server.connect() as connection:
        connection.set(b"plain", b"value")
        connection.set(b"caf\xc3\xa9,%/", b"value", ttl=1000)
        connection.get(b"plain")


def dump_lines(server: Server, command: bytes, end: bytes) -> list[bytes]:
    """The lines of a dump, retried while memcached's crawler is still busy."""

    def lines() -> list[bytes] | None:
        with server.connect() as connection:
            reply = connection.ask(command, b"\r\n")
            if reply.startswith(b"BUSY"):
                return None
            while not reply.endswith(end):
                reply += connection.read_until(b"\r\n")
            return reply.split(b"\n")[:-2]  # memcached ends these lines with a bare LF.

    return wait_until(lines, f"{command!r} to be answered")


def test_metadump(clean_server: Server) -> None:
    filled(clean_server)
    lines = dump_lines(clean_server, b"lru_crawler metadump all\r\n", b"END\r\n")
    for line in lines:
        assert re.fullmatch(META_LINE, line), line
    by_key = {line.split(b" ")[0][4:]: line for line in lines}
    assert b" exp=-1 " in by_key[b"plain"] and b" fetch=yes " in by_key[b"plain"]
    escaped = by_key[b"caf%C3%A9%2C%25%2F"]
    assert re.search(rb" exp=\d{10} ", escaped) and b" fetch=no " in escaped


def test_mgdump(clean_server: Server) -> None:
    """Newer than 1.6.18: one `mg` line per key."""
    if kind_under_test() == "memcached":
        pytest.skip("mgdump came after 1.6.18")
    filled(clean_server)
    with clean_server.connect() as connection:
        lines = connection.ask(b"lru_crawler mgdump all\r\n", b"EN\r\n").split(b"\r\n")[:-2]
    assert {b"mg plain", b"mg Y2Fmw6ksJS8= b"} & set(lines) >= {b"mg plain"}


def test_dump_of_many_keys_to_a_slow_reader(clean_server: Server) -> None:
    """A dump larger than any buffer is complete; the server does not hold it in memory meanwhile."""
    count = 100_000
    with clean_server.connect() as connection:
        for start in range(0, count, 1000):
            connection.send(b"".join(b"set slow%d 0 0 1 noreply\r\nx\r\n" % i for i in range(start, start + 1000)))
        connection.ask_line(b"mn\r\n")
        before = clean_server.resident_bytes()
        slow = Connection(clean_server.address, receive_buffer=4096)
        slow.send(b"lru_crawler metadump all\r\n")
        slow.socket.recv(1)  # The dump has begun; now nobody reads.
        for _ in range(2000):
            assert connection.ask_line(b"mn\r\n") == b"MN"
        assert clean_server.resident_bytes() - before < 4 << 20
        rest = slow.read_until(b"END\r\n")
        assert rest.count(b"\n") >= count - 5  # Not a snapshot: memcached's crawler can pass an item by.
        slow.close()


def test_cachedump(start_server) -> None:
    server = start_server(*CACHEDUMP_FLAGS)
    filled(server)
    with server.connect() as connection:
        classes = {name.split(":")[1] for name in connection.statistics("items")}
        lines: list[bytes] = []
        for number in classes:
            reply = connection.ask(b"stats cachedump %s 100\r\n" % number.encode(), b"END\r\n")
            lines += reply.split(b"\r\n")[:-2]
        assert b"ITEM plain [5 b; 0 s]" in lines
        assert any(re.fullmatch(rb"ITEM caf\xc3\xa9,%/ \[5 b; \d{10} s\]", line) for line in lines), lines
        assert connection.ask_line(b"stats cachedump\r\n") == b"CLIENT_ERROR bad command line"


@pytest.fixture
def actor(clean_server: Server) -> Iterator[Connection]:
    with clean_server.connect() as connection:
        yield connection


def watching(server: Server, what: bytes) -> Connection:
    connection = server.connect()
    assert connection.ask_line(b"watch " + what + b"\r\n") == b"OK"
    return connection


def watched_lines(watcher: Connection, count: int) -> list[bytes]:
    return [watcher.read_until(b"\n").rstrip(b"\r\n") for _ in range(count)]


def test_watch_fetchers(clean_server: Server, actor: Connection) -> None:
    actor.set(b"w", b"12345")
    watcher = watching(clean_server, b"fetchers")
    actor.get(b"w")
    actor.get(b"absent key"[:6])
    found, missed = watched_lines(watcher, 2)
    assert re.fullmatch(HEAD + rb"type=item_get key=w status=found clsid=\d+ cfd=\d+ size=5", found), found
    assert re.fullmatch(HEAD + rb"type=item_get key=absent status=not_found clsid=\d+ cfd=\d+ size=0", missed), missed
    watcher.close()


def test_watch_mutations(clean_server: Server, actor: Connection) -> None:
    watcher = watching(clean_server, b"mutations")
    actor.set(b"w", b"12345", ttl=100)
    actor.ask_line(b"add w 0 0 1\r\nx\r\n")
    actor.ask_line(b"append w 0 0 1\r\nx\r\n")
    stored, refused, appended = watched_lines(watcher, 3)
    tail = rb" ttl=\d+ clsid=\d+ cfd=\d+ size=\d+"
    assert re.fullmatch(
        HEAD + rb"type=item_store key=w status=stored cmd=set ttl=(99|100) clsid=\d+ cfd=\d+ size=5", stored
    ), stored
    assert re.fullmatch(HEAD + rb"type=item_store key=w status=not_stored cmd=add" + tail, refused), refused
    assert re.fullmatch(HEAD + rb"type=item_store key=w status=stored cmd=append" + tail, appended), appended
    watcher.close()


def test_watch_connection_events(clean_server: Server) -> None:
    watcher = watching(clean_server, b"connevents")
    with clean_server.connect() as connection:
        port = connection.socket.getsockname()[1]
        connection.ask_line(b"mn\r\n")
    opened, closed = watched_lines(watcher, 2)
    peer = rb"rip=127\.0\.0\.1 rport=%d transport=tcp" % port
    assert re.fullmatch(HEAD + rb"type=conn_new " + peer + rb" cfd=\d+", opened), opened
    assert re.fullmatch(HEAD + rb"type=conn_close " + peer + rb" reason=normal cfd=\d+", closed), closed
    watcher.close()


def test_watch_evictions(start_server) -> None:
    server = start_server("-m", "8", "-t", "1")
    watcher = watching(server, b"evictions")
    with server.connect() as connection:
        for index in range(200_000):
            connection.send(b"set evict%d 0 0 200 noreply\r\n%b\r\n" % (index, b"x" * 200))
            if index % 1000 == 0 and int(connection.statistics()["evictions"]) > 0:
                break
        else:
            raise AssertionError("nothing was evicted from 8 MB")
    (line,) = watched_lines(watcher, 1)
    expected = rb"type=eviction key=evict\d+ fetch=(yes|no) ttl=-?\d+ la=\d+ clsid=\d+ size=200"
    assert re.fullmatch(HEAD + expected, line), line
    watcher.close()


def test_watch_unknown_and_pipelined(clean_server: Server, actor: Connection) -> None:
    assert actor.ask_line(b"watch nosuchthing\r\n") == b"ERROR"
    assert actor.ask_line(b"mn\r\n") == b"MN"


def test_watch_disabled(start_server) -> None:
    with start_server("-W").connect() as connection:
        assert connection.ask_line(b"watch fetchers\r\n") == b"CLIENT_ERROR watch commands not allowed"


def test_dumps_disabled(start_server) -> None:
    with start_server("-X").connect() as connection:
        assert connection.ask_line(b"stats cachedump 1 1\r\n") == b"CLIENT_ERROR stats cachedump not allowed"
        assert connection.ask_line(b"lru_crawler metadump all\r\n") == b"ERROR metadump not allowed"


def test_flush_disabled(start_server) -> None:
    with start_server("-F").connect() as connection:
        assert connection.ask_line(b"flush_all\r\n") == b"CLIENT_ERROR flush_all not allowed"


def test_shutdown_when_enabled(start_server) -> None:
    server = start_server("-A")
    with server.connect() as connection:
        connection.send(b"shutdown\r\n")
        assert connection.read_to_end() == b""
    wait_until(lambda: not server.is_running(), "the server to end")
