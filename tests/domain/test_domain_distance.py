"""Distances as expressions: zero on their region and nowhere else inside, with the slopes that they promise."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import pinnace as pn
from pinnace._errors import DomainError
from pinnace.expr import as_expr, nodes
from pinnace.lower.evaluate import evaluate
from pinnace.lower.given import Given
from pinnace.lower.require import require

domain = pn.domain


def values(domain, exprs, points):
    """The values of expressions of a domain's coordinates at points, by NumPy, in the precision of these."""
    points, done = np.asarray(points), {}
    with np.errstate(all="ignore"):
        for node in nodes(exprs):
            args = [done[arg] for arg in node.args]
            done[node] = NUMPY[node.kind](node, args, points)
    return [np.broadcast_to(done[expr], len(points)) for expr in exprs]


NUMPY = {
    "constant": lambda node, args, points: points.dtype.type(node.data[0]),
    "coordinate": lambda node, args, points: points[:, node.data[1]],
    "elementwise": lambda node, args, points: getattr(np, node.data[0])(*args),
    "apply": lambda node, args, points: np.asarray(jax.vmap(node.data[0])(*map(jnp.asarray, args))),
}


def jets(dom, expr, points):
    """Value, gradient `[n, d]` and second derivatives `[n, d, d]`, as a step computes them."""
    xs = domain.coordinates(dom)
    exprs = [expr, *(slope(expr, x) for x in xs), *(slope(slope(expr, x), y) for x in xs for y in xs)]
    place, n, d = xs[0].points, len(points), len(xs)
    plan = require([*exprs, xs[0]])

    @partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
    def evaluated(points):
        found = evaluate(plan, Given({}, {place: points}, lambda k, values: points[:0]))[:-1]
        return [jnp.broadcast_to(one, n) for one in found]

    value, *rest = evaluated(jnp.asarray(points))
    return np.asarray(value), np.stack(rest[:d], 1), np.stack(rest[d:], 1).reshape(n, d, d)


def drawn(domain, region, n=64, key=0):
    """Points of a region."""
    symbols = domain.variable(region, n, sampler="uniform")
    place = symbols.points if isinstance(symbols, pn.Expr) else symbols[0].points
    return np.asarray(place.plan.init(jax.random.key(key))[0])


def slope(expr, x):
    return expr.d(x) if x.data in expr.depends else as_expr(0.0)


EXAMPLES = {
    "interval": domain.interval(-1, 3),
    "rectangle": domain.rectangle((-1, 1), (0.5, 0.75)),
    "box": domain.box((0, 1), (-2, 2), (1, 3)),
    "disk": domain.disk((0.3, -0.2), 0.7),
}


