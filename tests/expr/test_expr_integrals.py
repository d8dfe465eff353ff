"""Integrals as they are written: where they live, what they depend on, how they print, what is refused."""

import numpy as np
import pytest

import pinnace as pn
from pinnace.expr import latex


@pytest.fixture(scope="module")
def s():
    return pn.symbol("s")


@pytest.fixture(scope="module")
def r():
    return pn.symbol("r")


def test_a_symbol_yields_to_points(things, s, r):
    x, y, net = things.x, things.y, things.net
    assert (x * s).points is (s * x).points is x.points
    assert (s + r).points is s.points
    assert {one.data for one in (x, s, r)} == (x * s * r).depends
    assert (x * s).at({s: y}).points is x.points
    assert net(s, r).at({s: 0.5}).points is r.points
    assert net(s, r).at({s: 0.5, r: 1}).points is None
    assert net(x, s).at({x: r}).points is s.points
    with pytest.raises(pn.PinnaceError, match="lives on 10 points"):
        x * s + things.xb


def test_where_an_integral_lives(things, s, r):
    x, y, u, net = things.x, things.y, things.u, things.net
    along = pn.integral(net(x, s), s, 0, y)
    assert along.points is x.points and along.depends == {x.data, y.data}
    assert pn.integral(net(s, r), s, 0, 1).points is r.points
    assert pn.integral(net(s, 1), s, 0, 1).points is None
    assert pn.integral(u, x, 0, 1).depends == {y.data}
    assert pn.integral(u, x, 0, x).depends == {x.data, y.data}
    whole = pn.integral(u, over={x: (0, 1), y: (0, 2)})
    assert whole.points is None and not whole.depends
    assert pn.integral(things.w, x, 0, 1).shape == (3,)
    assert pn.integral(pn.normal(things.xb, things.yb)[0] * s, s, 0, 1).points is things.xb.points


def test_text(things, s, r):
    x, y, u, net = things.x, things.y, things.u, things.net
    written = {
        pn.integral(x * net(s, y), s, 0, x): "integral(x * u(s, y), s, 0, x)",
        pn.integral(u, x, -1, 1, n=20): "integral(u, x, -1, 1, n=20)",
        pn.integral(s * r, over={r: (0, s), s: (0, 1)}): "integral(integral(s * r, r, 0, s), s, 0, 1)",
        2 * pn.integral(u, x, 0, y).d(y): "2 * d(integral(u, x, 0, y), y)",
        pn.integral(u**2, over=things.dom): "integral(integral(u**2, x, 0, 1), y, 0, 1)",
    }
    assert [str(expr) for expr in written] == list(written.values())


def test_latex(things, s):
    x, u = things.x, things.u
    assert latex(pn.integral(x * s, s, 0, x)) == r"\int_{0}^{x} x \, s \, \mathrm{d} s"
    assert latex(2 * pn.integral(x + s, s, 0, x)) == (
        r"2 \, \left(\int_{0}^{x} \left(x + s\right) \, \mathrm{d} s\right)"
    )
    assert latex(pn.integral(u, x, -1, 1) - 1) == r"\int_{-1}^{1} u \, \mathrm{d} x - 1"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda x, y, s, net: pn.integral(net(x, y), s, 0, 1), "`u` does not depend on s.* it depends on x, y"),
        (lambda x, y, s, net: pn.integral(pn.symbol("s") * x, s, 0, 1), "another s than this one"),
        (lambda x, y, s, net: pn.integral(s, 2 * s, 0, 1), r"runs along a coordinate: a symbol.*got `2 \* s`"),
        (lambda x, y, s, net: pn.integral(s, "s", 0, 1), "runs along a coordinate: a symbol.*got 's'"),
        (lambda x, y, s, net: pn.integral(s, s, 0), "between two limits"),
        (lambda x, y, s, net: pn.integral(s, s, 0, 1, over={s: (0, 1)}), "between two limits"),
        (lambda x, y, s, net: pn.integral(s, s, 0, np.inf), "limits of s are finite; got inf"),
        (lambda x, y, s, net: pn.integral(s, s, 0, [1, 2]), "neither a real number nor an expression"),
        (lambda x, y, s, net: pn.integral(s, s, 0, np.ones(2)), r"one number at each point.*shape \(2,\)"),
        (lambda x, y, s, net: pn.integral(s, over={s: 1}), r"between two limits, s: \(0, 1\); got 1"),
        (lambda x, y, s, net: pn.integral(s, over="interior"), "over= takes a domain, or limits"),
        (lambda x, y, s, net: pn.integral(s, over={}), "over= takes a domain, or limits"),
        (lambda x, y, s, net: pn.integral(x * y, over={x: (0, y), y: (0, x)}), "limits of x and y depend on each"),
        (lambda x, y, s, net: pn.integral(s, s, 0, 1, n=0), "n, the number of nodes of an integral, is a whole"),
        (lambda x, y, s, net: pn.integral(pn.parameter(1.0)), "has one value in all. Say what to integrate over"),
        (lambda x, y, s, net: pn.integral(s), "depends on the symbol s"),
        (lambda x, y, s, net: pn.integral(pn.domain.data(z=[1.0])[0]), "1 points of the data, whose region has no mea"),
        (lambda x, y, s, net: pn.integral(x * y, over=pn.domain.time(0, 1)), "whose axes are t, and depends on x, y"),
        (lambda x, y, s, net: pn.integral(x * pn.symbol("x"), over=pn.domain.interval(0, 1)), "two coordinates called"),
        (lambda x, y, s, net: (x * y).d(s), "`x \\* y` does not depend on s: it depends on x, y of another point set"),
        (lambda x, y, s, net: pn.fn.adaptive.rba(x * s), "depends on the symbol s, which has no points"),
        (lambda x, y, s, net: pn.fn.adaptive.rad(net(x, s), 10), "depends on the symbol s, which has no points"),
        (lambda x, y, s, net: pn.fn.adaptive.causal(x * y, s), "depends on the symbol s, which has no points"),
        (lambda x, y, s, net: pn.symbol(""), "a symbol has a name"),
        (lambda x, y, s, net: pn.symbol(3), "a symbol has a name"),
    ],
)  # fmt: skip
def test_what_is_refused(things, s, wrong, told):
    with pytest.raises(pn.PinnaceError, match=told):
        wrong(things.x, things.y, s, things.net)
