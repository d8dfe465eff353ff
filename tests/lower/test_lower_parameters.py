"""Gradients with respect to parameters of losses that contain derivatives, against jax.grad of nested jax.grad."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from jax import nn

import pinnace as pn

QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}

pytestmark = pytest.mark.usefixtures("x64")


class Wide(eqx.Module):
    """Fourier features, gates, a scan over layers, layer norm and a power in one."""

    frequencies: jax.Array
    gates: eqx.nn.Linear
    layers: jax.Array
    norm: eqx.nn.LayerNorm
    exponent: jax.Array

    def __init__(self, key):
        self.frequencies = jax.random.normal(key, (3, 2))
        self.gates = eqx.nn.Linear(6, 12, key=key)
        self.layers = jax.random.normal(key, (2, 6, 6)) / 3
        self.norm = eqx.nn.LayerNorm(6)
        self.exponent = jnp.array(1.7)

    def __call__(self, point):
        phase = self.frequencies @ point
        h = jnp.concatenate([jnp.sin(phase), jnp.cos(phase)])
        first, second = jnp.split(jnp.tanh(self.gates(h)), 2)

        def layer(h, weights):
            z = nn.gelu(weights @ h)
            return (1 - z) * first + z * second, None

        h, _ = jax.lax.scan(jax.checkpoint(layer), h, self.layers)
        return jnp.sum(self.norm(h) * jnp.arange(6.0)) + (1 + point[0] ** 2) ** self.exponent


MODULES = {
    "tanh": lambda key: eqx.nn.MLP(2, "scalar", 5, 2, jnp.tanh, key=key),
    "mish": lambda key: eqx.nn.MLP(2, "scalar", 5, 2, nn.mish, key=key),
    "one with everything": Wide,
}


@pytest.mark.parametrize("name", MODULES)
def test_the_gradient_of_a_residual_is_that_of_nested_grad(name, square, computed, directly, close):
    x, y, points = square
    net = pn.nn(MODULES[name](jax.random.key(0)))
    nu = pn.parameter(0.3, positive=True)
    u = net(x, y)
    third = 0.0 if name == "one with everything" else nu**2 * u.d(x, x, y)
    loss = (u.d(y) + u * u.d(x) - nu * u.dd(x) + third).mse + (u.at({x: 0.0}) - pn.np.sin(y)).mse
    modules = (net.module, nu.data[0].module)
    assert_gradients(computed, directly, close, loss, points, (net, nu.data[0]), modules)


def test_the_gradient_of_an_unknown_inside_a_derivative_is_that_of_nested_grad(square, computed, directly, close):
    x, y, points = square
    k = pn.parameter(1.3, bounds=(1.0, 2.0))
    a = pn.parameter([0.5, -0.2])
    e = (pn.np.sin(k * x) * pn.np.exp(a[0] * y + a[1] * x)) ** k + (x * y) ** a[0]
    loss = (e.d(x, y) + pn.np.stack([e.dd(x), e.d(y)])).mse + (k * x).at({x: k}).mse
    things = (k.data[0], a.data[0])
    assert_gradients(computed, directly, close, loss, points, things, tuple(thing.module for thing in things))


def test_the_gradient_of_powers_at_zero_is_finite(computed, close):
    """(a x)^k at k = 2: the third derivative is k (k - 1) (k - 2) a^k x^(k - 3), zero with a slope in k."""
    x = pn.domain.interval(0, 1).variable("interior", 2)
    a, k = pn.parameter(1.5), pn.parameter(2.0)
    e = (a * x) ** k
    points = {x.points: jnp.array([[0.0], [0.5]])}

    def gradient(expr):
        def at(values):
            modules = {a.data[0]: lambda: values[0], k.data[0]: lambda: values[1]}
            return computed([expr], points, modules)[0]

        return jnp.stack(jax.jacobian(at)((jnp.array(1.5), jnp.array(2.0))), axis=1)

    close(gradient(((a * x) ** 2.0).d(x, x, x)), [[0, 0], [0, 0]])
    close(gradient(((a * x) ** 2.0).dd(x)), [[6, 0], [6, 0]])
    close(gradient(e.d(x, x, x)), [[0, jnp.inf], [0, 2 * 1.5**2 / 0.5]])
    second = 2 * 1.5**2 * (1.5 + jnp.log(0.75))
    close(gradient(e.dd(x))[1], [6, second])
    assert jnp.isfinite(gradient(e.dd(x))[:, 0]).all()


def assert_gradients(computed, directly, close, loss, points, things, modules):
    arrays, static = eqx.partition(modules, eqx.is_array)

    def gradient(value):
        def of(arrays):
            return value(loss, points, dict(zip(things, eqx.combine(arrays, static), strict=True)))

        return jax.tree.leaves(jax.jit(jax.grad(of), compiler_options=QUICKLY)(arrays))

    ours = gradient(lambda loss, points, given: computed([loss], points, given)[0])
    expected = gradient(directly)
    for got, wanted in zip(ours, expected, strict=True):
        close(got, wanted)
        assert jnp.any(wanted != 0)
