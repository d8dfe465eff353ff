"""Fields from modules: which points they take, what they return, and what is said where they do not fit."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pinnace as pn
from pinnace import PinnaceError
from pinnace._errors import FieldError


def mlp(inputs, outputs="scalar"):
    return eqx.nn.MLP(inputs, outputs, 4, 1, jnp.tanh, key=jax.random.key(0))


@pytest.fixture(scope="module")
def square():
    return pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 10)


class Given(eqx.Module):
    """A module that does what its function says."""

    a: jax.Array
    function: object = eqx.field(static=True)

    def __call__(self, point):
        return self.function(point) * self.a


def given(function):
    return pn.nn(Given(jnp.array(1.0), function))


def test_the_shape_of_a_field_is_that_of_its_module(square):
    x, y = square
    assert pn.nn(mlp(2))(x, y).shape == () and pn.nn(mlp(2, 1))(x, y).shape == (1,)
    assert pn.nn(mlp(2, 3))(x, y).shape == (3,) and given(lambda p: jnp.outer(p, p))(x, y).shape == (2, 2)


def test_arguments_are_coordinates_expressions_numbers_and_vectors(square):
    x, y = square
    net = pn.nn(mlp(3))
    point = pn.np.stack([x, y])
    for args in (
        (x, y, 0.5),
        (pn.np.cos(x), pn.np.sin(x), y),
        (point, x),
        (x, point),
        (1, 2, 3.0),
        (np.array([1.0, 2.0]), x),
    ):
        assert net(*args).shape == () and net(*args).kind == "field"
    assert net(1, 2, 3.0).points is None
    assert net(x, y, 0.5) is net(x, y, 0.5)


def test_a_module_of_a_bare_number_gets_one(square):
    x, _ = square
    assert pn.nn(mlp("scalar"))(x).data[2] == "number" and pn.nn(mlp(1))(x).data[2] == "vector"
    with pytest.raises(FieldError, match=r"a point of 2 numbers, and it wants 1 number\."):
        pn.nn(mlp("scalar"))(x, x)


def test_a_field_is_shaped_without_running_it(square):
    x, y = square
    calls = []

    def function(point):
        calls.append(isinstance(point, jax.core.Tracer))
        return jnp.sum(point)

    net = given(function)
    net(x, y), net(y, x), net(x, 2 * y)
    assert calls == [True]


MISFITS = {
    "too few": (lambda: pn.nn(mlp(2)), 1, ["`net(x)`", "a point of 1 number, and it wants 2 numbers"]),
    "too many": (lambda: pn.nn(mlp(2), "velocity"), 3, ["`velocity(x, x, x)`", "of 3 numbers, and it wants 2 numbers"]),
    "a module that unpacks": (lambda: given(lambda p: (lambda a, b: a * b)(*p)), 3, ["wants 2 numbers"]),
    "a module that asserts": (lambda: given(lambda p: _asserted(p)), 2, ["wants 3 numbers"]),
    "a module that always fails": (
        lambda: given(lambda p: _failing(p)),
        2,
        ["one vector", "refuses it", "no such luck"],
    ),
    "a tuple": (lambda: given(lambda p: _Pair()), 2, ["refuses it", "one array of real numbers"]),
    "integers": (lambda: given(lambda p: _Whole()), 2, ["refuses it", "one array of real numbers"]),
}


def _asserted(point):
    assert point.shape == (3,)
    return point[0]


def _failing(point):
    raise ValueError("no such luck")


class _Pair:
    def __mul__(self, other):
        return (other, other)


class _Whole:
    def __mul__(self, other):
        return jnp.array(1)


@pytest.mark.parametrize("name", MISFITS)
def test_a_point_that_does_not_fit_is_told(name, square):
    make, count, words = MISFITS[name]
    with pytest.raises(FieldError) as told:
        make()(*[square[0]] * count)
    for word in words:
        assert word in str(told.value), str(told.value)


def test_a_bug_in_a_module_is_shown_as_it_is(square):
    with pytest.raises(NameError, match="nowhere"):
        given(lambda p: nowhere)(*square)


@pytest.mark.parametrize(
    "module", [jnp.tanh, 3, mlp, eqx.nn.Identity(), None], ids=["function", "number", "class", "empty", "none"]
)
def test_what_is_no_module_is_told(module):
    with pytest.raises(FieldError, match=r"pn\.nn takes an Equinox module with parameters.*pn\.apply"):
        pn.nn(module)


@pytest.mark.parametrize("name", ["", "  ", 3])
def test_a_name_is_a_text(name):
    with pytest.raises(PinnaceError, match="a name is a text"):
        pn.nn(mlp(1), name)
    with pytest.raises(PinnaceError, match="a name is a text"):
        pn.parameter(1.0, name)


def test_other_wrong_arguments_are_told(square):
    x, y = square
    net = pn.nn(mlp(2))
    with pytest.raises(FieldError, match=r"<Net u> is called on coordinates"):
        net()
    with pytest.raises(FieldError, match=r"`stack\(\[stack.* has shape \(2, 2\)"):
        net(pn.np.stack([pn.np.stack([x, y])] * 2))
    with pytest.raises(PinnaceError, match="'x' is neither a real number"):
        net("x", y)
    with pytest.raises(PinnaceError, match=r"pn\.np\.stack"):
        net([x, y])


def test_a_field_does_not_change_when_expressions_are_made(square):
    x, y = square
    net = pn.nn(mlp(2))
    module = net.module
    net(x, y).d(x), net(x, y).mse
    assert net.module is module
