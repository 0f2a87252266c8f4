"""libmc: C++ client that pipelines its sets."""

from collections.abc import Iterator

import libmc
import pytest

from blackbox.servers import Server
from blackbox.waiting import wait_until
from samples import BINARY_VALUES, LONG_KEY, TOO_LARGE, TOO_LONG_KEY, ids


@pytest.fixture
def client(clean_server: Server) -> Iterator[libmc.Client]:
    made = libmc.Client([clean_server.name])
    made.config(libmc.MC_POLL_TIMEOUT, 10_000)
    yield made
    made.quit()


def test_store_commands(client: libmc.Client) -> None:
    assert client.set("k", "1")
    assert not client.add("k", "2")
    assert client.add("new", "2")
    assert client.replace("k", b"3")
    assert not client.replace("absent", "3")
    assert client.append("k", b"z")
    assert client.prepend("k", b"a")
    assert client.get("k") == b"a3z"
    assert client.get("absent") is None


@pytest.mark.parametrize("value", BINARY_VALUES, ids=ids)
def test_values_come_back(client: libmc.Client, value: bytes) -> None:
    key = LONG_KEY if len(value) < 1_000_000 else "split"  # Longer values go as parts, under longer keys.
    assert client.set(key, value)
    assert client.get(key) == value


@pytest.mark.parametrize("value", [1, 2**40, True, "grüße", {"a": [1]}, None, 1.5], ids=str)
def test_types_by_flags(client: libmc.Client, value: object) -> None:
    assert client.set("t", value)
    assert client.get("t") == value


def test_raw_flags(client: libmc.Client, server: Server) -> None:
    flags = 1 << 31  # No bit that names a type.
    assert client.set_raw("r", b"bytes", 0, flags)
    with server.connect() as connection:
        assert connection.ask(b"get r\r\n", b"END\r\n") == b"VALUE r %d 5\r\nbytes\r\nEND\r\n" % flags


def test_pipelined_multi(client: libmc.Client) -> None:
    values = {f"m{i}": b"v%d" % i * (i + 1) for i in range(500)}
    assert client.set_multi(values)
    assert client.get_multi(list(values)) == values
    assert client.get_list(["m0", "absent", "m1"]) == [values["m0"], None, values["m1"]]
    assert client.append_multi(["m0", "m1"], b"+")
    assert client.prepend_multi(["m0", "m1"], b"-")
    assert client.get("m0") == b"-v0+"
    assert client.delete_multi(list(values))
    assert client.get_multi(list(values)) == {}


def test_noreply(clean_server: Server) -> None:
    client = libmc.Client([clean_server.name], noreply=True)
    client.config(libmc.MC_POLL_TIMEOUT, 10_000)
    for index in range(200):
        client.set(f"n{index}", str(index).encode())
    client.delete("n0")
    client.touch("n1", 100)
    reader = libmc.Client([clean_server.name])
    wait_until(lambda: len(reader.get_multi([f"n{i}" for i in range(200)])) == 199, "200 sets and a delete")
    client.quit()
    reader.quit()


def test_compare_and_swap(client: libmc.Client) -> None:
    client.set("k", b"1")
    value, unique = client.gets("k")
    assert value == b"1"
    assert client.cas("k", b"2", 0, unique)
    assert not client.cas("k", b"3", 0, unique)
    assert client.get("k") == b"2"


def test_arithmetic(client: libmc.Client) -> None:
    client.set("n", 10)
    assert client.incr("n", 5) == 15
    assert client.decr("n", 100) == 0
    assert client.incr("absent", 1) is None


def test_delete_touch_expiry(client: libmc.Client) -> None:
    client.set("k", 1)
    assert client.touch("k", 100)
    assert not client.touch("absent", 100)
    assert client.delete("k")
    assert client.delete("k")  # Not found counts as done for this client.
    assert client.get("k") is None
    client.set("short", 1, 1)
    wait_until(lambda: client.get("short") is None, "a TTL of one second to pass", 5)


def test_administration(client: libmc.Client, server: Server) -> None:
    assert list(client.version()) == [server.name]
    statistics = client.stats()[server.name]
    assert int(statistics["pid"]) == server.process.pid
    client.set("k", 1)
    client.toggle_flush_all_feature(True)
    client.flush_all()
    assert client.get("k") is None


def test_errors(client: libmc.Client) -> None:
    assert client.set("big", TOO_LARGE) and client.get("big") == TOO_LARGE
    # libmc cut it into parts of 1,000,000 bytes: it never sends what the server refuses.
    assert client.set("after", b"1") and client.get("after") == b"1"
    assert not client.set(TOO_LONG_KEY, 1)
    assert client.get_last_error() == libmc.MC_RETURN_INVALID_KEY_ERR
