"""Clusters of real nodes on this machine: started on ports they choose themselves, stopped by id."""

import json
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from .servers import Server, kiln_binary
from .waiting import wait_until

RING_SECONDS = 60.0


class Node(Server):
    """One node of a cluster."""

    def __init__(self, *flags: str):
        super().__init__("kiln", *flags)
        match = re.search(r"^peer (\d+)$", self._ports_file.read_text(), re.MULTILINE)
        assert match, f"no peer port: {self._ports_file.read_text()}"
        self.peer_port = int(match.group(1))

    @property
    def peer(self) -> str:
        return f"127.0.0.1:{self.peer_port}"

    def verb(self, words: str) -> dict:
        """What the node answers to ``kiln <words>``."""
        with self.connect() as connection:
            head = connection.ask_line(f"kiln {words}\r\n".encode())
            assert head.startswith(b"VALUE kiln 0 "), head
            return json.loads(connection.read_until(b"END\r\n").split(b"\r\n")[0])

    def kill(self) -> None:
        """kill -9, and nothing of it is left."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Cluster:
    """Nodes that share their keys; node 0 founds it."""

    def __init__(self, weights: list[int], *flags: str, disks: bool = True, threads: int = 1):
        self.directory = Path(tempfile.mkdtemp(prefix="kiln-cluster-"))
        self.weights = weights
        self.flags = flags
        self.disks = disks
        self.threads = threads
        self.nodes: list[Node] = []
        try:
            for number in range(len(weights)):
                self.nodes.append(self._start(number))
            self.await_ring(len(weights))
        except BaseException:
            self.stop()
            raise

    def _start(self, number: int) -> Node:
        flags = ["-t", str(self.threads), "-m", "64", "--node-name", f"n{number}"]
        flags += ["--weight", str(self.weights[number]), "--peer-listen", "127.0.0.1:0", *self.flags]
        if self.disks:
            flags += ["--data-dir", str(self.directory / f"n{number}")]
        others = [node.peer for node in self.nodes if node.is_running()]
        if others:
            flags += ["--join", ",".join(others)]
        return Node(*flags)

    def restart(self, number: int) -> None:
        """Starts a node again that has ended, with what its directory holds."""
        self.nodes[number].stop()
        self.nodes[number] = self._start(number)

    def live(self) -> list[Node]:
        return [node for node in self.nodes if node.is_running()]

    def leader(self) -> int:
        """The number of the node that leads."""

        def known() -> str | None:
            return self.live()[0].verb("members")["leader"]

        return int(wait_until(known, "a leader is known")[1:])

    def await_ring(self, count: int) -> float:
        """Waits until every node sees that many members in one ring, and can serve; how long it took."""
        start = time.monotonic()

        def whole() -> bool:
            epochs = set()
            for node in self.live():
                answer = node.verb("members")
                placed = [m["in_ring"] and m["state"] == "alive" for m in answer["members"]]
                epochs.add(answer["epoch"])
                if sum(placed) != count:
                    return False
                numbers = node.statistics("cluster")
                if numbers["cluster_settled_epoch"] != str(answer["epoch"]):
                    return False
                if int(numbers["cluster_serve_lease_ms"]) <= 0:
                    return False
            return len(epochs) == 1

        wait_until(whole, f"one ring of {count}: {[node.log()[-1500:] for node in self.live()]}", RING_SECONDS)
        return time.monotonic() - start

    def owner(self, key: str) -> int:
        """The number of the node that owns a key."""
        return int(self.live()[0].verb(f"ring locate {key}")["keys"][0]["owner"][1:])

    def stop(self) -> None:
        for node in self.nodes:
            if node.is_running():
                node.kill()
            node.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def run_kiln(*words: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
    """Runs the command line to its end."""
    return subprocess.run([str(kiln_binary()), *words], capture_output=True, text=True, timeout=timeout, check=False)
