"""Sobol points: the sequence, its shift, and how evenly they lie."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import qmc

from pinnace._errors import DomainError
from pinnace.points import Cover, Sobol, Uniform
from pinnace.points.sobol import MAX_DIM, sobol_bits


def cube(dim):
    return Cover(np.ones(1), np.ones((1, dim)))


def drawn(sampler, seed=0, dtype=jnp.float32):
    return np.asarray(sampler.draw(sampler.base(dtype), jax.random.key(seed), dtype)[1])


def occupied(points, splits):
    """Points in each elementary box when axis i is cut into 2**splits[i] parts."""
    cell = np.zeros(len(points), int)
    for axis, power in enumerate(splits):
        cell = cell * 2**power + np.floor(points[:, axis].astype(np.float64) * 2**power).astype(int)
    return np.bincount(cell, minlength=2 ** sum(splits))


@pytest.mark.parametrize("dim", [1, 2, 3, 7, 10, 11, 14])
def test_the_bits_are_the_sobol_sequence(dim):
    ours = sobol_bits(512, dim)
    theirs = qmc.Sobol(dim, scramble=False, bits=32).random_base2(9) * 2.0**32
    assert ours.dtype == np.uint32
    # the sequences differ in order (Gray code), not in the points of a block of 2^m
    np.testing.assert_array_equal(np.unique(ours, axis=0), np.unique(theirs, axis=0))
    np.testing.assert_array_equal(sobol_bits(300, dim), ours[:300])


def test_a_draw_is_the_sequence_xor_one_random_number_an_axis(x64):
    bits = np.round(drawn(Sobol(64, cube(3)), dtype=jnp.float64) * 2.0**32 - 0.5).astype(np.uint32)
    assert len(np.unique(bits ^ sobol_bits(64, 3), axis=0)) == 1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_elementary_box_of_the_plane_holds_one_point(seed):
    points = drawn(Sobol(256, cube(2)), seed)
    for first in range(9):
        np.testing.assert_array_equal(occupied(points, (first, 8 - first)), 1)


@pytest.mark.parametrize("n", [1, 2, 3, 100, 1000, 1025])
@pytest.mark.parametrize("dtype", [jnp.float32, "float64"])
def test_any_number_of_points_lies_in_the_open_cube(n, dtype, x64):
    points = drawn(Sobol(n, cube(4)), dtype=jnp.dtype(dtype))
    assert points.shape == (n, 4) and points.dtype == dtype
    assert np.all(points > 0) and np.all(points < 1)
    assert len(np.unique(points[:, 0])) == n


@pytest.mark.parametrize(("n", "dim"), [(1024, 2), (1000, 2), (777, 4), (2048, 6)])
def test_discrepancy_is_far_below_that_of_independent_points(n, dim):
    even, independent = (
        qmc.discrepancy(np.asarray(drawn(kind(n, cube(dim)), seed=3), np.float64), method="L2-star")
        for kind in (Sobol, Uniform)
    )
    assert even < independent / 2


def test_a_shift_keeps_the_net_and_moves_every_point():
    sampler = Sobol(128, cube(2))
    base = sampler.base(jnp.float32)
    first, second = (np.asarray(sampler.draw(base, jax.random.key(seed), jnp.float32)[1]) for seed in (1, 2))
    assert np.all(first != second)
    for part in range(8):
        np.testing.assert_array_equal(occupied(second, (part, 7 - part)), 1)


def test_too_many_coordinates_are_an_error():
    with pytest.raises(DomainError, match=r'has 21201 coordinates at most.*sampler="uniform"'):
        Sobol(8, cube(MAX_DIM + 1))
