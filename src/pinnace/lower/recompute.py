"""Memory for time: of a field only the matrix products are kept for the backward pass, the rest is computed again."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.core
from jax.extend import core as jex

PRODUCTS = ("dot_general", "conv_general_dilated")


def in_segments(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function in pieces that end with a matrix product, each of which forgets what it computed on its way.

    The backward pass takes them one after the other, from their arguments: it needs the memory of one piece.
    """

    def segmented(*args: Any) -> Any:
        closed, shapes = jax.make_jaxpr(function, return_shape=True)(*args)
        known = dict(zip(closed.jaxpr.constvars, closed.consts, strict=True))
        known.update(zip(closed.jaxpr.invars, args, strict=True))
        segments = _segments(closed.jaxpr.eqns)
        for k, equations in enumerate(segments):
            later = [atom for segment in segments[k + 1 :] for equation in segment for atom in equation.invars]
            piece = _piece(closed.jaxpr, equations, {*map(id, later), *map(id, closed.jaxpr.outvars)})
            values = jax.checkpoint(partial(jax.core.eval_jaxpr, piece, ()))(*(known[var] for var in piece.invars))
            known.update(zip(piece.outvars, values, strict=True))
        found = [atom.val if isinstance(atom, jex.Literal) else known[atom] for atom in closed.jaxpr.outvars]
        return jax.tree.unflatten(jax.tree.structure(shapes), found)

    return segmented


def _segments(equations: Sequence[Any]) -> list[list[Any]]:
    """The equations up to each product and with it, and those after the last."""
    segments: list[list[Any]] = [[]]
    for equation in equations:
        segments[-1].append(equation)
        if equation.primitive.name in PRODUCTS:
            segments.append([])
    return [segment for segment in segments if segment]


def _piece(whole: Any, equations: Sequence[Any], used: set[int]) -> Any:
    """Some equations as a function of what they read, to what is used after them."""
    made = [var for equation in equations for var in equation.outvars]
    read = [atom for equation in equations for atom in equation.invars if not isinstance(atom, jex.Literal)]
    inputs = [var for var in dict.fromkeys(read) if var not in set(made)]
    outputs = [var for var in made if id(var) in used]
    return jex.Jaxpr((), inputs, outputs, list(equations), whole.effects, whole.debug_info)
