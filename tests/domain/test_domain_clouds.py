"""Domains of given points."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pinnace import domain
from pinnace._errors import DomainError

ANGLE = np.linspace(0, 2 * np.pi, 40, endpoint=False)
EDGE = np.stack([np.cos(ANGLE), np.sin(ANGLE)], axis=1)
INNER = np.random.default_rng(0).uniform(-0.6, 0.6, (300, 2))
DOM = domain.cloud(INNER, EDGE, 3 * EDGE, sensors=[[0.0, 0.5], [0.25, 0.0]], wall=(EDGE[:7], EDGE[:7]))


def plan_of(dom, region, *args, **settings):
    found = dom.variable(region, *args, **settings)
    return (found if isinstance(found, tuple) else (found,))[0].points.plan


def drawn(dom, region, *args, **settings):
    return np.asarray(plan_of(dom, region, *args, **settings).init(jax.random.key(0))[0])


def test_each_point_is_there_once_whatever_n(x64):
    np.testing.assert_array_equal(drawn(DOM, "interior"), INNER)
    np.testing.assert_array_equal(drawn(DOM, "interior", 7, sampler="uniform"), INNER)
    np.testing.assert_array_equal(drawn(DOM, "sensors"), [[0, 0.5], [0.25, 0]])
    assert not plan_of(DOM, "interior", resample=5).moves
    assert DOM.regions == ("interior", "boundary", "sensors", "wall")
    assert domain.cloud(INNER).regions == ("interior",)


def test_normals_are_those_given_with_unit_length(x64):
    for region, points in (("boundary", EDGE), ("wall", EDGE[:7])):
        plan = plan_of(DOM, region)
        np.testing.assert_allclose(plan.normals(jnp.asarray(points)), points, atol=1e-15)
    assert not plan_of(DOM, "sensors").has_normals
    x, y = DOM.variable("sensors")
    with pytest.raises(DomainError, match="have no normal"):
        domain.normal(x, y)


def test_time_and_parameters_meet_points_evenly(x64):
    dom = DOM.time(0, 2).vary(k=(1, 3))
    assert dom.axes == ("x", "y", "t", "k")
    points = drawn(dom, "interior", 256)
    assert points.shape == (256, 4) and len(np.unique(points[:, 2])) == 256
    assert {tuple(row) for row in points[:, :2]} <= {tuple(row) for row in INNER}
    assert len(np.unique(points[:, :2], axis=0)) == 256  # as even as can be: none twice
    halves = np.bincount((points[:, 2] > 1) * 2 + (points[:, 3] > 2), minlength=4)
    np.testing.assert_allclose(halves, 64, atol=6)
    start = drawn(dom, "initial", 64)
    assert np.all(start[:, 2] == 0) and len(np.unique(start[:, 3])) == 64
    plan = plan_of(dom, "boundary", 64, resample=1)
    first, state = plan.init(jax.random.key(0))
    fresh, _ = plan.update(first, state, step=1, key=jax.random.key(1))
    assert plan.moves and not np.any(np.isin(fresh[:, 2], first[:, 2]))
    np.testing.assert_allclose(plan.normals(fresh), fresh[:, :2], atol=1e-12)


def test_one_dimension_takes_vectors_and_axes_have_names():
    dom = domain.cloud([0.0, 0.5, 1.0], names=("s",))
    assert dom.axes == ("s",) and dom.shape.bounds == ((0, 1),)
    assert domain.cloud(np.ones((2, 5))).axes == ("x1", "x2", "x3", "x4", "x5")


def test_parts_can_be_tagged():
    right = DOM.tag("right", lambda x, y: x > 0.1)
    np.testing.assert_allclose(drawn(right, "right"), EDGE[EDGE[:, 0] > 0.1], atol=1e-7)


def test_clouds_compare_by_value():
    again = domain.cloud(INNER.copy(), EDGE, 3 * EDGE, sensors=[[0.0, 0.5], [0.25, 0.0]], wall=(EDGE[:7], EDGE[:7]))
    assert again == DOM and hash(again) == hash(DOM)
    assert domain.cloud(INNER) != domain.cloud(INNER[::-1]) and domain.cloud(INNER, EDGE) != domain.cloud(EDGE, INNER)


@pytest.mark.parametrize("combine", [lambda: DOM | domain.disk(), lambda: domain.disk() - DOM, lambda: DOM & DOM])
def test_clouds_do_not_combine(combine):
    with pytest.raises(DomainError, match="cannot be combined with other shapes: it is points, and nothing is known"):
        combine()


def test_clouds_have_no_measure_and_no_distance():
    with pytest.raises(DomainError, match='has no length, area or volume of "interior"'):
        DOM.measure()
    with pytest.raises(DomainError, match="no distance to a boundary"):
        DOM.shape.signed_distance(jnp.zeros((1, 2)))
    with pytest.raises(DomainError, match=r'has no region .boundary.; it has "interior"'):
        domain.cloud(INNER).variable("boundary")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (lambda: domain.cloud([]), r"shape \[n, dim\].*got shape \(0,\)"),
        (lambda: domain.cloud("abc"), "one row a point"),
        (lambda: domain.cloud(np.zeros((2, 2, 2))), r"got shape \(2, 2, 2\)"),
        (lambda: domain.cloud(INNER, ANGLE), r"boundary are an array of shape \[n, 2\].*got shape \(40,\)"),
        (lambda: domain.cloud([[0, 1], [np.nan, 2]]), r"row 1 is \(nan, 2\.0\)"),
        (lambda: domain.cloud(INNER, EDGE, EDGE[:3]), "40 points and 3 normals"),
        (lambda: domain.cloud(INNER, EDGE, 0 * EDGE), "row 0 has no length"),
        (lambda: domain.cloud(INNER, normals=EDGE), "give these too"),
        (lambda: domain.cloud(INNER, initial=EDGE), "a region of its own kind"),
    ],
)
def test_wrong_arrays_are_told(given, told):
    with pytest.raises(DomainError, match=told):
        given()
