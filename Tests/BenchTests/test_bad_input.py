"""Bad input and bad endings: one clear line, the right exit code, and what was measured so far."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench import bench
from blackbox.servers import Server
from scripted_server import Cache, EndingCache, ScriptedServer, closed_port, silent

QUICK = ("-o", "json", "--quiet", "--warmup", "0", "--time", "1", "--clients", "4")


@pytest.mark.parametrize("command", [(), ("hotspot",), ("stampede",), ("verify",)])
def test_nobody_listens(command: tuple[str, ...]) -> None:
    address = closed_port()
    done = bench(*command, "--server", address)
    assert done.status == 69
    assert done.complaint_line() == (
        f"kiln bench: cannot connect to {address} (Connection refused): check that a server listens there"
    )
    assert done.output == ""


def test_one_server_of_two_is_missing(reference: Server) -> None:
    address = closed_port()
    done = bench("--server", f"{reference.name},{address}")
    assert done.status == 69 and address in done.complaint_line()


def test_a_name_that_does_not_resolve() -> None:
    done = bench("--server", "no-such-host.invalid:1")
    assert done.status == 69 and "no-such-host.invalid" in done.complaint_line()


CONTRADICTIONS = [
    (("--time", "1", "--requests", "5"), "--time and --requests contradict each other"),
    (("--find-max",), "--find-max and --slo belong together"),
    (("--slo", "p99<1ms"), "--find-max and --slo belong together"),
    (("--find-max", "--slo", "fast"), "--slo fast"),
    (("--keys", "zipf:x"), "--keys zipf:x"),
    (("--keys", "hotspot:100000/50"), "must be less than --key-count"),
    (("--keys", "trace:/nonexistent"), "cannot read the trace /nonexistent: No such file or directory"),
    (("--keys", "trace:/etc/passwd"), "/etc/passwd, line 1: expected op,key,size"),
    (("--value-size", "5-1"), "--value-size 5-1"),
    (("--ratio", "1"), "--ratio 1: expected sets:gets"),
    (("--ratio", "0:0"), "--ratio 0:0"),
    (("--threads", "9", "--clients", "3"), "--threads 9 is more than --clients 3"),
    (("--clients", "0"), "--clients: 1 through"),
    (("--rate", "0"), "--rate must be above 0"),
    (("--runs", "0"), "--runs: 1 through"),
    (("--server", "a:b:c:1:x:99999,"), "is not a server"),
    (("--server-pid", "x"), "--server-pid x"),
    (("--key-prefix", "a b"), "--key-prefix holds a space"),
    (("--compare", "/nonexistent"), "cannot use /nonexistent (No such file or directory)"),
    (("--compare", "/etc/passwd"), "cannot use /etc/passwd"),
    (("hotspot", "--share", "100"), "--share must be above 0 and below 100"),
    (("hotspot", "--phases", "1,2"), "--phases 1,2"),
    (("hotspot", "--time", "3"), "use --phases"),
    (("verify", "--sets", "90", "--deletes", "20"), "together 0 through 100"),
    (("verify", "--key-count", "0"), "--key-count: 1 through"),
    (("verify", "--clients", "1001"), "--clients: 1 through 1000"),
    (("stampede", "--ttl", "0"), "must be above 0"),
]


@pytest.mark.parametrize(("flags", "text"), CONTRADICTIONS, ids=lambda value: str(value)[:40])
def test_flags_that_make_no_sense(reference: Server, flags: tuple[str, ...], text: str) -> None:
    server = () if "--server" in flags else ("--server", reference.name)
    command = flags[:1] if not flags[0].startswith("-") else ()
    done = bench(*command, *server, *flags[len(command) :])
    assert done.status == 64, (done.complaint, done.output)
    assert text in done.complaint_line()
    assert done.output == ""


@pytest.mark.parametrize("flag", ["--clients=many", "--routing=nearest", "--protocol=binary", "--workload=ycsb-z"])
def test_flags_of_the_wrong_kind(flag: str) -> None:
    done = bench(flag)
    assert done.status == 64
    assert flag.split("=")[0] in done.complaint


def test_the_server_closes_in_the_middle() -> None:
    with ScriptedServer(EndingCache(2_000, None).serve) as server:
        done = bench(
            "-o", "json", "--quiet", "--warmup", "0", "--clients", "4", "--server", server.name, "--requests", "100000"
        )
    assert done.status == 69
    assert f"lost the connection to {server.name}" in done.complaint_line()
    assert 1_900 <= done.run["requests"] <= 2_000, "what was measured is kept"
    assert "lost the connection" in done.run["interruption"]


GARBAGE = [
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    b"-ERR unknown command\r\n",
    b"\x00\xff\x00\xff\r\n",
    b"x" * 5_000,
    b"VALUE key 0 -5\r\n\r\nEND\r\n",
    b"END\r\nEND\r\n",
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda value: repr(value[:12]))
def test_the_server_answers_garbage_in_the_middle(garbage: bytes) -> None:
    with ScriptedServer(EndingCache(1_000, garbage).serve) as server:
        done = bench("-o", "json", "--quiet", "--warmup", "0", "--clients", "2", "--ratio", "0:1", "--server",
                     server.name, "--requests", "100000")  # fmt: skip
    assert done.status == 1
    assert "does not speak the memcached protocol asked for" in done.complaint_line()
    assert 900 <= done.run["requests"] <= 1_010, "what was measured is kept"


@pytest.mark.parametrize("command", [("load",), ("hotspot",), ("verify",)])
def test_another_protocol_from_the_start(command: tuple[str, ...]) -> None:
    with ScriptedServer(EndingCache(0, b"-ERR unknown command\r\n").serve) as server:
        done = bench(*command, "--server", server.name, "--clients", "2")
    assert done.status == 1
    assert "-ERR unknown command" in done.complaint.splitlines()[-1]


def test_errors_are_counted_and_shown() -> None:
    """A server that refuses is a result, not the end."""
    with ScriptedServer(EndingCache(0, b"SERVER_ERROR out of memory\r\n").serve) as server:
        done = bench(*QUICK, "--server", server.name, "--ratio", "0:1")
    assert done.status == 1, "nothing was answered"
    assert done.run["errors"] > 0
    assert "nothing was answered: SERVER_ERROR out of memory" in done.run["verdict"]["reasons"]


def test_a_silent_server_is_given_up() -> None:
    with ScriptedServer(silent) as server:
        done = bench("--quiet", "--server", server.name, "--warmup", "0", "--requests", "100", "--clients", "2")
    assert done.status == 75
    assert done.complaint_line() == f"kiln bench: {server.name} did not answer within 10 s"


def test_preloading_a_server_that_refuses() -> None:
    with ScriptedServer(EndingCache(0, b"SERVER_ERROR no\r\n").serve) as server:
        done = bench("--server", server.name, "--load", "--quiet")
    assert done.status == 1
    assert "refused to store a key: SERVER_ERROR no" in done.complaint_line()


def test_going_on_past_a_server_that_went_away(start_server: Callable[..., Server]) -> None:
    """--on-error continue: lost requests are errors, and the server is found again."""

    class Flaky(Cache):
        """Closes after every hundredth command."""

        def __init__(self) -> None:
            super().__init__()
            self.served = 0

        def serve(self, reader, writer) -> bool:
            self.served += 1
            return super().serve(reader, writer) and self.served % 100 != 0

    cache = Flaky()
    with ScriptedServer(cache.serve) as server:
        done = bench(*QUICK, "--server", server.name, "--on-error", "continue")
    assert done.status == 0, done.complaint
    assert done.run["requests"] > 200
    assert done.run["errors"] == 0 or done.run["errors"] < done.run["requests"]
    assert cache.served > 200, "connections were opened again"


def test_an_output_that_cannot_be_written(reference: Server, tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "out.json"
    done = bench("--quiet", "--server", reference.name, "--warmup", "0", "--time", "0.3", "--json", str(missing))
    assert done.status == 1
    assert f"cannot write {missing} (No such file or directory)" in done.complaint_line()
    assert "OPERATION" in done.output, "the results were printed all the same"
