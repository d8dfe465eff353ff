"""What the tests of the lowering compare with: nested reverse mode of JAX, at one point, tree by tree."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pinnace as pn
from pinnace.expr import Expr, PointSet, nodes
from pinnace.lower.evaluate import evaluate
from pinnace.lower.given import Given
from pinnace.lower.interpret import propagate
from pinnace.lower.jet import Jet
from pinnace.lower.program import Canonical
from pinnace.lower.require import require
from pinnace.lower.terms import MultiIndex, closed, ordered, value_of

QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
"""Compile in a hurry: what is compared here runs once."""

REDUCTIONS: dict[str, Callable[..., Any]] = {
    "mse": lambda r: jnp.mean(r * r),
    "mae": lambda r: jnp.mean(jnp.abs(r)),
    "mean": jnp.mean,
    "sum": jnp.sum,
    "max": jnp.max,
}


def all_terms(order: int, axes: int) -> tuple[MultiIndex, ...]:
    """Every multi-index up to an order."""
    counts = product(range(order + 1), repeat=axes)
    return ordered(closed(MultiIndex(count) for count in counts if sum(count) == order))


def jets_of(function: Callable[[Any], Any], points: Any, terms: tuple[MultiIndex, ...]) -> Jet:
    """The jet of a function of one point `[d]` at points `[n, d]`, its coordinates handed over one by one."""
    axes = points.shape[1]

    def over_points(*columns: Any) -> Any:
        return jax.vmap(lambda *numbers: function(jnp.concatenate([jnp.atleast_1d(x) for x in numbers])))(*columns)

    ones = jnp.ones(len(points), points.dtype)
    jets = [Jet(points[:, k], {value_of(axes).shift(k): ones}, True) for k in range(axes)]
    return propagate(over_points, jets, terms)[0]


def nested(function: Callable[[Any], Any], points: Any, order: int, reverse: int) -> dict[tuple[int, ...], np.ndarray]:
    """Value and every partial derivative by nested reverse mode, above so many levels by forward over reverse."""
    axes, found, derivatives = points.shape[1], {}, [function]
    for depth in range(order):
        derivatives.append((jax.jacrev if depth < reverse else jax.jacfwd)(derivatives[-1]))
    everything = jax.jit(lambda points: [jax.vmap(f)(points) for f in derivatives], compiler_options=QUICKLY)
    for depth, values in enumerate(map(np.asarray, everything(points))):
        for along in product(range(axes), repeat=depth):
            counts = tuple(along.count(axis) for axis in range(axes))
            found.setdefault(counts, values[(..., *along)])
    return found


def assert_close(got: Any, expected: Any, what: Any = "", tolerance: float = 1e-9) -> None:
    """Equal to so many digits of the largest finite entry; finite, at least, wherever the other is."""
    got, expected = np.broadcast_arrays(np.asarray(got, float), np.asarray(expected, float))
    finite = np.isfinite(expected)
    assert np.isfinite(got[finite]).all(), f"{what}: {got} is not finite where {expected} is"
    scale = np.abs(expected[finite]).max(initial=0.0)
    worst = np.abs(got[finite] - expected[finite]).max(initial=0.0)
    assert worst <= tolerance * scale + 1e-13, f"{what}: {got} is not {expected}"


@pytest.fixture
def agrees():
    """Assert that jets give the derivatives of a function of one point that nested reverse mode gives.

    Where a reference is given, those of that function. `reverse=k` takes the derivatives above the k-th by forward
    mode: for smooth functions the same, and sooner compiled.
    """

    def check(
        function: Callable[[Any], Any],
        points: Any,
        order: int,
        *,
        reference: Any = None,
        reverse: int = 4,
        tolerance: float = 1e-9,
    ) -> None:
        points = jnp.asarray(points, float)
        terms = all_terms(order, points.shape[1])

        def value_and_parts(points: Any) -> tuple[Any, dict]:
            jet = jets_of(function, points, terms)
            return jet.value, {term.counts: part for term, part in jet.parts.items()}

        value, parts = jax.jit(value_and_parts, compiler_options=QUICKLY)(points)
        expected = nested(reference or function, points, order, reverse)
        assert_close(value, expected[(0,) * points.shape[1]], "value", tolerance)
        for term in terms:
            assert_close(parts.get(term.counts, 0.0), expected[term.counts], term, tolerance)

    return check


@pytest.fixture
def computed():
    """The values of expressions as pinnace lowers them, at arrays `{point set: [n, d]}`."""

    def compute(exprs: list[Expr], points: Mapping[PointSet, Any], modules: Mapping[Any, Any] | None = None) -> list:
        roots = [Canonical(())(expr) for expr in exprs]
        found = {node.data[0] for node in nodes(roots) if node.kind in ("field", "parameter")}
        given = {thing: thing.module for thing in found} | dict(modules or {})
        return evaluate(require(roots), Given(given, points, lambda *_: None))

    return compute


@pytest.fixture
def directly():
    """The value of an expression as it is written: at one point after the other, derivatives by nested `jax.jacrev`."""

    def compute(expr: Expr, points: Mapping[PointSet, Any], modules: Mapping[Any, Any] | None = None) -> Any:
        return everywhere(expr, points, dict(modules or {}))

    return compute


def everywhere(expr: Expr, points: Mapping[PointSet, Any], modules: Mapping[Any, Any]) -> Any:
    """At all points of its set."""
    if expr.points is None:
        return written(expr, {}, points, modules)

    def at(row: Any) -> Any:
        here = {(expr.points, axis): row[axis] for axis in range(len(expr.points.axes))}
        return written(expr, here, points, modules)

    return jax.vmap(at)(points[expr.points])


def written(node: Expr, here: dict, points: Mapping[PointSet, Any], modules: Mapping[Any, Any]) -> Any:
    """At one point, `here` giving the value of each coordinate; a plain recursion."""

    def value(arg: Expr, there: dict = here) -> Any:
        return written(arg, there, points, modules)

    match node.kind:
        case "constant":
            return jnp.asarray(node.data[0], float)
        case "coordinate":
            return here[node.data]
        case "parameter":
            return modules.get(node.data[0], node.data[0].module)()
        case "named":
            return value(node.args[0])
        case "field":
            net, _, call = node.data
            parts = [jnp.atleast_1d(value(arg)) for arg in node.args]
            return modules.get(net, net.module)(parts[0][0] if call == "number" else jnp.concatenate(parts))
        case "elementwise":
            return getattr(jnp, node.data[0])(*map(value, node.args))
        case "event":
            name, settings, together = node.data
            function = jnp.linalg.norm if name == "norm" else getattr(jnp, name)
            args = [value(arg) for arg in node.args]
            return function(*([args] if together else args), **dict(settings))
        case "index":
            return value(node.args[0])[node.data[0]]
        case "apply":
            return node.data[0](*map(value, node.args))
        case "derivative":
            return sloped(node.args[0], node.args[1:], here, value)
        case "at":
            pairs = zip(node.args[1::2], node.args[2::2], strict=True)
            return value(node.args[0], here | {old.data: value(new) for old, new in pairs})
        case "integral":
            return summed(node.args[0], node.args[1:], here, value)
        case "reduce":
            return reduced(node, points, modules)
    raise NotImplementedError(node.kind)


def sloped(inner: Expr, along: tuple[Expr, ...], here: dict, value: Callable[..., Any]) -> Any:
    """A derivative: one nested `jacrev` for each coordinate."""

    def derivative(rest: tuple[Expr, ...], there: dict) -> Any:
        if not rest:
            return value(inner, there)
        key = rest[0].data
        return jax.jacrev(lambda number: derivative(rest[1:], there | {key: number}))(there[key])

    return derivative(along, here)


def summed(inner: Expr, limits: tuple[Expr, ...], here: dict, value: Callable[..., Any]) -> Any:
    """An integral along a coordinate: the sum over nodes of a rule that is finer than that of pinnace."""
    old, low, high = limits
    nodes, weights = np.polynomial.legendre.leggauss(40)
    a, b = value(low), value(high)
    values = jax.vmap(lambda node: value(inner, here | {old.data: (a + b) / 2 + (b - a) / 2 * node}))(jnp.array(nodes))
    return (b - a) / 2 * jnp.tensordot(jnp.array(weights), values, 1)


def reduced(node: Expr, points: Mapping[PointSet, Any], modules: Mapping[Any, Any]) -> Any:
    """A reduction over all points."""
    how, *numbers = node.data
    r = everywhere(node.args[0], points, modules)
    if how == "huber":
        (delta,) = numbers
        size = jnp.abs(r)
        return jnp.mean(jnp.where(size <= delta, 0.5 * r * r, delta * (size - 0.5 * delta)))
    if how == "weighted":
        w = everywhere(node.args[1], points, modules)
        rows = max(len(r) if node.args[0].points else 1, len(w) if node.args[1].points else 1)
        r, w = (v if arg.points else jnp.stack([v] * rows) for v, arg in zip((r, w), node.args, strict=True))
        return jnp.mean(jax.vmap(lambda r, w: w * r * r)(r, w))
    return REDUCTIONS[how](r)


@pytest.fixture
def same(computed, directly):
    """Assert that expressions have the values that they are written to have."""

    def check(exprs: Any, points: Mapping[PointSet, Any], tolerance: float = 1e-9) -> None:
        listed = exprs if isinstance(exprs, list) else [exprs]
        sets = list(points)

        def both(arrays: list[Any]) -> Any:
            given = dict(zip(sets, arrays, strict=True))
            return computed(listed, given), [directly(expr, given) for expr in listed]

        ours, written = jax.jit(both, compiler_options=QUICKLY)([points[there] for there in sets])
        for expr, got, wanted in zip(listed, ours, written, strict=True):
            rows = () if expr.points is None else (len(points[expr.points]),)
            assert got.shape == rows + expr.shape, f"{expr} has shape {got.shape}"
            assert_close(got, wanted, expr, tolerance)

    return check


@pytest.fixture
def close():
    """Assert that arrays are equal to so many digits."""
    return assert_close


@pytest.fixture
def square():
    """Coordinates x, y of a square, and five points in it: (x, y, {point set: points})."""
    x, y = pn.domain.rectangle((-1, 1), (0, 2)).variable("interior", 5)
    return x, y, {x.points: jax.random.uniform(jax.random.key(3), (5, 2), minval=0.1, maxval=0.9)}
