"""Which losses have a derivative that is not finite."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from pinnace.expr import Expr
from pinnace.step.moves import held
from pinnace.step.positions import moved_points
from pinnace.step.recipe import Recipe
from pinnace.step.state import State


def steep(recipe: Recipe, state: State) -> list[str]:
    """The raw losses whose gradient is not finite in the step from a state, weights as they were. Compiles them."""
    program = recipe.program
    points, _ = moved_points(recipe, state, jax.random.wrap_key_data(state.key))

    def value_of(loss: Expr, trained: PyTree) -> Array:
        given = recipe.given(recipe.put(state.params, trained), points, held(state.weights), state)
        return program.evaluate([loss], given)[0]

    def finite(trained: PyTree) -> list[Array]:
        slopes = [jax.grad(lambda trained, loss=loss: value_of(loss, trained))(trained) for loss in program.losses]
        return [jnp.all(jnp.array([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(one)])) for one in slopes]

    found = jax.jit(finite)(tuple(group.trained(state.params) for group in recipe.groups))
    return [name for name, good in zip(program.loss_names, found, strict=True) if not bool(good)]
