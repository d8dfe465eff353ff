"""Balancers with random hyperparameters, fed with whatever losses may be: weights and states that stay sound.

`HYPOTHESIS_PROFILE=search PINNACE_FUZZ=50` looks at new and at more examples, in all files of this folder.
"""

import inspect
import os
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinnace import balance

TIMES = int(os.environ.get("PINNACE_FUZZ", "1"))
QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
M, STEPS, POINTS = 3, 12, 5
WILD = [0.0, 1e-45, 1e-38, 1e-30, 1e-12, 1.0, 7.0, 1e12, 1e30, 3e38, np.inf, -np.inf, np.nan, -1.0]
TAME = np.array([[1.0, 2.0, 3.0], [0.5, 2.5, 3.0], [0.25, 2.0, 1.0], [0.3, 1.0, 0.5]], np.float32)
SUM_TO_M = {"relobralo", "softadapt", "dwa", "rlw", "gradnorm"}
"""Those whose weights sum to the number of losses before clamps."""

share, positive = st.floats(0, 1), st.floats(1e-6, 1e6)
RANGES = {
    "alpha": share, "beta": share, "ema": share, "expected_rho": share, "tau": positive, "temperature": positive,
    "eps": st.sampled_from([1e-12, 1e-8, 1e-3]), "seed": st.integers(0, 2**31 - 1), "lr": positive, "reference":
    st.integers(0, M - 1), "every": st.integers(1, 4), "max_weight": st.floats(1, 1e6),
    "min_weight": st.just(0) | st.floats(1e-30, 1),
    "weights": st.lists(st.floats(0, 1e6), min_size=M, max_size=M), "initial_weights": positive,
    "variant": st.sampled_from(["original", "normalized", "loss_weighted"]), "normalize": st.booleans(),
    "init_s": st.floats(-3, 3), "lr_s": positive,
}  # fmt: skip
OWN = {
    ("rlw", "alpha"): positive,
    ("gradnorm", "alpha"): st.floats(0, 5),
    ("softadapt", "beta"): st.floats(-1e3, 1e3),
}


@st.composite
def arguments(draw, name):
    """Arguments of a factory: some of those that it has, each within its range."""
    parameters = inspect.signature(balance.BALANCERS[name]).parameters
    chosen = {}
    if TIMES > 1 or name in ("relobralo", "dwa", "equal_init_ema", "lra"):  # each mode is compiled for itself
        chosen["mode"] = draw(st.sampled_from(["raw", "l2"] if TIMES > 1 else ["l2"]))
    for argument, parameter in parameters.items():
        if argument == "mode":
            continue
        if parameter.default is inspect.Parameter.empty or draw(st.booleans()):
            chosen[argument] = draw(OWN.get((name, argument), RANGES[argument]))
    return chosen


numbers = st.one_of(st.sampled_from(WILD), st.floats(0, 10, width=32))
streams = st.lists(st.lists(numbers, min_size=M, max_size=M), min_size=STEPS, max_size=STEPS)


@cache
def compiled(structure):
    """All steps of a stream in one program; other numbers in the same balancer run it again."""
    del structure

    def step(carry, seen):
        balancer, state = carry
        losses, gradients = seen
        weights, state = balancer.update(losses, state, grads=tuple(gradients), traces=jnp.abs(gradients[:, 0]))
        return (balancer, state), (weights, state)

    return jax.jit(
        lambda balancer, state, *seen: jax.lax.scan(step, (balancer, state), seen)[1], compiler_options=QUICKLY
    )


def arrays(balancer):
    """The same, its numbers arrays."""
    return jax.tree.map(jnp.asarray, balancer)


def run(balancer, losses, gradients):
    """(weights, state) after each step."""
    balancer, start = arrays(balancer), balancer.init(M)
    steps = compiled((jax.tree.structure(balancer), tuple(leaf.shape for leaf in jax.tree.leaves(balancer))))
    return steps(balancer, start, jnp.asarray(losses, jnp.float32), jnp.asarray(gradients, jnp.float32))


def finite(tree):
    return all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize("name", balance.BALANCERS)
@settings(max_examples=12 * TIMES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_losses_are_weights_stay_sound_and_recover(name, data):
    chosen = data.draw(arguments(name))
    balancer = balance.by_name(name, **chosen)
    losses, slopes = data.draw(streams), data.draw(streams)
    losses = np.concatenate([np.array(losses, np.float32), np.tile(TAME, (4, 1))])
    slopes = np.concatenate([np.array(slopes, np.float32), np.tile(TAME, (4, 1))])
    gradients = np.stack([slopes, -slopes], axis=-1)
    weights, states = run(balancer, losses, gradients)
    weights = np.asarray(weights)
    assert np.isfinite(weights).all() and (weights >= 0).all(), weights
    assert finite(states), states
    shapes = [(leaf.shape[1:], leaf.dtype) for leaf in jax.tree.leaves(states)]
    assert shapes == [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(balancer.init(M))]
    moves = np.asarray(states.moves)
    assert moves[-1] - moves[STEPS - 1] >= len(TAME) * 4 // int(chosen.get("every", balancer.every)) - 1
    defaults = {k: p.default for k, p in inspect.signature(balance.BALANCERS[name]).parameters.items()} | chosen
    low, high = defaults["min_weight"], defaults["max_weight"]
    if name in SUM_TO_M and low is None and high is None:
        np.testing.assert_allclose(weights.sum(1), M, rtol=1e-4)
    moved = np.diff(moves, prepend=0) > 0
    if name != "lra":
        assert low is None or (weights[moved] >= np.float32(low) * (1 - 1e-6)).all()
        assert high is None or (weights[moved] <= np.float32(high) * (1 + 1e-6)).all()
    assert (np.diff(weights, axis=0)[~moved[1:]] == 0).all()


@cache
def compiled_points(structure):
    del structure

    def step(carry, seen):
        cell, state = carry
        weights, state = cell.update(seen, state, *[jnp.linspace(0, 1, POINTS)] * isinstance(cell, CAUSAL))
        return (cell, state), (weights, state)

    return eqx.filter_jit(lambda cell, state, seen: jax.lax.scan(step, (cell, state), seen)[1])


CAUSAL = type(balance.causal(0, 1))
POINT_WEIGHTS = {
    "rba": st.builds(balance.rba, share, positive),
    "sa": st.builds(balance.sa, positive),
    "brdr": st.builds(balance.brdr, st.sampled_from([1e-30, 1e-8]), st.floats(0, 1, exclude_max=True), share),
    "causal": st.builds(balance.causal, st.just(0), st.just(1), st.just(4), positive),
}


@pytest.mark.parametrize("name", balance.POINT_WEIGHTS)
@settings(max_examples=12 * TIMES, suppress_health_check=list(HealthCheck))
@given(
    data=st.data(),
    stream=st.lists(st.lists(numbers, min_size=POINTS, max_size=POINTS), min_size=STEPS, max_size=STEPS),
)
def test_whatever_residuals_are_weights_of_points_stay_sound_and_recover(name, data, stream):
    cell = jax.tree.map(jnp.asarray, data.draw(POINT_WEIGHTS[name]))
    tame = np.array([[0.5, 1.0, -2.0, 0.1, 0.0]], np.float32)
    residuals = np.concatenate([np.array(stream, np.float32), np.repeat(tame, 4, 0)])
    weights, states = compiled_points(name)(cell, cell.init(POINTS), jnp.asarray(residuals))
    assert np.isfinite(weights).all() and (np.asarray(weights) >= 0).all(), weights
    assert finite(states), states
