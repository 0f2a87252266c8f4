"""The differential suite's servers: memcached without the threads that make its answers waver."""

from collections.abc import Iterator

import pytest

from blackbox.servers import Server, kind_under_test
from compare import Comparison
from runner import Runner

#: memcached's LRU threads hold items for moments, in which an incr is not done in place (and does not
#: pad a shorter number): without them the same program gives the same replies.
STEADY = ("-o", "no_lru_maintainer,no_lru_crawler")
SIZES = ("-m", "64", "-t", "1")


@pytest.fixture(scope="module")
def reference() -> Iterator[Server]:
    with Server("memcached", *SIZES, *STEADY) as running:
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    kind = kind_under_test()
    with Server(kind, *SIZES, *(STEADY if kind == "memcached" else ())) as running:
        yield running
        assert running.is_running(), f"the server died: {running.log()[-2000:]}"


@pytest.fixture
def comparison(reference: Server, server: Server) -> Comparison:
    return Comparison(Runner(reference.address), Runner(server.address))
