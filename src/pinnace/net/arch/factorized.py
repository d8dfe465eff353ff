"""Random weight factorization: each neuron has a factor of its own that is trained with its weights."""

from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from pinnace._errors import FieldError
from pinnace.net.arch.sizes import number

Module = TypeVar("Module")


class WeightFactorized(eqx.Module):
    """A linear layer whose weights are `diag(exp(scale)) V`: V are those of `linear`, and both are trained."""

    linear: eqx.nn.Linear
    scale: Float[Array, " outputs"]

    @property
    def weight(self) -> Float[Array, "outputs inputs"]:
        """The weights that the layer has in the end."""
        return jnp.exp(self.scale)[:, None] * self.linear.weight

    def __call__(self, values: Float[Array, "..."], *, key: Any = None) -> Float[Array, "..."]:
        return eqx.tree_at(lambda layer: layer.weight, self.linear, self.weight)(values)


def weight_factorized(module: Module, mean: float = 1.0, std: float = 0.1, *, key: Key[Array, ""]) -> Module:
    """The same network with the weights W of each `eqx.nn.Linear` in it factorized, W = diag(exp(s)) V, and s from a
    normal distribution.

    The function stays the same at the start; each neuron then has a rate of its own, and optimizers find good minima
    more easily. Works for any module. Raises FieldError where it has no linear layer, or has been factorized.

    Source: Wang, Wang, Seidman, Perdikaris 2022, arXiv 2210.01274.

    >>> import equinox as eqx, jax, jax.numpy as jnp
    >>> mlp = eqx.nn.MLP(2, "scalar", 8, 2, jnp.tanh, key=jax.random.key(0))
    >>> net = weight_factorized(mlp, key=jax.random.key(1))
    >>> bool(jnp.allclose(net(jnp.ones(2)), mlp(jnp.ones(2)), atol=1e-6))
    True
    """
    number("weight_factorized", "mean", mean, -float("inf"))
    number("weight_factorized", "std", std)
    layers, structure = jax.tree.flatten(module, is_leaf=_whole)
    if any(isinstance(layer, WeightFactorized) for layer in layers):
        raise FieldError("the weights of this module are factorized already.")
    if not any(isinstance(layer, eqx.nn.Linear) for layer in layers):
        raise FieldError(
            f"weight_factorized takes a module with layers eqx.nn.Linear; {type(module).__name__} has none."
        )
    keys = jax.random.split(key, len(layers))
    found = [
        _factorized(layer, mean, std, one) if isinstance(layer, eqx.nn.Linear) else layer
        for layer, one in zip(layers, keys, strict=True)
    ]
    return jax.tree.unflatten(structure, found)


def _whole(part: Any) -> bool:
    return isinstance(part, eqx.nn.Linear | WeightFactorized)


def _factorized(layer: eqx.nn.Linear, mean: float, std: float, key: Any) -> WeightFactorized:
    scale = mean + std * jax.random.normal(key, layer.weight.shape[:1], layer.weight.dtype)
    directions = layer.weight / jnp.exp(scale)[:, None]
    return WeightFactorized(eqx.tree_at(lambda layer: layer.weight, layer, directions), scale)
