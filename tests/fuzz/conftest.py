"""What random expressions are compared with: truncated Taylor series in two variables, in NumPy, point by point.

An expression is expanded around a point (x0, y0) to some order, as one expands by hand; a derivative is that of the
polynomial, `at` is a composition of polynomials. Nothing of JAX or of the lowering is used. Numbers may be complex: the
imaginary part of a loss at parameters with a tiny imaginary part is its gradient.
"""

import math
from functools import cache

import numpy as np
import pytest


class Unsure(Exception):
    """Too close to a kink, a jump or a pole for two ways of rounding to agree."""


@cache
def exponents(order):
    return [(total - j, j) for total in range(order + 1) for j in range(total + 1)]


@cache
def products(order):
    """For each term a: which terms b it may be multiplied by, and which terms that gives."""
    place = {pair: k for k, pair in enumerate(exponents(order))}
    found = []
    for i, j in exponents(order):
        pairs = [(k, place.get((i + p, j + q))) for (p, q), k in place.items()]
        pairs = [(k, target) for k, target in pairs if target is not None]
        found.append((np.array([k for k, _ in pairs]), np.array([target for _, target in pairs])))
    return found


def together(*parts):
    """Arrays `[terms, points, *event]` with events of the same number of axes."""
    most = max(part.ndim for part in parts)
    return [part.reshape(*part.shape[:2], *(1,) * (most - part.ndim), *part.shape[2:]) for part in parts]


def constant(value, order):
    """`value`: [points, *event]."""
    value = np.asarray(value)
    return np.concatenate([value[None], np.zeros((len(exponents(order)) - 1, *value.shape), value.dtype)])


def times(a, b, order):
    a, b = together(a, b)
    shape = np.broadcast_shapes(a.shape[1:], b.shape[1:])
    out = np.zeros((len(a), *shape), np.result_type(a, b))
    for term, (others, targets) in enumerate(products(order)):
        if np.any(a[term]):
            out[targets] += a[term] * b[others]
    return out


def composed(outer, inner, order):
    """A function of one variable, by its Taylor coefficients at the value of `inner`, of a series."""
    step = inner.copy()
    step[0] = 0
    out = constant(outer[order], order)
    for k in range(order - 1, -1, -1):
        out = times(out, step, order)
        out[0] = out[0] + outer[k]
    return out


# Taylor coefficients [order + 1, ...] of functions of one variable at z.


def by(derivative, value):
    """From those of the derivative."""
    return np.array([value, *(derivative[k - 1] / k for k in range(1, len(derivative)))])


def grown(z, order, value, slope):
    """Of the solution of f' = slope(f), order by order; `slope` gives coefficient k from those up to k."""
    found = [value]
    for k in range(order):
        found.append(slope(found, k) / (k + 1))
    return np.array(found)


def square_of(f, k):
    return sum(f[i] * f[k - i] for i in range(k + 1))


def power(z, order, exponent):
    factors = [math.prod((exponent - i) / (i + 1) for i in range(k)) for k in range(order + 1)]
    return np.array([c * z ** (exponent - k) if c else np.zeros_like(z) for k, c in enumerate(factors)])


def power_of(series, exponent):
    """Of a power of a series of one variable."""
    found = [series[0] ** exponent]
    for k in range(1, len(series)):
        found.append(
            sum((exponent * i - (k - i)) * series[i] * found[k - i] for i in range(1, k + 1)) / (k * series[0])
        )
    return np.array(found)


def quadratic(z, order, constant, square):
    """constant + square * (z + h)^2"""
    zero = np.zeros_like(z)
    return np.array([constant + square * z**2, 2 * square * z, zero + square, *[zero] * order])[: order + 1]


def logistic(z, order):
    return grown(z, order, 1 / (1 + np.exp(-z)), lambda f, k: f[k] - square_of(f, k))


def waves(functions):
    """Of functions whose derivatives come again."""
    return lambda z, n: np.array([functions[k % len(functions)](z) / math.factorial(k) for k in range(n + 1)])


def exponential(base):
    return lambda z, n: np.array([base**z * math.log(base) ** k / math.factorial(k) for k in range(n + 1)])


