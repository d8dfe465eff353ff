"""What a user gets wrong: one error, at the call, that says what was got and what is expected."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pinnace import balance
from pinnace._errors import BalanceError


@pytest.mark.parametrize(
    ("name", "numbers", "message"),
    [
        ("relobralo", {"mode": "min-max"}, 'mode = "min-max".*Did you mean "minmax"'),
        ("rlw", {"mode": None}, 'mode = None.*"raw", "minmax", "l2"'),
        ("relobralo", {"tau": 0}, "tau = 0.*above 0.*default is 0.1"),
        ("relobralo", {"tau": -1.0}, "tau = -1.0.*above 0"),
        ("relobralo", {"tau": "0.1"}, 'tau = "0.1".*a finite number above 0'),
        ("relobralo", {"tau": True}, "tau = True"),
        ("relobralo", {"tau": 1j}, "tau = 1j"),
        ("relobralo", {"alpha": 1.1}, "alpha = 1.1.*at least 0 and at most 1"),
        ("relobralo", {"alpha": -0.1}, "alpha = -0.1"),
        ("relobralo", {"alpha": float("nan")}, "alpha = nan"),
        ("relobralo", {"alpha": [1.0, 2.0]}, r"alpha = \[1.0, 2.0\]"),
        ("relobralo", {"expected_rho": 2}, "expected_rho = 2"),
        ("relobralo", {"seed": 1.5}, "seed = 1.5.*whole number from 0"),
        ("relobralo", {"seed": -1}, "seed = -1"),
        ("relobralo", {"seed": 2**31}, "seed = 2147483648"),
        ("relobralo", {"every": 0}, "every = 0.*whole number from 1"),
        ("relobralo", {"every": 2.0}, "every = 2.0"),
        ("relobralo", {"min_weight": 2, "max_weight": 1}, "min_weight = 2 and max_weight = 1"),
        ("relobralo", {"min_weight": -1}, "min_weight = -1.*at least 0"),
        ("relobralo", {"max_weight": 0}, "max_weight = 0.*above 0"),
        ("relobralo", {"max_weight": float("inf")}, "max_weight = inf"),
        ("softadapt", {"variant": "normalised"}, 'variant = "normalised".*Did you mean "normalized"'),
        ("softadapt", {"beta": float("inf")}, "beta = inf"),
        ("softadapt", {"eps": 0.0}, "eps = 0.0"),
        ("dwa", {"temperature": 0.0}, "temperature = 0.0"),
        ("lbpinns_loss_balancing", {"lr_s": -1e-3}, "lr_s = -0.001"),
        ("lbpinns_loss_balancing", {"init_s": 21}, "init_s = 21.*at least -20 and at most 20"),
        ("lbpinns_loss_balancing", {"init_s": [0.0, np.nan]}, r"init_s\[1\] = nan"),
        ("rlw", {"alpha": 0}, "alpha = 0.*above 0"),
        ("fixed", {"weights": {"pde": 1.0, "bc": -1.0}}, r"weights\['bc'\] = -1.0.*at least 0"),
        ("fixed", {"weights": []}, r"weights = \[\]"),
        ("fixed", {"weights": np.ones((2, 2))}, r"weights\[0\] = \[1.0, 1.0\]"),
        ("equal_init", {"mode": "minmax"}, "equal_init got.*minmax.*first losses"),
        ("equal_init_ema", {"mode": "minmax"}, "equal_init_ema got.*minmax.*first losses"),
        ("equal_init", {"normalize": 1}, "normalize = 1.*True or False"),
        ("equal_init", {"initial_weights": "one"}, 'initial_weights = "one"'),
        ("equal_init", {"min_weight": 1e5}, "min_weight = 100000 and max_weight = 10000"),
        ("ema", {"beta": 1.5}, "beta = 1.5"),
        ("ema", {"eps": -1.0}, "eps = -1.0"),
    ],
)
def test_wrong_arguments(name, numbers, message):
    with pytest.raises(BalanceError, match=message):
        balance.BALANCERS[name](**numbers)


def test_wrong_names():
    with pytest.raises(BalanceError, match=r'no balancer "relobrallo".*Did you mean "relobralo"'):
        balance.by_name("relobrallo")
    with pytest.raises(BalanceError, match=r'dwa has no argument "temprature".*Did you mean "temperature"'):
        balance.by_name("dwa", temprature=2.0)
    with pytest.raises(BalanceError, match='fixed needs its argument "weights"'):
        balance.by_name("fixed")


@pytest.mark.parametrize("m", [0, -1, 2.5, True, "two", [], {}, jnp.ones((2, 2)), None])
def test_init_wants_the_number_of_losses(m):
    with pytest.raises(BalanceError, match=r"balancer.init\(2\)"):
        balance.relobralo().init(m)


@pytest.mark.parametrize("m", [2, np.int64(2), [1.0, 2.0], (0.0, 0.0), {"a": 1, "b": 2}, jnp.ones(2), np.ones(2)])
def test_init_takes_a_number_or_losses(m):
    assert balance.relobralo().init(m).weights.tolist() == [1.0, 1.0]


def test_init_wants_a_dtype_in_which_averages_move():
    with pytest.raises(BalanceError, match=r"bfloat16.*float32 or float64"):
        balance.ema().init(2, dtype=jnp.bfloat16)


@pytest.mark.parametrize(
    ("weights", "m", "message"),
    [
        ([1.0, 2.0], 3, "weights has 2 numbers, but there are 3 losses"),
        (
            [1.0, 2.0],
            {"pde": 0, "bc": 0},
            "weights is a list, but the losses are a dict.*'bc': ..., 'pde': ...",
        ),
        ({"pde": 1.0, "bc": 2.0}, 2, 'by name \\("bc", "pde"\\), but the losses have no names'),
        (
            {"pde": 1.0, "bc": 2.0},
            {"pde": 0, "ic": 0},
            'given for "bc", "pde", but the losses are "ic", "pde"',
        ),
    ],
)
def test_numbers_for_other_losses(weights, m, message):
    for balancer in (
        balance.fixed(weights),
        balance.equal_init(weights),
        balance.ema(initial_weights=weights),
        balance.equal_init_ema(initial_weights=weights),
    ):
        with pytest.raises(BalanceError, match=message):
            balancer.init(m)


def test_update_with_other_names_than_the_numbers_have():
    balancer = balance.lbpinns_loss_balancing({"pde": 1.0, "bc": 2.0})
    state = balancer.init({"pde": 0.0, "bc": 0.0})
    with pytest.raises(BalanceError, match='init_s was given for "bc", "pde", but the losses are "ic", "pde"'):
        balancer.update({"pde": 0.1, "ic": 0.1}, state)


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        (jnp.ones(3), r"shape \(3,\), but the state was made for 2"),
        (jnp.ones((5, 2)), r"shape \(5, 2\).*jax.vmap"),
        (jnp.ones(()), r"shape \(\)"),
        ([], r"shape \(0,\)"),
        ({"a": 1.0, "b": 2.0, "c": 3.0}, r"shape \(3,\)"),
        ([jnp.ones(2), jnp.ones(2)], r"loss 0 of shape \(2,\).*jnp.mean"),
        ({"pde": jnp.ones(7), "bc": 1.0}, r'loss "pde" of shape \(7,\)'),
        (jnp.ones(2) * 1j, "complex"),
    ],
)
def test_update_with_losses_that_do_not_fit(losses, message):
    balancer = balance.relobralo()
    for update in (balancer.update, jax.jit(balancer.update)):
        with pytest.raises(BalanceError, match=message):
            update(losses, balancer.init(2))


def test_arrays_and_numpy_numbers_are_numbers():
    balancer = balance.relobralo(tau=np.float32(0.5), alpha=jnp.array(1), seed=np.int64(3))
    assert (balancer.tau, balancer.alpha, balancer.seed) == (0.5, 1.0, 3)
    assert isinstance(balancer.alpha, float)
    assert balance.fixed(np.array([1, 2])).weights == (1.0, 2.0)


def test_traced_numbers_are_not_checked():
    weights = jax.jit(lambda tau: balance.relobralo(tau=tau).update([1.0, 2.0], balance.relobralo().init(2))[0])(0.1)
    assert weights.tolist() == [1.0, 1.0]


def test_numbers_that_a_trace_could_not_check_leave_the_weights_as_they_are():
    balancer = balance.relobralo()
    state = balancer.init(2)

    @jax.jit
    def second(tau):
        _, after = balance.relobralo(tau=tau).update([1.0, 2.0], state)
        return balance.relobralo(tau=tau).update([2.0, 1.0], after)[0]

    assert second(jnp.nan).tolist() == [1.0, 1.0]
    assert second(0.1).tolist() != [1.0, 1.0]
