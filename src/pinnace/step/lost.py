"""Parameters that are not finite any more, and what made them so."""

from collections.abc import Callable
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int, PyTree

from pinnace._errors import listed
from pinnace.expr import Expr
from pinnace.lower import Program
from pinnace.step.moment import at_this_step
from pinnace.step.moves import held
from pinnace.step.recipe import Recipe
from pinnace.step.state import State


def lost_parameters(program: Program, state: State) -> str | None:
    """The fields whose parameters are not all finite, in a sentence; None where all are."""
    counts = [(int(bad), int(whole)) for bad, whole in np.asarray(_counted(state.params))]
    named = [
        f"{bad} of {whole} parameters of `{name}`"
        for name, (bad, whole) in zip(program.names, counts, strict=True)
        if bad
    ]
    verb = "is" if len(named) == 1 and named[0].startswith("1 ") else "are"
    return f"because {' and '.join(named)} {verb} not finite" if named else None


def blame_for_update(recipe: Recipe, numbers: PyTree, before: State) -> str:
    """What made parameters so in the step from a state before: a gradient, and whose, or the optimizer."""
    program = recipe.program
    finite = np.asarray(_finite_gradients(recipe, at_this_step(recipe, numbers, before)))
    guilty = [name for name, good in zip(program.loss_names, finite, strict=True) if not good]
    if not guilty:
        return "all gradients were finite, so it was the optimizer or its rate: take a smaller rate"
    return (
        f"the gradient of {listed(guilty)} was not finite, though the loss was: look for a root, a quotient or an "
        f"absolute value at 0, and for `where`, which differentiates both of its branches"
    )


@jax.jit
def _counted(params: tuple[PyTree, ...]) -> Int[Array, "fields 2"]:
    """For each field how many of its numbers are not finite, and how many there are."""
    rows = []
    for tree in params:
        leaves = [leaf for leaf in jax.tree.leaves(tree) if eqx.is_inexact_array(leaf)]
        bad = sum((jnp.sum(~jnp.isfinite(leaf)) for leaf in leaves), start=jnp.zeros((), int))
        rows.append(jnp.stack([bad, jnp.asarray(sum(leaf.size for leaf in leaves))]))
    return jnp.stack(rows)


@partial(jax.jit, static_argnums=0)
def _finite_gradients(recipe: Recipe, state: State) -> Bool[Array, " losses"]:
    trained = tuple(group.trained(state.params) for group in recipe.groups)

    def value_of(loss: Expr) -> Callable[[PyTree], Array]:
        def value(trained: PyTree) -> Array:
            given = recipe.given(recipe.put(state.params, trained), state.points, held(state.weights), state)
            return recipe.program.evaluate([loss], given)[0]

        return value

    # one pass back for each: zeros times what is infinite in another loss are nan
    gradients = [jax.grad(value_of(loss))(trained) for loss in recipe.program.losses]
    return jnp.stack(
        [jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(one)]).all() for one in gradients]
    )
