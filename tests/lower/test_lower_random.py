"""Random expressions: what lowering makes of them is what the same tree says, derivatives by nested jax.grad."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pinnace as pn
from pinnace import np as pnp

pytestmark = pytest.mark.usefixtures("x64")

SMOOTH = {
    "sin": pnp.sin,
    "tanh": pnp.tanh,
    "arctan": pnp.arctan,
    "gaussian": lambda e: pnp.exp(-(e**2)),
    "root": lambda e: pnp.sqrt(1 + e**2),
    "logarithm": lambda e: pnp.log1p(e**2),
    "square": pnp.square,
    "cube": lambda e: e**3 / 4,
    "negative": lambda e: -e,
    "applied": lambda e: pn.apply(jax.nn.softplus, e),
    "named": lambda e: e.named("e"),
}
PAIRS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / (2 + b**2),
    "power": lambda a, b: (1 + a**2) ** pnp.sin(b),
    "maximum": pnp.maximum,
    "where": lambda a, b: pnp.where(a < b, a**2, b),
    "norm": lambda a, b: pnp.norm(pnp.stack([a, b, 1.0])),
    "component": lambda a, b: pnp.stack([a, b, a * b])[1:][0],
}


class Problem:
    """Coordinates, fields and unknowns that every example draws from."""

    def __init__(self):
        def net(inputs, outputs, seed):
            return pn.nn(eqx.nn.MLP(inputs, outputs, 4, 1, jnp.tanh, key=jax.random.key(seed)))

        self.x, self.y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 3)
        self.points = {self.x.points: jax.random.uniform(jax.random.key(7), (3, 2)) + 0.05}
        self.one, self.pair, self.inner = net(2, "scalar", 0), net(2, 2, 1), net(1, "scalar", 2)
        self.a = pn.parameter(0.7, positive=True)


@pytest.fixture(scope="module")
def problem():
    with jax.enable_x64(True):
        return Problem()


@st.composite
def expressions(draw, problem, depth, order):
    """An expression of bounded depth, and of bounded order of derivatives."""
    x, y = problem.x, problem.y
    if depth == 0:
        leaves = [x, y, problem.one(x, y), problem.pair(x, y)[1], problem.a * x, problem.a, 2.0, 3, -0.5]
        return draw(st.sampled_from(leaves))
    below = expressions(problem, depth - 1, order)
    kind = draw(st.sampled_from(["smooth", "pair", "pair", "field", "derivative", "derivative", "at", "reduced"]))
    if kind == "smooth":
        return SMOOTH[draw(st.sampled_from(sorted(SMOOTH)))](0 * x + draw(below))
    if kind == "pair":
        return PAIRS[draw(st.sampled_from(sorted(PAIRS)))](0 * y + draw(below), draw(below))
    if kind == "field":
        return draw(st.sampled_from([problem.one(draw(below), y), problem.inner(draw(below))]))
    if kind == "reduced":
        return (x * draw(below)).mean * draw(below)
    if kind == "at":
        inner = x * y + draw(expressions(problem, depth - 1, min(order, 1)))
        return inner.at({draw(st.sampled_from([x, y])): draw(expressions(problem, depth - 1, 0))})
    along = draw(st.lists(st.sampled_from([x, y]), min_size=0, max_size=order))
    inner = x * y * draw(expressions(problem, depth - 1, order - len(along)))
    return inner.d(*along) if along else inner


@settings(max_examples=9, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_random_expression_has_the_value_that_is_written(data, problem, computed, directly, close):
    expr = 0 * problem.x + data.draw(expressions(problem, 4, 3))
    expr = expr.d(problem.x) if data.draw(st.booleans()) else expr
    (got,) = computed([expr], problem.points)
    close(got, directly(expr, problem.points), expr)
