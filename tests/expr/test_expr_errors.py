"""Mistakes are told where they are written, in the notation of the user: what was got, what is expected, what to do."""

import math
import traceback

import numpy as np
import pytest

import pinnace as pn
from pinnace import PinnaceError
from pinnace._errors import ExpressionError

INTERIOR, BOUNDARY = "10 points of interior of rectangle", "8 points of boundary of rectangle"

MISTAKES = {
    # coordinates
    'u.d("x")': ["`u`.d takes coordinates", "'x'", ".d(x)"],
    "u.d()": ["`u`.d needs", ".d(x)"],
    "u.d(0)": ["takes coordinates", "got 0"],
    "u.d(x, 2)": ["takes coordinates", "got 2"],
    "u.d(2 * x)": ["takes coordinates", "`2 * x`"],
    "u.d(net)": ["takes coordinates", "<Net u>"],
    "u.d(xb)": ["`u` does not depend on x of", BOUNDARY, "x, y of another point set"],
    "(x**2).d(y)": ["`x**2` does not depend on y", "it depends on x"],
    "(x**2).dd(y)": ["`x**2` does not depend on y", "it depends on x"],
    "nu.d(x)": ["`nu` does not depend on x", "no coordinate"],
    "u.mse.d(x)": ["`u.mse` does not depend on x", "one number for all its points", "`u.d(x).mse`"],
    "u.mse.at({x: 0.5})": ["`u.mse` does not depend on x", "one number for all its points", "`u.at({x: xb}).mse`"],
    "u.at({x: 0.5}).d(x)": ["does not depend on x", "it depends on y"],
    "u.at({xb: 0.5})": ["`u` does not depend on x of", BOUNDARY],
    "u.at({'x': 0.5})": ["`u`.at takes coordinates", "'x'"],
    "u.at({x: 'left'})": ["'left'", "neither a real number nor an expression"],
    "u.at({x: w})": ["a coordinate is one number at each point", "`w` has shape (3,)"],
    "u.at({x: xb})": ["point set", INTERIOR, BOUNDARY],
    "u.at(0.5)": ["at takes", "{x: "],
    "np.laplacian(u, x)": ["laplacian takes a list of coordinates", "laplacian(u, [x, y])", "`x`"],
    "np.laplacian([u, u], [x, y])": ["laplacian takes one expression", "list of 2", "pn.np.stack"],
    "np.laplacian(u, [])": ["laplacian takes a list", "[]"],
    "np.laplacian(u, [xb, yb])": ["does not depend", BOUNDARY],
    "np.laplacian(x, [x, y])": ["`x` does not depend on y"],
    "np.div(w, [x, y])": ["div over 2 coordinates takes 2 components", "got 3"],
    "np.div(u, [x, y])": ["div over 2 coordinates takes 2 components", "got 1"],
    "np.div([u, ub], [x, y])": ["does not depend", "another point set"],
    "np.div(w[:2], ['x', 'y'])": ["takes coordinates", "'x'"],
    "np.curl(u, [x])": ["curl", "2 and 3 dimensions", "1 coordinates"],
    "np.grad(u, 'xy')": ["grad takes a list of coordinates", "'xy'"],
    # point sets
    "u + ub": ["`u` lives on", INTERIOR, BOUNDARY, "(u).mse + (u).mse", ".at("],
    "x * xb": ["`x` lives on", "one point set"],
    "np.where(x > 0, u, ub)": ["`x > 0` lives on", "`u` on", BOUNDARY],
    "net(x, yb)": ["`x` lives on", "`y` on", BOUNDARY],
    "u.weighted(xb)": ["`u` lives on", "`x` on"],
    "np.stack([u, ub])": [INTERIOR, BOUNDARY],
    # shapes
    "w * np.stack([x, y])": ["`w` has shape (3,)", "`stack([x, y], axis=0)` has shape (2,)", "u[0]", "net(x, y)"],
    "w + array": ["shape (3,)", "shape (2,)", "broadcast"],
    "w[3]": ["`w` has shape (3,)", "(3,)", "out of bounds"],
    "u[0]": ["`u` has shape ()", "cannot be indexed"],
    "w[0, 0]": ["`w` has shape (3,)", "cannot be indexed"],
    "w['u']": ["components are taken by numbers and slices", "'u'"],
    "w[None]": ["components are taken by numbers and slices", "None"],
    "w[True]": ["components are taken by numbers and slices", "True"],
    "w[x]": ["components are taken by numbers and slices"],
    "a, b = u": ["`u` is one number at each point", "cannot be unpacked", "returns a vector of 2"],
    "list(u.d(x))": ["`d(u, x)` is one number at each point"],
    "np.dot(w, np.stack([x, y]))": ["dot of expressions of shape (3,), (2,)"],
    "np.cross(np.stack([x, y]), w)": ["cross of expressions of shape (2,), (3,)", "vectors of 3"],
    "u @ w": ["matmul of expressions of shape (), (3,)"],
    "np.concatenate([u, w])": ["concatenate of expressions of shape (), (3,)"],
    "w.weighted(array)": ["shape (3,)", "shape (2,)"],
    # what an expression is not
    "if u > 0: pass": ["`u > 0` has no truth value", "pn.np.where(condition, a, b)"],
    "0 < u < 1": ["`u > 0` has no truth value", "pn.np.where"],
    "u > 0 and u < 1": ["`u > 0` has no truth value"],
    "max(x, y)": ["no truth value", "pn.np.where"],
    "float(u)": ["`u` is an expression and not yet a number", "crux.eval"],
    "int(u)": ["`u` is an expression and not yet a number", "crux.eval"],
    "math.sin(u)": ["`u` is an expression and not yet a number", "pn.np"],
    "u(x, y)": ["`u` is already an expression", ".at({x: ...})", "crux.eval"],
    "numpy.asarray(u)": ["`u` is an expression and not yet an array", "crux.eval"],
    "numpy.where(u > 0, u, 0)": ["np.where computes at once", "pn.np"],
    "numpy.stack([u, u])": ["np.stack computes at once", "pn.np"],
    "numpy.add.reduce(w)": ["np.add.reduce does not apply", "pn.np"],
    "numpy.modf(u)": ["np.modf does not apply", "pn.apply"],
    "np.where(x == 0, 1.0, u)": ["condition of where is False", "pn.np.equal"],
    # names and numbers
    "np.atan2(x, y)": ["pn.np has no atan2", 'Did you mean "arctan2"', "pn.apply"],
    "np.softplus(x)": ["pn.np has no softplus", "pn.apply(f, ...)"],
    "u * net": ["<Net u> is neither a real number nor an expression", "net(x, t)"],
    "u * 1j": ["1j is neither a real number"],
    "u * numpy.array([1j, 2])": ["real numbers", "complex128"],
    "u * numpy.array(['a', 'b'])": ["real numbers"],
    "np.maximum(u, None)": ["None is neither a real number nor an expression"],
    "np.maximum(u, [1, 2])": ["[1, 2] is neither", "pn.np.stack"],
    "u + u.mse.tracker()": ["entry of core", "cannot be part of an expression"],
    "u.huber(0)": ["huber takes a positive number", "0"],
    "u.huber('a')": ["huber takes a positive number", "'a'"],
    "u.huber(x)": ["huber takes a positive number", "x"],
    "u.huber(math.nan)": ["huber takes a positive number", "nan"],
    "u.named('')": ["named takes a text that is not empty", "''"],
    "u.named(3)": ["named takes a text", "3"],
    "u.mse.tracker(every=0)": ["every 1, 2, ... steps", "0"],
    "u.mse.tracker(every=2.5)": ["every 1, 2, ... steps", "2.5"],
    "u.mse.tracker(3)": ["the name of a tracker is a text", "3"],
}


