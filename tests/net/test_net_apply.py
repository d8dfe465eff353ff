"""Any JAX function of one point as an expression."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

import pinnace as pn
from pinnace._errors import FieldError


@pytest.fixture(scope="module")
def square():
    return pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 10)


def test_shape_and_points_follow_from_the_function(square):
    x, y = square
    e = pn.apply(lambda a, b: jnp.stack([a, b, a * b]), x, y)
    assert e.shape == (3,) and e.points is x.points and e.d(x).shape == (3,)
    assert pn.apply(jnp.sin, 0.5).points is None
    assert pn.apply(jax.nn.gelu, x) is pn.apply(jax.nn.gelu, x)


FIELD = pn.nn(eqx.nn.Linear(1, 1, key=jax.random.key(0)))

WRONG = {
    "no function": (lambda x: pn.apply(x, x), ["pn.apply takes a function"]),
    "a field": (lambda x: pn.apply(FIELD, x), ["pn.apply takes a function", "<Net u>"]),
    "no function at all": (lambda x: pn.apply(3, x), ["pn.apply takes a function", "3"]),
    "too many arguments": (lambda x: pn.apply(lambda a: a, x, x), ["`<lambda>` fails", "`x` of shape ()"]),
    "wrong shapes": (lambda x: pn.apply(jnp.linalg.inv, x), ["`inv` fails", "`x` of shape ()"]),
    "several results": (lambda x: pn.apply(lambda a: (a, a), x), ["`<lambda>` returns", "one array at each point"]),
    "no result": (lambda x: pn.apply(lambda a: None, x), ["returns None", "one array"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_told(name, square):
    make, words = WRONG[name]
    with pytest.raises(FieldError) as told:
        make(square[0])
    for word in words:
        assert word in str(told.value), str(told.value)
