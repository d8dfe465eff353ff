"""A problem as its step sees it, for people."""

from typing import Any

import jax
import numpy as np

from pinnace.expr import text
from pinnace.lower import Compiled
from pinnace.step import State


def explain(compiled: Compiled, state: State, cost: dict[str, float]) -> str:
    """Losses, point sets, fields with the derivatives that each needs, balancers, and the cost of a step."""
    program, names = compiled.program, compiled.names
    lines = ["losses"]
    lines += [f"  {name}: {text(loss, names)}" for name, loss in zip(program.loss_names, compiled.losses, strict=True)]
    lines.append("point sets")
    lines += [
        f"  {array.shape[0]} x {array.shape[1]}, {points.label}"
        for points, array in zip(program.points, state.points, strict=True)
    ]
    lines.append("fields")
    for trainable, name, params in zip(program.trainables, program.names, state.params, strict=True):
        count = sum(leaf.size for leaf in jax.tree.leaves(params))
        trained = "trained" if trainable.binding is not None else "held"
        lines.append(f"  {name}: {count} numbers, {trained}{_derivatives(program, trainable)}")
    if compiled.cells:
        lines.append("balancers")
        for cell in compiled.cells:
            lines.append(f"  {cell.name} of {', '.join(cell.target(k, names) for k in range(len(cell.losses)))}")
    lines.append(f"a step: {cost.get('flops', np.nan):.3g} floating-point operations")
    return "\n".join(lines)


def _derivatives(program: Any, trainable: Any) -> str:
    found: dict[str, None] = {}
    for key, terms in program.plan().needs.items():
        frame, node = key
        if node.kind != "field" or node.data[0] is not trainable:
            continue
        for term in sorted(terms, key=lambda term: (term.order, [-count for count in term.counts])):
            axes = frame.points.axes if frame.points else ()
            shown = "".join(axis * count for axis, count in zip(axes, term.counts, strict=True))
            found.setdefault(shown or "value")
    return f", derivatives: {', '.join(found)}" if found else ""
