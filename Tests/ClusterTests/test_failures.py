"""Nodes die, hang and leave: what clients see, and for how long."""

import signal
import subprocess
import time

import pytest

from blackbox.cluster import Cluster, run_kiln
from blackbox.servers import kiln_binary
from blackbox.waiting import wait_until

KEYS = [f"probe-{number}" for number in range(200)]


def refused(cluster: Cluster, number: int) -> list[bytes]:
    """The answers other than STORED to a write of every key through one node."""
    with cluster.nodes[number].connect() as connection:
        connection.send(b"".join(f"set {key} 0 0 1\r\nx\r\n".encode() for key in KEYS))
        answers = [connection.read_line() for _ in KEYS]
    return [answer for answer in answers if answer != b"STORED"]


def take_over_seconds(cluster: Cluster, number: int) -> float:
    """How long it takes until every key can be written again through a node."""
    start = time.monotonic()
    wait_until(lambda: not refused(cluster, number), "every key can be written")
    return time.monotonic() - start


@pytest.fixture
def three():  # noqa: ANN201
    with Cluster([1, 1, 1]) as cluster:
        yield cluster


@pytest.mark.parametrize("victim", ["leader", "follower"])
def test_a_killed_nodes_keys_have_a_new_owner_in_time(three: Cluster, victim: str) -> None:
    leader = three.leader()
    number = leader if victim == "leader" else (leader + 1) % 3
    asked = (number + 1) % 3
    assert refused(three, asked) == []
    lost = {key for key in KEYS if three.owner(key) == number}
    three.nodes[number].kill()
    start = time.monotonic()
    wait_until(lambda: len(refused(three, asked)) <= len(lost), "only the lost keys fail")
    answers = set(refused(three, asked))
    assert answers <= {b"SERVER_ERROR owner unreachable", b"SERVER_ERROR outcome unknown"}, answers
    take_over_seconds(three, asked)
    taken = time.monotonic() - start
    # 1.82 s of lease and 1 s to 3 s of suspicion run side by side; the rest is this machine's.
    assert taken < 6, f"{taken:.2f} s"
    three.restart(number)
    three.await_ring(3)
    assert refused(three, number) == []


def test_verify_finds_nothing_stale_while_nodes_die_and_return(three: Cluster) -> None:
    words = ["bench", "verify", "--server", three.nodes[1].name, "--time", "10", "--quiet", "-o", "json"]
    check = subprocess.Popen(
        [str(kiln_binary()), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for number in (0, 2):
        time.sleep(1.0)  # The load goes on for a while before each death.
        three.nodes[number].kill()
        wait_until(lambda: not refused(three, 1), "the keys have a new owner")
        three.restart(number)
        three.await_ring(3)
    output, errors = check.communicate(timeout=60)
    assert check.returncode == 0, output[-2000:] + errors[-2000:]


def test_a_stopped_node_is_taken_out_and_comes_back(three: Cluster) -> None:
    number = (three.leader() + 1) % 3
    asked = (number + 1) % 3
    three.nodes[number].process.send_signal(signal.SIGSTOP)
    try:
        take_over_seconds(three, asked)
        states = {m["name"]: m["state"] for m in three.nodes[asked].verb("members")["members"]}
        assert states[f"n{number}"] in ("dead", "suspect")
    finally:
        three.nodes[number].process.send_signal(signal.SIGCONT)
    three.await_ring(3)
    with three.nodes[number].connect() as connection:
        assert connection.ask_line(b"set back 0 0 1\r\nx\r\n") == b"STORED"


def test_a_node_that_is_asked_to_stop_leaves_first(three: Cluster) -> None:
    number = three.leader()
    asked = (number + 1) % 3
    start = time.monotonic()
    assert three.nodes[number].stop() == 0
    assert time.monotonic() - start < 8
    assert refused(three, asked) == []
    members = {m["name"]: m for m in three.nodes[asked].verb("members")["members"]}
    assert members[f"n{number}"]["state"] == "left"
    assert not members[f"n{number}"]["in_ring"]
    three.restart(number)
    three.await_ring(3)


def test_two_of_three_dead_serve_nothing_they_own_and_come_back(three: Cluster) -> None:
    for number in (1, 2):
        three.nodes[number].kill()
    lease = "cluster_serve_lease_ms"
    wait_until(lambda: three.nodes[0].statistics("cluster")[lease] == "0", "the lease runs out")
    answers = set(refused(three, 0))
    assert answers == {b"SERVER_ERROR no serve lease", b"SERVER_ERROR owner unreachable"}
    with three.nodes[0].connect() as connection:
        assert connection.ask(f"get {' '.join(KEYS[:50])}\r\n".encode(), b"END\r\n") == b"END\r\n"
    for number in (1, 2):
        three.restart(number)
    three.await_ring(3)
    assert refused(three, 0) == []


def test_a_whole_cluster_that_was_killed_comes_back(three: Cluster) -> None:
    for node in three.nodes:
        node.kill()
    for number in range(3):
        three.restart(number)
    three.await_ring(3)
    for number in range(3):
        assert refused(three, number) == []


def test_a_dead_voter_is_forgotten_and_a_live_one_is_not(three: Cluster) -> None:
    server = ("--server", three.nodes[0].name)
    alive = run_kiln("forget", "n1", *server)
    assert alive.returncode == 1
    assert "is alive" in alive.stderr
    assert "no member" in run_kiln("forget", "nobody", *server).stderr
    three.nodes[2].kill()
    wait_until(
        lambda: not three.nodes[0].verb("members")["members"][2]["in_ring"], "it is out of the ring", 30
    )
    assert run_kiln("forget", "n2", *server).returncode == 0
    wait_until(lambda: "n2" not in three.nodes[0].verb("raft")["voters"], "its vote is free")
