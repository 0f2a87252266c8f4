"""emcache: asyncio with autobatching, `gat` and `gats`, cluster discovery."""

import asyncio
from collections.abc import Awaitable, Callable

import emcache
import pytest

from blackbox.servers import Server
from blackbox.waiting import wait_until
from samples import BINARY_VALUES, TOO_LARGE, TOO_LONG_KEY

Body = Callable[[emcache.Client, emcache.MemcachedHostAddress], Awaitable[None]]


@pytest.fixture
def run(clean_server: Server) -> Callable[..., None]:
    """Runs a test body with a client of its own."""

    def run_body(body: Body, **options: object) -> None:
        async def main() -> None:
            address = emcache.MemcachedHostAddress("127.0.0.1", clean_server.port)
            client = await emcache.create_client([address], timeout=10.0, **options)
            try:
                await asyncio.wait_for(body(client, address), 30)
            finally:
                await client.close()

        asyncio.run(main())

    return run_body


def test_store_commands(run: Callable) -> None:
    async def body(client: emcache.Client, _: object) -> None:
        await client.set(b"k", b"1", flags=7)
        with pytest.raises(emcache.NotStoredStorageCommandError):
            await client.add(b"k", b"2")
        await client.add(b"new", b"2")
        await client.replace(b"k", b"3", flags=8)
        with pytest.raises(emcache.NotStoredStorageCommandError):
            await client.replace(b"absent", b"3")
        await client.append(b"k", b"z")
        await client.prepend(b"k", b"a")
        item = await client.get(b"k", return_flags=True)
        assert (item.value, item.flags) == (b"a3z", 8)
        assert await client.get(b"absent") is None

    run(body)


def test_noreply(run: Callable) -> None:
    async def body(client: emcache.Client, address: object) -> None:
        await client.set(b"n", b"5", noreply=True)
        await client.add(b"n", b"6", noreply=True)
        await client.append(b"n", b"0", noreply=True)
        await client.increment(b"n", 1, noreply=True)
        await client.touch(b"n", 100, noreply=True)
        await client.delete(b"absent", noreply=True)
        assert (await client.get(b"n")).value == b"51"
        await client.flush_all(address, noreply=True)
        assert await client.get(b"n") is None

    run(body, max_connections=1)


def test_values_come_back(run: Callable) -> None:
    async def body(client: emcache.Client, _: object) -> None:
        for index, value in enumerate(BINARY_VALUES):
            await client.set(b"v%d" % index, value)
        for index, value in enumerate(BINARY_VALUES):
            assert (await client.get(b"v%d" % index)).value == value

    run(body)


@pytest.mark.parametrize("autobatching", [False, True])
def test_many(run: Callable, autobatching: bool) -> None:
    async def body(client: emcache.Client, _: object) -> None:
        keys = [b"m%d" % i for i in range(100)]
        await asyncio.gather(*(client.set(key, key) for key in keys))
        items = await client.get_many([*keys, b"absent"])
        assert {key: item.value for key, item in items.items()} == {key: key for key in keys}
        assert set(await client.gets_many(keys)) == set(keys)
        assert set(await client.gat_many(100, keys)) == set(keys)
        assert set(await client.gats_many(100, keys)) == set(keys)
        one_by_one = await asyncio.gather(*(client.get(key) for key in keys))
        assert [item.value for item in one_by_one] == keys

    run(body, autobatching=autobatching)


def test_compare_and_swap_and_gat(run: Callable) -> None:
    async def body(client: emcache.Client, _: object) -> None:
        await client.set(b"k", b"1")
        unique = (await client.gets(b"k")).cas
        assert (await client.gats(100, b"k")).cas == unique  # Touching changes no value.
        assert (await client.gat(100, b"k")).value == b"1"
        assert await client.gat(100, b"absent") is None
        await client.cas(b"k", b"2", unique)
        with pytest.raises(emcache.StorageCommandError):
            await client.cas(b"k", b"3", unique)
        assert (await client.get(b"k")).value == b"2"

    run(body)


def test_arithmetic_touch_delete(run: Callable) -> None:
    async def body(client: emcache.Client, _: object) -> None:
        await client.set(b"n", b"10")
        assert await client.increment(b"n", 5) == 15
        assert await client.decrement(b"n", 100) == 0
        with pytest.raises(emcache.NotFoundCommandError):
            await client.increment(b"absent", 1)
        await client.touch(b"n", 100)
        with pytest.raises(emcache.NotFoundCommandError):
            await client.touch(b"absent", 100)
        await client.delete(b"n")
        with pytest.raises(emcache.NotFoundCommandError):
            await client.delete(b"n")

    run(body)


def test_administration(run: Callable) -> None:
    async def body(client: emcache.Client, address: emcache.MemcachedHostAddress) -> None:
        assert await client.version(address)
        assert "curr_items" in await client.stats(address)
        assert (await client.stats(address, "settings"))["maxconns"] == "1024"
        await client.verbosity(address, 0)
        await client.cache_memlimit(address, 64)
        await client.set(b"k", b"1")
        await client.flush_all(address)
        assert await client.get(b"k") is None

    run(body)


def test_expiry(run: Callable, server: Server) -> None:
    async def body(client: emcache.Client, _: object) -> None:
        await client.set(b"short", b"1", exptime=1)
        await client.set(b"past", b"1", exptime=-1)
        assert await client.get(b"past") is None

    run(body)
    with server.connect() as connection:
        wait_until(lambda: connection.get(b"short") is None, "a TTL of one second to pass", 5)


def test_errors(run: Callable) -> None:
    async def body(client: emcache.Client, _: object) -> None:
        with pytest.raises(emcache.StorageCommandError):
            await client.set(b"big", TOO_LARGE)
        with pytest.raises(ValueError):
            await client.set(TOO_LONG_KEY.encode(), b"1")
        await client.set(b"after", b"1")
        assert (await client.get(b"after")).value == b"1"

    run(body)
