"""What one step costs."""

from dataclasses import dataclass, replace
from functools import partial

import jax
from jaxtyping import PyTree

from pinnace.lower import FieldWork, matrix_products, work
from pinnace.step.advance import advance
from pinnace.step.moves import held
from pinnace.step.recipe import Recipe
from pinnace.step.scale import Scale
from pinnace.step.state import State


@dataclass(frozen=True)
class Cost:
    """The cost of one step, as the compiler tells it: of the whole problem, bytes on each device."""

    flops: float
    """Floating-point operations, not counting what `microbatch` computes again; NaN where nothing is told."""
    products: int
    """Matrix products: forward and backward pass, and what batches and the optimizer repeat."""
    fields: tuple[FieldWork, ...]
    """What the forward pass does for each field."""
    temporary: int
    arguments: int
    results: int

    @property
    def peak(self) -> int:
        """Bytes that a step needs at once."""
        return self.temporary + self.arguments + self.results


def cost_of_step(recipe: Recipe, numbers: PyTree, state: State) -> Cost:
    """The cost of one step; compiles it."""
    traced = jax.jit(partial(advance, recipe)).trace(numbers, state)
    lowered = traced.lower()
    memory = lowered.compile().memory_analysis()
    # the compiler counts the body of a loop once, whatever its length
    at_once = replace(recipe, scale=Scale(remat=recipe.scale.remat, precision=recipe.scale.precision))
    plain = jax.eval_shape(recipe.placement.real_rows, state)
    same = recipe.scale.mesh is None and recipe.scale.microbatch is None
    counted = lowered if same else jax.jit(partial(advance, at_once)).lower(numbers, plain)
    flops = (counted.cost_analysis() or {}).get("flops", float("nan"))
    program = recipe.program
    given = recipe.given(state.params, state.points, held(state.weights), state)
    return Cost(
        float(flops),
        matrix_products(traced.jaxpr),
        tuple(work(program.plan(), given)),
        *(0, 0, 0)
        if memory is None
        else (memory.temp_size_in_bytes, memory.argument_size_in_bytes, memory.output_size_in_bytes),
    )
