"""Ordinary memcached clients, through any node of a cluster."""

import asyncio
import subprocess

import aiomcache
import emcache
import libmc
import memcache
import pylibmc
import pytest
from meta_memcache import CacheClient, Key, ServerAddress, connection_pool_factory_builder
from pymemcache.client.base import Client
from pymemcache.client.hash import HashClient

from blackbox.cluster import Cluster

NUMBERS = range(40)


def keys(prefix: str) -> list[str]:
    """Keys that every node owns some of."""
    return [f"{prefix}-{number}" for number in NUMBERS]


@pytest.mark.parametrize("writer", range(5))
def test_pymemcache_writes_through_one_node_and_reads_through_all(five: Cluster, writer: int) -> None:
    mine = keys(f"pymemcache{writer}")
    source = Client(five.nodes[writer].address, timeout=10, default_noreply=False)
    for key in mine:
        assert source.set(key, f"value of {key}") is True
    for node in five.nodes:
        reader = Client(node.address, timeout=10)
        found = reader.get_many(mine)
        assert found == {key: f"value of {key}".encode() for key in mine}
        assert reader.get("absent-anywhere") is None
    values = {key: source.gets(key)[1] for key in mine}
    for key in mine:
        assert source.cas(key, "newer", values[key]) is True
        assert source.cas(key, "newest", values[key]) is False
        assert source.delete(key, noreply=False) is True


def test_pymemcache_hashes_over_nodes(five: Cluster) -> None:
    client = HashClient([node.address for node in five.nodes], timeout=10, default_noreply=False)
    mine = keys("hash")
    assert client.set_many({key: key.upper() for key in mine}) == []
    assert client.get_many(mine) == {key: key.upper().encode() for key in mine}


def test_pylibmc_with_ketama(five: Cluster) -> None:
    client = pylibmc.Client([node.name for node in five.nodes], behaviors={"ketama": True, "cas": True})
    mine = keys("pylibmc")
    assert client.set_multi(dict.fromkeys(mine, "v")) == []
    assert client.get_multi(mine) == dict.fromkeys(mine, "v")
    client.set("counter", 5)
    assert client.incr("counter", 3) == 8
    value, version = client.gets("counter")
    assert client.cas("counter", value + 1, version)


def test_python_memcached(five: Cluster) -> None:
    client = memcache.Client([node.name for node in five.nodes])
    mine = keys("python-memcached")
    assert client.set_multi({key: [key] for key in mine}) == []
    assert client.get_multi(mine) == {key: [key] for key in mine}


def test_libmc(five: Cluster) -> None:
    client = libmc.Client([node.name for node in five.nodes])
    mine = keys("libmc")
    assert client.set_multi({key: key for key in mine})
    assert client.get_multi(mine) == {key: key for key in mine}


def test_meta_memcache_through_the_node_that_owns_nothing(five: Cluster) -> None:
    client = CacheClient.cache_client_from_servers(
        servers=[ServerAddress("127.0.0.1", five.nodes[4].port)],
        connection_pool_factory_fn=connection_pool_factory_builder(recv_timeout=10),
    )
    for key in keys("meta"):
        assert client.set(Key(key), key, ttl=60)
        assert client.get(Key(key)) == key
        assert client.delete(Key(key))


def test_aiomcache(five: Cluster) -> None:
    async def run() -> None:
        for node in five.nodes:
            client = aiomcache.Client("127.0.0.1", node.port)
            for key in keys("aiomcache"):
                await client.set(key.encode(), b"v")
                assert await client.get(key.encode()) == b"v"
            await client.close()

    asyncio.run(run())


def test_emcache_finds_the_nodes_by_config_get_cluster(five: Cluster) -> None:
    async def run() -> int:
        client = await emcache.create_client(
            [emcache.MemcachedHostAddress("127.0.0.1", five.nodes[4].port)],
            autodiscovery=True,
            timeout=5.0,
        )
        for key in keys("emcache"):
            await client.set(key.encode(), b"v")
            item = await client.get(key.encode())
            assert item is not None
            assert item.value == b"v"
        count = len(client.cluster_managment().nodes())
        await client.close()
        return count

    assert asyncio.run(run()) == 5


def test_memccapable_through_the_node_that_owns_nothing(five: Cluster) -> None:
    done = subprocess.run(
        ["memccapable", "-h", "127.0.0.1", "-p", str(five.nodes[4].port), "-a"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "All tests passed" in done.stdout + done.stderr, done.stdout + done.stderr


def test_flush_all_reaches_every_node(five: Cluster) -> None:
    mine = keys("flush")
    clients = [Client(node.address, timeout=10, default_noreply=False) for node in five.nodes]
    for number, client in enumerate(clients):
        for key in mine:
            assert clients[0].set(key, "v") is True
        assert client.flush_all(noreply=False) is True
        for other in clients:
            assert other.get_many(mine) == {}, f"flushed through node {number}"
        assert client.set("after", "v") is True
        assert clients[0].get("after") == b"v"


@pytest.mark.parametrize("node", range(5))
def test_commands_of_one_connection_take_effect_in_their_order(five: Cluster, node: int) -> None:
    with five.nodes[node].connect() as connection:
        for number in range(200):
            key = f"order-{number % 7}"
            value = f"{number:05}"
            connection.send(f"set {key} 0 0 5 noreply\r\n{value}\r\nget {key}\r\n".encode())
            assert connection.read_until(b"END\r\n") == f"VALUE {key} 0 5\r\n{value}\r\nEND\r\n".encode()
            connection.send(f"delete {key} noreply\r\nadd {key} 0 0 1\r\nx\r\n".encode())
            assert connection.read_line() == b"STORED"
