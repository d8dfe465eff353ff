"""First derivatives alone are taken backwards where that is cheaper, and are the same."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pinnace as pn
from pinnace import np as pnp
from pinnace.lower import backwards, fields
from pinnace.lower.directions import together

pytestmark = pytest.mark.usefixtures("x64")


def mlp(inputs, outputs="scalar"):
    return pn.nn(eqx.nn.MLP(inputs, outputs, 6, 2, jnp.tanh, key=jax.random.key(0)))


def problem():
    x, y, t = pn.domain.rectangle((0, 1), (0, 1)).time(0, 1).variable("interior", 4)
    return x, y, t, {x.points: jax.random.uniform(jax.random.key(1), (4, 3), minval=0.1, maxval=0.9)}


@pytest.fixture
def taken(monkeypatch):
    """Which way each field went."""
    ways = []

    def jacrev(*args, **settings):
        ways.append("backwards")
        return jax_jacrev(*args, **settings)

    def forwards(*args):
        ways.append("forwards")
        return together(*args)

    jax_jacrev = jax.jacrev
    monkeypatch.setattr(backwards.jax, "jacrev", jacrev)
    monkeypatch.setattr(backwards, "together", forwards)
    return ways


def two(u, a, b):
    """Slopes that do not make one functional."""
    return u.d(a) * u.d(b)


CASES = {
    "gradient": (lambda x, y, t: pnp.norm(pnp.grad(mlp(3)(x, y, t), [x, y, t])), "backwards"),
    "two of three": (lambda x, y, t: two(mlp(3)(x, y, t), x, t), "backwards"),
    "other order": (lambda x, y, t: two(mlp(3)(t, x, y), y, t), "backwards"),
    "composed": (lambda x, y, t: two(mlp(2)(pnp.sin(x + y), t * x), x, y), "backwards"),
    "with a number": (lambda x, y, t: two(mlp(3)(x, 0.5, y), x, y), "backwards"),
    "vectors": (lambda x, y, t: two(mlp(4)(pnp.stack([x * y, t]), x, y), x, y), "backwards"),
    "two outputs": (lambda x, y, t: pnp.norm(pnp.hessian(pnp.sum(mlp(3, 2)(x, y, t)) + x * y, [x])), "forwards"),
    "two outputs, three slopes": (
        lambda x, y, t: pnp.norm(pnp.stack([pnp.grad(u, [x, y, t]) for u in mlp(3, 2)(x, y, t)])),
        "backwards",
    ),
    "two outputs, two slopes": (lambda x, y, t: pnp.stack([two(u, x, t) for u in mlp(3, 2)(x, y, t)]), "forwards"),
    "three outputs": (lambda x, y, t: pnp.stack([u.d(x) * u.d(t) for u in mlp(3, 3)(x, y, t)]), "forwards"),
    "transport in one direction": (lambda x, y, t: (lambda u: u.d(t) + x * u.d(x))(mlp(3)(x, y, t)), "forwards"),
    "second order": (lambda x, y, t: (lambda u: u.dd(x) * u.d(y) * u.d(t))(mlp(3)(x, y, t)), "forwards"),
    "one direction": (lambda x, y, t: mlp(3)(x, y, t).d(x), "forwards"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cheaper_way_and_the_same_value(name, taken, computed, directly, close):
    x, y, t, points = problem()
    make, way = CASES[name]
    expr = make(x, y, t)
    ours = computed([expr], points)[0]
    assert set(taken) == {way}
    close(ours, directly(expr, points))


class Odd(eqx.Module):
    """A module whose ways forwards and back differ, or that has no way back."""

    kind: str = eqx.field(static=True)
    weight: jax.Array

    def __call__(self, point):
        z = self.weight @ point
        if self.kind == "while":
            return z + jax.lax.while_loop(lambda c: c < 3.0, lambda c: c + 1.0, point[0])
        return clipped(z)


@jax.custom_vjp
def clipped(z):
    return z**2


clipped.defvjp(lambda z: (z**2, None), lambda _, g: (0 * g,))


@pytest.mark.parametrize("kind", ["while", "clipped"])
def test_forwards_where_the_way_back_is_another(kind, computed, close):
    x, y, t, points = problem()
    weight = jnp.array([1.0, -2.0, 0.5])
    u = pn.nn(Odd(kind, weight))(x, y, t)
    array = next(iter(points.values()))
    expected = {
        "while": np.array([1.0, -2.0, 0.5]) + np.array([1.0, 0, 0]),
        "clipped": 2 * (array @ weight)[:, None] * weight,
    }
    close(computed([pnp.stack([u.d(x), u.d(y), u.d(t)])], points)[0], np.broadcast_to(expected[kind], (4, 3)))
    assert fields.cheapest is backwards.cheapest
