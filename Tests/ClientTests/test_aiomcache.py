"""aiomcache: asyncio, plain bytes, flags through FlagClient."""

import asyncio
from collections.abc import Awaitable, Callable

import aiomcache
import pytest

from blackbox.servers import Server
from blackbox.waiting import wait_until
from samples import BINARY_VALUES, TOO_LARGE, TOO_LONG_KEY

Body = Callable[[aiomcache.Client], Awaitable[None]]


@pytest.fixture
def run(clean_server: Server) -> Callable[[Body], None]:
    """Runs a test body with a client of its own."""

    def run_body(body: Body, client_class: Callable = aiomcache.Client, **options: object) -> None:
        async def main() -> None:
            client = client_class("127.0.0.1", clean_server.port, pool_size=3, **options)
            try:
                await asyncio.wait_for(body(client), 30)
            finally:
                await client.close()

        asyncio.run(main())

    return run_body


def test_store_commands(run: Callable) -> None:
    async def body(client: aiomcache.Client) -> None:
        assert await client.set(b"k", b"1")
        assert not await client.add(b"k", b"2")
        assert await client.add(b"new", b"2")
        assert await client.replace(b"k", b"3")
        assert not await client.replace(b"absent", b"3")
        assert await client.append(b"k", b"z")
        assert await client.prepend(b"k", b"a")
        assert await client.get(b"k") == b"a3z"
        assert await client.get(b"absent", b"d") == b"d"

    run(body)


def test_values_come_back(run: Callable) -> None:
    async def body(client: aiomcache.Client) -> None:
        for index, value in enumerate(BINARY_VALUES):
            assert await client.set(b"v%d" % index, value)
        for index, value in enumerate(BINARY_VALUES):
            assert await client.get(b"v%d" % index) == value

    run(body)


def test_multi_and_concurrent(run: Callable) -> None:
    async def body(client: aiomcache.Client) -> None:
        keys = [b"m%d" % i for i in range(200)]
        await asyncio.gather(*(client.set(key, key) for key in keys))
        assert await client.multi_get(*keys, b"absent") == (*keys, None)
        assert await client.multi_get() == ()

    run(body)


def test_compare_and_swap(run: Callable) -> None:
    async def body(client: aiomcache.Client) -> None:
        await client.set(b"k", b"1")
        value, unique = await client.gets(b"k")
        assert value == b"1" and unique is not None
        assert await client.cas(b"k", b"2", unique)
        assert not await client.cas(b"k", b"3", unique)
        assert await client.gets(b"absent") == (None, None)

    run(body)


def test_arithmetic(run: Callable) -> None:
    async def body(client: aiomcache.Client) -> None:
        await client.set(b"n", b"10")
        assert await client.incr(b"n", 5) == 15
        assert await client.decr(b"n", 100) == 0
        with pytest.raises(aiomcache.ClientException, match="NOT_FOUND"):
            await client.incr(b"absent", 1)
        await client.set(b"n", b"word")
        with pytest.raises(aiomcache.ClientException):
            await client.incr(b"n", 1)

    run(body)


def test_delete_touch_flush_version(run: Callable) -> None:
    async def body(client: aiomcache.Client) -> None:
        await client.set(b"k", b"1")
        assert await client.touch(b"k", 100)
        assert not await client.touch(b"absent", 100)
        assert await client.delete(b"k")
        assert not await client.delete(b"k")
        await client.set(b"k", b"1")
        await client.flush_all()
        assert await client.get(b"k") is None
        assert await client.version()
        assert int((await client.stats())[b"cmd_flush"]) >= 1
        assert (await client.stats(b"settings"))[b"maxconns"] == b"1024"

    run(body)


def test_flags_carry_types(run: Callable) -> None:
    async def encode(value: object) -> tuple[bytes, int]:
        return repr(value).encode(), 4_294_967_295

    async def decode(value: bytes, flags: int) -> object:
        assert flags == 4_294_967_295
        return eval(value, {})  # Our own repr.

    async def body(client: aiomcache.FlagClient) -> None:
        await client.set(b"f", {"a": 1})
        assert await client.get(b"f") == {"a": 1}

    run(body, aiomcache.FlagClient, set_flag_handler=encode, get_flag_handler=decode)


def test_expiry(run: Callable, server: Server) -> None:
    async def body(client: aiomcache.Client) -> None:
        await client.set(b"short", b"1", exptime=1)

    run(body)
    with server.connect() as connection:
        wait_until(lambda: connection.get(b"short") is None, "a TTL of one second to pass", 5)


def test_errors(run: Callable) -> None:
    async def body(client: aiomcache.Client) -> None:
        with pytest.raises(aiomcache.ClientException):
            await client.set(b"big", TOO_LARGE)
        with pytest.raises(aiomcache.ValidationException):
            await client.set(TOO_LONG_KEY.encode(), b"1")
        assert await client.set(b"after", b"1")

    run(body)
