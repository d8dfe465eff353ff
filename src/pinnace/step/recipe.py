"""What a step is compiled from: what stays fixed, and the numbers that may change without compiling again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import optax
from jaxtyping import Array, PyTree

from pinnace._errors import LoweringError
from pinnace.fn import Cell, Form
from pinnace.lower import Compiled, Given, Program, Static
from pinnace.optim import Binding, Trainable, trainable_of
from pinnace.schedule import LearningRateSchedule
from pinnace.step.placement import Placement
from pinnace.step.scale import Scale
from pinnace.step.state import State
from pinnace.surgery import Surgery


@dataclass(frozen=True)
class Group:
    """The fields that one optimizer trains together."""

    members: tuple[int, ...]
    """Their numbers in the program."""
    masks: tuple[Static, ...]
    """Which of their arrays are trained: trees of booleans."""
    tx: optax.GradientTransformationExtraArgs
    names: tuple[str, ...]

    def trained(self, params: Sequence[PyTree]) -> PyTree:
        """The arrays that are trained: one tree for one field, a tuple of trees for several."""
        parts = [eqx.filter(params[k], mask.tree) for k, mask in zip(self.members, self.masks, strict=True)]
        return tuple(parts) if len(parts) > 1 else parts[0]

    def put(self, params: Sequence[PyTree], trained: PyTree) -> tuple[PyTree, ...]:
        """All arrays, with the trained ones replaced."""
        parts = trained if len(self.members) > 1 else (trained,)
        found = list(params)
        for k, mask, part in zip(self.members, self.masks, parts, strict=True):
            held = eqx.filter(params[k], mask.tree, inverse=True)
            found[k] = eqx.combine(part, held)
        return tuple(found)


@dataclass(frozen=True)
class CellPart:
    """What is fixed about a balancer, or about point weights, in the program."""

    static: Static
    form: Form
    reads: frozenset[str]
    name: str
    chosen: tuple[Static, ...] | None
    """For each trainable a tree of booleans: the parameters whose gradients count; None for all."""


@dataclass(frozen=True)
class Operation:
    """What is fixed about how gradients of entries are combined."""

    static: Static
    reads: frozenset[str]


@dataclass(frozen=True)
class Recipe:
    """Everything fixed about a step. Equal recipes share one compilation."""

    program: Program
    cells: tuple[CellPart, ...]
    groups: tuple[Group, ...]
    schedules: tuple[Static | None, ...]
    scale: Scale
    surgery: Operation | None = None

    @cached_property
    def placement(self) -> Placement:
        """Where the arrays of a state lie."""
        return Placement(self.scale, self.program.points)

    def put(self, params: Sequence[PyTree], trained: Sequence[PyTree]) -> Sequence[PyTree]:
        """All arrays, with those replaced that the groups train."""
        for group, part in zip(self.groups, trained, strict=True):
            params = group.put(params, part)
        return params

    def chosen(self, number: int, gradients: Sequence[PyTree]) -> PyTree:
        """Gradients, one tree a group, without those that do not count for a cell."""
        masks = self.cells[number].chosen
        if masks is None:
            return gradients
        found = []
        for group, tree in zip(self.groups, gradients, strict=True):
            parts = tree if len(group.members) > 1 else (tree,)
            found += [eqx.filter(part, masks[k].tree) for k, part in zip(group.members, parts, strict=True)]
        return tuple(found)

    def given(
        self,
        params: Sequence[PyTree],
        points: Sequence[Array],
        weights: Callable[[int, Sequence[Array]], Array],
        state: State,
    ) -> Given:
        """What expressions are evaluated at, in the step from a state; the state tells what is drawn."""
        return self.program.given(params, points, weights, chance=chance(self.program, state), **self.placement.how())


def chance(program: Program, state: State) -> Any:
    """The key of what expressions draw in the step from a state; samplers and balancers have the keys before it."""
    root = jax.random.wrap_key_data(state.key)
    return key_of(root, len(program.points) + len(program.cells), state)


def key_of(root: Any, number: int, state: State) -> Any:
    """The key of one consumer in one step: points first, then cells, what expressions draw, and surgery."""
    return jax.random.fold_in(jax.random.fold_in(root, number), state.step)


@dataclass(frozen=True)
class Attached:
    """An optimizer as it was when its group was made: tells later what has changed."""

    binding: Binding
    group: Group
    schedule: LearningRateSchedule | None


def attached(compiled: Compiled) -> tuple[Attached, ...]:
    """The optimizers of a program's fields as they are attached now, in order of first use.

    Fields under one binding are one group; those without anything to train are left out.
    """
    program = compiled.program
    by_binding: dict[Binding, list[int]] = {}
    masks: dict[int, Static] = {}
    for k, trainable in enumerate(program.trainables):
        tree = jax.tree.map(
            lambda leaf, chosen: chosen if eqx.is_array(leaf) else None, trainable.module, trainable.mask()
        )
        if trainable.binding is not None and any(jax.tree.leaves(tree)):
            masks[k] = Static(tree)
            by_binding.setdefault(trainable.binding, []).append(k)
    return tuple(
        Attached(
            binding,
            Group(tuple(ks), tuple(masks[k] for k in ks), binding.tx, tuple(program.names[k] for k in ks)),
            binding.schedule,
        )
        for binding, ks in by_binding.items()
    )


def recipe(
    compiled: Compiled, attachments: Sequence[Attached], scale: Scale | None = None, surgery: Surgery | None = None
) -> tuple[Recipe, PyTree]:
    """The fixed part of a step, and the numbers of its balancers, schedules and surgery."""
    cells, numbers = [], []
    for cell in compiled.cells:
        part, dynamic = _cell(cell, compiled.program.trainables)
        cells.append(part)
        numbers.append(dynamic)
    rates = [None if one.schedule is None else _split(one.schedule) for one in attachments]
    operation, amounts = (None, ()) if surgery is None else _operation(surgery)
    fixed = Recipe(
        compiled.program,
        tuple(cells),
        tuple(one.group for one in attachments),
        tuple(None if rate is None else rate[0] for rate in rates),
        scale or Scale(),
        operation,
    )
    return fixed, (tuple(numbers), tuple(None if rate is None else rate[1] for rate in rates), amounts)


def _operation(surgery: Surgery) -> tuple[Operation, PyTree]:
    static, dynamic = _split(surgery)
    return Operation(static, frozenset(surgery.reads)), dynamic


def _cell(cell: Cell, trainables: Sequence[Trainable]) -> tuple[CellPart, PyTree]:
    static, dynamic = _split(cell.balancer)
    return CellPart(static, cell.form, cell.reads, str(cell.name), _chosen(cell, trainables)), dynamic


def _chosen(cell: Cell, trainables: Sequence[Trainable]) -> tuple[Static, ...] | None:
    if cell.filter is True:
        return None
    if not isinstance(cell.filter, Mapping):
        return tuple(Static(trainable.spread(cell.filter)) for trainable in trainables)
    given = {trainable_of(thing): one for thing, one in cell.filter.items()}
    for trainable in given:
        if trainable not in trainables:
            raise LoweringError(
                f"{cell.name} has a filter for {trainable!r}, which no entry of core uses. Leave it out."
            )
    return tuple(Static(trainable.spread(given.get(trainable, False))) for trainable in trainables)


def _split(tree: PyTree) -> tuple[Static, PyTree]:
    dynamic, static = eqx.partition(tree, eqx.is_array_like)
    return Static(static), dynamic
