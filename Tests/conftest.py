"""Fixtures of all black-box suites: the server under test, and the reference."""

from collections.abc import Callable, Iterator

import pytest

from blackbox.servers import Server, kiln_binary, kind_under_test

#: What `make test` gives a server: small, one loop.
DEFAULT_FLAGS = ("-m", "64", "-t", "1")


def pytest_sessionstart(session: pytest.Session) -> None:
    if kind_under_test() == "kiln" and not kiln_binary().exists():
        raise pytest.UsageError(
            f"no server at {kiln_binary()}: run `swift build -c release`, name one with KILN_BINARY, "
            "or check the suites against memcached with KILN_TEST_SERVER=memcached"
        )


def pytest_report_header(config: pytest.Config) -> str:
    return f"server under test: {kind_under_test()}"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The server under test, shared by one test module; a crash fails the module's last test."""
    with Server(kind_under_test(), *DEFAULT_FLAGS) as running:
        yield running
        assert running.is_running(), f"the server died: {running.log()[-2000:]}"


@pytest.fixture
def clean_server(server: Server) -> Server:
    """The module's server, emptied."""
    with server.connect() as connection:
        assert connection.ask_line(b"flush_all\r\n") == b"OK"
    return server


@pytest.fixture(scope="module")
def reference() -> Iterator[Server]:
    """Debian's memcached."""
    with Server("memcached", *DEFAULT_FLAGS) as running:
        yield running


@pytest.fixture
def start_server() -> Iterator[Callable[..., Server]]:
    """Starts servers of the kind under test with flags of the test's own; stops them after it."""
    running: list[Server] = []

    def start(*flags: str, open_files: int | None = None) -> Server:
        running.append(Server(kind_under_test(), *flags, open_files=open_files))
        return running[-1]

    yield start
    for one in running:
        one.stop()
