"""What a program makes its fields do, counted: for people who wonder why a problem is expensive."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import jax
from jax.extend import core as jex

from pinnace.expr import PointSet
from pinnace.expr.text import postorder
from pinnace.lower.evaluate import evaluate
from pinnace.lower.frame import Frame
from pinnace.lower.given import Given
from pinnace.lower.require import Key, Plan
from pinnace.optim import Trainable


@dataclass(frozen=True)
class FieldWork:
    """One propagation of a field: `streams` arrays, its value and derivatives, through `products` matrix products."""

    field: Trainable
    points: PointSet | None
    """None where the field is taken at one point."""
    moved: bool
    """Whether `.at` has given it other coordinates."""
    nodes: int
    """How many nodes of integrals it is taken at, for each point."""
    streams: int
    products: int


def work(plan: Plan, given: Given) -> list[FieldWork]:
    """What each field has to do in one forward pass, in order of evaluation."""
    found: list[FieldWork] = []
    products: dict[Key, int] = {}
    for key in plan.order:
        frame, node = key
        if node.kind != "field":
            continue
        order = tuple(postorder([key], plan.before))
        alone = replace(plan, roots=(key,), order=order)
        together = matrix_products(jax.make_jaxpr(lambda alone=alone: evaluate(alone, given))())
        products[key] = together - sum(products.get(inner, 0) for inner in order)
        streams = len(plan.needs[key] | {frame.value})
        points = next((where.points for where, one in order if where.outer is None and one.points is not None), None)
        nodes = prod(one.data[4] for _, one in order if one.kind == "abscissa")
        moved = any(one.outer is not None and not _of_integral(one) for one in _around(frame))
        found.append(FieldWork(node.data[0], points, moved, nodes, streams, products[key]))
    return found


def _around(frame: Frame | None) -> Iterator[Frame]:
    while frame is not None:
        yield frame
        frame = frame.outer


def _of_integral(frame: Frame) -> bool:
    return any(value.kind == "abscissa" for value in frame.moved.values())


def matrix_products(closed: Any) -> int:
    """How many matrix products a traced function computes: in a loop as often as that turns, in branches the most.

    A loop of unknown length counts as one turn.
    """
    jaxpr = closed.jaxpr if isinstance(closed, jex.ClosedJaxpr) else closed
    return sum(map(_of_equation, jaxpr.eqns))


def _of_equation(equation: Any) -> int:
    if equation.primitive.name in ("dot_general", "ragged_dot_general", "conv_general_dilated"):
        return 1
    items = [item for value in equation.params.values() for item in (value if isinstance(value, tuple) else (value,))]
    counts = [matrix_products(item) for item in items if isinstance(item, (jex.ClosedJaxpr, jex.Jaxpr))]
    if equation.primitive.name == "cond":
        return max(counts)
    return sum(counts) * equation.params.get("length", 1) if equation.primitive.name == "scan" else sum(counts)
