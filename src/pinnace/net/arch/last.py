"""Networks that end in a linear layer, which data or a linear problem can fit before the training."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from pinnace._errors import FieldError
from pinnace.net.arch.dense import starting
from pinnace.net.arch.factorized import WeightFactorized

Function = Callable[[Float[Array, " d"]], Float[Array, " width"]]


class LastLinear(eqx.Module):
    """A network that is a linear combination of `features`, by its `last` layer."""

    last: eqx.AbstractVar[eqx.nn.Linear]

    @abstractmethod
    def features(self, point: Float[Array, " d"]) -> Float[Array, " width"]:
        """What the last layer combines, at one point."""

    def __call__(self, point: Float[Array, " d"], *, key: Any = None) -> Float[Array, "..."]:
        """The value at one point."""
        return self.last(self.features(point))

    def fitted(self, *conditions: tuple[Any, ...]) -> Self:
        """The same network with the last layer that fits some conditions best, by least squares.

        A condition is `(points, values)`, arrays `[n, d]` and `[n]` or `[n, out_size]`; or `(points, values,
        operator)` for a linear problem: `operator(f)` is another function of one point, linear in the function f from
        points to vectors. Each value counts alike. Raises FieldError for other things.

        >>> import jax, jax.numpy as jnp, pinnace as pn
        >>> net = pn.arch.PirateNet(1, "scalar", 32, 2, key=jax.random.key(0))
        >>> x = jnp.linspace(-1, 1, 50)[:, None]
        >>> net = net.fitted((x, jnp.sin(3 * x[:, 0])))
        >>> bool(jnp.allclose(jax.vmap(net)(x), jnp.sin(3 * x[:, 0]), atol=1e-2))
        True
        """
        if isinstance(self.last, WeightFactorized):
            raise FieldError(
                "a last layer is fitted before its weights are factorized: weight_factorized(net.fitted(...))."
            )
        if not conditions:
            raise FieldError("fitted takes conditions, each (points, values) or (points, values, operator); got none.")
        width = self.last.weight.shape[0]
        pairs = [_rows(self._basis, width, condition) for condition in conditions]
        rows, values = (np.concatenate(part).astype(np.float64) for part in zip(*pairs, strict=True))
        # what rounding has made of rows that depend on each other is no direction of its own
        least = float(jnp.finfo(self.last.weight.dtype).eps) * max(rows.shape)
        found = jnp.asarray(np.linalg.lstsq(rows, values, rcond=least)[0].T, self.last.weight.dtype)
        size = self.last.weight.shape[1]
        layer = starting(self.last, found[:, :size], found[:, size] if self.last.use_bias else None)
        return eqx.tree_at(lambda net: net.last, self, layer)

    def _basis(self, point: Float[Array, " d"]) -> Float[Array, " all"]:
        """All that the last layer combines, with the constant that its bias multiplies."""
        found = self.features(point)
        return jnp.append(found, jnp.ones((), found.dtype)) if self.last.use_bias else found


def _rows(basis: Function, width: int, condition: Any) -> tuple[np.ndarray, np.ndarray]:
    """The equations of one condition: rows for the weights, and what they should give."""
    if not (isinstance(condition, tuple) and len(condition) in (2, 3)):
        raise FieldError(f"a condition is (points, values) or (points, values, operator); got {condition!r}.")
    points, values = (jnp.asarray(part, jnp.result_type(float)) for part in condition[:2])
    values = values[:, None] if values.ndim == 1 else values
    if points.ndim != 2 or values.shape != (len(points), width):
        raise FieldError(
            f"the points of a condition are [n, d], its values [n] or [n, out_size]; got {points.shape} and "
            f"{jnp.shape(condition[1])} for {width} output{'s' * (width > 1)}."
        )
    function = condition[2](basis) if len(condition) == 3 else basis
    rows = jax.jit(jax.vmap(function))(points)
    if rows.shape != (len(points), jax.eval_shape(basis, points[0]).shape[0]):
        raise FieldError(
            f"the operator of a condition makes of a function from points to vectors another one; its vectors have "
            f"shape {rows.shape[1:]}."
        )
    return np.asarray(rows), np.asarray(values)
