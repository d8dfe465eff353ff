"""A small problem of several losses on several point sets."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn

DOMAIN = pn.domain.interval(-1, 1).time(0, 1)


def _burgers(n=32, tx=None, key=0, **options):
    x, t = DOMAIN.variable("interior", n, **options)
    xb, tb = DOMAIN.variable("boundary", 10)
    x0, t0 = DOMAIN.variable("initial", 12)
    net = pn.nn(eqx.nn.MLP(2, "scalar", 7, 2, jnp.tanh, key=jax.random.key(key)))
    net.optimizer(tx or optax.adam(1e-3))
    u = net(x, t)
    r = u.d(t) + u * u.d(x) - 0.1 * u.dd(x)
    return net, (x, t), r, net(xb, tb).mse.named("bc"), (net(x0, t0) + pn.np.sin(np.pi * x0)).mse.named("ic")


@pytest.fixture
def burgers():
    """Makes a network, coordinates, the residual of Burgers' equation, and losses of its conditions."""
    return _burgers


@pytest.fixture
def again(tmp_path):
    """Takes four steps twice, the second time from a file, and asks for the same history of both."""

    def check(crux):
        crux.solve(5)
        crux.save(tmp_path / "five.npz")
        crux.solve(4)
        first = {name: crux.history[name] for name in crux.history}
        crux.load(tmp_path / "five.npz")
        assert crux.steps == 5
        crux.solve(4)
        for name, values in first.items():
            np.testing.assert_array_equal(crux.history[name], values, err_msg=name)

    return check
