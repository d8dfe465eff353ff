"""Unknown numbers: free, positive, between bounds, arrays; and guesses that cannot be."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pinnace as pn
from pinnace._errors import FieldError
from pinnace.expr import Expr


@pytest.mark.parametrize(
    "guess", [0.1, 3, np.float32(0.1), jnp.array(0.1), np.array([0.5, 2.0]), [[1.0, 2.0], [3.0, 4.0]]]
)
@pytest.mark.parametrize("settings", [{}, {"positive": True}, {"bounds": (0.01, 7)}])
def test_the_value_is_the_guess(guess, settings, x64):
    nu = pn.parameter(guess, **settings)
    assert isinstance(nu, Expr) and nu.points is None and nu.shape == np.shape(guess)
    assert np.allclose(nu.value, guess, rtol=1e-12) and nu.value.dtype == jnp.float64


def test_positive_and_bounded_numbers_stay_so_whatever_is_trained(x64):
    positive, bounded = pn.parameter(2.0, positive=True), pn.parameter(0.25, bounds=(-1, 1))
    for raw in (-30.0, -1.0, 0.0, 30.0):
        for nu, low, high in ((positive, 0.0, math.inf), (bounded, -1.0, 1.0)):
            module = jax.tree.map(lambda leaf, raw=raw: jnp.full_like(leaf, raw), nu.data[0].module)
            assert low < module() < high
    assert math.isclose(positive.data[0].module.raw, math.log(2), rel_tol=1e-12)


def test_an_array_is_used_by_its_components():
    a = pn.parameter([1.0, 2.0, 3.0], "a")
    assert a[1:].shape == (2,) and (a * 2).shape == (3,) and pn.np.dot(a, a).shape == ()
    first, _, _ = a
    assert first is a[0]


def test_it_is_optimized_and_frozen_as_a_field():
    import optax

    nu = pn.parameter(0.1)
    assert nu.optimizer(optax.adam(1)).scale(1e-3) is nu and nu.data[0].binding is not None
    assert nu.freeze() is nu and not any(jax.tree.leaves(nu.data[0].mask()))
    with pytest.raises(FieldError, match=r"<Unknown nu>.*has none yet"):
        pn.parameter(0.1, "nu").scale(1e-3)


WRONG = {
    "not finite": (lambda: pn.parameter(math.nan), ["finite number", "nan"]),
    "infinite": (lambda: pn.parameter([1.0, math.inf]), ["finite number", "inf"]),
    "a text": (lambda: pn.parameter("0.1"), ["finite number", "'0.1'"]),
    "nothing": (lambda: pn.parameter(None), ["finite number", "None"]),
    "complex": (lambda: pn.parameter(1j), ["finite number", "1j"]),
    "a truth value": (lambda: pn.parameter(True), ["finite number", "True"]),
    "an expression": (lambda: pn.parameter(pn.parameter(1.0, "p")), ["`p` is an expression and not yet an array"]),
    "not positive": (lambda: pn.parameter(0.0, positive=True), ["positive number", "0.0"]),
    "one of them negative": (lambda: pn.parameter([1.0, -1.0], positive=True), ["positive number", "-1."]),
    "out of bounds": (lambda: pn.parameter(2.0, bounds=(0, 1)), ["low < guess < high", "(0, 1)", "2.0"]),
    "on a bound": (lambda: pn.parameter(1.0, bounds=(0, 1)), ["low < guess < high"]),
    "bounds exchanged": (lambda: pn.parameter(0.5, bounds=(1, 0)), ["low < guess < high", "(1, 0)"]),
    "bounds not finite": (lambda: pn.parameter(0.5, bounds=(0, math.inf)), ["two finite numbers", "inf"]),
    "one bound": (lambda: pn.parameter(0.5, bounds=(0,)), ["(low, high)", "(0,)"]),
    "bounds no numbers": (lambda: pn.parameter(0.5, bounds=1), ["(low, high)", "1"]),
    "positive and bounded": (lambda: pn.parameter(0.5, positive=True, bounds=(0, 1)), ["either positive or bounded"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_guess_that_cannot_be_is_told(name):
    make, words = WRONG[name]
    with pytest.raises(pn.PinnaceError) as told:
        make()
    for word in words:
        assert word in str(told.value), str(told.value)
