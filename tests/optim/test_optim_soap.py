"""SOAP against its formula in NumPy, and against Adam where Adam is slow."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import LearningRateSchedule as lrs
from pinnace._errors import FieldError

SHAPES = [(4, 4), (3, 2), (6,), (), (2, 2, 2)]


def orthonormal(columns):
    """By Gram and Schmidt, twice."""
    found = []
    for column in columns.T:
        for _ in range(2):
            column = column - sum((q @ column) * q for q in found)
        found.append(column / np.linalg.norm(column))
    return np.array(found).T


def by_hand(gradients, lr, b1, b2, eps, every, largest):
    """The updates of one array, step after step."""
    shape = gradients[0].shape
    turned = [len(shape) == 2 and 1 < size <= largest for size in shape]
    mean, square = np.zeros(shape), np.zeros(shape)
    outer = [np.zeros((size, size)) for size in shape]
    basis = [np.eye(size) for size in shape]
    found = []
    for t, g in enumerate(gradients, start=1):
        mean = b1 * mean + (1 - b1) * g
        if len(shape) == 2:
            for axis, product in enumerate((g @ g.T, g.T @ g)):
                outer[axis] = b2 * outer[axis] + (1 - b2) * product
                if turned[axis] and (t - 1) % every == 0:
                    basis[axis] = orthonormal(outer[axis] @ basis[axis])
            inside = lambda a: basis[0].T @ a @ basis[1]  # noqa: E731
            outside = lambda a: basis[0] @ a @ basis[1].T  # noqa: E731
        else:
            inside = outside = lambda a: a
        square = b2 * square + (1 - b2) * inside(g) ** 2
        found.append(-lr * outside(inside(mean) / (1 - b1**t) / (np.sqrt(square / (1 - b2**t)) + eps)))
    return found


@pytest.mark.parametrize(
    "options",
    [{}, {"lr": 0.1, "every": 1}, {"betas": (0.9, 0.99), "eps": 1e-3, "every": 3}, {"largest": 3}, {"betas": (0, 0.5)}],
    ids=str,
)
def test_every_step_equals_the_formula(options, x64):
    random = np.random.default_rng(5)
    gradients = [[random.standard_normal(shape) * 10.0 ** random.uniform(-3, 1) for shape in SHAPES] for _ in range(12)]
    given = {"lr": 3e-3, "betas": (0.95, 0.95), "eps": 1e-8, "every": 5, "largest": 512} | options
    tx = pn.optim.soap(**options)
    state, step, found = tx.init(gradients[0]), jax.jit(tx.update), []
    for g in gradients:
        updates, state = step(g, state)
        found.append(updates)
    (b1, b2), rest = given["betas"], (given["eps"], given["every"], given["largest"])
    for k in range(len(SHAPES)):
        for ours, theirs in zip(found, by_hand([g[k] for g in gradients], given["lr"], b1, b2, *rest), strict=True):
            np.testing.assert_allclose(ours[k], theirs, rtol=1e-7, atol=1e-12)


def test_gradients_of_zero_move_nothing():
    tx = pn.optim.soap(1.0)
    params = [jnp.ones((3, 2)), jnp.ones(2)]
    state, step = tx.init(params), jax.jit(tx.update)
    for _ in range(3):
        updates, state = step([jnp.zeros((3, 2)), jnp.zeros(2)], state)
        assert all(not np.any(one) for one in updates)


def test_a_rotated_valley_is_no_harder_than_a_straight_one(x64):
    """Adam is slow where the directions of a narrow valley are no axes."""
    random = np.random.default_rng(0)
    turn, _ = np.linalg.qr(random.standard_normal((12, 12)))
    wide = np.diag(10.0 ** np.linspace(-2, 0, 12))
    left, right, goal = turn @ wide @ turn.T, turn.T @ wide @ turn, random.standard_normal((12, 12))

    def loss(w):
        return jnp.sum((left @ (w - goal) @ right) ** 2)

    def left_over(tx):
        def step(carry, _):
            w, state = carry
            updates, state = tx.update(jax.grad(loss)(w), state, w)
            return (optax.apply_updates(w, updates), state), None

        start = jnp.zeros((12, 12))
        (w, _), _ = jax.jit(lambda: jax.lax.scan(step, (start, tx.init(start)), length=800))()
        return float(loss(w) / loss(start))

    rate = optax.cosine_decay_schedule(3e-2, 800)
    assert left_over(pn.optim.soap(rate)) < 1e-2 * left_over(optax.adam(rate))


def test_it_trains_fields_together_under_a_schedule():
    x = pn.domain.interval(0, 1).variable("interior", 16)
    a, b = pn.parameter(np.ones((2, 2)), name="a"), pn.parameter(1.0, name="b")
    pn.optimizer([a, b], pn.optim.soap(1)).scale(lrs.cosine(50, 0.15))
    crux = pn.core([((a - 2) ** 2).mean + ((b * x - 3 * x).mse)])
    run = crux.solve(50)
    assert run.history["total"][-1] < 0.1 * run.history["total"][0]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"betas": 0.9}, "betas = 0.9"),
        ({"betas": (0.9, 1.0)}, "from 0 to below 1"),
        ({"eps": -1.0}, "at least 0"),
        ({"every": 0}, "every = 0"),
        ({"largest": 1.5}, "whole number"),
        ({"lr": lrs(lambda epoch, losses: 1e-3 * losses[0])}, r"optimizer\(pn.optim.soap\(1\)\)"),
    ],
)
def test_what_it_cannot_take_is_told(options, told):
    with pytest.raises(FieldError, match=told):
        pn.optim.soap(**options)
