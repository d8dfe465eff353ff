"""Operators and functions with Python, NumPy and JAX numbers on either side; shapes at a point."""

import operator

import jax.numpy as jnp
import numpy as np
import pytest

import pinnace as pn
from pinnace._errors import ExpressionError
from pinnace.expr import Expr
from pinnace.expr.kinds import BINARY, UNARY

np_ = pn.np

OPERATORS = {
    operator.add: "add",
    operator.sub: "subtract",
    operator.mul: "multiply",
    operator.truediv: "divide",
    operator.pow: "power",
    operator.mod: "remainder",
}
NUMBERS = [2, 2.5, True, np.float64(2.5), np.float32(2.5), np.int32(2), np.array(2.5), jnp.float32(2.5), jnp.array(2)]


@pytest.mark.parametrize("function", OPERATORS, ids=OPERATORS.values())
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: type(number).__name__)
def test_a_number_may_stand_on_either_side(function, number, things):
    x, name = things.x, OPERATORS[function]
    right, left = function(x, number), function(number, x)
    assert (right.data, left.data) == ((name,), (name,))
    assert right.args[0] is x and left.args[1] is x
    assert right.args[1] is left.args[0]
    assert right.shape == left.shape == () and right.points is left.points is x.points


@pytest.mark.parametrize("array", [np.arange(3.0), jnp.arange(3.0)], ids=["numpy", "jax"])
@pytest.mark.parametrize("function", OPERATORS, ids=OPERATORS.values())
def test_an_array_may_stand_on_either_side(function, array, things):
    for e in (
        function(things.x, array),
        function(array, things.x),
        function(things.w, array),
        function(array, things.a),
    ):
        assert isinstance(e, Expr) and e.shape == (3,)


def test_comparisons_build_conditions(things):
    x, y = things.x, things.y
    assert (x < y).data == ("less",) and (x <= 1).data == ("less_equal",)
    assert (x > y).data == ("greater",) and (1 >= x) is (x <= 1)
    assert (np.float64(1) > x).data == ("greater",)
    assert ((x < y) & ~(x > 0.5) | (y > x)).data == ("logical_or",)


def test_signs_and_absolute_values(things):
    x = things.x
    assert +x is x and (-x).data == ("negative",) and abs(x) is np_.abs(x) is np_.absolute(x) is np.abs(x)


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_argument_are_the_same_everywhere(name, things):
    here = getattr(np_, name)
    e = here(things.w)
    assert e.shape == (3,) and e.data == (name,)
    if isinstance(getattr(np, name), np.ufunc):
        assert getattr(np, name)(things.w) is e
    value = 1.25 if name == "arccosh" else 0.25
    assert here(value) == getattr(np, name)(value)
    assert np.allclose(here(jnp.float32(value)), getattr(jnp, name)(value))
    assert isinstance(here(jnp.float32(value)), type(jnp.ones(())))


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_arguments_are_the_same_everywhere(name, things):
    here = getattr(np_, name)
    e = here(things.w, 0.5)
    assert e.shape == (3,) and e.data == (name,)
    assert getattr(np, name)(things.w, 0.5) is e
    assert getattr(np, name)(0.5, things.x) is here(0.5, things.x)
    assert here(0.25, 0.5) == getattr(np, name)(0.25, 0.5)


def test_numbers_stay_numbers():
    assert np_.sin(0.5) == np.sin(0.5) and np_.pi == np.pi and np_.e == np.e and np_.inf == np.inf
    assert np.allclose(np_.where(np.array([True, False]), 1.0, 2.0), [1, 2])
    assert np.allclose(np_.stack([1.0, 2.0]), [1, 2]) and np_.norm([3.0, 4.0]) == 5
    assert np.allclose(np_.clip(jnp.arange(3.0), 0.5, 1.5), [0.5, 1, 1.5])
    assert np_.dot([1.0, 2.0], [3.0, 4.0]) == 11 and np_.sum(np.ones((2, 3)), axis=0).shape == (3,)


SHAPES = {
    "x": (),
    "w": (3,),
    "w * x": (3,),
    "w * a": (3,),
    "w[0]": (),
    "w[-1]": (),
    "w[1:]": (2,),
    "w[::2]": (2,),
    "w[...]": (3,),
    "np.stack([x, y])": (2,),
    "np.stack([w, a])": (2, 3),
    "np.stack([w, a], axis=-1)": (3, 2),
    "np.concatenate([w, a])": (6,),
    "np.stack([w, a])[1, 2]": (),
    "np.stack([w, a])[:, 2]": (2,),
    "np.stack([w, a]) * w": (2, 3),
    "np.stack([w, a]) @ w": (2,),
    "np.transpose(np.stack([w, a]))": (3, 2),
    "np.sum(np.stack([w, a]), axis=1)": (2,),
    "np.sum(np.stack([w, a]))": (),
    "np.norm(w)": (),
    "np.dot(w, a)": (),
    "np.cross(w, a)": (3,),
    "np.where(w > 0, w, x)": (3,),
    "w.d(x)": (3,),
    "w.at({x: 1.0})": (3,),
    "np.grad(u, [x, y])": (2,),
    "np.grad(w, [x, y])": (3, 2),
    "np.hessian(w, [x, y])": (3, 2, 2),
    "np.laplacian(w, [x, y])": (3,),
    "w.mse": (),
    "w.max": (),
    "w.named('w')": (3,),
    "net(w[0], y)": (),
    "vector(w[:2])": (3,),
}


@pytest.mark.parametrize("written", SHAPES)
def test_shapes_at_a_point_are_those_of_numpy(written, things):
    assert eval(written, vars(things)).shape == SHAPES[written]


def test_vectors_unpack(things):
    parts = tuple(things.w)
    assert parts == (things.w[0], things.w[1], things.w[2]) and len(things.w) == 3
    first, *_ = things.w
    assert first is things.w[0]


def test_a_single_coordinate_unpacks_to_itself():
    x = pn.domain.interval(0, 1).variable("interior", 5)
    (same,) = x
    assert same is x


def test_points_and_what_an_expression_depends_on(things):
    x, y, u, ub = things.x, things.y, things.u, things.ub
    assert u.points is x.points and u.mse.points is None and (u - u.mean).points is x.points
    assert u.depends == {x.data, y.data} and (x * things.nu).depends == {x.data}
    assert u.at({x: 0.0}).depends == {y.data} and u.at({x: 0.0, y: 1.0}).points is None
    assert u.at({x: things.xb, y: things.yb}).points is ub.points
    assert u.at({x: y, y: x}).depends == {x.data, y.data}


def test_dir_helps_and_probing_is_harmless():
    assert {"sin", "where", "laplacian", "pi"} <= set(dir(np_))
    assert not hasattr(np_, "no_such_function") and not hasattr(np_, "__wrapped__")
    with pytest.raises(ExpressionError, match=r"Did you mean \"arctan2\""):
        np_.atan2


def test_a_list_of_expressions_is_a_vector_in_products():
    dom = pn.domain.rectangle((0, 1), (0, 1))
    x, y = dom.variable("boundary", 10)
    n, grad = pn.normal(x, y), pn.np.grad(x * y, [x, y])
    assert pn.np.dot(n, grad) is pn.np.dot(pn.np.stack(n), grad) and pn.np.dot(n, grad).shape == ()
    assert pn.np.dot(grad, n) is pn.np.dot(grad, pn.np.stack(n))
    assert pn.np.dot([1, 2], [3, 4]) == 11
