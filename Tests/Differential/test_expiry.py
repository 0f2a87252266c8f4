"""Items end when memcached lets them end, give or take its one-second clock."""

import time

import pytest

from blackbox.servers import Server, kind_under_test
from blackbox.waiting import wait_until
from blackbox.wire import Connection

#: name -> (commands that give key `name` a TTL, seconds it has then).
ENDINGS: dict[str, tuple[bytes, int]] = {
    "set1": (b"set set1 0 1 1\r\nx\r\n", 1),
    "set2": (b"set set2 0 2 1\r\nx\r\n", 2),
    "add2": (b"add add2 0 2 1\r\nx\r\n", 2),
    "replace2": (b"set replace2 0 0 1\r\nx\r\nreplace replace2 0 2 1\r\ny\r\n", 2),
    "append": (b"set append 0 2 1\r\nx\r\nappend append 9 900 1\r\ny\r\n", 2),  # Keeps its time.
    "incr": (b"set incr 0 2 1\r\n9\r\nincr incr 1\r\n", 2),
    "touch2": (b"set touch2 0 900 1\r\nx\r\ntouch touch2 2\r\n", 2),
    "gat2": (b"set gat2 0 0 1\r\nx\r\ngat 2 gat2\r\n", 2),
    "ms2": (b"ms ms2 1 T2\r\nx\r\n", 2),
    "mgT": (b"ms mgT 1 T900\r\nx\r\nmg mgT T2\r\n", 2),
    "maN": (b"ma maN N2\r\n", 2),
    "mgN": (b"mg mgN N2\r\n", 2),
    "mdI": (b"ms mdI 1\r\nx\r\nmd mdI I T2\r\n", 2),
    "absolute": (b"set absolute 0 <<now+3>> 1\r\nx\r\n", 3),
}


def lifetimes(server: Server) -> dict[str, float]:
    """How long each key of ENDINGS is there."""
    began = time.monotonic()
    with server.connect() as connection:
        for commands, _ in ENDINGS.values():
            commands = commands.replace(b"<<now+3>>", b"%d" % (int(time.time()) + 3))
            connection.ask(commands + b"mn\r\n", b"MN\r\n")
        ended: dict[str, float] = {}

        def all_ended() -> bool:
            for name in ENDINGS.keys() - ended.keys():
                if connection.ask_line(b"mg " + name.encode() + b"\r\n") == b"EN":
                    ended[name] = time.monotonic() - began
            return len(ended) == len(ENDINGS)

        wait_until(all_ended, "every item to end", 10)
    return ended


@pytest.mark.slow
def test_items_end_in_time(reference: Server, server: Server) -> None:
    expected, shown = lifetimes(reference), lifetimes(server)
    for name, (_, seconds) in ENDINGS.items():
        assert abs(shown[name] - expected[name]) <= 1.2, (
            f"{name}: {shown[name]:.2f} s, memcached {expected[name]:.2f} s"
        )
        assert seconds - 1.1 <= shown[name] <= seconds + 1.2, f"{name}: {shown[name]:.2f} s of {seconds}"


@pytest.mark.slow
def test_delayed_flush(start_server) -> None:
    """`flush_all 2`: everything stored until then is gone then, and what comes later stays."""
    server = start_server("-m", "64", "-t", "1")
    with server.connect() as connection:
        connection.set(b"before", b"1")
        began = time.monotonic()
        assert connection.ask_line(b"flush_all 2\r\n") == b"OK"
        connection.set(b"between", b"1")
        assert connection.get(b"before") == b"1" and connection.get(b"between") == b"1"
        wait_until(lambda: connection.get(b"before") is None, "the flush", 6)
        assert 0.9 <= time.monotonic() - began <= 3.2
        assert connection.get(b"between") is None

        def stays() -> bool:  # memcached flushes what is stored within the second of the flush, too.
            connection.set(b"after", b"1")
            return connection.get(b"after") == b"1"

        wait_until(stays, "new items to stay", 3)


def test_ttls_beyond_the_clock(reference: Server, server: Server) -> None:
    """Relative up to 30 days, absolute above, negative at once, and no wrap at 2^31 or 2^32."""
    times = [
        0,
        1,
        60 * 60 * 24 * 30,
        60 * 60 * 24 * 30 + 1,
        2**31 - 1,
        2**31,
        2**32 - 1,
        2**32,
        2**33,
        -1,
        -(2**31),
        -(2**31) - 1,
    ]

    def replies(one: Server) -> dict[int, bytes]:
        with one.connect() as connection:
            return {ttl: ask(connection, ttl) for ttl in times}

    def ask(connection: Connection, ttl: int) -> bytes:
        connection.ask_line(b"flush_all\r\n")
        stored = connection.ask(b"set ttl 0 %d 1\r\nx\r\nmn\r\n" % ttl, b"MN\r\n")
        return stored + connection.ask_line(b"mg ttl\r\n")

    expected, shown = replies(reference), replies(server)
    if kind_under_test() == "kiln":  # A refused time: memcached also reads the block as a command.
        for reply in (expected, shown):
            for ttl, answer in reply.items():
                reply[ttl] = answer.replace(b"ERROR\r\nMN", b"MN") if answer.count(b"ERROR") > 1 else answer
    assert shown == expected
