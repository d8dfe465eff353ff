"""Problems, runs and histories as tables of HTML, for notebooks."""

from collections.abc import Iterable, Sequence
from functools import reduce
from html import escape
from operator import add

import jax

from pinnace.expr import Expr, PointSet, factory_name, nodes
from pinnace.lower import Compiled
from pinnace.step import State
from pinnace.train.curves import draw
from pinnace.train.formula import REFUSED, figure_picture, formula
from pinnace.train.history import History
from pinnace.train.tables import Row, counted, history_table, last, page, table


def crux_html(compiled: Compiled, state: State, history: History) -> str:
    """Losses with their definitions, point sets, fields, balancers and trackers of a problem as it stands."""
    program, names = compiled.program, compiled.names
    total = reduce(add, compiled.written)
    losses = [["total", formula(total, names, top=False), "", last(history, "total")]]
    for name, loss in zip(program.loss_names, compiled.losses, strict=True):
        where = ", ".join(dict.fromkeys(map(_region, _points_of(loss))))
        losses.append([escape(name), formula(loss, names), escape(where), last(history, name)])
    sizes = [sum(leaf.size for leaf in jax.tree.leaves(params)) for params in state.params]
    steps = int(state.step)
    head = f"<b>Crux</b> after {counted(steps, 'step')}: {counted(len(program.loss_names), 'loss')}, "
    head += f"{counted(sum(sizes), 'parameter')}"
    return page(
        head,
        table("losses", ["", "definition", "points", "last"], losses),
        table("point sets", ["", "points", "coordinates", "of", "drawn"], _point_rows(compiled)),
        table("fields", ["", "module", "parameters", "trained", "rate"], _field_rows(compiled, sizes, history)),
        table("balancers", ["", "of"], [[escape(cell.name), escape(cell.targets(names))] for cell in compiled.cells]),
        table(
            "trackers",
            ["", "every", "last"],
            [[escape(one.name), str(one.every), last(history, one.name)] for one in program.trackers],
        ),
    )


def run_html(
    history: History,
    *,
    first: int,
    message: str,
    seconds: float,
    losses: Sequence[str],
    weights: Sequence[str],
    notes: Sequence[str] = (),
) -> str:
    """How a run ended, how long it took, first and last values, and the losses as a figure."""
    steps = len(history["total"]) if "total" in history else 0
    head = f"<b>Run</b> of {counted(steps, 'step')} from {first} in {seconds:.1f} s: {escape(message)}"
    told = "".join(f"<br>{escape(note)}" for note in notes)
    kinds = dict.fromkeys(losses, "loss") | dict.fromkeys(weights, "weight")
    ordered = [name for name in (*losses, *weights) if name in history]
    return page(head + told, history_table(history, ordered, kinds), _figure(history, losses, weights))


def _figure(history: History, losses: Sequence[str], weights: Sequence[str]) -> str:
    """The losses, and weights beside them, small; nothing where they cannot be drawn."""
    if not len(history):
        return ""
    logged = [name for name in weights if name in history]
    try:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9.0 if logged else 5.5, 2.4), layout="constrained")
        draw(history, losses, logged, figure.subplots(1, 1 + bool(logged)), few=0)
        for panel in figure.axes:
            panel.set_xlabel("step")
        return figure_picture(figure, "losses over the steps")
    except REFUSED:
        return ""


def _points_of(loss: Expr) -> Iterable[PointSet]:
    found = (node.points for node in nodes([loss]) if node.kind == "coordinate")
    return (points for points in found if points is not None and not points.symbolic)


def _region(points: PointSet) -> str:
    """Which part of its domain a set is, in one word where it has one."""
    return points.label.partition(" of ")[0]


def _point_rows(compiled: Compiled) -> Iterable[Row]:
    for points, moved in zip(compiled.program.points, compiled.program.moved, strict=True):
        region, _, domain = points.label.partition(" of ")
        drawn = list(points.plan.words)
        drawn += [f"{factory_name(moved.rule)} every {moved.every} steps"] if moved is not None else []
        axes = ", ".join(points.axes)
        yield [escape(region), f"{points.size:,}", escape(axes), escape(domain), escape(", ".join(drawn))]


def _field_rows(compiled: Compiled, sizes: Sequence[int], history: History) -> Iterable[Row]:
    for trainable, name, size in zip(compiled.program.trainables, compiled.program.names, sizes, strict=True):
        binding = trainable.binding
        schedule = None if binding is None else binding.schedule
        rate = "" if schedule is None else factory_name(schedule.rule)
        now = last(history, f"lr({name})")
        rate += f", now {now}" if now else ""
        trained = "no" if binding is None else "yes"
        yield [escape(name), escape(type(trainable.module).__name__), f"{size:,}", trained, escape(rate)]
