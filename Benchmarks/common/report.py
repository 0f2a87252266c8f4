"""Arguments, medians, tables and the JSON line that every benchmark script ends with."""

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import time

from .servers import default_ours

SCHEMA_VERSION = 1


def arguments(description, *, pairs=None) -> argparse.ArgumentParser:
    """A parser with the flags all scripts share."""
    # A script that is told to stop must still stop its servers: turn the signal into an exit.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--ours", default=default_ours(), help="our server (env KILN_BINARY)")
    parser.add_argument("--peer", default=os.environ.get("MEMCACHED_BINARY", "memcached"),
                        help="the server it is held against (env MEMCACHED_BINARY)")
    parser.add_argument("--json", metavar="FILE", help="write the JSON there as well")
    if pairs is not None:
        parser.add_argument("--pairs", type=int, default=pairs,
                            help="times that both servers are measured, in turn")
    return parser


def progress(text):
    """Tells a person at a terminal how far the run is; never part of the output."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def in_turn(servers, pair):
    """The servers in the order of this pair: every second pair is reversed, so drift cancels."""
    return servers if pair % 2 == 0 else servers[::-1]


def spread(values) -> dict[str, float]:
    """Median, lowest and highest of a list of figures."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def verdict(passed) -> str:
    """How a row's target is printed; `None` is a row without a target."""
    return {True: "ok", False: "MISSED", None: "-"}[passed]


def table(columns, rows):
    """Prints rows under their columns, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [columns, *cells]) for i in range(len(columns))]
    for row in [list(columns), ["-" * width for width in widths], *cells]:
        aligned = [cell.rjust(width) for cell, width in zip(row, widths)]
        aligned[0] = row[0].ljust(widths[0])
        print("  ".join(aligned).rstrip())


def finish(name, options, results, passed):
    """Prints the JSON line, writes it where asked, and exits 0, or 1 for a missed target."""
    document = {
        "schema_version": SCHEMA_VERSION, "benchmark": name, "passed": passed,
        "options": {k: v for k, v in vars(options).items() if k != "json"},
        "machine": {"kernel": platform.release(), "cpus": os.cpu_count(),
                    "load_average": os.getloadavg()},
        "results": results,
    }
    text = json.dumps(document, default=str)
    print(text)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    sys.exit(0 if passed else 1)
