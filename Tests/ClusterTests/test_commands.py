"""The commands that look at a cluster, or change it."""

import json
import socket

from blackbox.cluster import Cluster, Node, run_kiln
from blackbox.servers import Server
from blackbox.waiting import wait_until


def ask(cluster: Cluster, *words: str) -> dict:
    done = run_kiln(*words, "--server", cluster.nodes[3].name, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_members_as_json_and_as_a_table(five: Cluster) -> None:
    answer = ask(five, "members")
    assert answer["schema_version"] == 1
    assert [m["name"] for m in answer["members"]] == [f"n{number}" for number in range(5)]
    assert {m["state"] for m in answer["members"]} == {"alive"}
    assert sum(m["voter"] for m in answer["members"]) == 3
    assert answer["leader"] in {m["name"] for m in answer["members"]}
    table = run_kiln("members", "--server", five.nodes[0].name).stdout
    assert "NAME" in table
    assert all(node.name in table for node in five.nodes)


def test_the_ring_gives_each_its_share_and_all_nodes_agree(five: Cluster) -> None:
    shares = {m["name"]: m["share"] for m in ask(five, "ring")["members"]}
    assert abs(sum(shares.values()) - 1) < 0.01
    assert shares["n4"] == 0
    keys = [f"some-key-{number}" for number in range(100)]
    owners = [[k["owner"] for k in node.verb("ring locate " + " ".join(keys))["keys"]] for node in five.nodes]
    assert all(other == owners[0] for other in owners)
    assert set(owners[0]) == {"n0", "n1", "n2", "n3"}


def test_an_arc_is_cut(five: Cluster) -> None:
    before = ask(five, "ring")
    answer = ask(five, "ring", "split", "cut-here")
    assert answer["epoch"] > before["epoch"]
    wait_until(lambda: ask(five, "ring")["arcs"] == before["arcs"] + 1, "there is one more")
    # The same cut again changes nothing, and says so by the same epoch.
    assert ask(five, "ring", "split", "cut-here")["epoch"] == answer["epoch"]


def test_raft_and_events_tell_what_happened(five: Cluster) -> None:
    raft = ask(five, "raft")
    assert len(raft["voters"]) == 3
    assert len(raft["learners"]) == 2
    leader = next(node for node in five.nodes if node.verb("raft")["role"] == "leader")
    assert len(leader.verb("raft")["followers"]) == 4
    events = [event["text"] for event in ask(five, "events")["events"]]
    assert any("joined cluster" in text for text in events)
    assert any("may serve" in text for text in events)


def test_statistics_and_the_list_of_nodes(five: Cluster) -> None:
    numbers = [node.statistics("cluster") for node in five.nodes]
    assert {n["cluster_members"] for n in numbers} == {"5"}
    assert len({n["cluster_cluster_id"] for n in numbers}) == 1
    for node in five.nodes:
        with node.connect() as connection:
            listed = connection.ask(b"config get cluster\r\n", b"END\r\n").decode().split("\r\n")[1]
        assert listed.count("|") == 10
        assert all(f"|{other.port}" in listed for other in five.nodes)


def test_a_lone_node_says_that_it_is_alone() -> None:
    with Server("kiln") as alone:
        assert alone.statistics("cluster") == {"cluster_enabled": "0"}
        done = run_kiln("members", "--server", alone.name)
        assert done.returncode == 1
        assert "alone" in done.stderr


def test_nodes_that_expect_each_other_found_one_cluster() -> None:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    join = ",".join(f"127.0.0.1:{port}" for port in ports)
    nodes = []
    try:
        for number, port in enumerate(ports):
            flags = ["--node-name", f"b{number}", "-t", "1", "--peer-listen", f"127.0.0.1:{port}"]
            nodes.append(Node(*flags, "--join", join, "--bootstrap-expect", "3"))
        wait_until(
            lambda: all(node.statistics("cluster")["cluster_members"] == "3" for node in nodes), "one cluster", 60
        )
        assert len({node.statistics("cluster")["cluster_cluster_id"] for node in nodes}) == 1
    finally:
        for node in nodes:
            node.kill()
            node.stop()
