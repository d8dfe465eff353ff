"""Random orders of which a few places are asked for."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from pinnace.points import shuffled


def orders(n, count, seed=0):
    keys = jax.random.split(jax.random.key(seed), count)
    return np.asarray(jax.jit(jax.vmap(lambda key: shuffled(key, n, jnp.arange(n))))(keys))


@pytest.mark.parametrize("n", [1, 2, 3, 7, 16, 17, 96, 1001])
def test_every_order_has_each_number_once(n):
    found = orders(n, 20)
    np.testing.assert_array_equal(np.sort(found, axis=1), np.broadcast_to(np.arange(n), (20, n)))
    assert n < 16 or len(np.unique(found, axis=0)) == 20


def test_places_tell_the_same_however_few_are_asked_for(x64):
    key, n = jax.random.key(3), 100_003
    order = np.asarray(shuffled(key, n, jnp.arange(n, dtype=jnp.int32)))
    assert np.array_equal(np.sort(order), np.arange(n)) and order.dtype == np.int32
    some = jax.jit(partial(shuffled, n=n))(key, places=jnp.arange(70_000, 70_020))
    np.testing.assert_array_equal(some, order[70_000:70_020])


@pytest.mark.parametrize("n", [4, 5])
def test_all_orders_of_a_few_are_alike(n):
    found = orders(n, 50_000)
    _, counts = np.unique(found, axis=0, return_counts=True)
    assert len(counts) == math.factorial(n) and stats.chisquare(counts).pvalue > 1e-3


def test_orders_of_many_place_each_number_anywhere_and_pairs_as_often_together_as_chance_has_it():
    n, size, count = 60, 6, 20_000
    found = orders(n, count, seed=1)
    places = np.stack([np.bincount(found[:, k], minlength=n) for k in range(n)])
    # rows and columns of this table add up to the same: (n - 1)^2 degrees of freedom
    excess = np.sum((places - count / n) ** 2 / (count / n)) - (n - 1) ** 2
    assert abs(excess) < 4 * np.sqrt(2) * (n - 1)
    batch = np.argsort(found, axis=1) // size
    together = np.mean(batch[:, :, None] == batch[:, None, :], axis=0)[~np.eye(n, dtype=bool)]
    chance = (size - 1) / (n - 1)
    scores = (together - chance) / np.sqrt(chance * (1 - chance) / count)
    assert np.max(np.abs(scores)) < 5 and 0.9 < np.std(scores) < 1.1
