"""meta-memcache: the meta protocol only, with leases, stale values and recache wins."""

from collections.abc import Iterator

import pytest
from meta_memcache import (
    CacheClient,
    Key,
    LeasePolicy,
    MemcacheServerError,
    RecachePolicy,
    RequestFlags,
    ServerAddress,
    SetMode,
    StalePolicy,
    Value,
    connection_pool_factory_builder,
)

from blackbox.servers import Server
from blackbox.waiting import wait_until
from samples import BINARY_VALUES, LONG_KEY, TOO_LARGE, ids


@pytest.fixture
def client(clean_server: Server) -> Iterator[CacheClient]:
    yield CacheClient.cache_client_from_servers(
        servers=[ServerAddress("127.0.0.1", clean_server.port)],
        connection_pool_factory_fn=connection_pool_factory_builder(recv_timeout=10),
    )


def test_set_modes(client: CacheClient) -> None:
    assert client.set("k", b"1", ttl=100)
    assert not client.set("k", b"2", ttl=100, set_mode=SetMode.ADD)
    assert client.set("new", b"2", ttl=100, set_mode=SetMode.ADD)
    assert client.set("k", b"3", ttl=100, set_mode=SetMode.REPLACE)
    assert not client.set("absent", b"3", ttl=100, set_mode=SetMode.REPLACE)
    assert client.set("k", b"z", ttl=100, set_mode=SetMode.APPEND)
    assert client.set("k", b"a", ttl=100, set_mode=SetMode.PREPEND)
    assert client.get("k") == b"a3z"
    assert client.get("absent") is None
    assert client.refill("fresh", "x", ttl=100) and client.get("fresh") == "x"


@pytest.mark.parametrize("value", BINARY_VALUES, ids=ids)
def test_values_come_back(client: CacheClient, value: bytes) -> None:
    assert client.set(LONG_KEY[:200], value, ttl=100)
    assert client.get(LONG_KEY[:200]) == value


@pytest.mark.parametrize("value", [1, 2**40, True, "grüße", {"a": [1]}, None, 1.5], ids=str)
def test_types_by_flags(client: CacheClient, value: object) -> None:
    assert client.set("t", value, ttl=100)
    assert client.get("t") == value


@pytest.mark.parametrize(
    "key", ["plain", "ünïcode ключ", "k" * 400, Key("with space"), Key("routed", routing_key="r")], ids=str
)
def test_keys(client: CacheClient, key: str | Key) -> None:
    """Binary keys travel as base64, over-long ones as their hash."""
    assert client.set(key, "v", ttl=100)
    assert client.get(key) == "v"
    assert client.delete(key)
    assert client.get(key) is None


def test_multi(client: CacheClient) -> None:
    keys = [f"m{i}" for i in range(200)]
    for index, key in enumerate(keys):
        assert client.set(key, index, ttl=100, no_reply=index % 2 == 0)
    values = client.multi_get([*keys, "absent"])
    assert {key.key: value for key, value in values.items()} == {**{k: i for i, k in enumerate(keys)}, "absent": None}
    with_cas = client.multi_get_cas(keys)
    assert len({cas for _, cas in with_cas.values()}) > 1


def test_compare_and_swap(client: CacheClient) -> None:
    client.set("k", "1", ttl=100)
    value, unique = client.get_cas("k")
    assert value == "1"
    fresh = client.set_cas("k", "2", ttl=100, cas_token=unique)
    assert fresh not in (None, unique)
    assert client.set_cas("k", "3", ttl=100, cas_token=unique) is None
    assert not client.delete("k", cas_token=unique)
    assert client.delete("k", cas_token=fresh)
    assert client.get_cas("k") == (None, None)


def test_typed(client: CacheClient) -> None:
    client.set("t", "text", ttl=100)
    assert client.get_typed("t", str) == "text"
    assert client.get_typed("t", int, error_on_type_mismatch=False) is None
    assert client.get_cas_typed("t", str)[0] == "text"


def test_arithmetic(client: CacheClient) -> None:
    assert not client.delta("n", 1)
    assert client.delta_initialize("n", 1, initial_value=10, initial_ttl=100)
    assert client.delta_and_get("n", 5) == 15
    assert client.delta_and_get("n", -20) == 0
    assert client.delta("n", 3, refresh_ttl=50)
    assert client.delta_initialize_and_get("n", 1, initial_value=7, initial_ttl=100) == 4
    assert client.delta_initialize_and_get("other", 1, initial_value=7, initial_ttl=100) == 7
    assert client.delta("n", 1, no_reply=True)
    assert client.delta_and_get("n", 0) == 5


def test_delete_and_touch(client: CacheClient) -> None:
    client.set("k", 1, ttl=100)
    assert client.touch("k", ttl=50)
    assert not client.touch("absent", ttl=50)
    assert client.get("k", touch_ttl=60) == 1
    assert client.delete("k")
    assert not client.delete("k")
    client.set("k", 1, ttl=100)
    assert client.delete("k", no_reply=True)
    assert client.get("k") is None


def test_invalidate_serves_stale_once_to_each_but_the_winner(client: CacheClient) -> None:
    client.set("s", "old", ttl=100)
    stale = StalePolicy(mark_stale_on_deletion_ttl=30, mark_stale_on_cas_mismatch=True)
    assert client.invalidate("s", stale_policy=stale)
    assert client.get("s", recache_policy=RecachePolicy(ttl=30)) is None  # This one shall recache.
    assert client.get("s", recache_policy=RecachePolicy(ttl=30)) == "old"  # The others get the stale value.
    assert client.set("s", "new", ttl=100)
    assert client.get("s") == "new"


def test_early_recache(client: CacheClient) -> None:
    client.set("r", "v", ttl=20)
    assert client.get("r", recache_policy=RecachePolicy(ttl=30)) is None  # Wins.
    assert client.get("r", recache_policy=RecachePolicy(ttl=30)) == "v"


def test_lease(client: CacheClient) -> None:
    policy = LeasePolicy(ttl=30, miss_retries=2, miss_retry_wait=0.01, wait_backoff_factor=1.0)
    assert client.get_or_lease("l", policy) is None  # This client won the lease.
    value, _unique = client.get_or_lease_cas("l", policy)
    assert value is None  # Waits for the winner, then gives up.
    assert client.set("l", "filled", ttl=100)
    assert client.get_or_lease("l", policy) == "filled"


def test_meta_flags(client: CacheClient) -> None:
    client.set("k", b"12345", ttl=100)
    flags = RequestFlags(
        return_value=True,
        return_ttl=True,
        return_size=True,
        return_cas_token=True,
        return_last_access=True,
        return_fetched=True,
        return_client_flag=True,
    )
    result = client.meta_get(Key("k"), flags)
    assert isinstance(result, Value) and result.size == 5
    assert 98 <= result.flags.ttl <= 100 and result.flags.size == 5 and result.flags.cas_token
    assert result.flags.last_access in (0, 1) and result.flags.fetched is False


def test_expiry(client: CacheClient) -> None:
    client.set("short", 1, ttl=1)
    wait_until(lambda: client.get("short") is None, "a TTL of one second to pass", 5)


def test_errors(client: CacheClient) -> None:
    with pytest.raises(MemcacheServerError):
        client.set("big", TOO_LARGE, ttl=100)
    assert client.set("after", b"1", ttl=100) and client.get("after") == b"1"
    assert all(counter.active == 0 for counter in client.get_counters().values())