def logarithm(base):
    return lambda z, n: by(power(z, n, -1), np.log(z)) / math.log(base)


def flat(function):
    """Of steps."""

    def steps(z, n):
        if function is not np.sign and np.any(
            np.abs(np.mod(z.real * (2 if function is np.rint else 1), 1) - 0.5) > 0.4999
        ):
            raise Unsure
        away_from(z)
        return np.array([function(z.real) + 0 * z, *[0 * z] * n])

    return steps


def away_from(z, at=0.0):
    if np.any(np.abs(z.real - at) < 1e-6):
        raise Unsure


def sinc(z, n):
    away_from(z)
    sine = waves([np.sin, np.cos, lambda z: -np.sin(z), lambda z: -np.cos(z)])(np.pi * z, n)
    inverse = power(z, n, -1) / np.pi
    sine = sine * np.pi ** np.arange(n + 1).reshape(-1, *[1] * z.ndim)
    return np.array([sum(sine[i] * inverse[k - i] for i in range(k + 1)) for k in range(n + 1)])


def absolute(z, n):
    away_from(z)
    sign = np.sign(z.real)
    return np.array([sign * z, sign + 0 * z, *[0 * z] * n])[: n + 1]


UNARY = {
    "sin": waves([np.sin, np.cos, lambda z: -np.sin(z), lambda z: -np.cos(z)]),
    "cos": waves([np.cos, lambda z: -np.sin(z), lambda z: -np.cos(z), np.sin]),
    "sinh": waves([np.sinh, np.cosh]),
    "cosh": waves([np.cosh, np.sinh]),
    "tan": lambda z, n: grown(z, n, np.tan(z), lambda f, k: (k == 0) + square_of(f, k)),
    "tanh": lambda z, n: grown(z, n, np.tanh(z), lambda f, k: (k == 0) - square_of(f, k)),
    "arctan": lambda z, n: by(power_of(quadratic(z, n, 1, 1), -1), np.arctan(z)),
    "arctanh": lambda z, n: by(power_of(quadratic(z, n, 1, -1), -1), np.arctanh(z)),
    "arcsin": lambda z, n: by(power_of(quadratic(z, n, 1, -1), -0.5), np.arcsin(z)),
    "arccos": lambda z, n: by(-power_of(quadratic(z, n, 1, -1), -0.5), np.arccos(z)),
    "arcsinh": lambda z, n: by(power_of(quadratic(z, n, 1, 1), -0.5), np.arcsinh(z)),
    "arccosh": lambda z, n: by(power_of(quadratic(z, n, -1, 1), -0.5), np.arccosh(z)),
    "exp": exponential(math.e),
    "exp2": exponential(2),
    "expm1": lambda z, n: exponential(math.e)(z, n) - (np.arange(n + 1) == 0).reshape(-1, *[1] * z.ndim),
    "log": logarithm(math.e),
    "log2": logarithm(2),
    "log10": logarithm(10),
    "log1p": lambda z, n: logarithm(math.e)(1 + z, n),
    "sqrt": lambda z, n: power(z, n, 0.5),
    "cbrt": lambda z, n: power(z, n, 1 / 3),
    "square": lambda z, n: power(z, n, 2),
    "reciprocal": lambda z, n: power(z, n, -1),
    "negative": lambda z, n: np.array([-z, 0 * z - 1, *[0 * z] * n])[: n + 1],
    "deg2rad": lambda z, n: np.array([z, 0 * z + 1, *[0 * z] * n])[: n + 1] * math.pi / 180,
    "sign": flat(np.sign),
    "floor": flat(np.floor),
    "ceil": flat(np.ceil),
    "rint": flat(np.rint),
    "sinc": sinc,
    "absolute": absolute,
    "softplus": lambda z, n: by(logistic(z, n), np.log(1 + np.exp(z))),
}
COMPARE = {"less": np.less, "less_equal": np.less_equal, "greater": np.greater, "greater_equal": np.greater_equal}


