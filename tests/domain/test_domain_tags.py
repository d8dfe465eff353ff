"""Regions of one's own name: on boundaries and inside, through combinations, with time and parameters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pinnace import domain
from pinnace._errors import DomainError

SQUARE = domain.rectangle((0, 1), (0, 1))
DISK = domain.disk((0.5, 0.5), 0.2)
ROOM = SQUARE.tag("inlet", lambda x, y: (x == 0) & (y > 0.5)) - DISK.tag("hole")


def even(dom, region, n=4000, seed=0):
    """Points of a region, drawn independently by NumPy alone: nothing is compiled."""
    patch = dom.patch(region)
    unit = np.random.default_rng(seed).random((n, patch.cover.dim))
    piece, unit = patch.cover.split(unit)
    points = patch.place(piece, unit)
    return points if patch.accepts is None else points[np.asarray(patch.accepts(piece, unit, points))]


def test_tags_are_regions_beside_the_own_names():
    assert ROOM.regions[:6] == ("interior", "boundary", "left", "right", "bottom", "top")
    assert ROOM.regions[-2:] == ("inlet", "hole")
    assert ROOM.time(0, 1).regions[2:4] == ("initial", "final")


def test_tags_survive_combinations_as_what_is_left_of_them():
    inlet, hole = even(ROOM, "inlet"), even(ROOM, "hole")
    assert np.all(inlet[:, 0] == 0) and inlet[:, 1].min() > 0.5 and len(inlet) > 100
    np.testing.assert_allclose(np.hypot(*(hole - 0.5).T), 0.2, rtol=1e-12)
    cut = ROOM - domain.rectangle((-1, 0.5), (-1, 0.75))
    assert even(cut, "inlet")[:, 1].min() > 0.75
    rest = even(cut, "hole") - 0.5
    assert np.all((rest[:, 0] > 0) | (rest[:, 1] > 0.25)) and np.ptp(np.arctan2(*rest.T)) > 3
    assert cut.measure("hole") == pytest.approx(0.2 * np.pi, rel=2e-3)
    assert cut.measure("inlet") == pytest.approx(0.25, rel=2e-3)
    assert np.all(even(ROOM & domain.disk((0.5, 0.5), 0.7), "inlet")[:, 1] < 0.5 + np.sqrt(0.7**2 - 0.5**2))


def test_equal_names_are_united():
    holes = [domain.disk((x, 0.5), r).tag("hole") for x, r in ((0.25, 0.1), (0.75, 0.2))]
    dom = SQUARE - holes[0] - holes[1]
    assert dom.regions.count("hole") == 1
    assert dom.measure("hole") == pytest.approx(0.6 * np.pi, rel=1e-12)
    first = even(dom, "hole")[:, 0] < 0.5
    assert first.mean() == pytest.approx(1 / 3, abs=0.03)
    overlapping = SQUARE - domain.disk((0.4, 0.5), 0.2).tag("hole") - domain.disk((0.6, 0.5), 0.2).tag("hole")
    left = 2 * 0.2 * (2 * np.pi - 2 * np.arccos(0.5))
    assert overlapping.measure("hole") == pytest.approx(left, rel=1e-3)
    sides = SQUARE | domain.rectangle((2, 3), (0, 2))
    assert sides.measure("left") == pytest.approx(3) and sides.measure("boundary") == pytest.approx(10)
    same = SQUARE.tag("wall") | domain.rectangle((0, 2), (0, 0.5)).tag("wall")
    assert same.measure("wall") == pytest.approx(6, rel=1e-3)  # half of the left side lies on the other's


def test_a_tag_of_a_combination_is_a_part_of_its_own_boundary():
    ring = (domain.disk((0, 0), 1) - domain.disk((0, 0), 0.5)).tag("ring")
    dom = ring | domain.disk((0.5, 0), 0.3)
    radius = np.hypot(*even(dom, "ring").T)
    assert np.minimum(np.abs(radius - 1), np.abs(radius - 0.5)).max() < 1e-12
    beside = domain.disk((1, 0.5), 0.3)
    bitten = (SQUARE - beside).tag("bitten") | beside
    # the half circle outside of the square is on the boundary of the union, but was on none of the bitten square
    assert bitten.measure("bitten") == pytest.approx(3.4, rel=1e-3) and even(bitten, "bitten").max() == 1
    part = (SQUARE - DISK).tag("part", lambda x, y: y < 0.5) | domain.disk((0.5, 0.5), 0.2)
    # the hole is filled again: its circle is on no boundary, and the part is the lower half of the square
    assert part.measure("part") == pytest.approx(2, rel=1e-3) and even(part, "part")[:, 1].max() < 0.5


def test_names_of_parts_of_the_interior():
    dom = (SQUARE.tag("core", lambda x, y: jnp.hypot(x - 0.5, y - 0.5) < 0.4, of="interior") - DISK).time(0, 1)
    points = even(dom, "core")
    radius = np.hypot(*(points[:, :2] - 0.5).T)
    assert radius.min() > 0.2 and radius.max() < 0.4 and dom.axes == ("x", "y", "t")
    assert dom.measure("core") == pytest.approx(np.pi * 0.12, rel=1e-3)
    assert "core" not in (SQUARE - DISK.tag("core", of="interior")).regions
    whole = domain.disk((0, 0), 1).tag("a", of="interior") | domain.disk((3, 0), 2).tag("a", of="interior")
    assert whole.measure("a") == pytest.approx(5 * np.pi, rel=1e-12 if whole.measure("a") == whole.measure() else 1e-3)
    clash = "names a part of the interior of .* Give one of the tags another name"
    with pytest.raises(DomainError, match=clash):
        SQUARE.tag("a") | DISK.tag("a", of="interior")


@pytest.mark.parametrize("sampler", ["sobol", "uniform", "grid"])
def test_tags_are_drawn_in_the_step_with_their_normals(sampler):
    dom = ROOM.time(0, 1).vary(k=(0.5, 1.5))
    x, y, _, _ = dom.variable("inlet", 64, sampler=sampler, resample=None if sampler == "grid" else 3)
    nx, _ = domain.normal(x, y)
    plan = x.points.plan
    points = np.asarray(plan.init(jax.random.key(1))[0])
    assert np.all(points[:, 0] == 0) and points[:, 1].min() > 0.5 and points[:, 3].min() > 0.5
    assert np.ptp(points[:, 1]) >= 0.19 and abs(len(points) - 64) < 12 and nx.points.size == len(points)
    np.testing.assert_array_equal(plan.normals(points), np.tile([-1.0, 0.0], (len(points), 1)))


def test_ends_of_an_interval_by_name():
    dom = domain.interval(-1, 1).tag("hot", lambda x: x < 0).tag("both")
    (point,) = np.asarray(dom.variable("hot", 50).points.plan.init(jax.random.key(0))[0])
    assert point == -1 and dom.variable("both").points.size == 2
    cut = dom - domain.interval(-2, -0.5)
    assert cut.variable("both").points.size == 1 and cut.measure("both") == 1
    with pytest.raises(DomainError, match='nothing is left of "hot"'):
        cut.variable("hot")


def test_tags_read_as_they_are_written_and_compare_by_value():
    low = lambda x, y: y < 0.5  # noqa: E731
    assert repr(SQUARE.tag("low", low)) == 'rectangle((0, 1), (0, 1)).tag("low", ...)'
    assert repr((SQUARE - DISK).tag("all")) == f'({SQUARE!r} - {DISK!r}).tag("all")'
    assert repr(SQUARE.tag("all", of="interior")).endswith('.tag("all", of="interior")')
    assert SQUARE.tag("low", low) == SQUARE.tag("low", low) != SQUARE.tag("low")


MISTAKES = {
    "name taken by a side": (lambda: SQUARE.tag("left"), 'has a region "left" already'),
    "name taken by a tag": (lambda: DISK.tag("a").tag("a", of="interior"), 'has a region "a" already'),
    "name taken by time to come": (lambda: SQUARE.tag("initial"), 'has a region "initial" already'),
    "name no text": (lambda: SQUARE.tag(3), "the name of a tag is a text; got 3"),
    "name empty": (lambda: SQUARE.tag(" "), "is a text"),
    "of something": (lambda: SQUARE.tag("a", of="edge"), 'is "boundary" or "interior"; got \'edge\''),
    "no space": (lambda: domain.time(0, 1).tag("a"), "names a part of space"),
    "no predicate": (lambda: SQUARE.tag("a", 0.5), r"called with 2 arrays \[n\], of x, y.*got 0.5"),
    "one argument": (lambda: SQUARE.tag("a", lambda x: x < 0), "It failed: .*positional argument"),
    "and": (lambda: SQUARE.tag("a", lambda x, y: x < 0 and y < 0), "instead of and, or.*It failed"),
    "NumPy": (lambda: SQUARE.tag("a", lambda x, y: np.less(x, 0.5)), "jax.numpy instead of .* NumPy.*It failed"),
    "numbers": (lambda: SQUARE.tag("a", lambda x, y: x - 0.5), "an array of shape .* and type float32"),
    "one truth": (lambda: SQUARE.tag("a", lambda x, y: True), r"for 7 points it gave an array of shape \(\)"),
    "one in all": (lambda: SQUARE.tag("a", lambda x, y: (x < 0).any()), r"an array of shape \(\) and type bool"),
    "columns": (lambda: SQUARE.tag("a", lambda x, y: (x < 0)[:, None]), r"an array of shape \(7, 1\)"),
    "nowhere": (
        lambda: SQUARE.tag("a", lambda x, y: x > 2),
        r'no boundary point of rectangle\(\(0, 1\), \(0, 1\)\) fulfils the predicate of tag\("a"\)',
    ),
    "nowhere inside": (lambda: DISK.tag("a", lambda x, y: x > 2, of="interior"), "no interior point of disk"),
    "neither end": (lambda: domain.interval(0, 1).tag("a", lambda x: x == 0.5), "no boundary point of interval"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_errors_where_they_are_written(mistake):
    call, told = MISTAKES[mistake]
    with pytest.raises(DomainError, match=told):
        call()
