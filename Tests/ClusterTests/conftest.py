"""The clusters that tests share."""

from collections.abc import Iterator

import pytest

from blackbox.cluster import Cluster


@pytest.fixture(scope="session")
def five() -> Iterator[Cluster]:
    """Five nodes, the last of which owns no keys."""
    with Cluster([1, 1, 1, 1, 0]) as cluster:
        yield cluster
        for node in cluster.nodes:
            assert node.is_running(), f"a node died: {node.log()[-2000:]}"
