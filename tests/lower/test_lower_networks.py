"""Derivatives of networks up to fourth order, mixed ones too, are those of nested jax.grad."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from jax import nn

pytestmark = pytest.mark.usefixtures("x64")

ACTIVATIONS = {
    "tanh": jnp.tanh,
    "sin": jnp.sin,
    "gelu": nn.gelu,
    "exact gelu": lambda x: nn.gelu(x, approximate=False),
    "silu": nn.silu,
    "softplus": nn.softplus,
    "mish": nn.mish,
    "sigmoid": nn.sigmoid,
    "elu": nn.elu,
    "relu": nn.relu,
    "wavelet": lambda x: x**2 * jnp.exp(-(x**2) / 2),
    "selu": nn.selu,
    "celu": nn.celu,
    "leaky relu": nn.leaky_relu,
    "relu6": nn.relu6,
    "hard tanh": nn.hard_tanh,
    "log sigmoid": nn.log_sigmoid,
    "soft sign": nn.soft_sign,
    "rowdy": lambda x: jnp.tanh(x) + 0.1 * jnp.sin(3.0 * x),
}


def points(count=3):
    return jax.random.normal(jax.random.key(1), (count, 2))


@pytest.mark.parametrize("name", list(ACTIVATIONS)[:11])
def test_a_multilayer_perceptron_has_its_derivatives_to_fourth_order(name, agrees):
    depth = 2 if name == "tanh" else 1
    net = eqx.nn.MLP(2, "scalar", 4, depth, ACTIVATIONS[name], key=jax.random.key(0))
    agrees(net, points(), order=4, reverse=2)


@pytest.mark.parametrize("name", list(ACTIVATIONS)[11:])
def test_further_activations_have_their_derivatives(name, agrees):
    net = eqx.nn.MLP(2, "scalar", 4, 1, ACTIVATIONS[name], key=jax.random.key(0))
    agrees(net, points(), order=2)


class Fourier(eqx.Module):
    frequencies: jax.Array
    mlp: eqx.nn.MLP

    def __init__(self, key):
        self.frequencies = 2 * jax.random.normal(key, (4, 2))
        self.mlp = eqx.nn.MLP(8, "scalar", 6, 1, jnp.tanh, key=key)

    def __call__(self, point):
        phase = self.frequencies @ point
        return self.mlp(jnp.concatenate([jnp.sin(phase), jnp.cos(phase)]))


class Gated(eqx.Module):
    """The modified MLP of Wang, Teng and Perdikaris 2021."""

    gates: list[eqx.nn.Linear]
    layers: list[eqx.nn.Linear]

    def __init__(self, key):
        keys = jax.random.split(key, 5)
        self.gates = [eqx.nn.Linear(2, 6, key=k) for k in keys[:2]]
        self.layers = [eqx.nn.Linear(n, m, key=k) for n, m, k in zip((2, 6, 6), (6, 6, 1), keys[2:], strict=True)]

    def __call__(self, point):
        first, second = (jnp.tanh(gate(point)) for gate in self.gates)
        h = point
        for layer in self.layers[:-1]:
            z = jnp.tanh(layer(h))
            h = (1 - z) * first + z * second
        return self.layers[-1](h)[0]


class Attention(eqx.Module):
    embed: eqx.nn.Linear
    attention: eqx.nn.MultiheadAttention
    norm: eqx.nn.LayerNorm

    def __init__(self, key):
        self.embed = eqx.nn.Linear(2, 12, key=key)
        self.attention = eqx.nn.MultiheadAttention(2, 4, key=key)
        self.norm = eqx.nn.LayerNorm(4)

    def __call__(self, point):
        tokens = jnp.tanh(self.embed(point)).reshape(3, 4)
        mixed = jax.vmap(self.norm)(tokens + self.attention(tokens, tokens, tokens))
        return jnp.sum(mixed**2 * jnp.arange(12.0).reshape(3, 4))


class Scanned(eqx.Module):
    """Equal layers as one scan, with an output a layer."""

    first: eqx.nn.Linear
    layers: eqx.nn.Linear

    def __init__(self, key):
        self.first = eqx.nn.Linear(2, 5, key=key)
        self.layers = eqx.filter_vmap(lambda k: eqx.nn.Linear(5, 5, key=k))(jax.random.split(key, 3))

    def __call__(self, point):
        arrays, static = eqx.partition(self.layers, eqx.is_array)

        def layer(h, weights):
            h = h + jnp.tanh(eqx.combine(weights, static)(h))
            return h, h[0]

        last, outputs = jax.lax.scan(layer, self.first(point), arrays)
        return jnp.sum(last) * outputs[1]


class Convolved(eqx.Module):
    """A convolution along samples that the point spreads over."""

    convolution: eqx.nn.Conv1d

    def __init__(self, key):
        self.convolution = eqx.nn.Conv1d(2, 3, 3, padding=1, key=key)

    def __call__(self, point):
        signal = jnp.sin(point[:, None] * jnp.arange(1.0, 6.0))
        return jnp.sum(jnp.tanh(self.convolution(signal))[:, 2])


class Normalised(eqx.Module):
    mlp: eqx.nn.MLP
    norm: eqx.nn.LayerNorm

    def __init__(self, key):
        self.mlp = eqx.nn.MLP(2, 6, 6, 1, jnp.tanh, key=key)
        self.norm = eqx.nn.LayerNorm(6)

    def __call__(self, point):
        return jnp.sum(self.norm(self.mlp(point)) ** 3)


class Separable(eqx.Module):
    """One small network a coordinate, multiplied and summed; coordinates rescaled and unpacked."""

    parts: list[eqx.nn.MLP]

    def __init__(self, key):
        self.parts = [eqx.nn.MLP(1, 4, 4, 1, jnp.tanh, key=k) for k in jax.random.split(key)]

    def __call__(self, point):
        x, y = (point - jnp.array([0.1, 0.2])) / jnp.array([2.0, 0.5])
        return self.parts[0](x[None]) @ self.parts[1](y[None])


class Skipping(eqx.Module):
    """The coordinates again at each layer."""

    layers: list[eqx.nn.Linear]

    def __init__(self, key):
        self.layers = [eqx.nn.Linear(2, 4, key=key), eqx.nn.Linear(6, 4, key=key), eqx.nn.Linear(6, "scalar", key=key)]

    def __call__(self, point):
        h = jnp.tanh(self.layers[0](point))
        h = jnp.tanh(self.layers[1](jnp.concatenate([point, h])))
        return self.layers[2](jnp.concatenate([h, point]))


@pytest.mark.parametrize("block", [Fourier, Gated, Scanned, Convolved, Normalised, Separable, Skipping])
def test_a_block_has_its_derivatives_to_fourth_order(block, agrees):
    agrees(block(jax.random.key(0)), points(), order=4, reverse=2)


def test_attention_has_its_derivatives_to_third_order(agrees):
    agrees(Attention(jax.random.key(0)), points(2), order=3, reverse=2)


def test_several_outputs_have_their_derivatives(agrees):
    agrees(eqx.nn.MLP(2, 3, 5, 2, jnp.sin, key=jax.random.key(0)), points(), order=3)


def test_three_coordinates_have_their_mixed_derivatives(agrees):
    net = eqx.nn.MLP(3, "scalar", 4, 1, jnp.tanh, key=jax.random.key(0))
    agrees(net, jax.random.normal(jax.random.key(1), (2, 3)), order=3)
