"""Independent points, grids, fixed points, and the cover that all of them fill."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pinnace.points import SAMPLERS, Cover, Fixed, Grid, Uniform
from pinnace.points.grid import cells, centres
from pinnace.points.sampler import unit

sizes = st.floats(1e-6, 1e6)


def cover(measures, *lengths):
    return Cover(np.array(measures, float), np.array(lengths, float))


def drawn(sampler, seed=0, dtype=jnp.float32):
    return [np.asarray(part) for part in sampler.draw(sampler.base(dtype), jax.random.key(seed), dtype)]


@pytest.mark.parametrize(("dtype", "kept"), [("float32", 23), ("float64", 32)])
def test_bits_become_the_centres_of_equal_cells(dtype, kept, x64):
    bits = np.array([0, 1, 1 << 31, 2**32 - 1, 123456789], np.uint32)
    got = np.asarray(unit(jnp.asarray(bits), jnp.dtype(dtype)), np.float64)
    np.testing.assert_array_equal(got, (np.floor(bits / 2.0 ** (32 - kept)) + 0.5) / 2.0**kept)
    assert np.all((got > 0) & (got < 1))


def test_independent_points_are_uniform():
    piece, points = drawn(Uniform(4000, cover([1], [1, 1])))
    assert not piece.any()
    for axis in range(2):
        assert stats.kstest(points[:, axis], "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(points.T)[0, 1]) < 0.05


@settings(deadline=None, max_examples=30)
@given(st.lists(sizes, min_size=1, max_size=7), st.integers(0, 2**32 - 1))
def test_the_first_coordinate_chooses_the_piece_by_its_share(measures, seed):
    places = np.random.default_rng(seed).random((200, 2))
    with jax.enable_x64(True):
        laid = Cover(np.array(measures), np.ones((len(measures), 2)))
        piece, rest = (np.asarray(part) for part in laid.split(jnp.asarray(places)))
    edges = np.concatenate([[0], np.cumsum(measures)]) / sum(measures)
    for point, k, inner in zip(places, piece, rest, strict=True):
        width = edges[k + 1] - edges[k]
        assert edges[k] - 1e-12 <= point[0] <= edges[k + 1] + 1e-12
        np.testing.assert_allclose(edges[k] + inner[0] * width, point[0], atol=1e-12)
        assert inner[1] == point[1]


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 20_000), st.lists(sizes, min_size=1, max_size=6))
def test_a_grid_has_about_n_cells_and_is_exact_in_one_dimension(n, lengths):
    counts = cells(n, np.array(lengths))
    assert len(counts) == len(lengths) and min(counts) >= 1
    longest = len(lengths) - 1 - int(np.argmax(lengths[::-1]))
    others = math.prod(counts) / counts[longest]
    assert abs(math.prod(counts) - n) <= others / 2 + 1e-6 * n
    if len(lengths) == 1:
        assert counts == (n,)


@pytest.mark.parametrize(
    ("n", "lengths", "expected"),
    [
        (1000, [2, 1], (45, 22)),
        (1024, [1, 1], (32, 32)),
        (1000, [1, 1, 1], (10, 10, 10)),
        (800, [1e-9, 1, 2], (1, 20, 40)),
        (1, [1, 5], (1, 1)),
    ],
)
def test_cells_are_as_long_as_wide(n, lengths, expected):
    assert cells(n, np.array(lengths, float)) == expected


def test_grid_points_are_cell_centres():
    np.testing.assert_allclose(centres((2, 3)), [[a, b] for a in (0.25, 0.75) for b in (1 / 6, 0.5, 5 / 6)], rtol=1e-15)


def test_a_grid_covers_each_piece_by_its_share_and_knows_its_size():
    grid = Grid(100, cover([3, 1], [1, 1], [1, 1]))
    piece, points = drawn(grid)
    assert grid.size == len(points) == 72 + 25
    np.testing.assert_array_equal(np.bincount(piece), [72, 25])
    np.testing.assert_array_equal(drawn(grid, seed=9)[1], points)


def test_every_piece_gets_a_point_of_the_grid():
    assert Grid(1, cover([1, 1e-9], [1.0], [1.0])).size == 2


def test_fixed_points_are_the_pieces_whatever_n():
    fixed = Fixed(1024, Cover(np.ones(2), np.ones((2, 0))))
    piece, points = drawn(fixed)
    assert fixed.size == 2 and points.shape == (2, 0)
    np.testing.assert_array_equal(piece, [0, 1])


@pytest.mark.parametrize("name", SAMPLERS)
def test_random_samplers_say_that_they_are(name):
    sampler = SAMPLERS[name](50, cover([2, 1], [1, 2], [1, 1]))
    same, other = drawn(sampler, 0)[1], drawn(sampler, 1)[1]
    np.testing.assert_array_equal(drawn(sampler, 0)[1], same)
    assert sampler.random == bool(np.any(same != other))
    assert len(same) == sampler.size
