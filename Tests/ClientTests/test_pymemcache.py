"""pymemcache: noreply by default, pluggable serialisers, `gets` and `cas`."""

import json
from collections.abc import Iterator

import pytest
from pymemcache import serde
from pymemcache.client.base import Client, PooledClient
from pymemcache.client.hash import HashClient
from pymemcache.exceptions import (
    MemcacheClientError,
    MemcacheIllegalInputError,
    MemcacheServerError,
    MemcacheUnknownCommandError,
)

from blackbox.servers import Server
from blackbox.waiting import wait_until
from samples import BINARY_VALUES, LARGE, LONG_KEY, TOO_LARGE, TOO_LONG_KEY, ids


@pytest.fixture
def client(clean_server: Server) -> Iterator[Client]:
    made = Client(clean_server.address, timeout=10, default_noreply=False)
    yield made
    made.close()


def test_store_commands(client: Client) -> None:
    assert client.set("k", "1") is True
    assert client.add("k", "2") is False
    assert client.add("new", "2") is True
    assert client.replace("k", "3") is True
    assert client.replace("absent", "3") is False
    assert client.append("k", "z") is True
    assert client.prepend("k", "a") is True
    assert client.append("absent", "z") is False
    assert client.get("k") == b"a3z"
    assert client.get("absent", default="d") == "d"


@pytest.mark.parametrize("value", BINARY_VALUES, ids=ids)
def test_values_come_back(client: Client, value: bytes) -> None:
    assert client.set(LONG_KEY, value)
    assert client.get(LONG_KEY) == value


def test_noreply_by_default(clean_server: Server) -> None:
    client = Client(clean_server.address, timeout=10)
    assert client.set("n", "1") is True
    assert client.add("n", "2") is True  # Not known: no reply was asked for.
    assert client.append("n", "0") is True
    assert client.touch("n", 100) is True
    assert client.incr("n", 5) == 15
    assert client.incr("n", 5, noreply=True) is None
    assert client.decr("n", 1, noreply=True) is None
    assert client.delete("absent") is True
    assert client.set_many({f"m{i}": str(i) for i in range(50)}) == []
    assert client.get("n") == b"19"
    assert client.get_many([f"m{i}" for i in range(50)]) == {f"m{i}": b"%d" % i for i in range(50)}
    assert client.delete_many(["m0", "m1"]) is True
    assert client.flush_all() is True
    assert client.get("n") is None
    client.close()


def test_flags_and_serialisers(clean_server: Server) -> None:
    values = ["text", b"bytes", 42, 2**70, {"a": [1, 2]}, ("t", None), "grüße"]
    client = Client(clean_server.address, timeout=10, serde=serde.pickle_serde, default_noreply=False)
    for index, value in enumerate(values):
        assert client.set(f"s{index}", value)
        assert client.get(f"s{index}") == value
    compressed = Client(clean_server.address, timeout=10, serde=serde.compressed_serde, default_noreply=False)
    assert compressed.set("z", "long " * 10_000)
    assert compressed.get("z") == "long " * 10_000
    own = Client(
        clean_server.address,
        timeout=10,
        default_noreply=False,
        serializer=lambda key, value: (json.dumps(value), 4_294_967_295),
        deserializer=lambda key, value, flags: (json.loads(value), flags),
    )
    assert own.set("j", {"b": 1})
    assert own.get("j") == ({"b": 1}, 4_294_967_295)
    assert own.set("f", 7, flags=9)
    assert own.get("f") == (7, 9)
    for one in (client, compressed, own):
        one.close()


def test_compare_and_swap(client: Client) -> None:
    assert client.cas("k", "1", b"1") is None
    client.set("k", "1")
    value, unique = client.gets("k")
    assert value == b"1"
    assert client.cas("k", "2", unique) is True
    assert client.cas("k", "3", unique) is False
    assert client.get("k") == b"2"
    assert set(client.gets_many(["k", "absent"])) == {"k"}
    assert client.gets("absent") == (None, None)
    with pytest.raises(MemcacheIllegalInputError):
        client.cas("k", "1", b"notanumber")


def test_arithmetic(client: Client) -> None:
    client.set("n", "10")
    assert client.incr("n", 5) == 15
    assert client.decr("n", 20) == 0
    assert client.incr("absent", 1) is None
    client.set("n", str(2**64 - 1))
    assert client.incr("n", 2) == 1
    client.set("n", "word")
    with pytest.raises(MemcacheClientError, match="non-numeric"):
        client.incr("n", 1)


def test_delete_touch_flush(client: Client) -> None:
    client.set("k", "1")
    assert client.touch("k", 100) is True
    assert client.touch("absent", 100) is False
    assert client.delete("k") is True
    assert client.delete("k") is False
    client.set("k", "1")
    assert client.flush_all() is True
    assert client.get("k") is None


def test_expiry(client: Client) -> None:
    client.set("short", "1", expire=1)
    client.set("long", "1", expire=1000)
    client.set("past", "1", expire=-1)
    assert client.get("past") is None
    wait_until(lambda: client.get("short") is None, "a TTL of one second to pass", 5)
    assert client.get("long") == b"1"
    client.touch("long", -1)
    assert client.get("long") is None


def test_errors(client: Client) -> None:
    client.set("big", "small")
    with pytest.raises(MemcacheServerError, match="object too large for cache"):
        client.set("big", TOO_LARGE)
    assert client.get("big") is None  # A refused set takes the old value with it.
    with pytest.raises(MemcacheIllegalInputError):
        client.set(TOO_LONG_KEY, "1")
    with pytest.raises(MemcacheUnknownCommandError):
        client.set("k", "1", flags="1 1 1 1 1 1")
    assert client.get("k") is None


def test_administration(client: Client) -> None:
    assert client.version().count(b".") >= 1
    statistics = client.stats()
    assert statistics[b"curr_items"] >= 0 and statistics[b"cmd_get"] >= 0
    assert client.stats("settings")[b"maxconns"] == 1024
    assert client.cache_memlimit(64) is True
    assert client.raw_command("mn", "\r\n") == b"MN"
    client.quit()
    assert client.get("k") is None  # Reconnects.


def test_pooled_and_hashed(clean_server: Server) -> None:
    pooled = PooledClient(clean_server.address, max_pool_size=4, timeout=10, default_noreply=False)
    assert pooled.set("p", LARGE) and pooled.get("p") == LARGE
    hashed = HashClient([clean_server.address], timeout=10, default_noreply=False, use_pooling=True)
    assert hashed.set_many({"a": "1", "b": "2"}) == []
    assert hashed.get_many(["a", "b", "c"]) == {"a": b"1", "b": b"2"}
    pooled.close()
    hashed.close()
