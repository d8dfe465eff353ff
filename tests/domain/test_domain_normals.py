"""Outward unit normals, as arrays and as expressions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pinnace import domain
from pinnace._errors import DomainError
from pinnace.expr import Expr

RECTANGLE = domain.rectangle((-1, 2), (0.5, 1.5))
SHAPES = [domain.interval(-1, 2), RECTANGLE, domain.box((0, 1), (-1, 1), (2, 5)), domain.disk((0.3, -2), 1.5)]


def distance(shape, points):
    """Signed distance, from the definition."""
    if isinstance(shape, domain.Disk):
        return np.linalg.norm(points - np.array(shape.center), axis=1) - shape.radius
    low, high = np.array(shape.bounds).T
    outer = np.linalg.norm(points - np.clip(points, low, high), axis=1)
    return np.where(outer > 0, outer, -np.minimum(points - low, high - points).min(axis=1))


def plan_and_points(dom, region, n=300):
    found = dom.variable(region, n)
    plan = (found if isinstance(found, tuple) else (found,))[0].points.plan
    return plan, plan.init(jax.random.key(2))[0]


@pytest.mark.parametrize("base", SHAPES, ids=str)
def test_normals_have_unit_length_and_point_out(base, x64):
    dom = base if base.shape.dim == 3 else base.time(0, 3)
    dim, h = base.shape.dim, 1e-6
    for region in ("boundary", *base.shape.names[-2:]):
        plan, points = plan_and_points(dom, region)
        normals, space = np.asarray(plan.normals(points)), np.asarray(points)[:, :dim]
        assert normals.shape == (plan.size, dim)
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, rtol=1e-12)
        slope = (distance(base.shape, space + h * normals) - distance(base.shape, space - h * normals)) / (2 * h)
        np.testing.assert_allclose(slope, 1, rtol=1e-6)


def test_a_side_keeps_its_normal_at_corners():
    shape = RECTANGLE.shape
    corner = jnp.array([[2.0, 0.5]])
    for side, expected in {"right": [1, 0], "bottom": [0, -1]}.items():
        patch = shape.boundary(side)
        assert patch.normals(corner).tolist() == [expected]


def test_normals_of_single_precision_points_are_exact():
    plan, points = plan_and_points(domain.rectangle((0.1, 0.3), (-0.7, 1)), "boundary")
    assert sorted(set(map(tuple, plan.normals(points).tolist()))) == [(-1, 0), (0, -1), (0, 1), (1, 0)]


def test_normal_gives_one_component_an_axis_of_space_in_the_order_given():
    x, y, t = RECTANGLE.time(0, 1).variable("top", 8)
    nx, ny = domain.normal(x, y)
    assert [part.kind for part in (nx, ny)] == ["normal", "normal"]
    assert (nx.data, ny.data) == ((x.points, 0), (x.points, 1))
    assert nx.points is x.points and nx.shape == ()
    assert domain.normal(y, x) == (ny, nx)
    assert domain.normal(x, y, t) == (nx, ny)


def test_normal_in_one_dimension_is_no_tuple():
    x, t = domain.interval(0, 1).time(0, 1).variable("boundary", 8)
    assert isinstance(domain.normal(x), Expr) and domain.normal(x) is domain.normal(x, t)


x, y = RECTANGLE.variable("interior", 8)
xb, yb = RECTANGLE.variable("boundary", 8)
xr, yr = RECTANGLE.variable("right", 8)
_, t0 = domain.interval(0, 1).time(0, 1).variable("initial", 8)
(now,) = domain.time(0, 1).variable("initial")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((), "got none"),
        ((x, y), r'8 points of interior of .* are not on the boundary.*"boundary", "left"'),
        ((t0,), r"initial of .* are not on the boundary"),
        ((now,), "Take those of a domain with space"),
        (
            (xb, yr),
            "coordinates of one point set; `x` is of 8 points of boundary .*, `y` of 8 points of right",
        ),
        ((xb,), r"each coordinate of space once, in rectangle.* x, y; got x\."),
        ((xb, xb), r"got x, x\."),
        ((xb, 1.0), r"takes coordinates, .* got 1\.0\. For example"),
        ((xb, yb**2), r"got `y\*\*2`"),
        (("x", "y"), "got 'x'"),
    ],
)
def test_what_has_no_normal_is_an_error(given, told):
    with pytest.raises(DomainError, match=told):
        domain.normal(*given)


def test_a_plan_without_normals_says_so():
    with pytest.raises(DomainError, match=r'"interior" of rectangle.* has no normal'):
        x.points.plan.normals(jnp.zeros((1, 2)))
