"""Measurements of what is trained: norms and cosines of gradients, spectra of tangent kernels, norms of parameters.

They look at a loss from outside, so they stand in trackers and `crux.eval`, and never in a loss. What each gives is a
function of a `Vantage`, which the step makes for all measurements of one moment.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from pinnace._errors import LoweringError
from pinnace.expr import Expr, text
from pinnace.lower.batches import evaluate_in_batches
from pinnace.lower.given import Given
from pinnace.lower.tangent import pointwise, reductions_in
from pinnace.optim import Trainable

ROWS = 1024
"""Values of a residual that its kernel is made of, at most."""
ROOM = 1 << 25
"""Numbers in the matrix of their gradients, at most."""

Trained = tuple[PyTree, ...]
"""For each trainable the tree of its trained arrays, None in the place of others."""


class Vantage:
    """Where measurements of one moment are made from; what several of them need is computed once."""

    def __init__(
        self,
        trainables: Sequence[Trainable],
        trained: Trained,
        given: Callable[[Trained], Given],
        after: Trained | None = None,
    ) -> None:
        self.trainables, self.trained, self.given, self.after = trainables, trained, given, after
        self._gradients: dict[Expr, Trained] = {}

    def __call__(self, node: Expr) -> Array:
        """The value of a measurement."""
        return MEASURE[node.kind](node, self)

    def gradient(self, loss: Expr) -> Trained:
        """The gradient of a loss by all trained parameters."""
        if loss not in self._gradients:

            def value(trained: Trained) -> Array:
                return evaluate_in_batches([loss], self.given(trained))[0]

            self._gradients[loss] = jax.grad(value)(self.trained)
        return self._gradients[loss]

    def of(self, target: Trainable | None, trees: Trained) -> Trained:
        """The part of some trees that belongs to one trainable; all of it for None."""
        return trees if target is None else (trees[list(self.trainables).index(target)],)


def _gradient_norm(node: Expr, here: Vantage) -> Float[Array, ""]:
    return norm(here.of(node.data[0], here.gradient(node.args[0])))


def _gradient_cosine(node: Expr, here: Vantage) -> Float[Array, ""]:
    first, second = (jax.tree.leaves(here.of(node.data[0], here.gradient(loss))) for loss in node.args)
    # each by its largest entry, so that squares of small ones do not vanish
    first, second = _scaled(first), _scaled(second)
    product = sum((jnp.sum(a * b) for a, b in zip(first, second, strict=True)), start=jnp.zeros(()))
    return product / (norm(first) * norm(second))


def _scaled(leaves: Sequence[Array]) -> list[Array]:
    largest = jnp.max(jnp.stack([jnp.max(jnp.abs(leaf), initial=0) for leaf in leaves])) if leaves else jnp.zeros(())
    return [leaf / largest for leaf in leaves]


def _parameter_norm(node: Expr, here: Vantage) -> Float[Array, ""]:
    return norm(here.of(node.data[0], here.trained))


def _update_norm(node: Expr, here: Vantage) -> Float[Array, ""]:
    if here.after is None:
        raise LoweringError(
            f"`{text(node)}` is how far a step moves the parameters, which is known inside the step only. Log it, "
            f"`.tracker()`, and look at the history: its row t is the change of step t."
        )
    return norm(here.of(node.data[0], jax.tree.map(jnp.subtract, here.after, here.trained)))


def norm(tree: PyTree) -> Float[Array, ""]:
    """The Euclidean norm of all numbers in a tree, without overflow on the way."""
    leaves = jax.tree.leaves(tree)
    if not leaves:
        return jnp.zeros(())
    largest = jnp.max(jnp.stack([jnp.max(jnp.abs(leaf), initial=0) for leaf in leaves]))
    unit = jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1)
    return unit * jnp.sqrt(sum((jnp.sum(jnp.abs(leaf / unit) ** 2) for leaf in leaves), start=jnp.zeros(())))


def _kernel_spectrum(node: Expr, here: Vantage) -> Float[Array, " top"]:
    """The largest eigenvalues of J J^T / rows, or of the smaller J^T J / rows, which has the same."""
    (residual,), (target, top) = node.args, node.data
    within = reductions_in(residual)
    if within:
        raise LoweringError(
            f"ntk_spectrum takes the gradient of a residual at each point, and `{text(residual)}` holds "
            f"`{text(within[0])}`, which runs over points itself. Give the residual without it."
        )
    jacobian = _jacobian(residual, here, target, top)
    rows, size = jacobian.shape
    square = jacobian @ jacobian.T if rows <= size else jacobian.T @ jacobian
    # rounding makes small ones negative, but J J^T has none
    found = jnp.maximum(jnp.linalg.eigvalsh(square)[::-1][:top] / rows, 0)
    return jnp.concatenate([found, jnp.zeros(top - len(found), found.dtype)])


def _jacobian(residual: Expr, here: Vantage, target: Trainable | None, top: int) -> Float[Array, "rows size"]:
    """The gradients of the values of a residual: of all, or of evenly spaced points where that were too many."""
    at_point, points = pointwise(residual, here.given, here.trained)
    chosen: Trained = tuple(
        tree if target is None or one is target else jax.tree.map(lambda _: None, tree)
        for one, tree in zip(here.trainables, here.trained, strict=True)
    )
    count = jax.tree.leaves(points)[0].shape[0]
    values = max(1, jnp.size(jnp.zeros(residual.shape)))
    size = sum(leaf.size for leaf in jax.tree.leaves(chosen))
    most = max(min(ROWS, ROOM // max(size, 1)), top)
    taken = min(count, max(1, most // values))
    some = jax.tree.map(lambda rows: rows[jnp.arange(taken) * count // taken], points)

    def slopes(at: Any) -> Float[Array, "values size"]:
        value, pull = jax.vjp(lambda part: jnp.ravel(at_point(part, at)), chosen)
        (trees,) = jax.vmap(pull)(jnp.eye(values, dtype=value.dtype))
        leaves = [leaf.reshape(values, -1) for leaf in jax.tree.leaves(trees)]
        return jnp.concatenate([jnp.zeros((values, 0), value.dtype), *leaves], axis=1)

    return jax.vmap(slopes)(some).reshape(taken * values, size)


MEASURE: dict[str, Callable[[Expr, Vantage], Array]] = {
    "gradient norm": _gradient_norm,
    "gradient cosine": _gradient_cosine,
    "kernel spectrum": _kernel_spectrum,
    "parameter norm": _parameter_norm,
    "update norm": _update_norm,
}
