"""Wrong names, keys, addresses and peers: a clear message, and a cluster that goes on."""

import os
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

from blackbox.cluster import Cluster, Node, run_kiln
from blackbox.waiting import wait_until

PEER = ("--peer-listen", "127.0.0.1:0", "-p", "0")


def fails(*flags: str) -> str:
    """What `kiln serve` says when it does not start; its exit code is that of a bad configuration."""
    done = run_kiln("serve", *flags)
    assert done.returncode == 78, done.stderr
    return done.stderr


def key_file(path: Path, byte: int = 7, mode: int = 0o600) -> str:
    path.write_text(f"{byte:02x}" * 32 + "\n")
    path.chmod(mode)
    return str(path)


def test_a_duplicate_name_is_refused_and_the_first_stays(five: Cluster) -> None:
    with Node("--node-name", "n1", *PEER, "--join", five.nodes[0].peer) as second:
        assert second.process.wait(timeout=20) == 78
        assert "is called n1, too" in second.log()
    five.await_ring(5)


def test_another_cluster_key_gets_nowhere(tmp_path: Path) -> None:
    right = key_file(tmp_path / "right")
    with Cluster([1, 1], "--cluster-key-file", right) as cluster:
        for flags in (("--cluster-key-file", key_file(tmp_path / "wrong", 8)), ()):
            with Node("--node-name", "stranger", *PEER, *flags, "--join", cluster.nodes[0].peer) as node:
                wait_until(lambda node=node: "its cluster key is another one" in node.log(), "it is told why")
                names = [m["name"] for m in cluster.nodes[0].verb("members")["members"]]
                assert names == ["n0", "n1"]
        cluster.await_ring(2)


def test_a_key_file_must_be_private_and_hold_a_key(tmp_path: Path) -> None:
    assert "chmod 600" in fails(*PEER, "--cluster-key-file", key_file(tmp_path / "open", mode=0o644))
    short = tmp_path / "short"
    short.write_text("abc\n")
    short.chmod(0o600)
    assert "no 32 bytes" in fails(*PEER, "--cluster-key-file", str(short))
    assert "cannot be opened" in fails(*PEER, "--cluster-key-file", str(tmp_path / "absent"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_nobody_is_told_to_connect_to_any_address(host: str, tmp_path: Path) -> None:
    assert "--advertise" in fails(*PEER, "--advertise", host)
    key = key_file(tmp_path / "key")
    listen = "0.0.0.0" if host == "0.0.0.0" else "[::]"
    assert "--advertise" in fails("-p", "0", "-l", listen, "--peer-listen", "127.0.0.1:0", "--cluster-key-file", key)


def test_a_network_address_needs_a_key() -> None:
    assert "--cluster-key-file" in fails("-p", "0", "--peer-listen", "0.0.0.0:0", "--advertise", "127.0.0.1")


def test_settings_that_contradict_each_other() -> None:
    assert "--join" in fails(*PEER, "--bootstrap-expect", "3")
    assert "weight" in fails(*PEER, "--weight", "0")
    assert "--weight" in fails(*PEER, "--weight", "101")
    assert "leave out -s" in fails("-s", "/tmp/kiln-never.sock", "--node-name", "n")


def test_a_data_directory_is_one_nodes_and_one_processs(tmp_path: Path) -> None:
    directory = str(tmp_path / "data")
    with Node("--node-name", "a", *PEER, "--data-dir", directory):
        done = run_kiln("serve", "--node-name", "a", *PEER, "--data-dir", directory)
        assert done.returncode == 75
        assert "in use by another process" in done.stderr
    assert "belongs to the node a" in fails("--node-name", "b", *PEER, "--data-dir", directory)
    identity = Path(directory) / "identity"
    identity.write_bytes(identity.read_bytes()[:-3])
    assert "does not know who it was" in fails("--node-name", "a", *PEER, "--data-dir", directory)


def test_a_join_address_that_never_answers_is_asked_for_ever() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        joined = f"127.0.0.1:{port},no-such-host.invalid:1"
        with Node("--node-name", "patient", *PEER, "--join", joined) as node:
            wait_until(lambda: "no answer in time" in node.log(), "it says so")
            with node.connect() as connection:
                assert connection.ask_line(b"get k\r\n") == b"END"
                assert connection.ask_line(b"set k 0 0 1\r\nx\r\n") == b"SERVER_ERROR no serve lease"
            assert node.statistics("cluster")["cluster_members"] == "0"


def test_peers_that_talk_garbage_or_an_older_protocol(five: Cluster) -> None:
    older = struct.pack("<IBBHQQQ", 0, 1, 0, 1, 0, 0, 0)
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(4096), b"\x00" * 64, older, b"\x16\x03\x01" + b"x" * 60):
        with socket.create_connection(("127.0.0.1", five.nodes[2].peer_port), timeout=10) as stranger:
            stranger.sendall(garbage)
            stranger.settimeout(10)
            try:
                while stranger.recv(4096):
                    pass
            except ConnectionResetError:
                pass
    assert "it speaks version 1 of the protocol" in five.nodes[2].log()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for size in (0, 1, 13, 1400, 9000):
            stranger.sendto(os.urandom(size), ("127.0.0.1", five.nodes[2].peer_port))
    five.await_ring(5)


def test_a_greeting_that_never_ends_is_cut_off(five: Cluster) -> None:
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", five.nodes[1].peer_port), timeout=15) as silent:
        assert silent.recv(1) == b""
    assert time.monotonic() - start < 10


@pytest.fixture
def small_disk(tmp_path: Path):  # noqa: ANN201
    """A file system of 256 KiB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a file system")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_a_full_disk_costs_a_node_its_vote_and_nobody_the_service(small_disk: Path) -> None:
    with Cluster([1, 1, 1]) as cluster:
        flags = ("--node-name", "small", *PEER, "--data-dir", str(small_disk / "data"))
        with Node(*flags, "--join", cluster.nodes[0].peer) as node:
            cluster.await_ring(4)
            (small_disk / "ballast").write_bytes(b"x" * 200_000)
            with open(small_disk / "rest", "wb", buffering=0) as rest:
                try:
                    while True:
                        rest.write(b"x" * 1024)
                except OSError:
                    pass
            # Each flush is an entry of the log: so many need another page.
            with cluster.nodes[0].connect() as connection:
                connection.send(b"flush_all\r\n" * 250)
                assert {connection.read_line() for _ in range(250)} == {b"OK"}
            wait_until(lambda: "gives up its vote and serves on" in node.log(), "it says so")
            with node.connect() as connection:
                assert connection.ask_line(b"set k 0 0 1\r\nx\r\n") == b"STORED"
            assert node.verb("raft")["has_disk"] is False


def test_verbs_that_make_no_sense(five: Cluster) -> None:
    for words in ("ring locate", "ring split", "ring dance", "members now", "forget", "ring split %zz"):
        with five.nodes[0].connect() as connection:
            answer = connection.ask_line(f"kiln {words}\r\n".encode())
            assert answer.startswith(b"CLIENT_ERROR kiln: "), (words, answer)
