"""Rates that are somebody's function: of the epoch, and of losses and a state if it asks for them."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, PyTree

from pinnace._errors import ScheduleError, listed
from pinnace.schedule._capture import capture
from pinnace.schedule._losses import LossValues
from pinnace.schedule._rule import Rule

ROLES = {
    False: {1: ("epoch",), 2: ("epoch", "losses")},
    True: {2: ("epoch", "state"), 3: ("epoch", "losses", "state")},
}
"""What a function is called with, by whether it has state and its number of parameters."""


VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
KINDS = (jnp.bool_, jnp.integer, jnp.floating, jnp.complexfloating)


class Opaque(eqx.Module):
    """A function that is no pytree, and so part of the compiled code."""

    call: Callable[..., Any] = eqx.field(static=True)

    def __call__(self, *arguments: Any) -> Any:
        return self.call(*arguments)


class Function(Rule):
    """A user's function, captured with its Python branches whenever it is called."""

    call: Callable[..., Any]
    first: PyTree
    roles: tuple[str, ...] = eqx.field(static=True)

    @property
    def reads_losses(self) -> bool:
        return "losses" in self.roles

    @property
    def has_state(self) -> bool:
        return "state" in self.roles

    def init(self) -> PyTree[Array]:
        return jax.tree.map(_as_array, self.first) if self.has_state else ()

    def update(self, epoch: Array, losses: LossValues | None, state: PyTree) -> tuple[Array, PyTree]:
        read = losses if self.reads_losses else None
        if self.has_state:
            return _captured(self, epoch, read, state)
        return _captured(self, epoch, read, ())[0], state


@jax.jit
def _captured(rule: Function, epoch: Array, losses: LossValues | None, state: PyTree) -> tuple[Array, PyTree]:
    # Compiled also where it is called step by step: what a step cannot do is an error everywhere.
    given = {"epoch": epoch, "losses": losses, "state": state}

    def finished(result: Any) -> tuple[Array, PyTree]:
        if not rule.has_state:
            return _as_rate(result), state
        if not isinstance(result, tuple) or len(result) != 2:
            raise ScheduleError(f"A rate with state returns (lr, next_state); this one returned {result!r}.")
        return _as_rate(result[0]), _like(state, result[1])

    return capture(rule.call, [given[role] for role in rule.roles], finished)


def function(call: Callable[..., Any], state: PyTree) -> Function:
    """The rule of a function that takes as many arguments as one of ROLES."""
    has_state = state is not None
    names = _required(call)
    roles = ROLES[has_state].get(len(names))
    if roles is None:
        forms = " or ".join(f"({', '.join(form)})" for form in ROLES[has_state].values())
        raise ScheduleError(
            f"A learning rate {'with' if has_state else 'without'} state is a function of {forms}, and this "
            f"one takes {len(names)} positional parameters without default"
            + (f" ({listed(names)})." if names else ".")
            + (" Its first state is given as lrs(f, state=...)." if len(names) == 3 else "")
            + " Bind others with functools.partial, or write a lambda."
        )
    return Function(_static(call), jax.tree.map(_as_number, state), roles)


def _required(call: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError) as unknown:
        raise ScheduleError(
            f"{call!r} does not say which parameters it takes. Write lambda epoch: f(epoch)."
        ) from unknown
    needed = [p for p in parameters if p.default is p.empty and p.kind not in VARIADIC]
    if named := [p.name for p in needed if p.kind is p.KEYWORD_ONLY]:
        raise ScheduleError(
            "A learning rate is called with its arguments in order, but this one needs "
            f"{listed(named)} by name. Bind it with functools.partial."
        )
    return [p.name for p in needed]


def _static(call: Callable[..., Any]) -> Callable[..., Any]:
    """A module of arrays and numbers keeps its leaves; anything else becomes static, and hashable."""
    if not jax.tree_util.all_leaves([call]) and all(map(eqx.is_array_like, jax.tree.leaves(call))):
        return call
    try:
        hash(call)
    except TypeError:
        call = partial(call)
    return Opaque(call)


def _as_number(leaf: Any) -> Any:
    """A leaf of the first state as the user gave it, if it can be one."""
    if isinstance(leaf, bool | int | float | complex | Tracer | jax.Array) or eqx.is_array_like(leaf):
        return leaf
    raise ScheduleError(f"The state of a rate consists of numbers and arrays; got {leaf!r}.")


def _as_array(leaf: Any) -> Array:
    """Never weakly typed: the carry of a loop keeps its type."""
    return jnp.asarray(leaf, dtype=jnp.result_type(leaf))


def _as_rate(result: Any) -> Array:
    """What one path returned, as a scalar of the default float type."""
    if not eqx.is_array_like(result) or jnp.iscomplexobj(result):
        raise ScheduleError(
            f"A rate returns a number on every path; this one returned {result!r}."
            + (" Give every `if` an else that returns one." if result is None else "")
        )
    if jnp.shape(result) != ():
        raise ScheduleError(
            f"A rate is one number; this one returned an array of shape {jnp.shape(result)}. "
            "Reduce it, for example with jnp.mean or an index."
        )
    return jnp.asarray(result, jnp.result_type(float))


def _like(state: PyTree, result: PyTree) -> PyTree:
    """The next state, in the types of the one before."""
    before, after = jax.tree.structure(state), jax.tree.structure(result)
    if before != after:
        raise ScheduleError(
            f"The state of a rate keeps its structure; it was {before}, and the function returned {after}."
        )
    return jax.tree.map(_as_before, state, result)


def _as_before(old: Array, new: Any) -> Array:
    dtype = jnp.result_type(new)
    if jnp.shape(new) != jnp.shape(old) or _rank(dtype) > _rank(jnp.result_type(old)):
        raise ScheduleError(
            "The state of a rate keeps its shapes and types; a part of type "
            f"{jnp.result_type(old)}{list(jnp.shape(old))} became {dtype}{list(jnp.shape(new))}. Start it "
            "with a value of the type that it will have, such as 0.0."
        )
    return jnp.asarray(new, jnp.result_type(old))


def _rank(dtype: Any) -> int:
    return next((i for i, kind in enumerate(KINDS) if jnp.issubdtype(dtype, kind)), -1)
