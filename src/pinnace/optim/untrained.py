"""Arrays of a module that no optimizer changes."""

import equinox as eqx
import jax
from jax import lax
from jaxtyping import Array, PyTree


class Untrained(eqx.Module):
    """An array of a module that is not trained: optimizers neither move it nor decay it, and gradients end there.

    Wrap it where the module is made, and use it as `self.frequencies.value`; `net.mask()` and checkpoints know it.

    >>> import jax.numpy as jnp
    >>> Untrained(jnp.ones(2)).value.shape
    (2,)
    """

    array: Array

    @property
    def value(self) -> Array:
        """The array, a constant for differentiation."""
        return lax.stop_gradient(self.array)


def untrained(module: PyTree) -> PyTree:
    """A tree of booleans like the module: which leaves are in an `Untrained`."""

    def below(part: PyTree) -> PyTree:
        held = isinstance(part, Untrained)
        return jax.tree.map(lambda _: held, part)

    return jax.tree.map(below, module, is_leaf=lambda part: isinstance(part, Untrained))
