"""What the architectures are before any training: forward passes by hand, and the statistics of their papers."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import pinnace as pn
from pinnace import arch

pytestmark = pytest.mark.usefixtures("x64")
KEY = jax.random.key(4)
POINTS = np.random.default_rng(0).uniform(-1, 1, (40, 2))
MAKE = {
    "fourier": lambda *sizes, **more: arch.FourierFeatures(*sizes, **more, key=KEY),
    "scales": lambda *sizes, **more: arch.FourierFeatures(*sizes, scales=[1.0, (4.0, 2.0)], **more, key=KEY),
    "modified": lambda *sizes, **more: arch.ModifiedMLP(*sizes, **more, key=KEY),
    "pirate": lambda *sizes, **more: arch.PirateNet(*sizes, **more, key=KEY),
    "siren": lambda *sizes, **more: arch.Siren(*sizes, **more, key=KEY),
}


def shaken(module, size=0.3):
    """The module with all that is trained moved, biases and gates included."""
    chance = np.random.default_rng(1)

    def moved(leaf):
        values = np.asarray(leaf) if eqx.is_inexact_array(leaf) else None
        return leaf if values is None else jnp.asarray(values + size * chance.standard_normal(values.shape))

    return jax.tree.map(moved, module)


@eqx.filter_jit
def values_of(net, points=None):
    return jax.vmap(net)(POINTS if points is None else points)


def affine(layer, values):
    return values @ np.asarray(layer.weight).T + (0 if layer.bias is None else np.asarray(layer.bias))


def embedded(embedding, points):
    phases = points @ np.asarray(embedding.phases.array).T
    return np.concatenate([np.cos(phases), np.sin(phases)], axis=1)


def fourier_by_hand(net, points):
    found = []
    for embedding in net.embeddings:
        values = embedded(embedding, points)
        for layer in net.hidden:
            values = np.tanh(affine(layer, values))
        found.append(values)
    return affine(net.last, np.concatenate(found, axis=1))


def modified_by_hand(net, points):
    """Equations (42) to (46) of arXiv 2001.04536."""
    first, second = (np.tanh(affine(encoder, points)) for encoder in net.encoders)
    values = points
    for layer in net.hidden:
        z = np.tanh(affine(layer, values))
        values = (1 - z) * first + z * second
    return affine(net.last, values)


def pirate_by_hand(net, points):
    """Equations (4.1) to (4.7) of arXiv 2402.00326."""
    values = embedded(net.embedding, points)
    first, second = (np.tanh(affine(encoder, values)) for encoder in net.encoders)
    for block in net.blocks:
        one, two, three = block.layers
        f = np.tanh(affine(one, values))
        z = f * first + (1 - f) * second
        g = np.tanh(affine(two, z))
        z = g * first + (1 - g) * second
        h = np.tanh(affine(three, z))
        values = np.asarray(block.alpha) * h + (1 - np.asarray(block.alpha)) * values
    return affine(net.last, values)


def siren_by_hand(net, points):
    for layer in net.hidden:
        points = np.sin(30.0 * affine(layer, points))
    return affine(net.last, points)


BY_HAND = {
    "scales": fourier_by_hand,
    "modified": modified_by_hand,
    "pirate": pirate_by_hand,
    "siren": siren_by_hand,
}


@pytest.mark.parametrize("name", BY_HAND)
def test_forward_passes_are_those_of_the_papers(name):
    net = shaken(MAKE[name](2, 3, 8, 3))
    np.testing.assert_allclose(values_of(net), BY_HAND[name](net, POINTS), rtol=1e-10, atol=1e-11)
    scalar, vector = MAKE[name](2, "scalar", 8, 2), MAKE[name](2, 1, 8, 1)
    assert jax.eval_shape(scalar, POINTS[0]).shape == () and jax.eval_shape(vector, POINTS[0]).shape == (1,)


@pytest.mark.parametrize("name", ["fourier", "modified"])
def test_weights_begin_as_those_of_glorot(name):
    net = MAKE[name](2, 30, 80, 2)
    layers = [leaf for leaf in jax.tree.leaves(net, is_leaf=linear) if linear(leaf)]
    for layer in layers:
        expected = 2 / sum(layer.weight.shape)
        assert np.var(layer.weight) == pytest.approx(expected, rel=6 / np.sqrt(layer.weight.size))
        assert layer.bias is None or not np.any(layer.bias)
    starts = [tuple(np.ravel(layer.weight)[:3]) for layer in layers]
    assert len(set(starts)) == len(layers) >= 3


def linear(part):
    return isinstance(part, eqx.nn.Linear)


def test_fourier_features_have_a_gaussian_kernel():
    """In expectation gamma(v) gamma(w) / m = exp(-2 (pi sigma |v - w|)^2), with a deviation for each coordinate."""
    scales, features = np.array([0.4, 1.5]), 40_000
    embedding = arch.FourierEmbedding(2, features, scales.tolist(), key=KEY)
    for v, w in [(POINTS[0], POINTS[0] + [0.1, 0.05]), (POINTS[1], POINTS[1] + [-0.4, 0.1]), (POINTS[2], POINTS[3])]:
        kernel = float(embedding(jnp.asarray(v)) @ embedding(jnp.asarray(w))) / features
        expected = np.exp(-2 * np.pi**2 * np.sum((scales * (v - w)) ** 2))
        assert kernel == pytest.approx(expected, abs=4 / np.sqrt(2 * features))
    drawn = np.asarray(embedding.phases.array) / (2 * np.pi * scales)
    assert stats.kstest(drawn.ravel(), "norm").pvalue > 1e-3


def test_sines_begin_with_normal_numbers_layer_by_layer():
    net = arch.Siren(2, 3, 256, 5, key=KEY)
    values = np.random.default_rng(1).uniform(-1, 1, (1500, 2))
    assert np.max(np.abs(net.hidden[0].weight)) <= 1 / 2 and np.std(net.hidden[0].weight) > 0.9 / np.sqrt(12)
    variance = None
    for layer in net.hidden:
        before = 30.0 * affine(layer, values)
        values = np.sin(before)
        if variance is not None:
            assert np.var(before) == pytest.approx(variance, rel=0.2) and abs(stats.kurtosis(before.ravel())) < 0.25
            assert np.max(np.abs(layer.weight)) <= np.sqrt(6 / 256) / 30
        # the sine of many waves has the variance 1/2, that of a normal number (1 - exp(-2 var)) / 2; weights double it
        variance = 1 if variance is None else 1 - np.exp(-2 * variance)
        assert np.var(values) == pytest.approx(variance / 2, rel=0.2)
    assert np.max(np.abs(net.last.weight)) <= np.sqrt(6 / 256) / 30 and not np.any(net.last.bias)


def test_a_pirate_net_begins_as_a_linear_map_of_its_embedding():
    net = arch.PirateNet(2, 3, 32, 2, scale=2.0, key=KEY)
    features = embedded(net.embedding, POINTS)
    np.testing.assert_allclose(values_of(net), features @ np.asarray(net.last.weight).T, atol=1e-13)
    assert np.std(net.embedding.phases.array) == pytest.approx(2.0, rel=0.3)
    # blocks wake up: their gates have a gradient although their layers have none yet
    slopes = eqx.filter_jit(eqx.filter_grad(lambda net: jnp.sum(jax.vmap(net)(POINTS) ** 2)))(net)
    for block in slopes.blocks:
        assert block.alpha != 0 and not np.any(block.layers[0].weight)


def test_the_last_layer_is_fitted_to_data_by_least_squares():
    net = arch.PirateNet(2, 2, 16, 2, key=KEY)
    values = np.stack([np.sin(2 * POINTS[:, 0]) * POINTS[:, 1], POINTS[:, 0] ** 3], axis=1)
    fitted = net.fitted((POINTS, values))
    weights = np.linalg.lstsq(embedded(net.embedding, POINTS), values, rcond=None)[0]
    np.testing.assert_allclose(fitted.last.weight, weights.T, rtol=1e-6, atol=1e-8)
    before, after = (eqx.tree_at(lambda one: one.last, one, None) for one in (net, fitted))
    assert eqx.tree_equal(before, after)


@pytest.mark.parametrize("name", ["pirate", "siren"])
def test_the_last_layer_is_fitted_to_a_linear_problem(name):
    """u'' = -9 (u - 1), u(0) = 1, u(1) = 1 + sin 3, of which u = 1 + sin 3x is the solution."""
    net = {"pirate": arch.PirateNet(1, "scalar", 60, 2, scale=3.0, key=KEY)}.get(name) or arch.Siren(
        1, "scalar", 60, 1, omega0=4.0, key=KEY
    )

    def oscillator(f):
        def at(point):
            along = jnp.ones(1)
            _, second = jax.jvp(lambda p: jax.jvp(f, (p,), (along,))[1], (point,), (along,))
            return second + 9 * f(point)

        return at

    inside, ends = np.linspace(0, 1, 60)[:, None], np.array([[0.0], [1.0]])
    fitted = net.fitted((inside, np.full(60, 9.0), oscillator), (ends, 1 + np.sin(3 * ends[:, 0])))
    np.testing.assert_allclose(values_of(fitted, inside), 1 + np.sin(3 * inside[:, 0]), atol=1e-5)


NETS = {
    "no bias": eqx.nn.Sequential([eqx.nn.Linear(2, 4, use_bias=False, key=KEY), eqx.nn.Linear(4, "scalar", key=KEY)]),
}


@pytest.mark.parametrize("name", ["no bias", "separable"])
def test_factorized_weights_give_the_same_function(name):
    separable = arch.Separable(2, "scalar", 3, 4, 1, key=KEY, dtype=float)
    net = {"separable": separable}.get(name) or jax.tree.map(
        lambda leaf: leaf.astype(float) if eqx.is_array(leaf) else leaf, NETS[name]
    )
    found = arch.weight_factorized(net, key=jax.random.key(7))
    assert type(found) is type(net)
    np.testing.assert_allclose(values_of(found), values_of(net), rtol=1e-12, atol=1e-13)
    layers = [part for part in jax.tree.leaves(found, is_leaf=factorized) if factorized(part)]
    plain = [part for part in jax.tree.leaves(net, is_leaf=linear) if linear(part)]
    for one, other in zip(layers, plain, strict=True):
        np.testing.assert_allclose(one.weight, other.weight, rtol=1e-12)
        assert np.all(one.linear.weight != other.weight)


def factorized(part):
    return isinstance(part, arch.WeightFactorized)


def test_factors_are_log_normal_and_differ_from_layer_to_layer():
    net = arch.weight_factorized(eqx.nn.MLP(2, 600, 600, 1, key=KEY), 0.5, 0.2, key=KEY)
    first, second = (np.asarray(layer.scale) for layer in net.layers)
    assert stats.kstest((first - 0.5) / 0.2, "norm").pvalue > 1e-3
    assert stats.kstest((second - 0.5) / 0.2, "norm").pvalue > 1e-3 and abs(np.corrcoef(first, second)[0, 1]) < 0.2


@pytest.mark.parametrize("name", MAKE)
def test_sizes_and_points_that_do_not_fit_are_told(name):
    for sizes in ((0, 1, 8, 2), (2, 1, 8, 0), (2, 1, 2.5, 2), (2, True, 8, 2), (2, "vector", 8, 2)):
        with pytest.raises(pn.PinnaceError, match="is an int from 1 on; got"):
            MAKE[name](*sizes)
    x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 4)
    field = pn.nn(MAKE[name](2, "scalar", 8, 1))
    assert field(x, y).shape == ()
    with pytest.raises(pn.PinnaceError, match="a point of 3 numbers, and it wants 2 numbers"):
        field(x, y, 0.5)


def test_what_else_cannot_be_is_told():
    net = arch.PirateNet(2, "scalar", 8, 1, key=KEY)
    for wrong, told in {
        "even": lambda: arch.PirateNet(2, 1, 7, 1, key=KEY),
        "scale": lambda: arch.FourierFeatures(2, 1, 8, 1, scales=[-1.0], key=KEY),
        "at least one scale": lambda: arch.FourierFeatures(2, 1, 8, 1, scales=[], key=KEY),
        "one for each of 2": lambda: arch.FourierEmbedding(2, 8, [1.0, 2.0, 3.0], key=KEY),
        "features": lambda: arch.FourierEmbedding(2, 0, key=KEY),
        "omega0": lambda: arch.Siren(2, 1, 8, 1, omega0=0.0, key=KEY),
        "has none": lambda: arch.weight_factorized(eqx.nn.LayerNorm(3), key=KEY),
        "already": lambda: arch.weight_factorized(arch.weight_factorized(net, key=KEY), key=KEY),
        "std": lambda: arch.weight_factorized(net, std=-1.0, key=KEY),
        "got none": lambda: net.fitted(),
        "a condition is": lambda: net.fitted(POINTS),
        r"for 1 output": lambda: net.fitted((POINTS, np.ones((40, 2)))),
        "operator": lambda: net.fitted((POINTS, np.ones(40), lambda f: lambda p: f(p)[0])),
        "before its weights": lambda: arch.weight_factorized(net, key=KEY).fitted((POINTS, np.ones(40))),
    }.items():
        with pytest.raises(pn.PinnaceError, match=wrong):
            told()