class Taylor:
    """Series of expressions over one point set, for given points `[n, 2]` and parameters by trainable."""

    def __init__(self, points, modules):
        self.points, self.modules, self.known, self.largest = points, modules, {}, 1.0

    def value(self, expr):
        """At all points: `[n, *event]`, or `[*event]` where there are none."""
        found = self.series(expr, self.points, 0)[0]
        if expr.points is None:
            return found[0]
        return np.broadcast_to(found, (len(self.points), *found.shape[1:]))

    def series(self, node, base, order):
        key = node, id(base), order
        if key not in self.known:
            with np.errstate(all="ignore"):
                found = getattr(self, node.kind)(node, base, order)
            if not np.isfinite(found).all() or np.abs(found).max(initial=0) > 1e8:
                raise Unsure
            self.largest = max(self.largest, np.abs(found).max(initial=0))
            self.known[key] = found, base
        return self.known[key][0]

    def constant(self, node, base, order):
        return constant(np.asarray(node.data[0], float)[None], order)

    def coordinate(self, node, base, order):
        axis = node.data[1]
        found = constant(base[:, axis], order)
        if order:
            found[exponents(order).index((1 - axis, axis))] = 1
        return found

    def parameter(self, node, base, order):
        return constant(np.asarray(self.modules[node.data[0]])[None], order)

    def named(self, node, base, order):
        return self.series(node.args[0], base, order)

    def field(self, node, base, order):
        net, shape, _ = node.data
        parts = [self.series(arg, base, order) for arg in node.args]
        parts = [part[..., None] if part.ndim == 2 else part for part in parts]
        n = max(part.shape[1] for part in parts)
        here = np.concatenate([np.broadcast_to(part, (len(part), n, part.shape[2])) for part in parts], axis=2)
        *hidden, last = self.modules[net]
        for weight, bias in hidden:
            here = here @ weight.T
            here[0] = here[0] + bias
            here = composed(UNARY["tanh"](here[0], order), here, order)
        here = here @ last[0].T
        here[0] = here[0] + last[1]
        return here if shape else here[..., 0]

    def elementwise(self, node, base, order):
        name, args = node.data[0], [self.series(arg, base, order) for arg in node.args]
        if name in UNARY:
            return composed(UNARY[name](args[0][0], order), args[0], order)
        args = together(*args)
        match name, args:
            case "add", (a, b):
                return a + b
            case "subtract", (a, b):
                return a - b
            case "multiply", (a, b):
                return times(a, b, order)
            case "divide", (a, b):
                return self.quotient(a, b, order)
            case "power", (a, b):
                if not b[1:].any() and np.all(b[0] == np.round(b[0])) and np.ptp(b[0].real) == 0:
                    return composed(power(a[0], order, int(b[0].real.flat[0])), a, order)
                log = composed(UNARY["log"](a[0], order), a, order)
                return self.of("exp", times(b, log, order), order)
            case "hypot", (a, b):
                return self.of("sqrt", times(a, a, order) + times(b, b, order), order)
            case "logaddexp", (a, b):
                return b + self.of("softplus", a - b, order)
            case "arctan2", (a, b):
                return self.of("arctan", self.quotient(a, b, order), order)
            case (("maximum" | "minimum"), (a, b)):
                return self.chosen(self.compared(np.greater if name == "maximum" else np.less, a, b), a, b)
            case "clip", (a, low, high):
                a = self.chosen(self.compared(np.less, a, low), low, a)
                return self.chosen(self.compared(np.greater, a, high), high, a)
            case "where", (condition, a, b):
                return self.chosen(condition[0].real > 0.5, a, b)
            case "remainder", (a, b):
                return a - times(self.of("floor", self.quotient(a, b, order), order), b, order)
            case (("less" | "less_equal" | "greater" | "greater_equal"), (a, b)):
                return constant(self.compared(COMPARE[name], a, b).astype(float), order)
        raise NotImplementedError(name)

    def of(self, name, series, order):
        return composed(UNARY[name](series[0], order), series, order)

    def quotient(self, a, b, order):
        return times(a, self.of("reciprocal", b, order), order)

    def compared(self, how, a, b):
        """Ties are no matter where both are the same function."""
        close = np.abs(a[0] - b[0]) < 1e-7 * (1 + np.abs(a[0]))
        if np.any(close & (np.abs(a - b).max(axis=0) > 0)):
            raise Unsure
        return how(a[0].real, b[0].real)

    def chosen(self, condition, a, b):
        return np.where(condition, a, b)

    def event(self, node, base, order):
        name, settings, _ = node.data
        args = [self.series(arg, base, order) for arg in node.args]
        axis = dict(settings).get("axis")
        n = max(arg.shape[1] for arg in args)
        args = [np.broadcast_to(arg, (len(arg), n, *arg.shape[2:])) for arg in args]
        over = tuple(range(2, args[0].ndim)) if axis is None else (axis + 2 if axis >= 0 else axis,)
        match name:
            case "stack":
                return np.stack(args, axis=over[0])
            case "concatenate":
                return np.concatenate(args, axis=over[0])
            case "sum":
                return args[0].sum(axis=over)
            case "mean":
                return args[0].mean(axis=over)
            case "norm":
                total = times(args[0], args[0], order).sum(axis=over)
                if np.any(np.abs(total[0]) < 1e-8):
                    raise Unsure
                return self.of("sqrt", total, order)
            case "dot":
                return times(args[0], args[1], order).sum(axis=-1)
            case "transpose":
                return args[0].transpose(0, 1, *range(args[0].ndim - 1, 1, -1))
        raise NotImplementedError(name)

    def index(self, node, base, order):
        places = node.data[0]
        return self.series(node.args[0], base, order)[
            (slice(None), slice(None), *(places if isinstance(places, tuple) else (places,)))
        ]

    def apply(self, node, base, order):
        return self.of(node.data[0].__name__, self.series(node.args[0], base, order), order)

    def derivative(self, node, base, order):
        along = [coordinate.data[1] for coordinate in node.args[1:]]
        found = self.series(node.args[0], base, order + len(along))
        place = {pair: k for k, pair in enumerate(exponents(order + len(along)))}
        i, j = along.count(0), along.count(1)
        rows = [found[place[p + i, q + j]] * math.perm(p + i, i) * math.perm(q + j, j) for p, q in exponents(order)]
        return np.array(rows)

    def at(self, node, base, order):
        moved = [constant(base[:, axis], order) for axis in range(2)]
        for axis in range(2):
            if order:
                moved[axis][exponents(order).index((1 - axis, axis))] = 1
        for old, new in zip(node.args[1::2], node.args[2::2], strict=True):
            moved[old.data[1]] = self.series(new, base, order)
        n = max(series.shape[1] for series in moved)
        there = np.stack([np.broadcast_to(series[0], (n,)) for series in moved], axis=1)
        inner = self.series(node.args[0], there, order)
        steps = [np.concatenate([0 * series[:1], series[1:]]) for series in moved]
        one = constant(np.ones((1,)), order)
        powers = [[one], [one]]
        for axis in range(2):
            for _ in range(order):
                powers[axis].append(times(powers[axis][-1], steps[axis], order))
        return sum(
            times(constant(inner[k], order), times(powers[0][i], powers[1][j], order), order)
            for k, (i, j) in enumerate(exponents(order))
        )

    def reduce(self, node, base, order):
        how, *numbers = node.data
        r = self.value(node.args[0])
        size = np.sign(r.real) * r
        match how:
            case "mse":
                found = np.mean(r * r)
            case "mae":
                found = np.mean(size)
            case "mean" | "sum":
                found = getattr(np, how)(r)
            case "max":
                largest = np.sort(r.real.ravel())
                if len(largest) > 1 and largest[-1] - largest[-2] < 1e-9:
                    raise Unsure
                found = r.ravel()[np.argmax(r.real)]
            case "huber":
                if np.any(np.abs(size.real - numbers[0]) < 1e-7):
                    raise Unsure
                found = np.mean(np.where(size.real <= numbers[0], r * r / 2, numbers[0] * (size - numbers[0] / 2)))
            case "weighted":
                w = self.value(node.args[1])
                w, r = (v if arg.points else v[None] for v, arg in ((w, node.args[1]), (r, node.args[0])))
                found = np.mean(w.reshape(*w.shape, *[1] * (r.ndim - w.ndim)) * r * r)
            case _:
                raise NotImplementedError(how)
        return constant(np.asarray(found)[None], order)


@pytest.fixture
def taylor():
    """The reference, and what it raises where it would not be one."""
    return Taylor, Unsure
