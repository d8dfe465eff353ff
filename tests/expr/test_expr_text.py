"""Expressions print as they were written, and what prints as Python gives the same expression back."""

import itertools

import numpy as np
import pytest

import pinnace as pn
from pinnace.expr import Names, as_expr, text

WRITTEN = [
    "x + y - 2 * x",
    "x - (y - x)",
    "x - (y + x)",
    "x + (y + x)",
    "x * (y * x)",
    "x * y / x",
    "x / (y * x)",
    "x / (y / x)",
    "x * (y / x)",
    "(x + y) * (x - y)",
    "-x",
    "--x",
    "-x * y",
    "-(x * y)",
    "-(x + y)",
    "x - -y",
    "x * -y",
    "-x**2",
    "(-x)**2",
    "x**(-y)",
    "x**y**x",
    "(x**y)**x",
    "(x * y)**2",
    "x**(y + 1)",
    "2**x",
    "(-2)**x",
    "-2 * x",
    "x * -2.5",
    "x - -1.0",
    "(-0.0)**x",
    "x % y * 2",
    "2 % x",
    "x * (y % 2)",
    "abs(x) + abs(-y)",
    "sin(x * y)**2",
    "where(x < y, x, 0.0)",
    "(x < y) * x",
    "(x <= y) + (x >= 1) * (y > 2)",
    "x + 1 < y * 2",
    "logical_and(x < y, logical_not(x > 0.5))",
    "maximum(x, minimum(y, 1))",
    "stack([x, y, 2], axis=0)",
    "stack([x, y], axis=0)[1]",
    "stack([x, y], axis=0)[0:1]",
    "stack([x, y], axis=0)[:, ...][::2]",
    "norm(stack([x, y], axis=0), axis=None)",
    "stack([x, y], axis=0) @ stack([y, x], axis=0)",
    "dot(stack([x, y], axis=0), stack([y, x], axis=0)) * 2",
    "sum(stack([x, y], axis=0), axis=0)",
    "d(x * y, x)",
    "d(sin(x) * y, x, x, y)",
    "(x + y).at({x: -1.0})",
    "d(x**2 * y, x).at({x: y, y: 2 * x})",
    "sin(x).at({x: 0.5})**2",
    "(x - y).mse",
    "x.mean * y",
    "(d(x**2, x)).mae",
    "2 * x.sum + (x * y).max",
    "(x - y).huber(0.5)",
    "(x - y).weighted(x)",
    "relative_l2(x, y * x)",
    "quantile(abs(x - y), [0.5, 0.99]) * 2",
    "quantile(x, 0.25)",
    "nu * d(x**2, x, x)",
    "a[0] * x + a[-1]",
    "x * True",
    "1e-05 * x + 1e+20",
    "x * 0.0031831",
]


def namespace(things):
    functions = {name: getattr(pn.np, name) for name in dir(pn.np) if not name.startswith("_")}
    return functions | vars(things) | {"d": lambda e, *along: e.d(*along), "abs": abs}


@pytest.mark.parametrize("written", WRITTEN)
def test_what_is_printed_is_what_was_written(written, things):
    expr = eval(written, namespace(things))
    assert str(expr) == written
    assert eval(str(expr), namespace(things)) is expr


def test_the_printed_text_of_any_two_operators_means_the_same(things):
    x, y, a = things.x, things.y, 2.0
    pairs = [
        lambda p, q: p + q, lambda p, q: p - q, lambda p, q: p * q, lambda p, q: p / q, lambda p, q: p**q,
        lambda p, q: p % q, lambda p, q: -p, lambda p, q: p < q, lambda p, q: p >= q, lambda p, q: abs(q),
        lambda p, q: (p * q).d(x), lambda p, q: pn.np.sin(q), lambda p, q: (p + 0 * x).at({x: q}),
    ]  # fmt: skip
    for first, second, third in itertools.product(pairs, repeat=3):
        for expr in (first(second(x, y * x), third(y, x * a)), first(x, second(y, third(x / a, x)))):
            assert eval(str(expr), namespace(things)) is expr, str(expr)


NOTATION = {
    "u.d(x) + u * u.dd(y)": "d(u, x) + u * d(u, y, y)",
    "u.d(y, x)": "d(u, x, y)",
    "net(x, 2 * y)": "u(x, 2 * y)",
    "net(0.0, y).d(y)": "d(u(0.0, y), y)",
    "ub - 1": "u - 1",
    "u.at({x: -1.0})": "u.at({x: -1.0})",
    "u.mse": "u.mse",
    "u.mse.named('pde')": "pde: u.mse",
    "2 * u.mse.named('pde')": "2 * pde",
    "u.named('v').d(x)": "d(v, x)",
    "np.abs(u)": "abs(u)",
    "w[1] + w[-1]": "w[1] + w[-1]",
    "w * array": "w * [ 1. , 2.5, -3. ]",
    "big + w[0]": "array(20,) + w[0]",
    "np.laplacian(u, [x, y])": "d(u, x, x) + d(u, y, y)",
    "np.pi * x": "3.14159 * x",
    "x / 3 + 1.0": "x / 3 + 1.0",
    "nu * a": "nu * a",
    "u.mse.tracker()": "`u.mse` tracked every 1 step",
    "u.mse.tracker('m', 5)": "`m` tracked every 5 steps",
}


@pytest.mark.parametrize("written", NOTATION)
def test_the_notation(written, things):
    names = vars(things) | {"array": np.array([1.0, 2.5, -3.0]), "big": np.ones(20)}
    assert str(eval(written, names)) == NOTATION[written]


def test_functions_print_by_their_name(things):
    def softly(x, y):
        return x

    assert str(pn.apply(softly, things.x, 2.0)) == "softly(x, 2.0)"


def test_normals_and_weights_print(things):
    nx, _ = pn.normal(things.xb, things.yb)
    a, b = pn.fn.adaptive.dwa([things.u.mse.named("pde"), things.ub.mse])
    assert (str(nx * things.ub.d(things.xb)), str(2 * a), str(b)) == ("normal_x * d(u, x)", "2 * w(pde)", "w(u.mse)")
    lam, mu = pn.fn.adaptive.rba(things.u.named("r")), pn.fn.adaptive.sa(things.u - 1)
    assert (str(lam * things.u), str(mu)) == ("rba(r) * u", "sa(u - 1)")
    assert str(things.u.weighted(lam)) == "u.weighted(rba(r))"


def test_names_are_given_in_order_of_first_use(things):
    module = things.net.module
    first, second, named = pn.nn(module), pn.nn(module), pn.nn(module, "p")
    x, y = things.x, things.y
    assert str(second(x, y) - first(x, y) * named(x, y) + second(y, x)) == "u - u2 * p + u"
    names = Names()
    assert text(first(x, y), names) == "u" and text(second(x, y) * pn.parameter(1.0), names) == "u2 * p"
    assert repr(first) == "<Net u>" and repr(named) == "<Net p>"


def test_numbers_print_short_and_apart():
    shown = [1, 1.0, True, 0.1, 1 / 3, 1e-7, -2.5, float("inf"), 123456.0, 1e6, 0.0, -0.0]
    assert [str(as_expr(value)) for value in shown] == [
        "1", "1.0", "True", "0.1", "0.333333", "1e-07", "-2.5", "inf", "123456.0", "1e+06", "0.0", "-0.0",
    ]  # fmt: skip
