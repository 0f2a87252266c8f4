#!/usr/bin/env python3
"""How far Kiln and memcached are from the least a server on sockets can cost, one request at a time.

`floor/floor_server.c` does nothing but epoll_wait, recv and send. At depth 1 nearly all of a cache's
processor time is the kernel's, so this is the bound that no storage or parser can beat.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common.client import Client
from common.generator import Generator, Load
from common.report import arguments, finish, in_turn, progress, table
from common.servers import Server, free_port

SOURCE = Path(__file__).resolve().parents[1] / "floor/floor_server.c"
SERVER_CPUS, GENERATOR_CPUS = {0}, {1}
START_SECONDS = 10.0


class Floor:
    """The server that stores nothing; has what a generator asks of a server."""

    label = "floor"

    def __init__(self, program):
        self.port = free_port()
        self.process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, SERVER_CPUS)), program, str(self.port)])
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                Client(self.port).socket.close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    self.__exit__()
                    sys.exit("the floor server did not start")
                time.sleep(0.02)

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def main():
    parser = arguments(__doc__.splitlines()[0], pairs=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="measured time per server")
    parser.add_argument("--keys", type=int, default=1_000_000, help="items of 100 B")
    options = parser.parse_args()
    compiler = shutil.which("cc") or sys.exit("no C compiler")
    load = Load(keys=options.keys)
    generator = Generator(GENERATOR_CPUS)
    figures = {"floor": [], "ours": [], "peer": []}
    common = {"memory_mb": 2048, "threads": 1, "cpus": SERVER_CPUS, "extra": ["-c", "4096"]}
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/floor"
        subprocess.run([compiler, "-O2", "-o", program, str(SOURCE)], check=True)
        with (Server("ours", options.ours, **common) as ours,
              Server("peer", options.peer, **common) as peer, Floor(program) as floor):
            for server in (ours, peer):
                generator.store(server, load.data)
            for pair in range(options.pairs):
                for server in in_turn([floor, ours, peer], pair):
                    line = generator.measure(server, load, options.seconds)
                    figures[server.label].append(line["srv_us/req"])
                progress(", ".join(f"{name} {found[-1]:.2f} us" for name, found in figures.items()))
    results = [
        {"server": name, "us": statistics.median(found),
         "of_peer": statistics.median(a / b for a, b in zip(found, figures["peer"]))}
        for name, found in figures.items()]
    table(["server", "us", "of peer's"],
          [[r["server"], f"{r['us']:.2f}", f"{r['of_peer']:.3f}"] for r in results])
    finish("floor", options, results, True)


if __name__ == "__main__":
    main()
