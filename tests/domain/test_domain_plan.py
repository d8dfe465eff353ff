"""Drawing points at the start and inside the step."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pinnace import domain

RECTANGLE = domain.rectangle((-0.37, 2), (0.1, 1.7))
TIMED = RECTANGLE.time(0, 0.9)
DISK = domain.disk((0.2, 0.3), 0.7)


def plan_of(dom, region="interior", n=100, **settings):
    return dom.variable(region, n, **settings)[0].points.plan


def trained(plan, key, steps, start=0):
    """The points of each step of a compiled loop."""

    def body(i, carry):
        points, state, seen = carry
        points, state = plan.update(points, state, step=start + i, key=key)
        return points, state, seen.at[i].set(points)

    @jax.jit
    def run(points, state):
        return jax.lax.fori_loop(0, steps, body, (points, state, jnp.zeros((steps, *points.shape), points.dtype)))

    points, state = plan.init(key)
    return np.asarray(points), np.asarray(run(points, state)[2])


@pytest.mark.parametrize(
    ("dom", "region", "sampler"),
    [
        (TIMED, "interior", "sobol"),
        (TIMED, "interior", "uniform"),
        (TIMED, "boundary", "sobol"),
        (TIMED, "right", "uniform"),
        (TIMED, "initial", "sobol"),
        (DISK, "interior", "sobol"),
    ],
    ids=str,
)
def test_points_stay_for_k_steps_and_are_new_at_k(dom, region, sampler):
    plan = plan_of(dom, region, resample=3, sampler=sampler)
    assert plan.moves
    first, seen = trained(plan, jax.random.key(1), 8)
    assert np.array_equal(seen[0], first)
    for step in range(1, 8):
        assert np.array_equal(seen[step], seen[step - 1]) == (step % 3 != 0)
    space = seen.reshape(-1, seen.shape[-1])[:, :2]
    if dom is DISK:
        assert np.all(np.hypot(*(space.astype(np.float64) - [0.2, 0.3]).T) <= 0.7)
    else:
        assert np.all(space >= np.float32([-0.37, 0.1])) and np.all(space <= np.float32([2, 1.7]))


@pytest.mark.parametrize(("dom", "region"), [(TIMED, "boundary"), (DISK, "interior")], ids=str)
def test_eager_and_compiled_draws_are_bit_equal(dom, region):
    plan = plan_of(dom, region, resample=2)
    key = jax.random.key(3)
    points, state = plan.init(key)
    np.testing.assert_array_equal(points, jax.jit(plan.init)(key)[0])
    seen = trained(plan, key, 5)[1]
    for step in (1, 2, 4):
        eager, _ = plan.update(points, state, step=step, key=key)
        np.testing.assert_array_equal(eager, seen[step] if step != 1 else points)


def test_a_loop_that_starts_later_sees_the_same_points():
    plan = plan_of(TIMED, resample=2)
    key = jax.random.key(0)
    whole, rest = trained(plan, key, 8)[1], trained(plan, key, 4, start=4)[1]
    np.testing.assert_array_equal(whole[4:], rest)


@pytest.mark.parametrize("sampler", ["sobol", "uniform"])
def test_the_key_decides(sampler):
    plan, twin = (plan_of(TIMED, sampler=sampler) for _ in range(2))
    one, two = jax.random.key(1), jax.random.key(2)
    np.testing.assert_array_equal(plan.init(one)[0], twin.init(one)[0])
    assert np.all(np.asarray(plan.init(one)[0]) != np.asarray(plan.init(two)[0]))


def test_fresh_points_depend_on_the_key_of_the_step():
    plan = plan_of(TIMED, resample=1)
    points, state = plan.init(jax.random.key(0))
    one, two = (plan.update(points, state, step=1, key=jax.random.key(seed))[0] for seed in (1, 2))
    assert np.all(np.asarray(one) != np.asarray(two))


def test_fresh_sobol_points_are_still_a_net():
    plan = domain.rectangle((0, 1), (0, 1)).variable("interior", 64, resample=1)[0].points.plan
    seen = trained(plan, jax.random.key(5), 3)[1]
    for points in seen:
        for axis in range(2):
            assert sorted((points[:, axis] * 64).astype(int)) == list(range(64))


@pytest.mark.parametrize("settings", [{}, {"sampler": "grid"}, {"sampler": "uniform"}])
def test_fixed_sets_have_no_state_and_do_not_move(settings):
    plan = plan_of(TIMED, **settings)
    points, state = plan.init(jax.random.key(0))
    assert not plan.moves and jax.tree.leaves(state) == []
    same, _ = plan.update(points, state, step=5, key=jax.random.key(1))
    assert same is points


@pytest.mark.parametrize("sampler", ["sobol", "uniform"])
def test_state_holds_arrays_that_keep_their_types(sampler):
    plan = plan_of(TIMED, resample=2, sampler=sampler)
    key = jax.random.key(0)
    points, state = plan.init(key)
    moved = plan.update(points, state, step=2, key=key)
    assert jax.tree.structure((points, state)) == jax.tree.structure(moved)
    for before, after in zip(jax.tree.leaves((points, state)), jax.tree.leaves(moved), strict=True):
        assert (before.dtype, before.shape) == (after.dtype, after.shape)
        assert before.dtype in (jnp.float32, jnp.uint32)


def test_points_have_the_default_float_type(x64):
    plan = plan_of(TIMED, resample=2)
    points, state = plan.init(jax.random.key(0))
    assert points.dtype == jnp.float64
    assert plan.update(points, state, step=jnp.asarray(2), key=jax.random.key(0))[0].dtype == jnp.float64


def test_plans_are_static_arguments_that_know_where_they_are():
    plan, twin = plan_of(TIMED, "top"), plan_of(TIMED, "top")
    assert plan == plan and plan != twin and len({plan, twin}) == 2
    assert plan.domain is TIMED and plan.region == "top" and plan.size == 100


SCRIPT = """
import jax, numpy as np
from pinnace import domain
rectangle, disk = domain.rectangle((-0.37, 2), (0.1, 1.7)), domain.disk((0.2, 0.3), 0.7)
for dom in (rectangle, rectangle - disk.tag("hole")):
    x, y, t = dom.time(0, 0.9).variable("boundary", 100, resample=2)
    points, state = x.points.plan.init(jax.random.key(11))
    moved, _ = x.points.plan.update(points, state, step=2, key=jax.random.key(11))
    print(np.asarray(points).tobytes().hex(), np.asarray(moved).tobytes().hex())
"""


def test_another_process_draws_the_same_points():
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "77",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=environment
    ).stdout.split()
    ours = []
    for dom in (TIMED, (RECTANGLE - DISK.tag("hole")).time(0, 0.9)):
        plan = plan_of(dom, "boundary", resample=2)
        points, state = plan.init(jax.random.key(11))
        moved, _ = plan.update(points, state, step=2, key=jax.random.key(11))
        ours += [np.asarray(part).tobytes().hex() for part in (points, moved)]
    assert told == ours
