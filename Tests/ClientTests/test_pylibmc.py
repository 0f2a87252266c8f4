"""pylibmc: libmemcached's text protocol, compression, behaviours."""

from collections.abc import Iterator

import pylibmc
import pytest

from blackbox.servers import Server
from blackbox.waiting import wait_until
from samples import BINARY_VALUES, LONG_KEY, TOO_LARGE, ids


@pytest.fixture
def client(clean_server: Server) -> Iterator[pylibmc.Client]:
    made = pylibmc.Client([clean_server.name], behaviors={"cas": True, "tcp_nodelay": True})
    yield made
    made.disconnect_all()


def test_store_commands(client: pylibmc.Client) -> None:
    assert client.set("k", "1")
    assert not client.add("k", "2")
    assert client.add("new", "2")
    assert client.replace("k", b"3")
    assert not client.replace("absent", b"3")
    assert client.append("k", b"z")
    assert client.prepend("k", b"a")
    assert client.get("k") == b"a3z"
    assert client.get("absent") is None
    assert client.get("absent", 4) == 4


@pytest.mark.parametrize("value", BINARY_VALUES, ids=ids)
def test_values_come_back(client: pylibmc.Client, value: bytes) -> None:
    assert client.set(LONG_KEY, value)
    assert client.get(LONG_KEY) == value


@pytest.mark.parametrize("value", [1, 2**40, True, "grüße", {"a": [1]}, None, 1.5], ids=str)
def test_types_by_flags(client: pylibmc.Client, value: object) -> None:
    assert client.set("t", value)
    assert client.get("t") == value


def test_compression(client: pylibmc.Client) -> None:
    assert client.set("z", "again and again " * 5000, min_compress_len=100, compress_level=6)
    assert client.get("z") == "again and again " * 5000


def test_multi(client: pylibmc.Client) -> None:
    values = {f"m{i}": i for i in range(300)}
    assert client.set_multi(values, key_prefix="p:") == []
    assert client.get_multi(list(values), key_prefix="p:") == values
    assert client.add_multi({"m0": 5, "fresh": 6}, key_prefix="p:") == ["m0"]
    client.incr_multi(["m1", "m2"], key_prefix="p:", delta=10)
    assert client.get_multi(["m1", "m2"], key_prefix="p:") == {"m1": 11, "m2": 12}
    assert client.delete_multi(list(values), key_prefix="p:")
    assert client.get_multi(list(values), key_prefix="p:") == {}


def test_noreply(clean_server: Server) -> None:
    client = pylibmc.Client([clean_server.name], behaviors={"_noreply": True})
    for index in range(500):
        client.set(f"n{index}", str(index))
    client.disconnect_all()
    reader = pylibmc.Client([clean_server.name])
    wait_until(lambda: len(reader.get_multi([f"n{i}" for i in range(500)])) == 500, "500 sets to arrive")


def test_compare_and_swap(client: pylibmc.Client) -> None:
    client.set("k", "1")
    value, unique = client.gets("k")
    assert value == "1"
    assert client.cas("k", "2", unique)
    assert not client.cas("k", "3", unique)
    assert client.gets("absent") == (None, None)
    with pytest.raises(pylibmc.NotFound):
        client.cas("absent", "1", unique)


def test_arithmetic(client: pylibmc.Client) -> None:
    client.set("n", 10)
    assert client.incr("n", 5) == 15
    assert client.decr("n", 100) == 0
    with pytest.raises(pylibmc.NotFound):
        client.incr("absent", 1)
    client.set("w", "word")
    with pytest.raises(pylibmc.Error):
        client.incr("w", 1)


def test_delete_touch_flush(client: pylibmc.Client) -> None:
    client.set("k", 1)
    assert client.touch("k", 100)
    assert not client.touch("absent", 100)
    assert client.delete("k")
    assert not client.delete("k")
    client.set("k", 1)
    client.flush_all()
    assert client.get("k") is None


def test_expiry(client: pylibmc.Client) -> None:
    client.set("short", 1, time=1)
    wait_until(lambda: client.get("short") is None, "a TTL of one second to pass", 5)


def test_errors(client: pylibmc.Client) -> None:
    with pytest.raises((pylibmc.TooBig, pylibmc.ServerError, pylibmc.Error)):
        client.set("big", TOO_LARGE)
    assert client.get("big") is None
    assert client.set("after", "1") and client.get("after") == "1"
    with pytest.raises((ValueError, pylibmc.Error)):
        client.set("k" * 300, "1")


def test_statistics_and_pool(client: pylibmc.Client, server: Server) -> None:
    ((name, statistics),) = client.get_stats()
    assert server.name.encode() in name and int(statistics["limit_maxbytes"]) == 64 << 20
    assert int(statistics["pid"]) == server.process.pid  # libmemcached keeps 22 names of its own.
    pool = pylibmc.ClientPool(client, 4)
    with pool.reserve() as one:
        assert one.set("pooled", "1") and one.get("pooled") == "1"


@pytest.mark.parametrize("distribution", ["consistent", "modula"])
def test_distributions(clean_server: Server, distribution: str) -> None:
    client = pylibmc.Client(
        [clean_server.name],
        behaviors={"distribution": distribution, "ketama": True}
        if distribution == "consistent"
        else {"distribution": distribution},
    )
    assert client.set("d", "1") and client.get("d") == "1"
