"""Random combinations of boxes and balls against their definition, written out in plain NumPy."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnace import domain
from pinnace._errors import DomainError


@dataclass(frozen=True)
class Box:
    """A box by its lower and upper corner."""

    low: tuple
    high: tuple

    def domain(self):
        return domain.box(*zip(self.low, self.high, strict=True))

    def contains(self, points):
        return np.all((points >= self.low) & (points <= self.high), axis=1)

    def gap(self, points):
        """How far points are from the boundary, from both sides."""
        low, high = np.array(self.low), np.array(self.high)
        beyond = np.linalg.norm(points - np.clip(points, low, high), axis=1)
        return np.where(beyond > 0, beyond, np.minimum(points - low, high - points).min(axis=1))

    def surface(self, rng, n):
        """Points evenly on the boundary, their outward normals, and the area."""
        lengths = np.subtract(self.high, self.low)
        areas = np.repeat(lengths.prod() / lengths, 2)
        face = rng.choice(len(areas), n, p=areas / areas.sum())
        points, normals = rng.uniform(self.low, self.high, (n, len(lengths))), np.zeros((n, len(lengths)))
        axis, up = face // 2, face % 2
        points[np.arange(n), axis] = np.where(up, np.array(self.high)[axis], np.array(self.low)[axis])
        normals[np.arange(n), axis] = 2 * up - 1
        return points, normals, areas.sum()


@dataclass(frozen=True)
class Ball:
    """A ball by its center and radius."""

    center: tuple
    radius: float

    def domain(self):
        return domain.ball(self.center, self.radius)

    def contains(self, points):
        return np.linalg.norm(points - self.center, axis=1) <= self.radius

    def gap(self, points):
        return np.abs(np.linalg.norm(points - self.center, axis=1) - self.radius)

    def surface(self, rng, n):
        normals = rng.normal(size=(n, len(self.center)))
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        area = {2: 2 * np.pi * self.radius, 3: 4 * np.pi * self.radius**2}[len(self.center)]
        return self.center + self.radius * normals, normals, area


@dataclass(frozen=True)
class Pair:
    """Two of them under an operator."""

    operator: str
    first: object
    second: object

    def domain(self):
        first, second = self.first.domain(), self.second.domain()
        return {"|": first.__or__, "&": first.__and__, "-": first.__sub__}[self.operator](second)

    def contains(self, points):
        first, second = self.first.contains(points), self.second.contains(points)
        return {"|": first | second, "&": first & second, "-": first & ~second}[self.operator]


def leaves(tree):
    """The boxes and balls of a combination."""
    return [*leaves(tree.first), *leaves(tree.second)] if isinstance(tree, Pair) else [tree]


def candidates(patch, n, seed):
    """Points of a patch before any are dropped, drawn by NumPy, and which of them are accepted."""
    unit = np.random.default_rng(seed).random((n, patch.cover.dim))
    piece, unit = patch.cover.split(unit)
    points = patch.place(piece, unit)
    good = np.ones(n, bool) if patch.accepts is None else np.asarray(patch.accepts(piece, unit, points))
    return points, good


def even(dom, region, n=20_000, seed=0):
    """Points of a region, drawn independently by NumPy alone: nothing is compiled."""
    points, good = candidates(dom.patch(region), n, seed)
    return points[good]


numbers = st.integers(-8, 8).map(lambda k: k / 8)  # so that shapes touch and lie on each other now and then
sizes = st.sampled_from([0.25, 0.5, 0.625, 1.0])


@st.composite
def boxes(draw, dim):
    low = tuple(draw(numbers) for _ in range(dim))
    return Box(low, tuple(start + draw(sizes) for start in low))


@st.composite
def balls(draw, dim):
    return Ball(tuple(draw(numbers) for _ in range(dim)), draw(sizes))


def trees(dim):
    def pairs(inner):
        return st.builds(Pair, st.sampled_from("||&--"), inner, inner)

    return st.recursive(boxes(dim) | balls(dim), pairs, max_leaves=6).filter(lambda tree: isinstance(tree, Pair))


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 3).flatmap(trees), st.integers(0, 2**31))
def test_nested_combinations_are_what_the_definition_says(tree, seed):
    parts, rng = leaves(tree), np.random.default_rng(seed)
    cube = rng.uniform(-2, 2.5, (20_000, len(parts[0].domain().axes)))
    volume = tree.contains(cube).mean() * 4.5 ** cube.shape[1]
    try:
        dom = tree.domain()
    except DomainError as told:
        assert "nothing is left" in str(told)
        return
    inside = even(dom, "interior", 4000, seed)
    assert tree.contains(inside).all()
    np.testing.assert_array_equal(np.asarray(dom.shape.contains(cube)), tree.contains(cube))
    for part in parts:  # no part of it gets more than its share
        expected, found = part.contains(cube[tree.contains(cube)]), part.contains(inside)
        noise = np.sqrt(0.25 / max(len(expected), 1) + 0.25 / max(len(found), 1))
        assert len(expected) < 100 or abs(expected.mean() - found.mean()) < 5 * noise
    noise = 4.5 ** cube.shape[1] * np.sqrt(max(volume / 4.5 ** cube.shape[1], 1e-4) / len(cube))
    assert dom.measure() == pytest.approx(volume, abs=5 * noise, rel=1e-3)
    # the boundary, from what is left of each part by the definition; parts that lie on each other count once
    patch = dom.patch("boundary")
    points, good = candidates(patch, 4000, seed)
    points, step = points[good], 1e-7
    gaps = np.stack([part.gap(points) for part in parts])
    assert gaps.min(axis=0).max() <= 1e-12
    normals = np.asarray(patch.normals(points))
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, rtol=1e-12)
    outward = tree.contains(points - step * normals) & ~tree.contains(points + step * normals)
    assert outward.mean() > 0.998  # but next to edges
    area = 0.0
    for k, part in enumerate(parts):
        on, normal, whole = part.surface(rng, 4000)
        left = tree.contains(on - step * normal) != tree.contains(on + step * normal)
        first = np.all([other.gap(on) > 1e-12 for other in parts[:k]] or [np.ones(len(on), bool)], axis=0)
        area += whole * (left & first).mean()
    total = sum(part.surface(rng, 1)[2] for part in parts)
    assert dom.measure("boundary") == pytest.approx(area, abs=5 * total * 0.5 / np.sqrt(4000))
