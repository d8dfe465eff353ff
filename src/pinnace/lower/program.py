"""The frozen result: what to compute at each step, as pure functions of parameters, points and weights."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_other
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array

from pinnace._errors import LoweringError
from pinnace.expr import MEASURED, Expr, Names, Noise, PointSet, Tracker, nodes, replace, text
from pinnace.lower.batches import evaluate_in_batches, planned
from pinnace.lower.check import (
    check_bound,
    check_entries,
    check_measured,
    check_movers,
    check_names,
    check_targets,
    check_trained,
    warn_unused,
)
from pinnace.lower.given import Given
from pinnace.lower.losses import Loss, raw_losses, tracker_name
from pinnace.lower.reduce import aligned, residual_vector, squares
from pinnace.lower.require import Plan
from pinnace.optim import Trainable

WEIGHTS = ("weight", "point weight")
"""Nodes that stand for what a cell gives; its identity comes first in their data."""


class Static:
    """The part of a module that is no array: compared leaf by leaf, so that programs can be."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        leaves, self._structure = jax.tree.flatten(tree)
        by_value = [isinstance(leaf, Hashable) and not eqx.is_array(leaf) for leaf in leaves]
        self._leaves = tuple(leaf if told else id(leaf) for leaf, told in zip(leaves, by_value, strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and (self._structure, self._leaves) == (other._structure, other._leaves)

    def __hash__(self) -> int:
        return hash((self._structure, self._leaves))


@dataclass(frozen=True)
class Logged:
    """A tracker of the program: its name in the history, what it logs, at which steps."""

    name: str
    expr: Expr
    every: int
    stage: str
    """When in a step it is known: "within" the forward pass, "beside" it at the same parameters, or "after" them."""


@dataclass(frozen=True)
class Moved:
    """How the points of one set are moved every so many steps: by a rule, from a residual there."""

    expr: Expr
    rule: Any
    every: int


@dataclass(frozen=True)
class Program:
    """What a list of entries means. Two programs of the same expressions are equal, whatever their balancers' numbers.

    In its expressions names are gone, and weights refer to balancers by number.
    """

    entries: tuple[Expr, ...]
    losses: tuple[Expr, ...]
    loss_names: tuple[str, ...]
    trackers: tuple[Logged, ...]
    cells: tuple[tuple[Expr, ...], ...]
    """What each cell looks at: the losses of a balancer, the residual of point weights."""
    moved: tuple[Moved | None, ...]
    """For each point set, what moves it beside its own plan."""
    trainables: tuple[Trainable, ...]
    names: tuple[str, ...]
    """The names of the trainables."""
    statics: tuple[Static, ...]
    points: tuple[PointSet, ...]
    noises: tuple[Noise, ...]
    """What is drawn anew at each step."""

    def given(
        self,
        params: Sequence[Any],
        points: Sequence[Array],
        weights: Callable[[int, Sequence[Array]], Array],
        **how: Any,
    ) -> Given:
        """What the expressions are evaluated at: arrays of the modules, points, where weights come from, and how."""
        modules = [eqx.combine(arrays, static.tree) for arrays, static in zip(params, self.statics, strict=True)]
        return Given(
            dict(zip(self.trainables, modules, strict=True)),
            dict(zip(self.points, points, strict=True)),
            weights,
            noises={noise: number for number, noise in enumerate(self.noises)},
            **how,
        )

    def evaluate(self, roots: Sequence[Expr], given: Given) -> list[Any]:
        """The values of expressions of this program, everything that they share computed once."""
        return evaluate_in_batches(roots, given)

    def plan(self) -> Plan:
        """Which derivatives the entries and losses need."""
        return planned((*self.entries, *self.losses))

    def residuals(self, given: Given) -> Array:
        """The vector whose squares sum up to the total: see `reduce.squares`.

        All residuals at once, whatever `microbatch` says: the vector itself is as long as the points are many. Rows of
        points that only fill up a set are zero.
        """
        parts = [part for entry in self.entries for part in squares(entry)]
        values = iter(self.evaluate([expr for part in parts for expr in part], given))
        rows = []
        for _, residual, weight in parts:
            factor = next(values)
            found = aligned((residual, weight), [next(values), next(values)])
            points = residual.points or weight.points
            rows.append((factor, found, None if points is None else given.counts.get(points)))
        return residual_vector(rows)


@dataclass(frozen=True)
class Compiled:
    """A program with what it refers to by number."""

    program: Program
    written: tuple[Expr, ...]
    """The losses among the entries, as the user wrote them."""
    losses: tuple[Expr, ...]
    """The raw losses of the program, for people: their weights still know their balancers."""
    cells: tuple[Any, ...]
    names: Names


def lower(entries: Sequence[Any]) -> Compiled:
    """From the entries of core to a program: check, name, number.

    Raises LoweringError, and warns of weights that are not used.
    """
    names = Names()
    written, tracked, movers = check_entries(entries, names)
    found = list(nodes([*written, *(beside.expr for beside in (*tracked, *movers))]))
    cells = tuple(dict.fromkeys(node.data[0] for node in found if node.kind in WEIGHTS))
    trainables = tuple(dict.fromkeys(node.data[0] for node in found if node.kind in ("field", "parameter")))
    trained = dict.fromkeys(node.data[0] for node in nodes(written) if node.kind in ("field", "parameter"))
    canonical = Canonical(cells)
    check_bound(found)
    check_names(trainables, names)
    labels = tuple(map(names, trainables))
    check_trained(tuple(trained), names)
    check_movers(movers, written, cells, names)
    check_measured([*written, *(expr for cell in cells for expr in cell.inputs), *(m.expr for m in movers)], names)
    check_targets(found, trainables, names)
    warn_unused(written, cells, names)
    losses = raw_losses([*written, *(loss for cell in cells for loss in cell.losses)])
    points = tuple(dict.fromkeys(node.points for node in found if node.points is not None))
    moved = {mover.expr.points: Moved(canonical(mover.expr), mover.rule, mover.every) for mover in movers}
    program = Program(
        entries=tuple(map(canonical, written)),
        losses=tuple(canonical(loss.expr) for loss in losses),
        loss_names=tuple(loss.name for loss in losses),
        trackers=_trackers(tracked, canonical, {"total", *(f"lr({label})" for label in labels)}, losses, names),
        cells=tuple(tuple(map(canonical, cell.inputs)) for cell in cells),
        moved=tuple(map(moved.get, points)),
        trainables=trainables,
        names=labels,
        statics=tuple(Static(eqx.partition(trainable.module, eqx.is_array)[1]) for trainable in trainables),
        points=points,
        noises=noises_of(found),
    )
    shown = tuple(replace(loss.expr, {"named": lambda node, args: args[0]}) for loss in losses)
    return Compiled(program, tuple(written), shown, cells, names)


def noises_of(found: Iterable[Expr]) -> tuple[Noise, ...]:
    """What the nodes draw anew at each step, in order of first use."""
    return tuple(dict.fromkeys(node.data[0] for node in found if node.kind == "trace"))


class Canonical:
    """Expressions without names, their weights numbered."""

    def __init__(self, cells: Sequence[Any]) -> None:
        self._numbers = {cell: k for k, cell in enumerate(cells)}
        self._rules: Mapping[str, Callable[[Expr, tuple], Expr]] = {
            "named": lambda node, args: args[0],
            **{kind: lambda node, args: Expr(node.kind, args, self._numbered(node)) for kind in WEIGHTS},
        }

    def _numbered(self, node: Expr) -> tuple[Any, ...]:
        cell, *place = node.data
        return self._numbers[cell], *place

    def __call__(self, expr: Expr) -> Expr:
        return replace(expr, self._rules)


def stage_of(expr: Expr, every: int) -> str:
    """When in a step an expression is known that is logged every so many steps."""
    kinds = {node.kind for node in nodes([expr])}
    if "update norm" in kinds:
        return "after"
    return "within" if every == 1 and kinds.isdisjoint(MEASURED) else "beside"


def _trackers(
    tracked: Sequence[Tracker], canonical: Canonical, reserved: set[str], losses: Sequence[Loss], names: Names
) -> tuple[Logged, ...]:
    """The trackers with names: the same one written twice is one, different ones of one default name are numbered.

    Raises LoweringError where a name that somebody gave is taken.
    """
    found: dict[str, Logged] = {}
    taken = reserved | {loss.name for loss in losses}
    for tracker in tracked:
        expr = canonical(tracker.expr)
        base = tracker.name or tracker_name(tracker.expr, losses, names)
        logged = Logged(base, expr, tracker.every, stage_of(expr, tracker.every))
        k = 1
        while logged.name in taken or found.get(logged.name, logged) != logged:
            if tracker.name:
                raise LoweringError(
                    f'two things are logged as "{base}", one of them the tracker of `{text(tracker.expr, names)}`. '
                    f'Give it another name, `.tracker("...")`.'
                )
            k += 1
            logged = with_other(logged, name=f"{base} {k}")
        found[logged.name] = logged
    return tuple(found.values())
