"""`stats` and its groups: memcached 1.6.18's names and formats, for exporters and old scripts."""

import os
import re
import time

import pytest

from blackbox.servers import Server
from blackbox.waiting import wait_until
from expected_statistics import WITHOUT_MEANING

GROUPS = list(WITHOUT_MEANING)


def filled(server: Server) -> None:
    """Gives every group something to show."""
    with server.connect() as connection:
        for index in range(10):
            connection.set(b"s%d" % index, b"v" * (10 ** (index % 4)))


def plain_name(group: str, name: str) -> str:
    """A statistic's name without its class number or connection number."""
    if group == "items":
        return re.sub(r"^items:\d+:", "", name)
    if group in ("slabs", "conns"):
        return re.sub(r"^\d+:", "", name)
    return name


def shape(value: str) -> str:
    """The type of a value: a count, a fraction with its digits, a word."""
    if re.fullmatch(r"-?\d+", value):
        return "integer"
    if match := re.fullmatch(r"\d+\.(\d+)", value):
        return f"fraction of {len(match[1])} digits"
    return "text"


def named(server: Server, group: str) -> dict[str, str]:
    """Plain names with a value of each."""
    return {plain_name(group, name): value for name, value in server.statistics(group).items()}


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group or "general")
def test_names_and_formats(server: Server, reference: Server, group: str) -> None:
    for one in (server, reference):
        filled(one)
    with server.connect(), reference.connect():
        expected, shown = named(reference, group), named(server, group)
    missing = set(expected) - set(shown) - set(WITHOUT_MEANING[group])
    assert not missing, f"stats {group} lacks {sorted(missing)}"
    for name in set(expected) & set(shown) - {"version", "inter"}:
        assert shape(shown[name]) == shape(expected[name]), f"{name}: {shown[name]!r}, memcached: {expected[name]!r}"


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group or "general")
def test_list_of_meaningless_names_is_not_stale(reference: Server, group: str) -> None:
    """Each name in the list of exceptions is one that memcached has."""
    if group == "items":
        pytest.skip("which names `items` shows depends on the LRU queues in use")
    filled(reference)
    assert set(WITHOUT_MEANING[group]) <= set(named(reference, group))


def test_order_of_general_statistics(server: Server, reference: Server) -> None:
    """Shared names come in memcached's order: some readers take lines by position."""
    expected, shown = list(reference.statistics()), list(server.statistics())
    shared = [name for name in expected if name in set(shown)]
    assert [name for name in shown if name in set(expected)] == shared


COUNTED_LINES = [
    b"incr a 1",
    b"decr a 1",
    b"incr absent 1",
    b"decr absent 1",
    b"touch a 0",
    b"touch absent 0",
    b"cas absent 0 0 1 5\r\nx",
    b"cas a 0 0 1 5\r\nx",
    b"mg absent v",
    b"mg a v",
    b"md absent",
    b"ma absent",
    b"ma a",
    b"ms a 1 T0\r\n5",
    b"ms a 1 ME\r\n5",
    b"ms a 1 C5\r\n5",
    b"mg a T100",
    b"delete a",
    b"delete absent",
    b"set big 0 0 2000000\r\n" + b"x" * 2_000_000,
]
COUNTERS = [
    "cmd_get",
    "cmd_set",
    "cmd_flush",
    "cmd_touch",
    "cmd_meta",
    "get_hits",
    "get_misses",
    "get_expired",
    "get_flushed",
    "delete_hits",
    "delete_misses",
    "incr_hits",
    "incr_misses",
    "decr_hits",
    "decr_misses",
    "cas_hits",
    "cas_misses",
    "cas_badval",
    "touch_hits",
    "touch_misses",
    "store_too_large",
    "store_no_memory",
    "auth_cmds",
    "auth_errors",
    "evictions",
]


