#!/usr/bin/env python3
"""Kiln, memcached and Redis side by side under the same load, each in turn.

CPU per request, latency and resident memory. Each server runs alone on core 0 with one thread, the
generator on core 1; every round starts the servers anew. Kiln and memcached are loaded by `kiln
bench`, Redis, which speaks another protocol, by its own redis-benchmark with the same connections,
pipeline, keys and values: its closed-loop rows compare, its latencies come from another tool's
clock, and its open-loop cells are empty because redis-benchmark has no open loop.
"""

import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common.generator import Generator, Load
from common.redis import KEY_BYTES, RedisServer
from common.report import arguments, finish, progress
from common.servers import REPOSITORY, Server

MEMORY_MB = 1024
SERVER_CPUS, GENERATOR_CPUS = {0}, {1}
RESULTS = REPOSITORY / "Benchmarks/Results"
OURS = "kiln"

FIGURES = [("rps", "requests/s", 0), ("srv_us/req", "CPU/request us", 2), ("p50_us", "p50 us", 0),
           ("p99_us", "p99 us", 0)]


def cases(options):
    """The loads by name; all of them read, because redis-benchmark cannot mix."""
    base = {"keys": options.keys, "key_bytes": KEY_BYTES}
    return {
        "closed loop, depth 1": Load(**base),
        "closed loop, depth 16": Load(depth=16, **base),
        f"open loop, {options.rate}/s": Load(rate=options.rate, **base),
    }


def measure_memcached_like(label, program, options, generator):
    """One round of a server that speaks memcached's protocol: figures by case, and memory."""
    with Server(label, program, memory_mb=MEMORY_MB, cpus=SERVER_CPUS) as server:
        empty = server.memory_kib()
        loads = cases(options)
        generator.store(server, Load(keys=options.keys).data, KEY_BYTES)
        found = {name: generator.measure(server, load, options.seconds)
                 for name, load in loads.items()}
        return found, (empty, server.memory_kib())


def measure_redis(options):
    """One round of Redis; nothing for the open loop."""
    with RedisServer("redis", memory_mb=MEMORY_MB, cpus=SERVER_CPUS) as server:
        empty = server.memory_kib()
        server.store(options.keys, Load().value_bytes)
        found = {name: server.measure(load, options.seconds, GENERATOR_CPUS)
                 for name, load in cases(options).items() if load.rate is None}
        return found, (empty, server.memory_kib())


def install(names):
    """Installs Debian packages that are missing."""
    missing = [name for name in names if not installed_version(name)]
    if not missing:
        return
    root = [] if os.geteuid() == 0 else ["sudo"]
    progress(f"installing {' '.join(missing)}")
    subprocess.run([*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y",
                    "-qq", "--no-install-recommends", *missing], check=True,
                   stdout=subprocess.DEVNULL)


def installed_version(name) -> str:
    """The version of a Debian package; empty when it is not installed."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name],
                          capture_output=True, text=True)
    words = done.stdout.split()
    return words[1] if words[:1] == ["installed"] else ""


def machine() -> str:
    """Where it ran, in one line."""
    text = Path("/proc/cpuinfo").read_text()
    processor = next((line.split(":")[1].strip() for line in text.splitlines()
                      if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (f"{processor}, {os.cpu_count()} processors, {memory:.1f} GiB of memory, "
            f"Linux {platform.release()}")


def versions(options) -> dict[str, str]:
    """What was measured."""
    kiln = subprocess.run([options.ours, "--version"], capture_output=True, text=True).stdout
    return {OURS: kiln.strip(), "memcached": f"memcached {installed_version('memcached')}",
            "redis": f"redis {installed_version('redis-server')}"}


def medians(rounds):
    """The median of each figure over the rounds: {case: {figure: value}} and memory in KiB."""
    found = {}
    for name in rounds[0][0]:
        found[name] = {figure: statistics.median(one[0][name][figure] for one in rounds)
                       for figure in rounds[0][0][name]}
    memory = [statistics.median(one[1][index] for one in rounds) for index in (0, 1)]
    return found, memory


def ratio(value, base) -> str:
    """A figure over memcached's."""
    return f"{value / base:.2f}" if base else "-"


