"""SOAP, Adam in the eigenbasis of Shampoo: Vyas et al. 2024, arXiv 2409.11321."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from pinnace.optim.radam import rate_of, scaled

Sides = tuple[Float[Array, "m m"] | None, Float[Array, "n n"] | None]


class Leaf(NamedTuple):
    """What is kept of one array of parameters; moments of squares are in the rotated basis."""

    mean: Array
    square: Array
    second: Sides
    basis: Sides


class SoapState(NamedTuple):
    """How many updates came before, and what is kept of each array."""

    count: Int[Array, ""]
    leaves: PyTree


def soap(lr=3e-3, betas=(0.95, 0.95), eps=1e-8, every=5, largest=512):
    b1, b2 = betas

    def init(params):
        return SoapState(jnp.zeros((), jnp.int32), [_start(leaf, largest) for leaf in jax.tree.leaves(params)])

    def update(updates, state, params=None):
        count = optax.safe_increment(state.count)
        refresh = state.count % every == 0
        gradients, tree = jax.tree.flatten(updates)
        moved = [_move(g, leaf, count, refresh, b1, b2, eps) for g, leaf in zip(gradients, state.leaves, strict=True)]
        return tree.unflatten([step for step, _ in moved]), SoapState(count, [leaf for _, leaf in moved])

    return optax.with_extra_args_support(
        optax.chain(optax.GradientTransformation(init, update), scaled(rate_of(lr)))
    )


def _start(leaf: Array, largest: int) -> Leaf:
    def side(axis: int) -> Array | None:
        return jnp.zeros((leaf.shape[axis],) * 2, leaf.dtype) if 1 < leaf.shape[axis] <= largest else None

    second = (side(0), side(1)) if leaf.ndim == 2 else (None, None)
    basis = tuple(None if one is None else jnp.eye(len(one), dtype=leaf.dtype) for one in second)
    return Leaf(jnp.zeros_like(leaf), jnp.zeros_like(leaf), second, basis)


def _move(g, leaf, count, refresh, b1, b2, eps):
    second = tuple(
        one if one is None else b2 * one + (1 - b2) * outer
        for one, outer in zip(leaf.second, (lambda: g @ g.T, lambda: g.T @ g), strict=True)
        for outer in [None if one is None else outer()]
    )
    basis = tuple(
        None if one is None
        else jax.lax.cond(refresh, lambda one, q: jnp.linalg.qr(one @ q)[0], lambda one, q: q, one, q)
        for one, q in zip(second, leaf.basis, strict=True)
    )
    mean = b1 * leaf.mean + (1 - b1) * g
    square = b2 * leaf.square + (1 - b2) * _turned(g, basis) ** 2
    c1, c2 = 1 - b1**count, 1 - b2**count
    step = _turned(mean, basis) / c1 / (jnp.sqrt(square / c2) + eps)
    return _turned(step, [q if q is None else q.T for q in basis]), Leaf(mean, square, second, basis)


def _turned(array, basis):
    left, right = basis
    array = array if left is None else left.T @ array
    return array if right is None else array @ right
