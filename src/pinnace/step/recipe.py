"""What a step is compiled from: what stays fixed, and the numbers that may change without compiling again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import equinox as eqx
import jax
import optax
from jaxtyping import Array, PyTree

from pinnace._errors import LoweringError
from pinnace.balance import reads_of
from pinnace.fn import Cell
from pinnace.lower import Compiled, Given, Program, Static
from pinnace.optim import Binding
from pinnace.schedule import LearningRateSchedule
from pinnace.step.placement import Placement
from pinnace.step.scale import Scale
from pinnace.step.state import State


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
    """What is fixed about a balancer in the program."""

    static: Static
    keys: tuple[str, ...] | None
    reads: frozenset[str]
    name: str


@dataclass(frozen=True)
class Recipe:
    """Everything fixed about a step. Equal recipes share one compilation."""

    program: Program
    cells: tuple[CellPart, ...]
    groups: tuple[Group, ...]
    schedules: tuple[Static | None, ...]
    scale: Scale

    @cached_property
    def placement(self) -> Placement:
        """Where the arrays of a state lie."""
        return Placement(self.scale, self.program.points)

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
    return jax.random.fold_in(jax.random.fold_in(root, len(program.points) + len(program.cells)), state.step)


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


def recipe(compiled: Compiled, attachments: Sequence[Attached], scale: Scale | None = None) -> tuple[Recipe, PyTree]:
    """The fixed part of a step, and the numbers of its balancers and schedules."""
    cells, numbers = [], []
    for cell in compiled.cells:
        part, dynamic = _cell(cell)
        cells.append(part)
        numbers.append(dynamic)
    rates = [None if one.schedule is None else _split(one.schedule) for one in attachments]
    fixed = Recipe(
        compiled.program,
        tuple(cells),
        tuple(one.group for one in attachments),
        tuple(None if rate is None else rate[0] for rate in rates),
        scale or Scale(),
    )
    return fixed, (tuple(numbers), tuple(None if rate is None else rate[1] for rate in rates))


def _cell(cell: Cell) -> tuple[CellPart, PyTree]:
    reads = reads_of(cell.balancer)
    for signal in sorted(reads - {"step", "key"}):
        raise LoweringError(
            f'the balancer {cell.name} reads "{signal}", which the step does not compute in this version. It can '
            f'have the losses, "step" and "key".'
        )
    static, dynamic = _split(cell.balancer)
    return CellPart(static, cell.keys, reads, str(cell.name)), dynamic


def _split(tree: PyTree) -> tuple[Static, PyTree]:
    dynamic, static = eqx.partition(tree, eqx.is_array_like)
    return Static(static), dynamic
