"""Distances as expressions: zero on their region and nowhere else inside, with the slopes that they promise."""

import operator
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trimesh
from hypothesis import Phase, example, given, settings
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


QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


@cache
def quickly(function):
    """A function of one point over all, compiled in a hurry."""
    return jax.jit(jax.vmap(function), compiler_options=QUICK)


NUMPY = {
    "constant": lambda node, args, points: points.dtype.type(node.data[0]),
    "coordinate": lambda node, args, points: points[:, node.data[1]],
    "elementwise": lambda node, args, points: getattr(np, node.data[0])(*args),
    "apply": lambda node, args, points: np.asarray(quickly(node.data[0])(*map(jnp.asarray, args))),
}


def jets(dom, exprs, points):
    """Value, gradient `[n, d]` and second derivatives `[n, d, d]` of expressions, as a step computes them."""
    xs = domain.coordinates(dom)
    place, n, d = xs[0].points, len(points), len(xs)
    first = [slope(expr, x) for expr in exprs for x in xs]
    second = [slope(one, y) for one in first for y in xs]
    plan = require([*exprs, *first, *second, xs[0]])

    @partial(jax.jit, compiler_options=QUICK)
    def evaluated(points):
        found = evaluate(plan, Given({}, {place: points}, lambda k, values: points[:0]))[:-1]
        return jnp.stack([jnp.broadcast_to(one, n) for one in found], axis=1)

    found, m = np.asarray(evaluated(jnp.asarray(points))), len(exprs)
    gradients, hessians = found[:, m : m + m * d].reshape(n, m, d), found[:, m + m * d :].reshape(n, m, d, d)
    return [(found[:, k], gradients[:, k], hessians[:, k]) for k in range(m)]


def drawn(dom, region, n=64, key=0):
    """Points of a region, by NumPy."""
    patch, rng = dom.patch(region), np.random.default_rng(key)
    measures = patch.cover.measures
    piece = rng.choice(len(measures), 8 * n, p=measures / measures.sum())
    unit = rng.random((8 * n, patch.cover.dim))
    points = patch.place(piece, unit)
    kept = points if patch.accepts is None else points[patch.accepts(piece, unit, points)]
    assert len(kept)
    return kept[:n]


def slope(expr, x):
    return expr.d(x) if x.data in expr.depends else as_expr(0.0)


EXAMPLES = {
    "interval": domain.interval(-1, 3),
    "rectangle": domain.rectangle((-1, 1), (0.5, 0.75)),
    "box": domain.box((0, 1), (-2, 2), (1, 3)),
    "ball": domain.ball((0.3, -0.2, 1), 0.7),
    "disk": domain.disk((0.3, -0.2), 0.7),
    "ring": domain.annulus((1, 0), 0.3, 1.1),
    "ellipse": domain.ellipse((0.1, 0.2), (2, 0.4), 0.7),
    "ellipsoid": domain.ellipsoid((0, 1, 0), (1, 2, 0.5)),
    "triangle": domain.simplex((0, 0), (1, 0.2), (0.3, 2)),
    "tetrahedron": domain.simplex((0, 0, 0), (1, 0.2, 0), (0.3, 2, 0.1), (0, 0.2, 1.5)),
    "L": domain.polygon([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]),
    "frame": domain.polygon([(0, 0), (3, 0), (2, 2), (0, 1)], holes=[[(1, 0.5), (1.5, 0.5), (1.2, 0.9)]]),
    "cube of triangles": domain.mesh(trimesh.creation.box((1, 2, 1.5))),
    "sawn": domain.polygon([(0, 0), (2, 0), (2, 2), (1, 1), (0, 2)]) - domain.disk((1, 1), 0.5).tag("saw"),
    "plate with a hole": domain.rectangle((0, 2), (0, 1)) - domain.disk((0.5, 0.5), 0.2).tag("hole"),
    "bitten plate": domain.rectangle((0, 2), (0, 1)) - domain.disk((2, 1), 0.4).tag("bite"),
    "two rooms": domain.rectangle((0, 2), (0, 1)) | domain.rectangle((1, 3), (-1, 0.5)),
    "lens": domain.disk((0, 0), 1).tag("one") & domain.disk((1, 0), 1).tag("other"),
    "apart": domain.interval(0, 1) | domain.interval(2, 4),
    "nested": domain.ball() - (domain.box((-0.2, 0.2), (-0.3, 0.3), (-0.4, 0.6)) | domain.ball((0.3, 0, 0), 0.4)),
}