def markdown(options, results) -> str:
    """The table, and what it was measured on."""
    base, base_memory = results["memcached"]
    head = ["load", "server"] + [title for _, title, _ in FIGURES]
    lines = [f"| {' | '.join(head + ['CPU, memcached = 1'])} |",
             "|---|---|" + "---:|" * (len(FIGURES) + 1)]
    for name in cases(options):
        for label, (found, _) in results.items():
            if name not in found:
                continue
            cells = [f"{found[name][figure]:,.{digits}f}" for figure, _, digits in FIGURES]
            cells.append(ratio(found[name]["srv_us/req"], base[name]["srv_us/req"]))
            lines.append(f"| {name} | {label} | {' | '.join(cells)} |")
    lines += ["", f"| memory with {options.keys:,} items | resident MiB | of it for the items | "
              "bytes an item | memcached = 1 |", "|---|---:|---:|---:|---:|"]
    for label, (_, (empty, full)) in results.items():
        grown, base_grown = full - empty, base_memory[1] - base_memory[0]
        lines.append(f"| {label} | {full / 1024:,.1f} | {grown / 1024:,.1f} | "
                     f"{grown * 1024 / options.keys:,.0f} | {ratio(grown, base_grown)} |")
    return "\n".join(lines) + "\n"


def main():
    parser = arguments(__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="times that each server is measured")
    parser.add_argument("--seconds", type=float, default=5, help="length of one measurement")
    parser.add_argument("--keys", type=int, default=1_000_000, help="keys, all of them stored")
    parser.add_argument("--rate", type=int, default=40_000, help="requests a second of the open loop")
    options = parser.parse_args()
    install(["memcached", "redis-server", "redis-tools"])
    if shutil.which(options.ours) is None:
        sys.exit(f"no such server: {options.ours} (run `swift build -c release --product kiln`)")
    generator = Generator(GENERATOR_CPUS)
    rounds = {OURS: [], "memcached": [], "redis": []}
    for number in range(options.rounds):
        progress(f"round {number + 1}/{options.rounds}")
        rounds[OURS].append(measure_memcached_like(OURS, options.ours, options, generator))
        rounds["memcached"].append(
            measure_memcached_like("memcached", options.peer, options, generator))
        rounds["redis"].append(measure_redis(options))
    results = {label: medians(one) for label, one in rounds.items()}
    text = markdown(options, results)
    names = ", ".join(versions(options).values())
    about = (f"Measured on {datetime.date.today()}: {names}; {machine()}. One server thread on its"
             f" own core, the generator on the other; 50 connections, reads of {options.keys:,}"
             f" keys of {KEY_BYTES} bytes with values of 100 bytes; medians of"
             f" {options.rounds} rounds, {options.seconds:g} s a load. Redis was loaded by redis-benchmark, the others by"
             " `kiln bench`: latencies of different tools compare roughly, and redis-benchmark has"
             " no open loop.\n")
    print(f"{text}\n{about}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "side_by_side.md").write_text(
        f"# Kiln beside memcached and Redis\n\n{text}\n{about}\nRun again with `make bench-peers`.\n")
    options.ours = os.path.relpath(options.ours, REPOSITORY)  # What the results show of it.
    options.json = options.json or RESULTS / "side_by_side.json"
    finish("side_by_side", options, {
        "processor": machine(), "versions": versions(options),
        "servers": [{"server": label, "cases": found, "empty_kib": memory[0],
                     "loaded_kib": memory[1], "rounds": rounds[label]}
                    for label, (found, memory) in results.items()]}, True)


if __name__ == "__main__":
    main()
