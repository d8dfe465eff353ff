"""Things to write expressions with."""

from types import SimpleNamespace

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import pinnace as pn


@pytest.fixture(scope="module")
def things():
    """Coordinates x, y on a square, xb, yb on its boundary, fields u and w (3 outputs), unknowns nu and a (of 3)."""
    dom = pn.domain.rectangle((0, 1), (0, 1))
    x, y = dom.variable("interior", 10)
    xb, yb = dom.variable("boundary", 8)
    net = pn.nn(eqx.nn.MLP(2, "scalar", 4, 1, jnp.tanh, key=jax.random.key(0)), "u")
    vector = pn.nn(eqx.nn.MLP(2, 3, 4, 1, jnp.tanh, key=jax.random.key(0)), "w")
    return SimpleNamespace(
        dom=dom, x=x, y=y, xb=xb, yb=yb, net=net, vector=vector, u=net(x, y), w=vector(x, y), ub=net(xb, yb),
        nu=pn.parameter(0.1, "nu"), a=pn.parameter([1.0, 2.0, 3.0], "a"), np=pn.np,
    )  # fmt: skip
