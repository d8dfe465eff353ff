"""A function of one point over all points of a set."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from pinnace.lower.directions import together
from pinnace.lower.interpret import Inspect
from pinnace.lower.jet import Jet
from pinnace.lower.terms import Term


def mapped(
    function: Callable[..., Any],
    args: Sequence[Jet],
    terms: Sequence[Term],
    inspect: Inspect | None = None,
    through: Callable[..., list[Jet]] = together,
) -> Jet:
    """A function of one point over all points; what is the same at all of them enters once.

    `through` makes the jets of the function at one point.
    """
    numbers = {k: jet for k, jet in enumerate(args) if isinstance(jet.value, (bool, int, float))}
    slots = _coefficients(args, terms)

    def at_point(moving: list[Jet], values: dict[int, Any]) -> Jet:
        rest = iter(moving)
        jets = [numbers[k] if k in numbers else replace(next(rest), batched=False) for k in range(len(args))]
        return through(function, jets, [term.bind(values) for term in terms], inspect)[0]

    moving = [jet for k, jet in enumerate(args) if k not in numbers]
    axes = [_point_axes(jet) for jet in moving], {slot: 0 if jnp.ndim(value) else None for slot, value in slots.items()}
    if not any(jet.batched for jet in moving):
        return at_point(moving, slots)
    return replace(jax.vmap(at_point, axes)(moving, slots), batched=True)


def _coefficients(args: Sequence[Jet], terms: Sequence[Term]) -> dict[int, Any]:
    """The coefficients in the terms, by slot, in the precision of what is differentiated."""
    found = {slot: term.values[slot] for term in terms for slot in term.slots}
    moving = [jet.value for jet in args if jet.parts]
    dtype = jnp.result_type(*moving) if moving else None
    return {slot: value if dtype is None else jnp.asarray(value, dtype) for slot, value in found.items()}


def _point_axes(jet: Jet) -> Any:
    """Which arrays of a jet run over the points."""
    whole = jnp.ndim(jet.value)
    return jax.tree.map(lambda array: 0 if jet.batched and jnp.ndim(array) == whole else None, jet)


def arrays(args: Sequence[Jet]) -> list[Jet]:
    """Jets whose Python numbers have become arrays of the default precision, as functions of one point expect."""
    real = jnp.result_type(float)
    return [Jet(jnp.asarray(jet.value, real)) if isinstance(jet.value, (bool, int, float)) else jet for jet in args]


def in_dtype(jet: Jet, dtype: Any) -> Jet:
    """The jet in the precision of a module, where that has one."""
    if dtype is None or jet.value.dtype == dtype or not jnp.issubdtype(jet.value.dtype, jnp.floating):
        return jet
    parts = {term: part.astype(dtype) for term, part in jet.parts.items()}
    pieces = tuple(in_dtype(piece, dtype) for piece in arrays(jet.pieces))
    return replace(jet, value=jet.value.astype(dtype), parts=parts, pieces=pieces)
