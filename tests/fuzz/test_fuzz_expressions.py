"""Random expressions: their values, losses and gradients are those of Taylor series in NumPy (see conftest.py)."""

import os

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import pinnace as pn
from pinnace import np as pnp
from pinnace.expr import nodes
from pinnace.lower.evaluate import evaluate
from pinnace.lower.given import Given
from pinnace.lower.program import Canonical
from pinnace.lower.require import require

pytestmark = pytest.mark.usefixtures("x64")

TIMES = int(os.environ.get("PINNACE_FUZZ", "1"))
TOGETHER = 4


def softplus(z):
    return jax.nn.softplus(z)


SMOOTH = {name: getattr(pnp, name) for name in "sin cos tanh arctan arcsinh square negative deg2rad".split()}
SMOOTH |= {
    "tangent": lambda e: pnp.tan(pnp.sin(e)),
    "arcsine": lambda e: pnp.arcsin(0.9 * pnp.tanh(e)),
    "arccosine": lambda e: pnp.arccos(0.9 * pnp.cos(e)),
    "areatangent": lambda e: pnp.arctanh(0.8 * pnp.sin(e)),
    "areacosine": lambda e: pnp.arccosh(2 + e**2),
    "hyperbolic": lambda e: pnp.sinh(pnp.tanh(e)) - pnp.cosh(pnp.sin(e)),
    "gaussian": lambda e: pnp.exp(-(e**2)),
    "exponential": lambda e: pnp.exp2(pnp.sin(e)) + pnp.expm1(pnp.tanh(e)),
    "logarithm": lambda e: pnp.log1p(e**2) + pnp.log(1.5 + pnp.sin(e)),
    "logarithms": lambda e: pnp.log2(2 + e**2) - pnp.log10(1 + e**2),
    "roots": lambda e: pnp.sqrt(1 + e**2) - pnp.cbrt(2 + pnp.cos(e)),
    "inverse": lambda e: pnp.reciprocal(2 + pnp.sin(e)) + 1 / (1 + e**2),
    "powers": lambda e: e**3 / 4 - (2 + pnp.tanh(e)) ** -1.5,
    "cardinal": lambda e: pnp.sinc(2.5 + pnp.sin(e)),
    "applied": lambda e: pn.apply(softplus, e),
    "named": lambda e: e.named("e"),
}
BENT = {
    "absolute": pnp.abs,
    "sign": lambda e: e * pnp.sign(e - 0.3),
    "floor": lambda e: e * pnp.floor(3 * e),
    "ceil": lambda e: pnp.ceil(e) - pnp.rint(e) * e,
    "clip": lambda e: pnp.clip(e, -0.5, 0.7),
}
PAIRS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / (2 + b**2),
    "power": lambda a, b: (1 + a**2) ** pnp.sin(b),
    "hypotenuse": lambda a, b: pnp.hypot(a, 1 + b**2),
    "angle": lambda a, b: pnp.arctan2(a, 1 + b**2),
    "logarithm": pnp.logaddexp,
    "maximum": pnp.maximum,
    "minimum": lambda a, b: pnp.minimum(a, b**2),
    "where": lambda a, b: pnp.where(a < b, a**2, b),
    "or else": lambda a, b: pnp.where(a + b >= 0.1, a * b, pnp.sin(a)),
    "remainder": lambda a, b: a % (2 + b**2),
    "norm": lambda a, b: pnp.norm(pnp.stack([a, b, 1.0])),
    "component": lambda a, b: pnp.stack([a, b, a * b])[1:][0],
    "inner": lambda a, b: pnp.dot(pnp.stack([a, 2.0, b]), pnp.stack([b, a, 1.0])),
    "matrix": lambda a, b: pnp.transpose(pnp.stack([pnp.stack([a, b]), pnp.stack([b * b, 1.0])]))[0, 1] - a,
    "sums": lambda a, b: pnp.sum(pnp.concatenate([pnp.stack([a, b]), pnp.stack([a * b])])),
    "mean": lambda a, b: pnp.mean(pnp.stack([a, b])) * b,
}  # fmt: skip


class Problem:
    """Coordinates, fields and unknowns that every example draws from, and what of them is arrays."""

    def __init__(self):
        def net(inputs, outputs, seed):
            made = pn.nn(eqx.nn.MLP(inputs, outputs, 4, 1, jnp.tanh, key=jax.random.key(seed)))
            return made.optimizer(optax.sgd(1.0))

        self.x, self.y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 3)
        self.points = np.asarray(jax.random.uniform(jax.random.key(7), (3, 2))) + 0.05
        self.one, self.pair, self.inner = net(2, "scalar", 0), net(2, 2, 1), net(1, "scalar", 2)
        self.a = pn.parameter(0.7, positive=True).optimizer(optax.sgd(1.0))
        everything = self.one(self.x, self.y) + self.pair(self.x, self.y)[0] + self.inner(self.x) + self.a
        trained = {node.data[0]: node for node in nodes([everything]) if node.kind in ("field", "parameter")}
        self.trained = list(trained)

    def flat(self):
        """All parameters as one vector."""
        return np.concatenate([np.ravel(leaf) for one in self.trained for leaf in leaves(one.module)])

    def modules(self, flat):
        """What the reference takes, of parameters in one vector."""
        found, begin = {}, 0
        for one in self.trained:
            parts = []
            for leaf in leaves(one.module):
                parts.append(flat[begin : begin + leaf.size].reshape(leaf.shape))
                begin += leaf.size
            if len(parts) == 1:
                found[one] = np.exp(parts[0])
            else:
                found[one] = list(zip(parts[::2], parts[1::2], strict=True))
        return found


