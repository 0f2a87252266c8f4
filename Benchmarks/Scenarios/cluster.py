#!/usr/bin/env python3
"""Clusters of real nodes: what a forwarded get costs, and how long a death is felt.

    Benchmarks/Scenarios/cluster.py [--deaths 20] [--markdown FILE]

Forwarding: a node that owns nothing sends all to one that owns everything; the processor time of both per get,
beside a get of the owner itself and of a node that is alone, and beside nutcracker in front of memcached where
both are installed; all in turn, in one run. Deaths: three nodes, one of them is killed (-9); how long until its
death is known and until every key can be written again.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests"))

from blackbox.cluster import Cluster  # noqa: E402
from blackbox.servers import Server, kiln_binary  # noqa: E402
from blackbox.waiting import wait_until  # noqa: E402

SECONDS = "3"
KEYS = "20000"


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cost(server: str, pids: list[int], pipeline: int) -> tuple[float, float]:
    """Microseconds of all the servers' processor time per get, and the median latency."""
    before = sum(processor_seconds(pid) for pid in pids)
    text = subprocess.run(
        [
            kiln_binary(), "bench", "load", "--server", server, "--clients", "16" if pipeline > 1 else "1",
            "--ratio", "0:1", "--pipeline", str(pipeline), "--key-count", KEYS, "--time", SECONDS,
            "--warmup", "0", "--quiet", "-o", "json",
        ],
        check=True, capture_output=True, text=True,
    ).stdout
    spent = sum(processor_seconds(pid) for pid in pids) - before
    reads = next(o for o in json.loads(text)["runs"][0]["operations"] if o["operation"] == "get")
    return spent / reads["requests"] * 1e6, reads["latency_ns"]["p50"] / 1000


def preload(server: str) -> None:
    subprocess.run(
        [kiln_binary(), "bench", "load", "--server", server, "--key-count", KEYS, "--load", "--time", "1", "--quiet"],
        check=True, capture_output=True,
    )


def forwarding(rounds: int) -> list[str]:
    rows: dict[str, list[tuple[float, float]]] = {}
    with Server("kiln", "-t", "1", "-m", "64") as alone, Cluster([1, 0]) as pair:
        owner, router = pair.nodes
        setups = {
            "a node that is alone": (alone.name, [alone.process.pid]),
            "the owner itself": (owner.name, [owner.process.pid]),
            "through a node that owns nothing": (router.name, [owner.process.pid, router.process.pid]),
        }
        proxy = Proxy.start()
        if proxy:
            setups["memcached itself"] = (proxy.memcached.name, [proxy.memcached.process.pid])
            setups["memcached through nutcracker"] = (
                f"127.0.0.1:{proxy.port}", [proxy.memcached.process.pid, proxy.process.pid],
            )
        for name, (server, _) in setups.items():
            if "nutcracker" not in name:  # Its memcached has been loaded directly.
                preload(server)
        for _ in range(rounds):
            for name, (server, pids) in setups.items():
                deep = cost(server, pids, 16)
                rows.setdefault(name, []).append((deep[0], cost(server, pids, 1)[1]))
        if proxy:
            proxy.stop()
    lines = ["| path of a get | CPU per get, depth 16 | median latency, depth 1 |", "|---|---:|---:|"]
    for name, figures in rows.items():
        cpu = statistics.median(f[0] for f in figures)
        latency = statistics.median(f[1] for f in figures)
        lines.append(f"| {name} | {cpu:.2f} us | {latency:.0f} us |")
    local = statistics.median(f[0] for f in rows["the owner itself"])
    far = statistics.median(f[0] for f in rows["through a node that owns nothing"])
    lines.append("")
    lines.append(f"Both nodes together: {far / local:.2f} times the owner's own get.")
    return lines


class Proxy:
    """nutcracker in front of memcached."""

    @classmethod
    def start(cls) -> "Proxy | None":
        if not shutil.which("nutcracker") or not shutil.which("memcached"):
            return None
        return cls()

    def __init__(self) -> None:
        self.memcached = Server("memcached", "-t", "1", "-m", "64")
        with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as other:
            self.port = free.getsockname()[1]
            report = other.getsockname()[1]
        self.directory = Path(tempfile.mkdtemp(prefix="nutcracker-"))
        (self.directory / "c.yml").write_text(
            f"pool:\n  listen: 127.0.0.1:{self.port}\n  hash: fnv1a_64\n  distribution: ketama\n"
            f"  servers:\n   - {self.memcached.name}:1\n"
        )
        self.process = subprocess.Popen(
            ["nutcracker", "-c", str(self.directory / "c.yml"), "-s", str(report)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        wait_until(self._accepts, "nutcracker accepts")

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.memcached.stop()
        shutil.rmtree(self.directory)


KEYS_WRITTEN = [f"probe-{number}" for number in range(200)]


def refused(cluster: Cluster, number: int) -> int:
    with cluster.nodes[number].connect() as connection:
        connection.send(b"".join(f"set {key} 0 0 1\r\nx\r\n".encode() for key in KEYS_WRITTEN))
        return sum(connection.read_line() != b"STORED" for _ in KEYS_WRITTEN)


def deaths(count: int) -> list[str]:
    lines = ["| who is killed | suspected: median / worst | every key writable: median / worst |", "|---|---:|---:|"]
    for victim in ("leader", "follower"):
        known: list[float] = []
        taken: list[float] = []
        for _ in range(count):
            # A cluster of its own for each death: one who dies often is kept out for longer each time.
            with Cluster([1, 1, 1]) as cluster:
                leader = cluster.leader()
                number = leader if victim == "leader" else (leader + 1) % 3
                asked = (number + 1) % 3
                cluster.nodes[number].kill()
                start = time.monotonic()

                def doubted(asked: int = asked, number: int = number, cluster: Cluster = cluster) -> bool:
                    members = cluster.nodes[asked].verb("members")["members"]
                    return members[number]["state"] != "alive"

                wait_until(doubted, "it is doubted")
                known.append(time.monotonic() - start)
                wait_until(lambda asked=asked, cluster=cluster: refused(cluster, asked) == 0, "every key is writable")
                taken.append(time.monotonic() - start)
        lines.append(
            f"| {victim} ({count} times) | {statistics.median(known):.2f} / {max(known):.2f} s"
            f" | {statistics.median(taken):.2f} / {max(taken):.2f} s |"
        )
    return lines


def idle() -> str:
    with Cluster([1, 1, 1]) as cluster:
        before = [node.cpu_seconds() for node in cluster.nodes]
        time.sleep(20)
        spent = [(node.cpu_seconds() - first) / 20 * 100 for node, first in zip(cluster.nodes, before, strict=True)]
    return "Idle, three nodes: " + ", ".join(f"{s:.1f} %" for s in spent) + " of a core each."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deaths", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    lines = ["# Clusters of real nodes", "", "Made by `Benchmarks/Scenarios/cluster.py` on one machine.", ""]
    lines += ["## What a forwarded get costs", "", *forwarding(options.rounds), ""]
    lines += ["## How long a death is felt", "", *deaths(options.deaths), "", "## Doing nothing", "", idle(), ""]
    text = "\n".join(lines)
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


if __name__ == "__main__":
    main()
