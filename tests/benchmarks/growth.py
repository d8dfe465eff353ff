"""What a step of pinnace costs as a problem grows.

    python -m tests.benchmarks.growth            takes minutes; the largest point set needs gigabytes
    python -m tests.benchmarks.growth --quick    points up to 1e5, width up to 256
    python -m tests.benchmarks.growth --only points losses

Points (Burgers), width (Burgers, 1000 points), losses (Burgers, each loss with 200 points of its own), dimension
(Laplacian, 500 points), order of one derivative (1000 points). What would not fit into memory is left out. Writes
growth.csv, growth.md and growth.png into the folder given by --out, and the table into docs/performance.md with --docs.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import log
from operator import add
from pathlib import Path
from statistics import median
from typing import Any

import jax

from tests.benchmarks.figure import growth as figure
from tests.benchmarks.problems import PROBLEMS, Problem, cube, laplacian
from tests.benchmarks.report import conditions, markdown, megabytes, milliseconds, publish, seconds
from tests.benchmarks.sides import pinnace

BURGERS = PROBLEMS["burgers"]


@dataclass(frozen=True)
class Sweep:
    """A quantity that grows: its values, and network and loss at one of them."""

    name: str
    values: Sequence[int]
    quick: Sequence[int]
    at: Callable[[int], tuple[Any, Callable[[Any], Any]]]


def points(n: int) -> tuple[Any, Callable[[Any], Any]]:
    return BURGERS.module(), lambda field: BURGERS.loss(field, n)


def width(size: int) -> tuple[Any, Callable[[Any], Any]]:
    return BURGERS.module(size), lambda field: BURGERS.loss(field, 1000)


def losses(count: int) -> tuple[Any, Callable[[Any], Any]]:
    return BURGERS.module(), lambda field: reduce(add, [BURGERS.loss(field, 200) for _ in range(count)])


def dimension(d: int) -> tuple[Any, Callable[[Any], Any]]:
    base = PROBLEMS["poisson"]
    problem = Problem("grown", "", cube(d), 500, laplacian, base.hand, base.jvp, base.grad, dimension=d)
    return problem.module(), problem.loss


def order(k: int) -> tuple[Any, Callable[[Any], Any]]:
    def loss(field: Any) -> Any:
        x, t = BURGERS.domain().variable("interior", 1000)
        return field(x, t).d(*[x] * k).mse

    return BURGERS.module(), loss


SWEEPS = {
    sweep.name: sweep
    for sweep in (
        Sweep("points", (1_000, 10_000, 100_000, 1_000_000), (1_000, 10_000, 100_000), points),
        Sweep("width", (32, 64, 128, 256, 512, 1024), (32, 64, 128, 256), width),
        Sweep("losses", (1, 2, 5, 10, 20, 50), (1, 5, 20, 50), losses),
        Sweep("dimension", (2, 5, 10, 20, 50, 100), (2, 10, 50), dimension),
        Sweep("order", (1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 5, 6), order),
    )
}


def free_memory() -> float:
    """Bytes that are free now."""
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def run(sweep: Sweep, values: Sequence[int], rounds: int, per_round: float) -> list[dict[str, Any]]:
    """A row for each value: time of a step with range, time to the first step, temporaries, growth since the last."""
    rows: list[dict[str, Any]] = []
    for value in values:
        if rows and rows[-1]["temporaries_bytes"] * value / rows[-1]["value"] > 0.7 * free_memory():
            print(f"{sweep.name} {value} is left out: it would not fit into memory")
            break
        module, loss = sweep.at(value)
        built, _ = pinnace(loss, module)
        once = built.steps(1)
        count = max(1, min(200, round(per_round / once)))
        times = [built.steps(count) / count for _ in range(rounds)]
        row = {
            "grows": sweep.name,
            "value": value,
            "ms": 1e3 * median(times),
            "ms_low": 1e3 * min(times),
            "ms_high": 1e3 * max(times),
            "first_s": built.first,
            "compile_s": built.compile,
            "temporaries_bytes": built.memory or 0,
        }
        if rows:
            row["exponent"] = log(row["ms"] / rows[-1]["ms"]) / log(value / rows[-1]["value"])
        rows.append(row)
        print(f"{sweep.name} {value}: {row['ms']:.3g} ms, first step {built.first:.1f} s", flush=True)
        jax.clear_caches()
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """The rows of all sweeps."""
    head = ["grows", "to", "ms a step (range)", "exponent", "first step, s", "temporaries, MB"]
    return markdown(
        head,
        [
            [
                row["grows"],
                row["value"],
                f"{milliseconds(row['ms'] / 1e3)} ({milliseconds(row['ms_low'] / 1e3)} to "
                f"{milliseconds(row['ms_high'] / 1e3)})",
                f"{row['exponent']:.2f}" if "exponent" in row else "",
                seconds(row["first_s"]),
                megabytes(row["temporaries_bytes"]),
            ]
            for row in rows
        ],
    )


def main() -> None:
    """All sweeps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SWEEPS, default=list(SWEEPS))
    parser.add_argument("--quick", action="store_true", help="without the largest values")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="of one round")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--docs", action="store_true", help="also into docs/performance.md")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name in given.only:
        sweep = SWEEPS[name]
        rows += run(sweep, sweep.quick if given.quick else sweep.values, given.rounds, given.seconds)
    intro = "An exponent is that of the cost between two rows: 1 is linear."
    text = f"{conditions()}\n\n{intro}\n\n{table(rows)}"
    publish("growth", text, rows, given.out, given.docs)
    figure(
        given.out / "growth.png",
        {
            name: (
                [row["value"] for row in rows if row["grows"] == name],
                [row["ms"] for row in rows if row["grows"] == name],
                [row["temporaries_bytes"] / 1e6 for row in rows if row["grows"] == name],
            )
            for name in given.only
        },
    )


if __name__ == "__main__":
    main()
