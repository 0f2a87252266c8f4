"""The scenarios: a flash crowd, a stampede, and the check for stale reads."""

import re

import pytest

from bench import bench, end_of, start, wait_for_reads
from blackbox.servers import Server
from scripted_server import Cache, ScriptedServer


@pytest.fixture(scope="module", params=["under test", "memcached"])
def any_server(request: pytest.FixtureRequest, server: Server, reference: Server) -> Server:
    return server if request.param == "under test" else reference


# MARK: verify


@pytest.mark.parametrize("protocol", ["text", "meta"])
def test_verify_passes_on_a_correct_cache(any_server: Server, protocol: str) -> None:
    done = bench("verify", "-o", "json", "--quiet", "--server", any_server.name, "--time", "2", "--clients", "20",
                 "--key-count", "10", "--protocol", protocol)  # fmt: skip
    assert done.status == 0, done.output
    assert done.complaint == ""
    report = done.report
    assert report["passed"] and report["violations"] == []
    assert min(report[name] for name in ("hits", "misses", "writes", "conditional_writes")) > 0, report


def test_verify_passes_on_a_correct_scripted_cache() -> None:
    """The server of the next test, without its fault: so it is the fault that is found there."""
    with ScriptedServer(Cache().serve) as server:
        done = bench("verify", "-o", "json", "--quiet", "--server", server.name, "--time", "2", "--clients", "8",
                     "--key-count", "5")  # fmt: skip
    assert done.status == 0 and done.report["passed"], done.output


def test_verify_finds_an_older_value() -> None:
    with ScriptedServer(Cache(stale_share=0.002).serve) as server:
        done = bench("verify", "--server", server.name, "--time", "30", "--clients", "8", "--key-count", "5")
    assert done.status == 1
    first = done.output[done.output.index("VIOLATION") :]
    assert re.match(r"VIOLATION on \S+verify:\d, client \d: it returned write \d+, which was over before write \d+"
                    r" was sent, and that one had happened before the read\n  \d", first), first  # fmt: skip
    assert "set write" in first and "read write" in first, "the history tells how it came about"
    assert "FAILED: " in done.output


def test_verify_finds_a_cas_that_is_not_compared() -> None:
    with ScriptedServer(Cache(forgets_cas=True).serve) as server:
        done = bench("verify", "--server", server.name, "--time", "30", "--clients", "16", "--key-count", "1",
                     "--cas", "50")  # fmt: skip
    assert done.status == 1
    assert "cas took write" in done.output


def test_verify_outlives_lost_connections() -> None:
    """A write without an answer may have happened: no violation, and the check goes on."""

    class Dropping(Cache):
        """Now and then stores and closes without an answer."""

        count = 0

        def serve(self, reader, writer) -> bool:
            self.count += 1
            if self.count % 50:
                return super().serve(reader, writer)

            class Nowhere:
                write = staticmethod(len)

            super().serve(reader, Nowhere)
            return False

    with ScriptedServer(Dropping().serve) as server:
        done = bench("verify", "-o", "json", "--quiet", "--server", server.name, "--time", "2", "--clients", "4",
                     "--key-count", "3")  # fmt: skip
    assert done.status == 0, done.output
    assert done.report["reconnects"] > 0 and done.report["unknown_writes"] > 0


def test_verify_does_not_pass_on_nothing(reference: Server) -> None:
    done = bench("verify", "--server", reference.name, "--time", "0.3", "--sets", "0", "--deletes", "0", "--cas", "0")
    assert done.status == 1
    assert "NOTHING CHECKED" in done.output


# MARK: stampede


def test_leases_keep_a_stampede_away(any_server: Server) -> None:
    done = bench("stampede", "-o", "json", "--quiet", "--server", any_server.name, "--clients", "20", "--time", "4",
                 "--ttl", "1", "--origin", "200")  # fmt: skip
    assert done.status == 0, done.complaint
    plain, leases = done.report["modes"]
    assert (plain["mode"], leases["mode"]) == ("plain", "leases")
    assert plain["concurrent_fills"] > 10 and plain["peak_origin_load"] > 5
    assert leases["peak_origin_load"] == 1 and leases["concurrent_fills"] == 0
    assert 1 <= leases["fills"] <= 6, "about one for each time the key expires"
    assert leases["fills"] < plain["fills"] / 5


# MARK: hotspot


def test_a_flash_crowd_has_three_phases(any_server: Server) -> None:
    done = bench("hotspot", "-o", "json", "--quiet", "--server", any_server.name, "--phases", "1,1,1", "--load",
                 "--warmup", "0", "--key-count", "1000", "--clients", "10")  # fmt: skip
    assert done.complaint == ""
    assert [run["phase"] for run in done.report["runs"]] == ["before", "during", "after"]
    assert all(run["requests"] > 100 for run in done.report["runs"])


def test_the_crowd_goes_to_one_server() -> None:
    """With client-side ketama the crowd's key has one owner: the imbalance shows it."""
    running = [Server("memcached", "-m", "64", "-t", "1") for _ in range(3)]
    try:
        done = bench(
            "hotspot", "-o", "json", "--quiet", "--server", ",".join(one.name for one in running), "--phases", "1,1,1",
            "--routing", "ketama", "--share", "80", "--warmup", "0", "--clients", "12", "--rate", "3000",
        )  # fmt: skip
    finally:
        for one in running:
            one.stop()
    before, during, after = (run["imbalance"] for run in done.report["runs"])
    assert before < 1.5 and after < 1.5
    assert during > 2.2


def test_ctrl_c_ends_a_scenario_with_its_results(any_server: Server) -> None:
    process = start("verify", "--server", any_server.name, "--time", "100")
    wait_for_reads(any_server)
    process.send_signal(2)
    done = end_of(process)
    assert done.status == 0 and "passed" in done.output
