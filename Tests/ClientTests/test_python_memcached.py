"""python-memcached: trailing spaces, pickled flags, `delete` with a zero, cached CAS."""

from collections.abc import Iterator

import memcache
import pytest

from blackbox.servers import Server
from blackbox.waiting import wait_until
from samples import BINARY_VALUES, LARGE, LONG_KEY, TOO_LARGE, TOO_LONG_KEY, ids


@pytest.fixture
def client(clean_server: Server) -> Iterator[memcache.Client]:
    made = memcache.Client([clean_server.name], cache_cas=True, socket_timeout=10, dead_retry=0)
    yield made
    made.disconnect_all()


def test_store_commands(client: memcache.Client) -> None:
    assert client.set("k", "1")
    assert not client.add("k", "2")
    assert client.add("new", "2")
    assert client.replace("k", "3")
    assert not client.replace("absent", "3")
    assert client.append("k", "z")
    assert client.prepend("k", "a")
    assert client.get("k") == "a3z"
    assert client.get("absent", default=5) == 5


@pytest.mark.parametrize("value", [1, 2**70, True, "text", "grüße", b"\x00\r\n", {"a": [1]}, None, 1.5], ids=str)
def test_types_by_flags(client: memcache.Client, value: object) -> None:
    assert client.set("t", value)
    assert client.get("t") == value


@pytest.mark.parametrize("value", [v for v in BINARY_VALUES if len(v) < 1_000_000], ids=ids)
def test_values_come_back(client: memcache.Client, value: bytes) -> None:
    assert client.set(LONG_KEY, value)
    assert client.get(LONG_KEY) == value


def test_compression(client: memcache.Client) -> None:
    text = "again and again " * 5000
    assert client.set("z", text, min_compress_len=100)
    assert client.get("z") == text


def test_multi(client: memcache.Client) -> None:
    values = {f"m{i}": i for i in range(200)}
    assert client.set_multi(values, key_prefix="p:") == []
    assert client.get_multi(list(values), key_prefix="p:") == values
    assert client.get_multi(["absent"]) == {}
    assert client.delete_multi([f"m{i}" for i in range(100)], key_prefix="p:")
    assert len(client.get_multi(list(values), key_prefix="p:")) == 100
    assert client.set_multi({"q": 1}, noreply=True) == []
    assert client.get("q") == 1


def test_noreply(client: memcache.Client) -> None:
    assert client.set("n", "5", noreply=True)
    client.incr("n", 2, noreply=True)
    client.decr("n", 1, noreply=True)
    client.append("n", "0", noreply=True)
    client.touch("n", 100, noreply=True)
    client.delete("absent", noreply=True)
    assert client.get("n") == "60"


def test_compare_and_swap(client: memcache.Client) -> None:
    client.set("k", "1")
    assert client.gets("k") == "1"
    assert client.cas("k", "2")
    assert not client.cas("k", "3")
    client.reset_cas()
    assert client.get("k") == "2"


def test_arithmetic(client: memcache.Client) -> None:
    client.set("n", 10)
    assert client.incr("n", 5) == 15
    assert client.decr("n", 100) == 0
    assert client.incr("absent") is None


def test_delete_touch_flush(client: memcache.Client) -> None:
    client.set("k", 1)
    assert client.touch("k", 100) == 1
    assert client.touch("absent", 100) == 0
    assert client.delete("k") == 1
    assert client.delete("k") == 0
    client.set("k", 1)
    client.flush_all()
    assert client.get("k") is None


def test_expiry(client: memcache.Client) -> None:
    client.set("short", 1, time=1)
    wait_until(lambda: client.get("short") is None, "a TTL of one second to pass", 5)


def test_errors(client: memcache.Client) -> None:
    with pytest.raises(client.MemcachedKeyLengthError):
        client.set(TOO_LONG_KEY, 1)
    with pytest.raises(client.MemcachedKeyCharacterError):
        client.set("a b", 1)
    assert client.set("big", TOO_LARGE) == 0  # Refused by the client itself.
    unlimited = memcache.Client(
        client.servers[0:0] or [str(s.address[0]) + f":{s.address[1]}" for s in client.servers],
        server_max_value_length=1 << 30,
        socket_timeout=10,
    )
    assert not unlimited.set("big", TOO_LARGE)  # Refused by the server.
    assert unlimited.set("after", LARGE) and unlimited.get("after") == LARGE
    unlimited.disconnect_all()


def test_statistics(client: memcache.Client) -> None:
    client.set("k", "1")
    ((name, statistics),) = client.get_stats()
    assert "127.0.0.1" in name and int(statistics["curr_items"]) >= 1
    ((_, settings),) = client.get_stats("settings")
    assert settings["maxconns"] == "1024"
    ((_, slabs),) = client.get_slab_stats()
    assert slabs
    client.quit_all()  # `get_slabs` is not called: it fails on any reply in Python 3 (bytes against str).
