"""A problem as its step sees it, for people."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax

from pinnace.expr import factory_name, nodes, text
from pinnace.lower import Compiled, FieldWork, spelled
from pinnace.schedule import LearningRateSchedule
from pinnace.step import Attached, Cost, State

MOST = 12
"""Derivatives of a field that are written out."""

LONG = 120
"""Letters of a rate that are shown; of a longer one its name."""


def explain(
    compiled: Compiled, state: State, cost: Cost, surgery: Any = None, attachments: Sequence[Attached] = ()
) -> str:
    """Losses, point sets, fields with the derivatives that each needs, all that adapts, and the cost of a step."""
    program, names = compiled.program, compiled.names
    lines = ["losses"]
    lines += [f"  {name}: {text(loss, names)}" for name, loss in zip(program.loss_names, compiled.losses, strict=True)]
    lines.append("point sets")
    lines += [
        f"  {points.size} x {array.shape[1]}, {points.label}"
        for points, array in zip(program.points, state.points, strict=True)
    ]
    lines.append("fields")
    for trainable, name, params in zip(program.trainables, program.names, state.params, strict=True):
        count = sum(leaf.size for leaf in jax.tree.leaves(params))
        trained = "trained" if trainable.binding is not None else "held"
        lines.append(f"  {name}: {count} numbers, {trained}{_derivatives(program, trainable)}")
        lines += [f"    {_work(one)}" for one in cost.fields if one.field is trainable]
    estimates = [text(node, names) for node in nodes(program.entries) if node.kind == "trace"]
    lines += ["estimated, drawn anew at each step", *(f"  {one}" for one in estimates)] if estimates else []
    lines += ["optimizers"] if attachments else []
    lines += [f"  {_optimizer(one, state, k)}" for k, one in enumerate(attachments)]
    if compiled.cells:
        lines.append("balancers")
        for cell in compiled.cells:
            lines.append(f"  {cell.name} of {cell.targets(names)}")
    movers = [
        f"  {points!r}, {factory_name(moved.rule)} every {moved.every} steps"
        for points, moved in zip(program.points, program.moved, strict=True)
        if moved is not None
    ]
    lines += ["points that move", *movers] if movers else []
    lines += ["surgery", f"  {factory_name(surgery)}"] if surgery is not None else []
    logged = [f"  {one.name}" + (f", every {one.every} steps" if one.every > 1 else "") for one in program.trackers]
    lines += ["trackers", *logged] if logged else []
    forward = sum(one.products for one in cost.fields)
    lines += [
        "a step",
        f"  {cost.flops:.3g} floating-point operations",
        f"  {cost.products} matrix products; one forward pass of all fields has {forward}",
        f"  {_size(cost.peak)} at its peak: {_size(cost.temporary)} temporary, {_size(cost.arguments)} arguments, "
        f"{_size(cost.results)} results",
    ]
    return "\n".join(lines)


def _optimizer(one: Attached, state: State, number: int) -> str:
    """Whom it trains, what it remembers, which tells what it is, and its rate."""
    nested = jax.tree.leaves(state.optimizers[number], is_leaf=_is_named)
    parts = [type(part).__name__.removesuffix("State") for part in nested if _is_named(part)]
    shown = ", ".join(part for part in parts if part != "Empty") or "without memory"
    rate = "" if one.schedule is None else f", rate {_rate(one.schedule)}"
    count = int(state.counts[number])
    return f"{', '.join(one.group.names)}: {shown}{rate}, {count} update{'s' * (count != 1)} so far"


def _is_named(part: Any) -> bool:
    return isinstance(part, tuple) and type(part) is not tuple


def _rate(schedule: LearningRateSchedule) -> str:
    written = " ".join(eqx.tree_pformat(schedule.rule, width=1000).split())
    return written if len(written) <= LONG else factory_name(schedule.rule)


def _work(one: FieldWork) -> str:
    moved = ", moved by .at" if one.moved else ""
    where = "one point" if one.points is None else f"{one.points.size} points, {one.points.label}{moved}"
    where += f", {one.nodes} nodes of an integral" if one.nodes > 1 else ""
    streams = "its value alone" if one.streams == 1 else f"{one.streams} streams (value and derivatives)"
    return f"at {where}: {streams}, {one.products} matrix products"


def _size(count: int) -> str:
    return f"{count / 1e6:.3g} MB"


def _derivatives(program: Any, trainable: Any) -> str:
    found: dict[str, None] = {}
    for key, terms in program.plan().needs.items():
        frame, node = key
        if node.kind != "field" or node.data[0] is not trainable:
            continue
        for term in sorted(terms, key=lambda term: (term.order, term.rank)):
            found.setdefault(spelled(term, frame.names))
    shown = list(found) if len(found) <= MOST else [*list(found)[:MOST], f"... {len(found)} in all"]
    return f", derivatives: {', '.join(shown)}" if found else ""
