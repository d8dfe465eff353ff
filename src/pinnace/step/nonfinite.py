"""Why a loss is not finite: the first expression below it that is not, in the user's notation, and where."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from pinnace._errors import PinnaceError, did_you_mean
from pinnace.expr import Expr, nodes, text
from pinnace.lower import Canonical, Compiled
from pinnace.step.lost import blame_for_update, lost_parameters
from pinnace.step.moment import at_this_step
from pinnace.step.placement import Placement
from pinnace.step.recipe import attached, recipe
from pinnace.step.scale import Scale
from pinnace.step.state import State
from pinnace.step.values import values_at

WORDS = ("finite", "nan", "inf", "-inf")
MOST = 512
"""Expressions below a loss that are looked at."""
DIFFERENTIATED = frozenset({"named", "elementwise", "event", "index", "apply", "field"})
"""Kinds whose derivatives are made of those of their arguments."""


class Part(NamedTuple):
    """An argument of an expression: as it is written, and what is evaluated of it, zero where it does not matter."""

    shown: Expr
    seen: Expr


def first_nonfinite(
    compiled: Compiled, state: State, scale: Scale | None = None, name: str = "total", before: State | None = None
) -> str | None:
    """Why a loss is nan or infinite in the step from a state: the first expression below it that is, and where.

    `name` is that of a raw loss, or "total"; `before` the state one step earlier, which tells why parameters are not
    finite. None where the loss is finite there. On several processes all of them have to ask. Raises PinnaceError for a
    name that no loss has.
    """
    root = _written(compiled, name)
    fixed, numbers = recipe(compiled, attached(compiled), scale)
    numbers = fixed.placement.copies(numbers)
    lost = lost_parameters(compiled.program, state)
    if lost is not None:
        return lost if before is None else f"{lost}; {blame_for_update(fixed, numbers, before)}"
    return _sentence(compiled, fixed.placement, at_this_step(fixed, numbers, state), root)


def _written(compiled: Compiled, name: str) -> Expr:
    """A loss as it was written, with the names inside it; the sum of the entries for the total."""
    program = compiled.program
    if name == "total":
        return sum(compiled.written[1:], start=compiled.written[0])
    if name not in program.loss_names:
        raise PinnaceError(f'there is no loss "{name}".{did_you_mean(name, program.loss_names)}')
    number, canonical = program.loss_names.index(name), Canonical(compiled.cells)
    called = (node for node in nodes(compiled.written) if node.kind == "named" and node.data[0] == name)
    return next((node for node in called if canonical(node) is program.losses[number]), compiled.losses[number])


def _parts(node: Expr) -> Iterator[Part]:
    """What an expression is made of, so that it can be no better than its parts."""
    inner, rest = node.args[0] if node.args else None, node.args[1:]
    match node.kind:
        case "derivative" if inner is not None:
            yield Part(inner, inner)
            for shown, seen in _parts(inner) if inner.kind in DIFFERENTIATED else ():
                if all(coordinate.data in shown.depends for coordinate in rest):
                    yield Part(shown.d(*rest), seen.d(*rest))
        case "at" if inner is not None:
            moved = frozenset(coordinate.data for coordinate in rest[::2])
            yield from (Part(value, value) for value in rest[1::2])
            for shown, seen in _parts(inner):
                known = (Expr("at", (part, *rest)) if part.depends & moved else part for part in (shown, seen))
                yield Part(*known)
        case "integral" if inner is not None:
            moved = frozenset(coordinate.data for coordinate in rest[::3])
            yield from (Part(limit, limit) for limit in (*rest[1::3], *rest[2::3]))
            for shown, seen in _parts(inner):
                known = (type(node)(node.kind, (part, *rest), node.data) if part.depends & moved else part for part in (shown, seen))
                yield Part(*known)
        case "elementwise" if node.data[0] == "where":
            condition, then, otherwise = node.args
            yield Part(condition, condition)
            yield Part(then, Expr("elementwise", (condition, then, _ZERO), node.data))
            yield Part(otherwise, Expr("elementwise", (condition, _ZERO, otherwise), node.data))
        case _:
            yield from (Part(arg, arg) for arg in node.args)


_ZERO = Expr("constant", (), (0.0,))


def _below(root: Expr) -> dict[Expr, tuple[Part, ...]]:
    """The parts of an expression, of these, and so on: the nearest ones, if they are many."""
    found: dict[Expr, tuple[Part, ...]] = {}
    waiting = [root]
    while waiting and len(found) < MOST:
        node, *waiting = waiting
        if node not in found:
            found[node] = tuple(part for part in _parts(node) if part.shown.kind != "constant")
            waiting += [part.shown for part in found[node]]
    return found


def _sentence(compiled: Compiled, placement: Placement, state: State, root: Expr) -> str | None:
    below = _below(root)
    looked = list(dict.fromkeys([root, *(part.seen for parts in below.values() for part in parts)]))
    canonical = Canonical(compiled.cells)
    coded = [Expr("apply", (canonical(expr),), (_code, ())) for expr in looked]
    codes = dict(zip(looked, values_at(compiled, placement, state, coded), strict=True))
    if not codes[root].any():
        return None
    node, code = root, codes[root]
    while part := _guilty(node, code, below.get(node, ()), codes):
        node, code = part
    row = int(np.argmax(code != 0))
    is_nan = WORDS[int(np.ravel(code)[row])]
    found = f"because `{text(node, compiled.names)}` is {is_nan}"
    if node.points is not None:
        count, whole = int(np.count_nonzero(code)), len(code)
        found += f" at {count} of {whole} points, first at {_place(compiled, placement, state, node, row)}"
    return found + _beside(compiled, placement, state, node, row)


def _guilty(node: Expr, code: np.ndarray, parts: Sequence[Part], codes: dict[Expr, Any]) -> tuple[Expr, Any] | None:
    """The first part that is not finite where the whole is not."""
    for shown, seen in parts:
        found = codes[seen]
        if shown.points is not None and shown.points is node.points:
            found = np.where(code != 0, found, 0)
        if found.any():
            return shown, found
    return None


def _place(compiled: Compiled, placement: Placement, state: State, node: Expr, row: int) -> str:
    assert node.points is not None
    number = compiled.program.points.index(node.points)
    at = np.asarray(placement.plain(state).points[number])[row]
    used = {axis for points, axis in node.depends if points is node.points} or range(len(at))
    return ", ".join(f"{node.points.axes[axis]} = {at[axis]:.6g}" for axis in sorted(used))


def _beside(compiled: Compiled, placement: Placement, state: State, node: Expr, row: int) -> str:
    """The values there of what the guilty expression is made of; of a reduction, how large they get."""
    if node.kind in ("weight", "point weight"):
        return f", as {node.data[0].name} gives it"
    made_of = [part.shown for part in _parts(node)] if node.kind in ("at", "integral") else node.args
    args = [arg for arg in made_of if arg.kind not in ("constant", "coordinate", "reduce", "weight")]
    if not args or node.kind == "field":
        return ""
    values = values_at(compiled, placement, state, list(map(Canonical(compiled.cells), args)))
    names = [f"`{text(arg, compiled.names)}`" for arg in args]
    if node.kind == "reduce":
        sizes = [float(np.max(np.abs(value), initial=0)) for value in values]
        return ": " + ", ".join(f"{name} is finite, up to {size:.3g}" for name, size in zip(names, sizes, strict=True))
    rows = [value[row] if arg.points is not None else value for arg, value in zip(args, values, strict=True)]
    return ", where " + " and ".join(f"{name} is {_number(value)}" for name, value in zip(names, rows, strict=True))


def _number(value: np.ndarray) -> str:
    return f"{value:.6g}" if value.ndim == 0 else np.array2string(value, precision=6, separator=", ", threshold=9)


def _code(value: Array) -> Int[Array, ""]:
    """Which of WORDS a value at a point is."""
    value = jnp.asarray(value)
    kinds = jnp.stack([jnp.any(jnp.isnan(value)), jnp.any(value == jnp.inf), jnp.any(value == -jnp.inf)])
    return jnp.where(jnp.any(kinds), 1 + jnp.argmax(kinds), 0).astype(jnp.int8)
