"""Import, time to the first step, second solve, peak memory: each in a fresh process, pinnace and the step by hand.

    python -m tests.benchmarks.compile
    python -m tests.benchmarks.compile --only burgers kdv --pairs 5

"first" runs from the arrays of the problem to the end of the first step, the import left out; "cached" is the same with
JAX's persistent cache filled by an earlier process; "again" counts the compilations of a second, longer solve. It
writes compile.csv and compile.md into the folder given by --out.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.report import conditions, markdown, megabytes, publish, seconds

SIDES = ("pinnace", "by hand")
NAMES = ("burgers", "poisson", "kdv", "kuramoto", "cavity", "laplacian10", "laplacian100", "biharmonic")


def child(name: str, side: str) -> dict[str, Any]:
    """One side of one problem, in this process."""
    began = time.perf_counter()
    import jax

    from tests.benchmarks.problems import PROBLEMS
    from tests.benchmarks.sides import CLOCK, by_hand, pinnace
    from tests.benchmarks.taylor import layers_of

    imported = time.perf_counter() - began
    problem = PROBLEMS[name]
    module = jax.block_until_ready(problem.module())
    if side == "pinnace":
        built, _ = pinnace(problem.loss, module)
    else:
        points = jax.random.uniform(jax.random.key(1), (problem.points, problem.dimension))
        # the bundled variant compiles fastest in many dimensions
        loss = problem.hand["bundled"] if problem.dimension > 10 else next(iter(problem.hand.values()))
        built = by_hand(loss, layers_of(module), jax.block_until_ready(points))
    before = CLOCK.compilations
    built.steps(7)
    return {
        "import": imported,
        "first": built.first,
        "compile": built.compile,
        "again": CLOCK.compilations - before,
        "temporaries": built.memory,
        "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def fresh(name: str, side: str, cache: str | None = None) -> dict[str, Any]:
    """What `child` finds in a process of its own, on a cache of compiled programs or on none."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("JAX_COMPILATION_CACHE")}
    if cache is not None:
        variables |= {"JAX_COMPILATION_CACHE_DIR": cache, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    command = [sys.executable, "-m", "tests.benchmarks.compile", "--child", name, side]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=variables)
    return json.loads(found.stdout)


def measure(name: str, pairs: int) -> dict[str, Any]:
    """Medians of both sides in turn, then both with a filled cache."""
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for _ in range(pairs):
        for side in SIDES:
            found[side].append(fresh(name, side))
    row: dict[str, Any] = {"problem": name}
    for side in SIDES:
        for what in found[side][0]:
            row[f"{side}: {what}"] = median(one[what] for one in found[side])
        with tempfile.TemporaryDirectory() as cache:
            fresh(name, side, cache)
            row[f"{side}: cached"] = fresh(name, side, cache)["first"]
    return row


def table(rows: list[dict[str, Any]]) -> str:
    """Both sides next to each other."""
    head = ["problem", "first, s", "by hand", "difference", "cached, s", "by hand", "again", "peak, MB", "by hand"]
    return markdown(
        head,
        [
            [
                row["problem"],
                seconds(row["pinnace: first"]),
                seconds(row["by hand: first"]),
                f"{row['pinnace: first'] - row['by hand: first']:+.2f}",
                seconds(row["pinnace: cached"]),
                seconds(row["by hand: cached"]),
                f"{row['pinnace: again']:.0f}",
                megabytes(row["pinnace: peak"]),
                megabytes(row["by hand: peak"]),
            ]
            for row in rows
        ],
    )


def main() -> None:
    """All problems."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--docs", action="store_true", help="also into docs/performance.md")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(*given.child)))
        return
    rows = []
    for name in given.only:
        rows.append(measure(name, given.pairs))
        told = {key: round(value, 2) for key, value in rows[-1].items() if key.endswith(("first", "cached", "again"))}
        print(name, told, flush=True)
    text = f"{conditions()}\n\n{table(rows)}"
    publish("compile", text, rows, given.out, given.docs)


if __name__ == "__main__":
    main()
