"""`make bench`: every measure of the budgets and one table. `python tests/bench NAME...` takes only some.

KUBE_RIG names a folder with the program `control-plane` (a real API server): the API's times are then shown beside its own.
Nothing is asserted: a machine that does other things besides is slower.
"""

from __future__ import annotations

import importlib
import os
import sys

MEASURES = (
    "cold",
    "start",
    "memory",
    "verbs",
    "throughput",
    "delivery",
    "crowd",
    "fanout",
    "reset",
    "imports",
    "notebooks",
    "graph",
)


def main(wanted):
    """Measure, say what was measured as it comes, and print the table."""
    rows = []
    for name in wanted or MEASURES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            rows += importlib.import_module(name).measure()
        except SystemExit as error:
            print(f"{name} could not be measured: {error}", file=sys.stderr, flush=True)
    print(f"{'what':58} {'measured':>12} {'bar':>10} {'real':>10} {'ratio':>7}")
    for row in rows:
        print(_line(row))
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def _line(row):
    """Lay out one row. A relative bar is held against the ratio, which is there only with a baseline."""
    held = row.ratio if row.relative else row.value
    bar = "" if row.bar is None else f"{row.bar:.2g} x" if row.relative else f"{row.bar:g} {row.unit}"
    real = f"{row.baseline:.2f} {row.unit}" if row.baseline else ""
    ratio = f"{row.ratio:.2f}" if row.baseline else ""
    mark = "  MISSED" if None not in {held, row.bar} and held > row.bar else ""
    return f"{row.what:58} {row.value:9.2f} {row.unit:2} {bar:>10} {real:>10} {ratio:>7}{mark}"


if __name__ == "__main__":
    main(sys.argv[1:])