def regions_of(dom):
    return [region for region in dom.regions if region != "interior"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_zero_on_its_region_and_positive_inside(name, x64):
    dom = EXAMPLES[name].time(2, 5)
    inside = drawn(dom, "interior", 512)
    for region in regions_of(dom):
        both = [dom.distance(region, normalized=normalized) for normalized in (False, True)]
        assert np.abs(values(dom, both, drawn(dom, region))).max() < 1e-14, region
        assert np.min(values(dom, both, inside)) > 0, region


@pytest.mark.parametrize("name", ["interval", "rectangle", "disk"])
def test_normalized_ones_are_distances_to_first_order(name, x64):
    dom = EXAMPLES[name]
    for region in regions_of(dom):
        symbols = dom.variable(region, 32)
        symbols = symbols if isinstance(symbols, tuple) else (symbols,)
        points = np.asarray(symbols[0].points.plan.init(jax.random.key(1))[0])
        normals = np.asarray(symbols[0].points.plan.normals(points))
        distance = dom.distance(region, normalized=True)
        gradient = jets(dom, distance, points)[1]
        np.testing.assert_allclose(gradient, -normals, atol=1e-12, err_msg=region)
        step = 1e-4 * dom.shape.size
        (near,) = values(dom, [distance], points - step * normals)
        exact = -np.asarray(dom.shape.signed_distance(jnp.asarray(points - step * normals)))
        if region == "boundary":
            np.testing.assert_allclose(near, exact, rtol=5e-2)


def test_derivatives_are_those_of_the_formula(x64):
    dom = EXAMPLES["rectangle"]
    points = drawn(dom, "interior", 16)

    def smooth(p):
        f, g = (p[0] + 1) * (1 - p[0]) / 2, (p[1] - 0.5) * (0.75 - p[1]) / 0.25
        return f * g / (f + g + 0.25 * 0.25)

    def normalized(p):
        f, g = (p[0] + 1) * (1 - p[0]) / 2, (p[1] - 0.5) * (0.75 - p[1]) / 0.25
        return f + g - jnp.sqrt(f**2 + g**2)

    for written, formula in ((False, smooth), (True, normalized)):
        expr = dom.distance("boundary", normalized=written)
        value, gradient, second = jets(dom, expr, points)
        np.testing.assert_allclose(value, jax.vmap(formula)(points), rtol=1e-11)
        np.testing.assert_allclose(gradient, jax.vmap(jax.grad(formula))(points), atol=1e-11)
        np.testing.assert_allclose(second, jax.vmap(jax.hessian(formula))(points), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize("normalized", [False, True])
def test_all_derivatives_are_finite_on_the_boundary_and_at_corners(normalized, single):
    with jax.enable_x64(not single):
        for dom in (EXAMPLES["rectangle"], EXAMPLES["disk"]):
            ends = np.array(dom.shape.bounds)
            corners = np.stack(np.meshgrid(*ends), -1).reshape(-1, len(ends))
            points = np.concatenate([corners, drawn(dom, "boundary", 16)]).astype(np.float32 if single else float)
            for region in (*regions_of(dom), regions_of(dom)[:3]):
                distance = dom.distance(region, normalized=normalized)
                for found in jets(dom, distance, points):
                    assert np.isfinite(found).all(), region


def test_smooth_ones_are_flat_at_corners_only(x64):
    dom = domain.rectangle((0, 1), (0, 1))
    points = np.array([[0, 0.0], [0, 0.5], [1e-9, 2e-9], [1e-4, 2e-4]])
    _, gradient, second = jets(dom, dom.distance("boundary"), points)
    assert np.all(gradient[0] == 0) and gradient[1, 0] == pytest.approx(0.5)
    assert np.abs(second).max() < 10
    assert np.abs(jets(dom, dom.distance("boundary", normalized=True), points)[2]).max() > 100


def test_several_regions_and_instants(x64):
    dom = domain.rectangle((0, 2), (0, 1)).time(1, 4)
    some = dom.distance(["left", "top", "initial"])
    for region in ("left", "top", "initial"):
        assert np.all(values(dom, [some], drawn(dom, region))[0] == 0)
    assert values(dom, [some], drawn(dom, "right"))[0].min() > 0
    assert values(dom, [some], drawn(dom, "final"))[0].min() > 0
    inside = drawn(dom, "interior")
    np.testing.assert_array_equal(values(dom, [dom.distance("initial")], inside)[0], inside[:, 2] - 1)
    np.testing.assert_array_equal(values(dom, [dom.distance("final")], inside)[0], 4 - inside[:, 2])
    ode = domain.time(1, 4)
    assert repr(ode.distance("initial")) == "t - 1.0"


def test_it_is_bound_at_once_to_coordinates_that_are_given():
    dom = domain.rectangle((0, 2), (0, 1))
    x, y = dom.variable("interior", 8)
    u = x + y
    assert dom.distance("boundary", x, y) * u is dom.distance("boundary") * u
    assert dom.distance("left", 2 * x, y) is 2 * x
    assert dom.distance("left") is dom.distance("left") and dom.distance("left").points.free


@settings(max_examples=8)
@given(
    low=st.lists(st.floats(-5, 5), min_size=1, max_size=3),
    lengths=st.lists(st.floats(0.01, 10), min_size=3, max_size=3),
    normalized=st.booleans(),
    key=st.integers(0, 1000),
)
@example(low=[5.0, -5.0], lengths=[0.01, 10.0, 1.0], normalized=True, key=0)
def test_random_boxes(low, lengths, normalized, key):
    with jax.enable_x64(True):
        dom = domain.box(*[(a, a + length) for a, length in zip(low, lengths, strict=False)])
        distance = dom.distance("boundary", normalized=normalized)
        edge = drawn(dom, "boundary", 16, key)
        assert np.abs(values(dom, [distance], edge)[0]).max() <= 1e-14
        assert values(dom, [distance], drawn(dom, "interior", 64, key))[0].min() > 0


MISTAKES = {
    "region misspelt": (lambda: domain.rectangle((0, 1), (0, 1)).distance("lef"), 'Did you mean "left"'),
    "the interior": (lambda: domain.disk().distance("interior"), '"interior" of disk.* is no part of its boundary'),
    "no time": (lambda: domain.disk().distance("initial"), "has no time"),
    "no region": (lambda: domain.disk().distance([]), 'one of "boundary"; got none'),
    "too few coordinates": (
        lambda: domain.disk().distance("boundary", *domain.disk().variable("interior", 4)[:1]),
        'one number for each of "x", "y"; got x',
    ),
    "a number for all": (lambda: domain.disk().distance("boundary", "x", "y"), "'x' is neither a real number"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_errors(mistake):
    build, told = MISTAKES[mistake]
    with pytest.raises(pn.PinnaceError, match=told):
        build()


def test_a_shape_without_a_distance_says_so():
    class Blob(domain.Disk):
        def depth(self, coordinates):
            return domain.Shape.depth(self, coordinates)

    with pytest.raises(DomainError, match="has no distance as an expression.*use a loss"):
        domain.Domain(Blob((0, 0), 1, ("x", "y"))).distance("boundary")