def leaves(module):
    return [leaf for leaf in jax.tree.leaves(module) if eqx.is_inexact_array(leaf)]


@pytest.fixture(scope="module")
def problem():
    with jax.enable_x64(True):
        return Problem()


@st.composite
def expressions(draw, problem, depth, order):
    """An expression of bounded depth, and of bounded order of derivatives."""
    x, y = problem.x, problem.y
    if depth == 0:
        point = problem.pair(x, y)
        return draw(
            st.sampled_from([x, y, problem.one(x, y), point[0], point[1], problem.a * x, problem.a, 2.0, 3, -0.5])
        )
    below = expressions(problem, depth - 1, order)
    kind = draw(
        st.sampled_from(
            ["smooth", "smooth", "bent", "pair", "pair", "pair", "field", *["derivative"] * 4, "at", "reduced"]
        )
    )
    if kind == "smooth":
        return SMOOTH[draw(st.sampled_from(sorted(SMOOTH)))](0 * x + draw(below))
    if kind == "bent":
        return BENT[draw(st.sampled_from(sorted(BENT)))](0 * x + draw(below))
    if kind == "pair":
        return PAIRS[draw(st.sampled_from(sorted(PAIRS)))](0 * y + draw(below), draw(below))
    if kind == "field":
        inside = draw(below)
        return draw(st.sampled_from([problem.one(inside, y), problem.inner(inside), sum(problem.pair(x, inside))]))
    if kind == "reduced":
        r = x * draw(below)
        how = draw(st.sampled_from(["mse", "mae", "mean", "sum", "max"]))
        return draw(st.sampled_from([getattr(r, how), r.huber(0.4), r.weighted(y)])) * draw(below)
    if kind == "at":
        inner = x * y + draw(expressions(problem, depth - 1, min(order, 1)))
        where = {one: draw(expressions(problem, depth - 1, 0)) for one in draw(st.sampled_from([[x], [y], [x, y]]))}
        return inner.at(where)
    along = draw(st.lists(st.sampled_from([x, y]), min_size=0, max_size=order))
    inner = x * y * draw(expressions(problem, depth - 1, order - len(along)))
    return inner.d(*along) if along else inner


def roots(problem, count, depth=4):
    return st.lists(expressions(problem, depth, 3), min_size=count, max_size=count)


def close(got, expected, scale, what):
    got, expected = np.asarray(got), np.asarray(expected).real
    assert got.shape == expected.shape, what
    wrong = np.abs(got - expected).max(initial=0)
    assert wrong <= 1e-9 * np.abs(expected).max(initial=0) + 1e-12 * scale, f"{what}: {got} is not {expected}"


def expected_of(taylor, problem, exprs):
    Taylor, Unsure = taylor
    known = Taylor(problem.points, problem.modules(problem.flat()))
    try:
        return [known.value(expr) for expr in exprs], known.largest
    except Unsure:
        assume(False)


@settings(max_examples=12 * TIMES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_random_expression_has_the_value_that_is_written(data, problem, taylor):
    exprs = [0 * problem.x + expr for expr in data.draw(roots(problem, TOGETHER))]
    expected, scale = expected_of(taylor, problem, exprs)
    canonical = [Canonical(())(expr) for expr in exprs]
    at = Given({one: one.module for one in problem.trained}, {problem.x.points: problem.points}, lambda *_: None)
    for expr, got, wanted in zip(exprs, evaluate(require(canonical), at), expected, strict=True):
        close(got, wanted, scale, expr)


@pytest.mark.filterwarnings("ignore::pinnace.PinnaceWarning")  # some of the losses have no gradient
@settings(
    max_examples=3 + TIMES // 4,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_losses_and_gradients_of_random_problems_are_those_of_the_step(data, problem, taylor):
    Taylor, Unsure = taylor
    x, y = problem.x, problem.y
    residuals = [0 * x + expr for expr in data.draw(roots(problem, TOGETHER, 3))]
    losses = [data.draw(st.sampled_from([r.mse, r.huber(1.0), r.weighted(1 + x), r.mean**2])) for r in residuals]
    anchor = (problem.one(x, y) + problem.pair(x, y)[0] + problem.inner(x) + problem.a).mse
    crux = pn.core([*losses, anchor, residuals[0].tracker("r")])
    points, flat = np.asarray(crux.state.points[0]), problem.flat()

    def known(flat):
        reference = Taylor(points, problem.modules(flat))
        return [reference.value(loss) for loss in (*losses, anchor)], reference

    try:
        expected, reference = known(flat)
        steps = np.eye(len(flat)) * 1e-25j
        slopes = np.array([sum(known(flat + step)[0]).imag for step in steps]) / 1e-25
    except Unsure:
        assume(False)
    assume(np.abs(slopes).max() < 1e6)
    before = {one: one.module for one in problem.trained}
    try:
        run = crux.solve(1, progress=False)
        moved = problem.flat() - flat
    finally:
        for one, module in before.items():
            one.module = module
    scale = reference.largest
    close(run.history["total"][0], sum(expected), scale, losses)
    close(run.history["r"][0], reference.value(residuals[0]), scale, residuals[0])
    close(-moved, slopes, scale + np.abs(slopes).max() * 1e3, losses)
