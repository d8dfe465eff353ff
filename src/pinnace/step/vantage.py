"""Where trackers and `eval` look at what is trained: the arrays that optimizers change, and what follows from them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import equinox as eqx
from jaxtyping import PyTree

from pinnace.lower import Given, Program, Static, Vantage
from pinnace.step.recipe import Group

Masks = tuple[Static | None, ...]
"""For each trainable the tree of booleans that tells which of its arrays are trained; None for none of them."""


def masks_of(program: Program, groups: Sequence[Group]) -> Masks:
    """Which arrays some optimizers train."""
    known = {k: mask for group in groups for k, mask in zip(group.members, group.masks, strict=True)}
    return tuple(known.get(k) for k in range(len(program.trainables)))


def trained_of(masks: Masks, params: Sequence[PyTree]) -> tuple[PyTree, ...]:
    """The arrays that are trained, None in the place of others."""
    pairs = zip(params, masks, strict=True)
    return tuple(eqx.filter(tree, False if mask is None else mask.tree) for tree, mask in pairs)


def measuring(
    program: Program,
    masks: Masks,
    params: Sequence[PyTree],
    given: Callable[[Sequence[PyTree]], Given],
    after: Sequence[PyTree] | None = None,
) -> Given:
    """What expressions are evaluated at, measurements included; `given` tells it for arrays of the modules."""

    def at(trained: Sequence[PyTree]) -> Given:
        return given(tuple(eqx.combine(part, tree) for part, tree in zip(trained, params, strict=True)))

    then = None if after is None else trained_of(masks, after)
    return replace(given(params), measure=Vantage(program.trainables, trained_of(masks, params), at, then))
