"""What cannot be captured is an error that says what to write instead, at the user's line."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pinnace._errors import ScheduleError
from pinnace.schedule import LearningRateSchedule as lrs


def endless(epoch, losses):
    x = losses[0]
    while x > 1e-3:
        x = x / 2
    return x


def raising(epoch, losses):
    if losses[0] > 1.0:
        raise RuntimeError("too large")
    return 1e-3


def silent(epoch, losses):
    if losses[0] > 1.0:
        return 1e-3


def wrapped_by_numpy(epoch, losses):
    rates = np.zeros(3)
    rates[0] = losses[0]
    return rates[0]


WRONG = [
    (lambda epoch, losses: math.exp(-epoch / 100), "jnp.exp"),
    (lambda epoch, losses: math.sqrt(losses[0]), "functions of math"),
    (lambda epoch, losses: 1e-3 * float(losses[0]), "x itself for float"),
    (lambda epoch, losses: 0.5 ** int(epoch / 100), "x // n"),
    (lambda epoch, losses: complex(losses[0]).real, "complex"),
    (lambda epoch, losses: [1e-3, 1e-4][epoch], "jnp.asarray"),
    (lambda epoch, losses: (1e-3, 1e-4)[epoch // 100], "jnp.asarray"),
    (lambda epoch, losses: np.array([1e-3, 1e-4])[epoch], "jnp.asarray"),
    (lambda epoch, losses: {0: 1e-3}[epoch], "jnp.asarray"),
    (lambda epoch, losses: {0: 1e-3}.get(epoch, 1e-4), "dict"),
    (lambda epoch, losses: 1.0 if epoch in {10, 20} else 0.5, r"\(10, 20\)"),
    (functools.lru_cache(lambda epoch, losses: 1.0), "dict or set"),
    (lambda epoch, losses: sum(0.5 for _ in range(epoch)), "fori_loop"),
    (lambda epoch, losses: float(f"{losses[0]:.1e}"), "jax.debug.print"),
    (lambda epoch, losses: format(epoch, "d"), "jax.debug.print"),
    (lambda epoch, losses: losses[0].item(), "x itself"),
    (lambda epoch, losses: losses.tolist()[0], r"\[\*x\]"),
    (lambda epoch, losses: np.mean([losses[0], losses[1]]), "jnp.stack"),
    (lambda epoch, losses: np.float64(losses[0]), "x itself"),
    (wrapped_by_numpy, "NumPy array|x itself"),
    (lambda epoch, losses: np.add(losses[0], 1.0, out=np.zeros(())), "out="),
    (lambda epoch, losses: np.busday_count(epoch, 1), "no counterpart"),
    (endless, "while_loop"),
    (lambda epoch, losses: 1.0 if epoch in range(1000) else 0.5, "a <= epoch < b"),
    (lambda epoch, losses: sum(2.0**-i for i in range(7) if losses[i % 2] > 0.1 * i), "more than 64 paths"),
    (raising, r'RuntimeError\("too large"\).*jnp.nan'),
    (silent, "returned None. Give every `if` an else"),
    (lambda epoch, losses: undefined, "NameError"),
    (lambda epoch, losses: [1e-3], "returns a number on every path"),
    (lambda epoch, losses: "1e-3", "returns a number"),
    (lambda epoch, losses: 1j, "returns a number"),
    (lambda epoch, losses: losses, r"array of shape \(2,\)"),
    (lambda epoch, losses: 1.0 if losses > 0.5 else 0.5, "jnp.all"),
    (lambda epoch, losses: jax.jit(lambda x: 1.0 if x > 0 else 0.5)(losses[0]), "jnp.where or jax.lax.cond"),
    (lambda epoch, losses: jax.lax.cond(epoch > 1, lambda: 1.0 * int(epoch), lambda: 0.5), "x // n"),
    (lambda epoch, losses: jnp.zeros(epoch)[0], "JAX traces itself|shape"),
    (lambda epoch, losses: losses[2], r"there are 2 entries .*losses\[0\] to losses\[1\]"),
    (lambda epoch, losses: losses[-3], r"losses\[-3\]: there are 2 entries"),
    (lambda epoch, losses: losses[0:1][1], "Index 1 is out of range: there are 1 values"),
    (lambda epoch, losses: losses["pde"], "no loss has a name here"),
    (lambda epoch, losses: epoch[0], "IndexError|TypeError|range"),
]


@pytest.mark.parametrize("transform", [lambda f: f, jax.jit], ids=["called", "jitted"])
@pytest.mark.parametrize(("function", "told"), WRONG)
def test_the_error_says_what_to_write(function, told, transform):
    with pytest.raises(ScheduleError, match=told):
        transform(lrs(function))(3, jnp.asarray([0.5, 0.25]))


def line_of(function, offset):
    return f"test_schedule_capture_errors.py:{function.__code__.co_firstlineno + offset}"


def test_the_error_names_the_line():
    with pytest.raises(ScheduleError, match=rf"{line_of(endless, 2)} \(`while x > 1e-3:`\)"):
        lrs(endless)(0, [1.0])
    with pytest.raises(ScheduleError, match=line_of(raising, 2) + r' \(`raise RuntimeError\("too large"\)`\)') as told:
        lrs(raising)(0, [0.5])
    assert isinstance(told.value.__cause__, RuntimeError)


def test_everything_works_again_after_an_error():
    with pytest.raises(ScheduleError):
        lrs(endless)(0, [1.0])
    assert jnp.exp(jnp.zeros(())) == 1.0
    assert jax.jit(lrs(lambda epoch: 1.0 if epoch > 2 else 0.5))(3) == 1.0


def test_a_value_kept_from_an_earlier_call():
    kept = []

    def hoarding(epoch):
        kept.append(epoch)
        return 1.0 if epoch > 3 else kept[0] * 1.0

    with pytest.raises(ScheduleError, match="state=first"):
        lrs(hoarding)(0)


@pytest.mark.parametrize(
    ("function", "state", "told"),
    [
        (lambda: 1.0, None, r"takes 0 positional"),
        (lambda *a: 1.0, None, r"takes 0 positional"),
        (lambda a, b, c: 1.0, None, r'"a", "b", "c".*state='),
        (lambda a: 1.0, 0.0, r"\(epoch, state\) or \(epoch, losses, state\)"),
        (lambda a, b, c, d: 1.0, 0.0, "takes 4"),
        (lambda a, *, b: 1.0, None, '"b" by name'),
        (max, None, "lambda epoch"),
        (lambda epoch, state: 1.0, "text", "numbers and arrays"),
    ],
)
def test_wrong_parameters_are_an_error_at_once(function, state, told):
    with pytest.raises(ScheduleError, match=told):
        lrs(function, state=state)