def counted(server: Server) -> dict[str, str]:
    """The statistics after a fixed row of commands."""
    with server.connect() as connection:
        assert connection.ask_line(b"stats reset\r\n") == b"RESET"
        connection.set(b"a", b"10")
        connection.ask(b"get a\r\nget absent\r\nget a absent a\r\ngat 0 absent\r\ngat 0 a\r\nmn\r\n", b"MN\r\n")
        unique = connection.ask(b"gets a\r\n", b"END\r\n").split()[4]
        connection.ask_line(b"cas a 0 0 2 " + unique + b"\r\n10\r\n")
        for line in COUNTED_LINES:
            connection.ask(line + b"\r\nmn\r\n", b"MN\r\n")
        connection.ask_line(b"flush_all\r\n")
        return connection.statistics()


def test_counters_count_as_memcached_counts(start_server, reference: Server) -> None:
    expected, shown = counted(reference), counted(start_server("-m", "64", "-t", "1"))
    assert {name: shown[name] for name in COUNTERS} == {name: expected[name] for name in COUNTERS}


def test_values_mean_what_they_say(server: Server) -> None:
    values = server.statistics()
    assert int(values["pid"]) == server.process.pid
    assert abs(int(values["time"]) - time.time()) <= 2
    assert int(values["limit_maxbytes"]) == 64 << 20 and int(values["threads"]) == 1
    assert int(values["pointer_size"]) == 64 and int(values["max_connections"]) == 1024
    assert re.fullmatch(r"\d+\.\d{6}", values["rusage_user"])
    assert int(values["bytes_read"]) > 0 and int(values["bytes_written"]) > 0


def test_connections_are_counted(server: Server) -> None:
    before = server.statistics()
    connections = [server.connect() for _ in range(10)]
    for connection in connections:
        connection.ask_line(b"mn\r\n")
    with server.connect() as watcher:
        during = watcher.statistics()
        addresses = [v for k, v in watcher.statistics("conns").items() if k.endswith(":addr")]
        ports = {connection.socket.getsockname()[1] for connection in connections}
        assert {f"tcp:127.0.0.1:{port}" for port in ports} <= set(addresses)
        for connection in connections:
            connection.close()
        wait_until(
            lambda: int(watcher.statistics()["curr_connections"]) <= int(before["curr_connections"]) + 1,
            "closed connections to leave the count",
        )
    assert int(during["curr_connections"]) >= 10
    assert int(during["total_connections"]) >= int(before["total_connections"]) + 10


def test_settings_name_the_flags(start_server) -> None:
    flags = ("-m", "100", "-c", "200", "-t", "2", "-I", "2m", "-b", "77")
    settings = start_server(*flags).statistics("settings")
    assert settings["maxbytes"] == str(100 << 20) and settings["maxconns"] == "200"
    assert settings["num_threads"] == "2" and settings["item_size_max"] == str(2 << 20)
    assert settings["tcp_backlog"] == "77" and settings["udpport"] == "0"
    assert settings["evictions"] == "on" and settings["cas_enabled"] == "yes" and settings["flush_enabled"] == "yes"
    assert settings["inter"] == "127.0.0.1" and settings["domain_socket"] == "NULL"


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads /proc")
def test_detail(clean_server: Server) -> None:
    """Counts by key prefix: `stats detail on`, `dump`, `off`."""
    with clean_server.connect() as connection:
        assert connection.ask_line(b"stats detail on\r\n") == b"OK"
        connection.set(b"pre:a", b"1")
        connection.get(b"pre:a")
        connection.get(b"pre:absent")
        connection.ask_line(b"delete pre:a\r\n")
        dump = connection.ask(b"stats detail dump\r\n", b"END\r\n")
        assert dump == b"PREFIX pre get 2 hit 1 set 1 del 1\r\nEND\r\n"
        assert connection.ask_line(b"stats detail off\r\n") == b"OK"
        assert connection.ask_line(b"stats detail\r\n") == b"CLIENT_ERROR usage: stats detail on|off|dump"