@pytest.mark.parametrize("written", MISTAKES)
def test_a_mistake_is_told_at_its_line(written, things):
    names = vars(things) | {"numpy": np, "math": math, "array": np.array([1.0, 2.0])}
    source = f"first = u + 1\n{written}\nlast = u + 2"
    with pytest.raises(PinnaceError) as told:
        exec(compile(source, "<user>", "exec"), names)
    lines = [line.lineno for line in traceback.extract_tb(told.tb) if line.filename == "<user>"]
    assert lines == [2]
    for word in MISTAKES[written]:
        assert word in str(told.value), str(told.value)


def test_a_list_beside_an_operator_is_a_type_error(things):
    for wrong in ([1, 2], (1, 2), "a", {"a": 1}, None):
        with pytest.raises((TypeError, ExpressionError)):
            things.u + wrong


def test_a_coordinate_that_is_unpacked_too_often(things):
    with pytest.raises(ExpressionError, match="`x` is one number"):
        _, _ = things.x


def test_the_length_of_a_number_is_a_type_error(things):
    with pytest.raises(TypeError, match="has no length"):
        len(things.u)


def test_errors_of_long_expressions_are_short_enough_to_read(things):
    e = things.x
    for _ in range(60):
        e = e * e + things.y
    with pytest.raises(ExpressionError) as told:
        e.d(things.xb)
    assert len(str(told.value)) < 300_000
    assert pn.np.sin(e).shape == ()


def test_an_expression_too_long_to_read_shows_both_ends():
    x = pn.domain.interval(0, 1).variable("interior", 10)
    y = pn.domain.interval(0, 1).variable("interior", 12)
    long = x
    for k in range(2000):
        long = pn.np.sin(long) + k
    for wrong in (lambda: long * y, lambda: long.d(y), lambda: float(long)):
        with pytest.raises(PinnaceError) as told:
            wrong()
        assert len(str(told.value)) < 2000 and "sin(sin(" in str(told.value) and "+ 1999" in str(told.value)