def regions_of(dom):
    return [region for region in dom.regions if region != "interior"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_is_zero_on_its_region_and_positive_inside(name, x64):
    dom = EXAMPLES[name].time(2, 5)
    inside = drawn(dom, "interior", 64 if name in ("L", "frame") else 512)
    for region in regions_of(dom):
        both = [dom.distance(region, normalized=normalized) for normalized in (False, True)]
        assert np.abs(values(dom, both, drawn(dom, region))).max() < 1e-12, region
        assert np.min(values(dom, both, inside)) > 0, region
        others = [other for other in dom.shape.names if region in dom.shape.names and other != region]
        for other in others:
            aside = drawn(dom, other, 64)
            aside = aside[~np.asarray(dom.shape.on(aside[:, :-1], 1e-6, region))]
            assert np.min(values(dom, both, aside), initial=1) > 0, (region, other)


@pytest.mark.parametrize(
    "name",
    [
        "rectangle",
        "ring",
        "ellipse",
        "ellipsoid",
        "triangle",
        "tetrahedron",
        "bitten plate",
        "two rooms",
        "apart",
        "nested",
    ],
)
def test_normalized_ones_are_distances_to_first_order(name, x64):
    dom = EXAMPLES[name]
    size = dom.shape.size
    for region in regions_of(dom):
        points = drawn(dom, region, 200)
        normals = np.asarray(dom.patch(region).normals(points))
        distance = dom.distance(region, normalized=True)
        step = 1e-5 * size
        near = values(dom, [distance], points - step * normals)[0] / step
        # next to corners it is no distance
        assert np.median(np.abs(near - 1)) < 1e-3, region
        assert np.mean(np.abs(near - 1) < 1e-2) > 0.9, region


def test_derivatives_are_those_of_the_formula(x64):
    dom = EXAMPLES["rectangle"]
    points = drawn(dom, "interior", 16)

    def smooth(p):
        f, g = (p[0] + 1) * (1 - p[0]) / 2, (p[1] - 0.5) * (0.75 - p[1]) / 0.25
        return f * g / (f + g + 0.25 * 0.25)

    def normalized(p):
        f, g = (p[0] + 1) * (1 - p[0]) / 2, (p[1] - 0.5) * (0.75 - p[1]) / 0.25
        return f + g - jnp.sqrt(f**2 + g**2)

    exprs = [dom.distance("boundary", normalized=written) for written in (False, True)]
    for formula, (value, gradient, second) in zip((smooth, normalized), jets(dom, exprs, points), strict=True):
        np.testing.assert_allclose(value, quickly(formula)(points), rtol=1e-11)
        np.testing.assert_allclose(gradient, quickly(jax.grad(formula))(points), atol=1e-11)
        np.testing.assert_allclose(second, quickly(jax.hessian(formula))(points), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", ["rectangle", "two rooms"])
def test_all_derivatives_are_finite_on_the_boundary_and_at_corners(name):
    corners = {"rectangle": [[-1, 0.5], [1, 0.75]], "two rooms": [[1, 0], [2, 0.5], [0, 0]]}[name]
    dom = EXAMPLES[name]
    points = np.concatenate([corners, drawn(dom, "boundary", 16)]).astype(np.float32)
    wanted = [("boundary", True), ("boundary", False)] if name == "rectangle" else [("boundary", False)]
    exprs = [dom.distance(region, normalized=normalized) for region, normalized in wanted]
    for region, jet in zip(wanted, jets(dom, exprs, points), strict=True):
        assert all(np.isfinite(part).all() for part in jet), (name, region)


def test_smooth_ones_are_flat_at_corners_only(x64):
    dom = domain.rectangle((0, 1), (0, 1))
    points = np.array([[0, 0.0], [0, 0.5], [1e-9, 2e-9], [1e-4, 2e-4]])
    smooth, sharp = jets(dom, [dom.distance("boundary"), dom.distance("boundary", normalized=True)], points)
    _, gradient, second = smooth
    assert np.all(gradient[0] == 0) and gradient[1, 0] == pytest.approx(0.5)
    assert np.abs(second).max() < 10
    assert np.abs(sharp[2]).max() > 100


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


@settings(max_examples=20)
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


shapes = st.one_of(
    st.builds(
        lambda x, y, w, h: domain.rectangle((x, x + w), (y, y + h)),
        *[st.floats(-1, 1)] * 2,
        *[st.floats(0.3, 2)] * 2,
    ),
    st.builds(lambda x, y, r: domain.disk((x, y), r), *[st.floats(-1, 1)] * 2, st.floats(0.2, 1)),
)


@settings(max_examples=20, phases=[Phase.generate])
@given(shapes, shapes, shapes, st.sampled_from("|&-"), st.sampled_from("|&-"), st.booleans())
def test_random_combinations(a, b, c, first, second, normalized):
    with jax.enable_x64(True):
        combine = {"|": operator.or_, "&": operator.and_, "-": operator.sub}
        try:
            dom = combine[second](combine[first](a, b), c)
            edge, inside = drawn(dom, "boundary", 64), drawn(dom, "interior", 256)
            distance = dom.distance("boundary", normalized=normalized)
        except (DomainError, AssertionError):  # nothing is left, or next to nothing, or two parts that touch
            return
        assert np.abs(values(dom, [distance], edge)).max() < 1e-12
        assert np.min(values(dom, [distance], inside)) > 0
        assert distance is dom.distance("boundary", normalized=normalized)


MISTAKES = {
    "a tag by a predicate": (
        lambda: domain.disk().tag("upper", lambda x, y: y > 0).distance("upper"),
        'told by a predicate, and a predicate has no distance.*disk.tag\\("hole"\\)',
    ),
    "a part of the interior": (
        lambda: domain.disk().tag("core", lambda x, y: y > 0, of="interior").distance("core"),
        "no part of its boundary",
    ),
    "a union of parts that touch": (
        lambda: (domain.rectangle((0, 1), (0, 1)) | domain.rectangle((1, 2), (0, 1))).distance("boundary"),
        "touch.*Let them overlap",
    ),
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
        def depth(self, coordinates, flat=0):
            return domain.Shape.depth(self, coordinates, flat)

    with pytest.raises(DomainError, match=r"has no distance as an expression.*use a loss"):
        domain.Domain(Blob((0, 0), 1, ("x", "y"))).distance("boundary")
