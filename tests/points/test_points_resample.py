"""When points are drawn again."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pinnace.points import fresh_every


def draw(key):
    return jax.random.uniform(key, (3, 2))


@pytest.mark.parametrize(("period", "jit"), [(1, True), (5, True), (2, False)])
def test_points_are_fresh_at_multiples_of_the_period_and_not_at_zero(period, jit):
    move = jax.jit(fresh_every, static_argnums=(0, 1)) if jit else fresh_every
    key, points = jax.random.key(4), jnp.zeros((3, 2))
    for step in range(11 if jit else 5):
        moved = move(period, draw, points, step=step, key=key)
        if step and step % period == 0:
            np.testing.assert_array_equal(moved, draw(jax.random.fold_in(key, step)))
        else:
            np.testing.assert_array_equal(moved, points)
        points = moved


def test_steps_may_be_64_bit(x64):
    step = jnp.asarray(4, jnp.int64)
    moved = fresh_every(2, draw, jnp.zeros((3, 2)), step=step, key=jax.random.key(0))
    assert moved.dtype == jnp.float64 and np.all(moved > 0)
