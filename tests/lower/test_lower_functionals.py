"""Sums of derivatives travel as one term, however they are spelled, and are what nested derivatives say."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pinnace as pn
from pinnace import np as pnp
from pinnace.expr import nodes
from pinnace.lower import directions
from pinnace.lower.collapse import collapsed
from pinnace.lower.evaluate import evaluate
from pinnace.lower.functional import Functional, Part
from pinnace.lower.given import Given
from pinnace.lower.program import Canonical
from pinnace.lower.require import require
from pinnace.lower.terms import MultiIndex

pytestmark = pytest.mark.usefixtures("x64")


def field(inputs, outputs="scalar", seed=0, width=5):
    return pn.nn(eqx.nn.MLP(inputs, outputs, width, 2, jnp.tanh, key=jax.random.key(seed)))


@pytest.fixture
def plane():
    """Coordinates x, t; three points."""
    x, t = pn.domain.interval(-1, 1).time(0, 1).variable("interior", 3)
    return x, t, {x.points: jax.random.uniform(jax.random.key(1), (3, 2), minval=0.1, maxval=0.9)}


def carried(*exprs):
    """For each field, how many terms it carries, and how many of these are functionals."""
    plan = require(tuple(map(Canonical(()), exprs)))
    found = [terms for (_, node), terms in plan.needs.items() if node.kind == "field"]
    return [(len(terms), sum(isinstance(term, Functional) for term in terms)) for terms in found]


SPELLINGS = {
    "second": lambda u, x, t: u.dd(x) + u.dd(t),
    "laplacian": lambda u, x, t: pnp.laplacian(u, [t, x]),
    "div grad": lambda u, x, t: pnp.div(pnp.grad(u, [x, t]), [x, t]),
    "list": lambda u, x, t: pnp.div([u.d(x), u.d(t)], [x, t]),
    "twice": lambda u, x, t: u.d(x).d(x) + u.d(t, t),
    "hessian": lambda u, x, t: pnp.hessian(u, [x, t])[0, 0] + pnp.hessian(u, [x, t])[1, 1],
    "python sum": lambda u, x, t: sum(u.dd(c) for c in (x, t)),
    "stack": lambda u, x, t: pnp.sum(pnp.stack([u.dd(x), u.dd(t)])),
    "dot": lambda u, x, t: pnp.dot(pnp.stack([1.0, 1.0]), pnp.stack([u.dd(x), u.dd(t)])),
    "mean": lambda u, x, t: 2 * pnp.mean(pnp.stack([u.dd(x), u.dd(t)])),
    "signs": lambda u, x, t: -(-u.dd(x) - u.dd(t)),
    "factors": lambda u, x, t: (3 * u.dd(x) + u.dd(t) * 3) / 3,
    "halves": lambda u, x, t: 0.5 * u.dd(x) + u.dd(t) - u.dd(t) / 2 + 0.5 * u.dd(x) - (-u.dd(t) / 2),
    "named": lambda u, x, t: u.dd(x).named("a") + (0 * u + u.d(t)).d(t),
    "matrix": lambda u, x, t: pnp.div(np.eye(2) @ pnp.grad(u, [x, t]), [x, t]),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_laplacian_in_any_spelling_is_one_term(name, plane, same):
    x, t, points = plane
    lap = SPELLINGS[name](field(2)(x, t), x, t)
    assert carried(lap) == [(4, 1)]
    same(lap, points)


BURGERS = {
    "as written": lambda u, x, t: u.d(t) + u * u.d(x) - 0.01 * u.dd(x),
    "other order": lambda u, x, t: -(0.01 * u.d(x).d(x)) + u.d(x) * u + u.d(t),
    "one side": lambda u, x, t: u.d(t) - (0.01 * u.dd(x) - u * u.d(x)),
    "divided": lambda u, x, t: (u.d(t) * 100 - u.d(x, x)) / 100 + u * u.d(x),
}


@pytest.mark.parametrize("name", BURGERS)
def test_the_linear_part_of_burgers_in_any_spelling_is_one_term(name, plane, same):
    x, t, points = plane
    residual = BURGERS[name](field(2)(x, t), x, t)
    assert carried(residual) == [(3, 1)]
    same(residual, points)


COUNTS = {
    "third order": (lambda u, x, t: u.d(t) + u * u.d(x) + 0.1 * u.d(x, x, x), (4, 1)),
    "fourth order": (lambda u, x, t: u.d(t) + u.dd(x) + u.d(x, x, x, x), (5, 1)),
    "biharmonic": (lambda u, x, t: pnp.laplacian(pnp.laplacian(u, [x, t]), [x, t]), (9, 3)),
    "variable": (lambda u, x, t: pnp.exp(x * t) * u.dd(x) + (1 + x) * u.dd(t), (4, 1)),
    "divergence": (lambda u, x, t: pnp.div((2 + x * t) * pnp.grad(u, [x, t]), [x, t]), (4, 1)),
    "common factor": (lambda u, x, t: (1 + u**2) * (u.dd(x) + u.dd(t)), (4, 1)),
    "common factor apart": (lambda u, x, t: (1 + u**2) * u.dd(x) + 2 * u.dd(t) * (u**2 + 1) * 0.5, (5, 0)),
    "same factor apart": (lambda u, x, t: (1 + u**2) * u.dd(x) + 2 * u.dd(t) * (1 + u**2), (4, 1)),
    "coefficient of the same field": (lambda u, x, t: u * u.dd(x) + u.dd(t), (5, 0)),
    "negative coefficient": (lambda u, x, t: (-pnp.exp(x)) * u.dd(x) + -(-x * 2) * u.dd(t), (4, 1)),
    "mixed": (lambda u, x, t: u.dd(x) + 3 * u.d(x, t) + u.dd(t), (4, 1)),
    "a part is needed": (lambda u, x, t: u.dd(x) + u.dd(t) + u.dd(x) ** 2, (5, 0)),
    "cancelled": (lambda u, x, t: u.dd(x) + u.dd(t) - u.dd(t), None),
    "differentiated": (lambda u, x, t: ((u.dd(x) + u.dd(t)) ** 2).d(x), (8, 0)),
    "of a product": (lambda u, x, t: pnp.laplacian(x * (1 - t) * u, [x, t]), (4, 1)),
    "of a composition": (lambda u, x, t: pnp.laplacian(pnp.sin(u) * u, [x, t]), (4, 1)),
    "of a square of slopes": (lambda u, x, t: pnp.laplacian(u.d(x) ** 2, [x, t]), None),
    "mean in a coefficient": (lambda u, x, t: (u**2).mean * u.dd(x) + u.dd(t), (5, 0)),
    "sixth order": (lambda u, x, t: u.d(*[x] * 6) + u.d(*[x] * 4, *[t] * 2) + u.d(t), None),
}


@pytest.mark.parametrize("name", COUNTS)
def test_terms_and_values(name, plane, same):
    x, t, points = plane
    make, expected = COUNTS[name]
    residual = make(field(2)(x, t), x, t)
    if expected is not None:
        assert carried(residual) == [expected]
    same(residual, points, 1e-8 if name == "sixth order" else 1e-9)


def test_what_two_losses_need_is_decided_together(plane, same):
    x, t, points = plane
    u = field(2)(x, t)
    heat, curvature = u.d(t) - 0.1 * u.dd(x), u.dd(x)
    assert carried(heat) == [(3, 1)]
    assert carried(heat, curvature) == [(4, 0)]
    assert carried(u.dd(x) + u.dd(t), u.dd(x) + 2 * u.dd(t), u.dd(x) - u.dd(t)) == [(5, 0)]
    same([heat, curvature], points)


def test_one_functional_may_be_too_dear_and_another_not():
    x, y, z = pn.domain.box((0, 1), (0, 1), (0, 1)).variable("interior", 2)
    u = field(3)(x, y, z)
    assert carried(pnp.laplacian(u, [x, y, z]), u.d(x, y) + u.d(x, z), u.d(x, y)) == [(7, 1)]


def test_outputs_of_one_network_share_the_term(plane, same):
    x, t, points = plane
    u, v, p = field(2, 3)(x, t)
    lap = [pnp.laplacian(w, [x, t]) for w in (u, v)]
    residuals = [u * u.d(x) + p.d(x) - lap[0] / 100, u * v.d(x) + p.d(t) - 0.01 * lap[1]]
    assert carried(*residuals) == [(4, 1)]
    same(residuals, points)


def test_coefficients_may_be_unknowns_and_other_fields(plane, same):
    x, t, points = plane
    u, k, nu = field(2)(x, t), field(2, seed=1), pn.parameter(0.3, name="nu")
    for residual in (
        u.d(t) - nu * u.dd(x),
        pnp.div(k(x, t) * pnp.grad(u, [x, t]), [x, t]),
        k(x, t) * u.dd(x) + k(t, x) ** 2 * u.dd(t),
        k(x * t, t) * u.dd(x) + field(2)(x * t, t).dd(x) + field(2, seed=2)(x * t, x).dd(t),
    ):
        same(residual, points)
    assert (4, 1) in carried(k(x, t) * u.dd(x) + u.dd(t))


def test_gradients_by_parameters_flow_through_coefficients(plane, computed, directly, close):
    x, t, points = plane
    net, other, nu = field(2), field(2, seed=1), pn.parameter(0.3, name="nu")
    u = net(x, t)
    loss = (u.d(t) + u * u.d(x) - nu * other(x, t) * u.dd(x) + nu * u.dd(t)).mse
    assert any(functionals for _, functionals in carried(loss))
    things = dict.fromkeys(node.data[0] for node in nodes([loss]) if node.kind in ("field", "parameter"))
    trees = {thing: eqx.partition(thing.module, eqx.is_inexact_array) for thing in things}

    def value(arrays, how):
        modules = {thing: eqx.combine(arrays[k], trees[thing][1]) for k, thing in enumerate(trees)}
        return jnp.asarray(how([loss] if how is computed else loss, points, modules)).reshape(())

    arrays = [tree[0] for tree in trees.values()]
    ours, theirs = (jax.grad(value)(arrays, how) for how in (computed, directly))
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        close(a, b)


@pytest.mark.parametrize("seed", range(12))
def test_random_operators(seed, same):
    random = np.random.default_rng(seed)
    x, y, z = pn.domain.box((0, 1), (0, 1), (0, 1)).variable("interior", 2)
    points = {x.points: jax.random.uniform(jax.random.key(seed), (2, 3), minval=0.2, maxval=0.8)}
    u = field(3, seed=seed, width=4)(x, y, z)
    atom = [u, u * pnp.sin(x + y), pnp.exp(u / 2), field(2, seed=seed)(u, x * z)][seed % 4]
    coefficients = [1.0, -2.5, 1 + x * y, pnp.cos(z), pn.parameter(0.7), 0.1]
    residual = atom**2
    for _ in range(random.integers(2, 6)):
        along = random.choice([0, 1, 2], size=random.integers(1, 4 + (seed % 3 == 0)))
        coefficient = coefficients[random.integers(len(coefficients))]
        residual = residual + coefficient * atom.d(*(((x, y, z)[k]) for k in along))
    same(residual, points, 1e-8)


def test_a_functional_of_a_constant_and_of_something_linear_is_zero(plane, same):
    x, t, points = plane
    linear = pn.nn(eqx.nn.Linear(2, "scalar", key=jax.random.key(0)))(x, t)
    same([pnp.laplacian(linear, [x, t]), pnp.laplacian(3 * x + t, [x, t]), linear.d(t) - linear.dd(x)], points)


def test_fallbacks_by_nested_differentiation_carry_functionals(plane, same):
    x, t, points = plane
    u = field(2, 3)(x, t)
    largest = pn.apply(lambda v: jax.scipy.special.logsumexp(jnp.sort(v)), u)
    ordered = pn.apply(lambda v: jnp.cumprod(1 + v**2).sum(), u)
    same([pnp.laplacian(largest, [x, t]), ordered.d(t) - ordered.dd(x) + ordered.d(x, x, x)], points, 1e-8)


@pytest.mark.parametrize("many", [2, 5, 99])
def test_many_directions_go_together(many, same, monkeypatch):
    monkeypatch.setattr(directions, "MANY", many)
    monkeypatch.setattr(directions, "BLOCK", 2)
    xs = pn.domain.box(*[(0, 1)] * 5).variable("interior", 2)
    points = {xs[0].points: jax.random.uniform(jax.random.key(0), (2, 5), minval=0.1, maxval=0.9)}
    u = field(5)(*xs)
    space = list(xs[:4])
    hard = xs[0] * (1 - xs[1]) * u
    gated = pn.nn(Gated(eqx.nn.MLP(5, 4, 5, 1, jnp.tanh, key=jax.random.key(5))))(*xs)
    for expr in (
        u.d(xs[4]) - 0.3 * pnp.laplacian(u, space) + u * u.d(xs[0]) * u.d(xs[3]),
        pnp.laplacian(hard, list(xs)),
        sum((k + xs[0]) * u.dd(x) for k, x in enumerate(xs)),
        sum((k + 1) * u.dd(x) for k, x in enumerate(xs)) + u.d(xs[1]) ** 2,
        pnp.norm(pnp.grad(field(5, 5)(*xs)[0] * u, list(xs))),
        pnp.laplacian(field(5, 3)(*xs), space),
        pnp.laplacian(gated, list(xs)) + gated.d(xs[2]),
        pnp.laplacian(u, space) + u.d(xs[0], xs[4]),
    ):
        same(expr, points)


@pytest.mark.parametrize("d", [2, 17])
def test_coefficients_do_not_widen_a_network(d):
    """With the switch to float64 on, a float32 network works in float32 whatever its derivatives are multiplied by."""
    xs = pn.domain.box(*[(0, 1)] * d).variable("interior", 3)
    net = pn.nn(eqx.nn.MLP(d, "scalar", 7, 2, jnp.tanh, dtype=jnp.float32, key=jax.random.key(0)))
    plan = require([sum((1 + k + x) * net(*xs).dd(x) for k, x in enumerate(xs)) + net(*xs).d(xs[0]) ** 2])

    def value(points):
        return evaluate(plan, Given({net: net.module}, {xs[0].points: points}, lambda *_: None))

    wide = [
        eqn.outvars[0].aval
        for eqn in jax.make_jaxpr(value)(jnp.zeros((3, d))).jaxpr.eqns
        if eqn.outvars[0].aval.shape[-1:] == (7,) and eqn.outvars[0].aval.dtype == jnp.float64
    ]
    assert not wide


def test_long_products_of_vectors_stay_products(plane, same):
    x, t, points = plane
    u = field(2)(x, t)
    modes = pnp.stack([pnp.sin(k * x) * u for k in range(60)])
    combined = pnp.dot(np.ones(60), np.ones((60, 60)) @ modes)
    assert len(list(nodes(collapsed([combined])))) < 400
    same(combined, points)


class Gated(eqx.Module):
    """Products of two things that both move."""

    mlp: eqx.nn.MLP

    def __call__(self, point):
        a, b, c, d = self.mlp(point)
        return a * b + c / (2 + d**2) + jnp.dot(jnp.stack([a, b]), jnp.stack([c, point[0]]))


def test_directions_that_go_together_leave_few_equations():
    """Ten times the dimensions are far from ten times the program."""

    def equations(d):
        xs = pn.domain.box(*[(0, 1)] * d).variable("interior", 4)
        net = field(d)
        plan = require([pnp.laplacian(net(*xs), list(xs))])

        def value(points):
            return evaluate(plan, Given({net: net.module}, {xs[0].points: points}, lambda *_: None))

        names = [eqn.primitive.name for eqn in jax.make_jaxpr(value)(jnp.zeros((4, d))).jaxpr.eqns]
        return [name for name in names if name in ("dot_general", "mul", "tanh")]

    assert len(equations(160)) < 6 * len(equations(16))


def test_rules_ask_for_what_travels_only():
    """Half the order in single derivatives; the order of what is asked for is never that of the functional again."""
    parts = [Part(MultiIndex(counts), 1.0 + counts[0] / 7) for counts in ((4, 0), (2, 2), (0, 4))]
    biharmonic = Functional(tuple(parts))
    below = set(biharmonic.below())
    assert {term for term in below if isinstance(term, MultiIndex)} == {
        MultiIndex(counts) for counts in ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))
    }
    for _, first, second in biharmonic.product_rule():
        assert {first, second} <= below and first.order + second.order == 4
