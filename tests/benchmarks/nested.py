"""One residual, its value and parameter gradient: pinnace over nested jvp.

    python -m tests.benchmarks.nested

The mean square of one derivative of order 2, 3, 4, and of a Laplacian in 10 and in 100 dimensions (there against a scan
of nested jvp). Both sides take steps of plain gradient descent, which adds next to nothing to value and gradient.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import jax
import optax

from tests.benchmarks.autodiff import tower_jvp
from tests.benchmarks.problems import PROBLEMS, Problem
from tests.benchmarks.report import conditions, markdown, milliseconds, publish
from tests.benchmarks.rounds import SECONDS, interleaved, ratio
from tests.benchmarks.sides import by_hand, pinnace
from tests.benchmarks.taylor import Loss, layers_of, tower

SLOW = optax.sgd(1e-9)
"""So slow that the loss stays what it is."""


@dataclass(frozen=True)
class Case:
    """What is differentiated how."""

    title: str
    problem: Problem
    loss: Callable[[Any], Any]
    jvp: Loss
    hand: Loss


def derivative(order: int, field: Any) -> Any:
    """The mean square of one derivative along x at the points of Burgers."""
    x, t = PROBLEMS["burgers"].domain().variable("interior", 2540)
    return field(x, t).d(*[x] * order).mse


def cases() -> list[Case]:
    """Those of the table."""
    plane, ten, hundred = (PROBLEMS[name] for name in ("burgers", "laplacian10", "laplacian100"))
    single = [
        Case(
            f"order {order}",
            plane,
            partial(derivative, order),
            partial(tower_jvp, order=order),
            partial(tower, order=order),
        )
        for order in (2, 3, 4)
    ]
    laplacians = [
        Case(problem.title, problem, problem.loss, problem.jvp, problem.hand["separate"]) for problem in (ten, hundred)
    ]
    return single + laplacians


def main() -> None:
    """Compare all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of one side in one round")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--docs", action="store_true", help="also into docs/performance.md")
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for case in cases():
        module = case.problem.module()
        ours, crux = pinnace(case.loss, module, SLOW)
        points, layers = crux.state.points[0], layers_of(module)
        sides = {"pinnace": ours, "jvp": by_hand(case.jvp, layers, points, SLOW)}
        sides["hand"] = by_hand(case.hand, layers, points, SLOW)
        values = [side.loss for side in sides.values()]
        if max(values) - min(values) > 1e-4 * max(map(abs, values)):
            raise SystemExit(f"{case.title}: the losses differ, {values}")
        times = interleaved({name: side.steps for name, side in sides.items()}, given.rounds, given.seconds)
        over_jvp, over_hand = (ratio(times["pinnace"], times[name]) for name in ("jvp", "hand"))
        row = {
            "residual": case.title,
            "pinnace, ms": milliseconds(median(times["pinnace"])),
            "over nested jvp": over_jvp,
            "over by hand": over_hand,
        }
        rows.append(row)
        print(*(f"{name}: {value}" for name, value in row.items()), sep=", ", flush=True)
        jax.clear_caches()
    text = f"{conditions()}\n\n{markdown(list(rows[0]), [list(row.values()) for row in rows])}"
    publish("nested", text, rows, given.out, given.docs)


if __name__ == "__main__":
    main()
