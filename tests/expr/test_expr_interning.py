"""Equal expressions are one object; what has an identity stays apart; nothing is kept alive."""

import copy
import gc
import pickle
import weakref
from itertools import combinations

import jax.numpy as jnp
import numpy as np
import pytest

import pinnace as pn
from pinnace.expr import Expr, PointSet, as_expr

np_ = pn.np


def test_equal_expressions_are_one_object(things):
    x, y, u, w = things.x, things.y, things.u, things.w
    for write in (
        lambda: u.d(x) + 2 * u,
        lambda: things.net(x, y),
        lambda: np_.sin(np.pi * x) ** 2,
        lambda: np_.stack([x, y * 1.5], axis=0),
        lambda: w[1:, ...],
        lambda: u.at({x: 0.0, y: x}),
        lambda: u.mse.named("pde"),
        lambda: u.huber(1),
        lambda: u + np.array([1.0, 2.0]),
    ):
        assert write() is write()
    assert u.d(x, y) is u.d(y, x) is u.d(x).d(y)
    assert u.dd(x) is u.d(x, x) is u.d(x).d(x)
    assert w[np.int64(1)] is w[1]
    assert u.huber(1) is u.huber(1.0)


def test_what_python_calls_equal_and_is_not_the_same_stays_apart(things):
    x = things.x
    kinds = [1, 1.0, True, 0, 0.0, -0.0, False]
    for a, b in combinations(kinds, 2):
        assert as_expr(a) is not as_expr(b), (a, b)
        assert x + a is not x + b
    assert [as_expr(kind).data[0] for kind in kinds] == kinds
    assert [type(as_expr(kind).data[0]) for kind in kinds] == [type(kind) for kind in kinds]
    assert x**2 is not x**2.0
    assert as_expr(np.ones(2)) is not as_expr(np.ones(2, np.float32)) is not as_expr(np.ones((2, 1)))
    assert as_expr(np.array([0.0])) is not as_expr(np.array([-0.0]))


def test_a_number_is_a_number_whoever_made_it(things):
    x = things.x
    for two in (np.float64(2.0), np.float32(2.0), np.array(2.0), jnp.float32(2.0), jnp.array(2.0)):
        assert two * x is 2.0 * x, type(two)
        assert x * two is x * 2.0, type(two)
        assert type((x * two).args[1].data[0]) is float
    assert x ** np.int64(2) is x**2 and x * np.bool_(True) is x * True
    assert as_expr(float("nan")) is as_expr(float("nan"))


def test_identities_of_one_name_are_two(things):
    x = things.x
    a, b = pn.parameter(0.1, name="nu"), pn.parameter(0.1, name="nu")
    assert a is not b and a * x is not b * x
    first, second = (pn.domain.interval(0, 1).variable("interior", 5) for _ in range(2))
    assert first is not second and first.points is not second.points
    module = things.net.module
    assert pn.nn(module)(x, things.y) is not pn.nn(module)(x, things.y)


def test_an_array_may_change_after_it_was_used(things):
    array = np.array([1.0, 2.0])
    before = things.x * array
    array[0] = 7.0
    assert before.args[1].data[0][0] == 1.0
    assert things.x * array is not before
    assert things.x * np.array([1.0, 2.0]) is before
    with pytest.raises(ValueError, match="read-only"):
        before.args[1].data[0][0] = 3.0


def test_expressions_do_not_change(things):
    with pytest.raises(AttributeError, match="expressions do not change"):
        things.u.shape = (2,)


def test_nothing_is_kept_alive():
    x = pn.domain.interval(0, 1).variable("interior", 5)
    e = np_.sin(x * 123.25).d(x)
    dies = [weakref.ref(thing) for thing in (e, e.args[0], e.args[0].args[0], x, x.points)]
    del e, x
    gc.collect()
    assert [there() for there in dies] == [None] * len(dies)
    assert as_expr(123.25).data == (123.25,)


def test_an_expression_is_a_key_and_equality_is_identity(things):
    x, y = things.x, things.y
    known = {x: 1, y: 2, x + y: 3}
    assert known[x + y] == 3 and (x == x) is True and (x == y) is False and (x != y) is True
    assert isinstance(x < y, Expr)


def test_copies_are_the_same_and_pickles_are_built_again(things):
    x, y, u = things.x, things.y, things.u
    e = (u.d(x) * things.nu + np_.stack([x, 2.0 * y])[0] ** 2).at({x: 0.5}).mse.named("e")
    assert copy.copy(e) is e and copy.deepcopy(e) is e and copy.deepcopy([e, {e: e}])[0] is e
    constant = np_.sin(as_expr(1.0)) + as_expr(np.arange(3.0)) * -0.0
    assert pickle.loads(pickle.dumps(constant)) is constant


def test_a_pickled_problem_keeps_what_belongs_together():
    somewhere = PointSet(("x", "t"), "somewhere", 5, None)
    x, t = (Expr("coordinate", (), (somewhere, axis)) for axis in range(2))
    nu = pn.parameter(0.1, name="nu")
    first, second = nu * x.at({x: t}), nu + t
    a, b, c = pickle.loads(pickle.dumps((first, second, nu)))
    assert (str(a), str(b)) == (str(first), str(second))
    assert a is not first and type(c) is type(nu)
    assert b.args[0] is c and a.args[0] is c and a.points is b.points
    assert c * a is c * a
