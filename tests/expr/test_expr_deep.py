"""Expressions may be thousands deep: they are built, printed, walked and forgotten without recursion."""

import sys

import pinnace as pn
from pinnace.expr import latex, nodes, replace

np_ = pn.np


def test_a_sum_of_five_thousand_terms(things):
    x, u = things.x, things.u
    total = x
    for k in range(5000):
        total = total + k * u
    assert str(total).count("+") == 5000 and str(total).endswith("+ 4999 * u")
    assert latex(total).count("+") == 5000
    assert sum(1 for _ in nodes([total])) == 15003
    assert replace(total, {"named": lambda node, args: args[0]}) is total
    assert total.d(x).depends == total.depends


def test_two_thousand_nested_functions(things):
    deep = things.x
    for _ in range(2000):
        deep = np_.sin(deep)
    assert str(deep) == "sin(" * 2000 + "x" + ")" * 2000
    assert latex(deep).count(r"\sin") == 2000
    named = deep.named("deep")
    assert replace(named * 2, {"named": lambda node, args: args[0]}) is deep * 2


def test_deep_derivatives_at_places(things):
    e = things.u
    for k in range(300):
        e = e.at({things.x: things.x * 0.5 + k}) + things.x
    assert str(e).count(".at(") == 300 and e.depends == things.u.depends


def test_they_are_forgotten_without_recursion(things):
    limit = sys.getrecursionlimit()
    deep = things.x
    for k in range(50 * limit):
        deep = deep + k
    del deep


def test_what_is_used_again_and_again_is_written_in_bounded_length(things):
    e = things.x
    for _ in range(200):
        e = e * e + e
    assert len(str(e)) < 500_000 and len(latex(e)) < 500_000
    assert " ... " in str(e)
    assert sum(1 for _ in nodes([e])) == 401
