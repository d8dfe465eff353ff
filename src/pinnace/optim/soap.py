"""SOAP, Adam in the eigenbasis of Shampoo: Vyas et al. 2024, arXiv 2409.11321."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from pinnace._errors import FieldError
from pinnace.optim.given import betas_of, number_of, rate_of, scaled
from pinnace.schedule import LearningRateSchedule

WHO = "pn.optim.soap"
Number = float | Float[Array, ""]
Sides = tuple[Float[Array, "n n"] | None, ...]
"""A square matrix for each axis of an array; None for an axis that is left as it is."""


class Kept(NamedTuple):
    """What is kept of one array of parameters: the means of gradients, of their squares in the basis, of their outer
    products, and the basis."""

    mean: Array
    square: Array
    outer: Sides
    basis: Sides


class SoapState(NamedTuple):
    """How many updates came before, and what is kept of each array."""

    count: Int[Array, ""]
    kept: list[Kept]


def soap(
    lr: Number | LearningRateSchedule | Callable[..., Any] = 3e-3,
    betas: tuple[float, float] = (0.95, 0.95),
    eps: Number = 1e-8,
    every: int = 5,
    largest: int = 512,
) -> optax.GradientTransformationExtraArgs:
    """Adam along the directions in which the gradients of a weight matrix vary independently, which it follows.

    Where losses are ill-conditioned, as those of differential equations are, it needs far fewer steps than Adam; for
    layers of up to 64 neurons a step costs little more. Each matrix of parameters has a basis for its rows and one
    for its columns: eigenvectors of the means of `G G^T` and `G^T G`, improved `every` so many steps by one step of
    orthogonal iteration. Sides of more than `largest` are left as they are, and so are vectors and numbers: to them
    it is Adam. `lr`: a number, a schedule, also one with state, or a function of the count. `betas`: decay of the mean
    of gradients, and of everything else.

    An optax transformation: use it anywhere, and with `lr=1` under `.scale(...)`. Raises FieldError for numbers out of
    range and a rate that reads losses.

    Source: Vyas et al. 2024, arXiv 2409.11321; for equations Wang et al. 2025, arXiv 2502.00604. The basis begins with
    the unit matrix, and no step is left out.

    >>> net = pn.nn(eqx.nn.MLP(1, "scalar", 8, 1, jnp.tanh, key=jax.random.key(0))).optimizer(soap(1e-2))
    >>> x = pn.domain.interval(0, 1).variable("interior", 16)
    >>> run = pn.core([(net(x) - x**2).mse]).solve(10)
    """
    first, second = betas_of(WHO, betas, (0.95, 0.95))
    tiny = number_of(WHO, "eps", eps, least=0)
    for name, value in (("every", every), ("largest", largest)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise FieldError(f"{WHO} got {name} = {value!r}; {name} is a whole number of at least 1.")
    return optax.with_extra_args_support(
        optax.chain(_turning(first, second, tiny, every, largest), scaled(rate_of(WHO, lr)))
    )


def _turning(b1: float, b2: float, eps: Any, every: int, largest: int) -> optax.GradientTransformation:
    def init(params: Any) -> SoapState:
        return SoapState(jnp.zeros((), jnp.int32), [_start(one, largest) for one in jax.tree.leaves(params)])

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, SoapState]:
        gradients, tree = jax.tree.flatten(updates)
        count: Any = optax.safe_increment(state.count)
        improve = state.count % every == 0
        kept = [_keep(g, one, improve, b1, b2) for g, one in zip(gradients, state.kept, strict=True)]
        t = jnp.asarray(count, jnp.result_type(float))
        return tree.unflatten([_step(one, t, b1, b2, eps) for one in kept]), SoapState(count, kept)

    return optax.GradientTransformation(init, update)


def _start(values: Any, largest: int) -> Kept:
    values = jnp.asarray(values)
    turned = [values.ndim == 2 and 1 < size <= largest for size in values.shape]
    outer = tuple(
        jnp.zeros((size, size), values.dtype) if one else None for size, one in zip(values.shape, turned, strict=True)
    )
    basis = tuple(one if one is None else jnp.eye(len(one), dtype=one.dtype) for one in outer)
    return Kept(jnp.zeros_like(values), jnp.zeros_like(values), outer, basis)


def _keep(g: Array, kept: Kept, improve: Array, b1: float, b2: float) -> Kept:
    """With one more gradient."""
    outer = tuple(
        one if one is None else b2 * one + (1 - b2) * (g @ g.T if axis == 0 else g.T @ g)
        for axis, one in enumerate(kept.outer)
    )
    basis = tuple(
        q if one is None else jax.lax.cond(improve, _improved, _same, one, q)
        for one, q in zip(outer, kept.basis, strict=True)
    )
    square = b2 * kept.square + (1 - b2) * _turned(g, [q if q is None else q.T for q in basis]) ** 2
    return Kept(b1 * kept.mean + (1 - b1) * g, square, outer, basis)


def _step(kept: Kept, t: Array, b1: float, b2: float, eps: Any) -> Array:
    """That of Adam in the basis, turned back."""
    mean = _turned(kept.mean, [q if q is None else q.T for q in kept.basis]) / _share(b1, t, kept.mean)
    return _turned(mean / (jnp.sqrt(kept.square / _share(b2, t, kept.mean)) + eps), kept.basis)


def _turned(values: Array, by: Sequence[Array | None]) -> Array:
    """Each axis multiplied by its matrix."""
    for axis, matrix in enumerate(by):
        if matrix is not None:
            values = matrix @ values if axis == 0 else values @ matrix.T
    return values


def _improved(outer: Array, basis: Array) -> Array:
    return jnp.linalg.qr(outer @ basis)[0]


def _same(outer: Array, basis: Array) -> Array:
    return basis


def _share(decay: float, t: Array, like: Array) -> Array:
    """1 - decay^t, what the weights of a mean that began with 0 add up to."""
    return -jnp.expm1(t * (math.log(decay) if decay else -math.inf)).astype(like.dtype)
