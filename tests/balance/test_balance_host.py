"""`AdaptiveLossWeights`: the published numbers, somebody's own loop, checkpoints, mistakes."""

import json
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace._errors import BalanceError
from pinnace.balance import AdaptiveLossWeights

NAMES = ["PI_loss1", "PI_loss2", "RK4_loss1", "RK4_loss2"]
FIRST = dict(zip(NAMES, [1.234e-3, 5.678e-2, 2.345e-3, 1.234e-1], strict=True))
ONES = dict.fromkeys(NAMES, 1.0)
STRATEGIES = [name for name in pn.balance.BALANCERS if name not in ("grad_norm", "lra", "ntk", "gradnorm")]


def rows(steps, seed=0):
    values = np.exp(np.random.default_rng(seed).normal(0, 1, (steps, 4)))
    return [dict(zip(NAMES, row.tolist(), strict=True)) for row in values]


def follow(adaptive, epochs, losses):
    return [adaptive.update(epoch, row) for epoch, row in zip(epochs, losses, strict=True)]


def test_the_published_weights(x64):
    plain = AdaptiveLossWeights(NAMES, ONES, normalize=False).update(1, FIRST)
    np.testing.assert_allclose(list(plain.values()), [810.37, 17.61, 426.44, 8.104], rtol=2e-4)
    normalised = AdaptiveLossWeights(NAMES, ONES).update(1, FIRST)
    np.testing.assert_allclose(list(normalised.values()), [2.567, 0.0558, 1.351, 0.0257], rtol=2e-3)
    initial = dict(zip(NAMES, [1.0, 1.0, 10.0, 100.0], strict=True))
    scaled = AdaptiveLossWeights(NAMES, initial).update(1, FIRST)
    assert np.mean(list(scaled.values())) == pytest.approx(28)
    equal = [scaled[name] * FIRST[name] for name in NAMES]
    np.testing.assert_allclose(equal, equal[0], rtol=2e-5)


def test_the_averages_of_the_specification(x64):
    initial = dict(zip(NAMES, [1.0, 2.0, 10.0, 100.0], strict=True))
    adaptive = AdaptiveLossWeights(NAMES, initial, "ema", 0.7, ema_beta=0.6)
    w, mean = np.array(list(initial.values())), None
    for epoch, row in enumerate(rows(9)):
        x = np.array(list(row.values()))
        mean = x if mean is None else 0.7 * mean + 0.3 * x
        w = np.clip(0.6 * w + 0.4 / (mean + 1e-8), 1e-4, 1e4)
        np.testing.assert_allclose(list(adaptive.update(epoch, row).values()), w, rtol=1e-13)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_is_its_balancer(x64, strategy):
    losses = rows(8)
    adaptive = AdaptiveLossWeights(NAMES, ONES, strategy, min_weight=0.2, max_weight=3.0)
    numbers = {"weights": 1.0} if strategy == "fixed" else {"min_weight": 0.2, "max_weight": 3.0}
    balancer = pn.balance.by_name(strategy, **numbers)
    state = balancer.init(4)
    for epoch, row in enumerate(losses):
        expected, state = balancer.update(jnp.array([row[name] for name in NAMES]), state)
        np.testing.assert_allclose(list(adaptive.update(epoch, row).values()), expected, rtol=1e-13)


def test_fixed_weights_stay_and_are_not_clamped():
    initial = dict(zip(NAMES, [0.0, 1e-6, 1.0, 1e6], strict=True))
    adaptive = AdaptiveLossWeights(NAMES, initial, strategy="fixed")
    assert adaptive.get_weights() == initial
    assert list(adaptive.update(5, FIRST).values()) == pytest.approx(list(initial.values()))


def test_the_names_may_come_in_any_order():
    adaptive = AdaptiveLossWeights(["b", "a", "c"], {"c": 1.0, "a": 1.0, "b": 1.0}, normalize=False)
    weights = adaptive.update(0, {"a": 0.5, "c": 0.25, "b": 1.0})
    assert list(weights) == ["b", "a", "c"]
    assert weights == pytest.approx({"a": 2.0, "b": 1.0, "c": 4.0})
    assert adaptive.get_weight("c") == weights["c"]


def test_it_moves_at_the_first_finite_losses_and_then_as_often_as_it_is_told():
    adaptive = AdaptiveLossWeights(NAMES, ONES, "ema", update_frequency=3)
    assert adaptive.get_weights() == ONES
    assert adaptive.update(4, FIRST | {"PI_loss2": float("nan")}) == ONES
    seen = [adaptive.update(epoch, FIRST) for epoch in range(5, 13)]
    changed = [5] + [e for e, a, b in zip(range(6, 13), seen, seen[1:], strict=False) if a != b]
    assert seen[0] != ONES
    assert changed == [5, 8, 11]
    assert adaptive.update(14, FIRST | {"PI_loss1": float("inf")}) == seen[-1]


def test_equal_init_keeps_its_weights():
    adaptive = AdaptiveLossWeights(NAMES, ONES)
    first = adaptive.update(17, FIRST)
    assert follow(adaptive, range(18, 22), rows(4)) == [first] * 4


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("through", ["dict", "pickle", "json"])
def test_a_resumed_one_is_bit_equal_to_one_never_interrupted(strategy, through):
    losses, keep = rows(12), {"update_frequency": 2}
    whole = AdaptiveLossWeights(NAMES, ONES, strategy, **keep)
    expected = follow(whole, range(3, 15), losses)
    stopped = AdaptiveLossWeights(NAMES, ONES, strategy, **keep)
    follow(stopped, range(3, 8), losses[:5])
    state = stopped.state_dict()
    if through == "pickle":
        state = pickle.loads(pickle.dumps(state))
    if through == "json":
        state = json.loads(json.dumps(state, default=lambda array: array.tolist()))
    follow(stopped, range(8, 15), losses[5:])
    resumed = AdaptiveLossWeights(NAMES, ONES, strategy, **keep)
    resumed.load_state_dict(state)
    assert resumed.get_weights() == expected[4]
    assert follow(resumed, range(8, 15), losses[5:]) == expected[5:]
    assert all(isinstance(array, np.ndarray) for array in resumed.state_dict()["arrays"].values())


def test_in_somebodys_own_loop():
    """Fit a line with two losses of very different size, and weights that follow them."""
    x = jnp.linspace(0, 1, 20)

    def losses(params):
        slope, offset = params
        return {"slope": 1e4 * (slope - 2) ** 2, "data": jnp.mean((slope * x + offset - (2 * x + 1)) ** 2)}

    @jax.jit
    def step(params, state, weights):
        def total(params):
            raw = losses(params)
            return sum(weights[name] * raw[name] for name in raw), raw

        grads, raw = jax.grad(total, has_aux=True)(params)
        updates, state = tx.update(grads, state)
        return optax.apply_updates(params, updates), state, raw

    tx, params = optax.adam(3e-2), (jnp.float32(0.0), jnp.float32(0.0))
    state = tx.init(params)
    adaptive = AdaptiveLossWeights(["slope", "data"], {"slope": 1.0, "data": 1.0}, "equal_init_ema")
    raw = losses(params)
    for epoch in range(400):
        weights = adaptive.update(epoch, raw)
        assert all(type(weight) is float and 0 < weight <= 1e4 for weight in weights.values())
        params, state, raw = step(params, state, weights)
    assert float(params[0]) == pytest.approx(2, abs=0.02)
    assert float(params[1]) == pytest.approx(1, abs=0.02)
    assert step._cache_size() == 1


def test_other_numbers_of_a_balancer():
    sharp = AdaptiveLossWeights(["a", "b"], {"a": 1.0, "b": 1.0}, "relobralo", tau=0.01, alpha=0.0)
    sharp.update(0, {"a": 1.0, "b": 1.0})
    assert sharp.update(1, {"a": 1.0, "b": 0.5})["a"] == pytest.approx(2.0)


@pytest.mark.parametrize("strategy", ["grad_norm", "lra", "ntk", "gradnorm"])
def test_a_strategy_that_reads_gradients_says_how_to_use_it(strategy):
    signal = "traces" if strategy == "ntk" else "grads"
    with pytest.raises(BalanceError, match=rf'"{strategy}" reads "{signal}".*balancer.update\(.*{signal}=\.\.\.\)'):
        AdaptiveLossWeights(NAMES, ONES, strategy)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: AdaptiveLossWeights(NAMES, ONES, "equalinit"), 'strategy = "equalinit".*Did you mean "equal_init"'),
        (lambda: AdaptiveLossWeights("pde", {"pde": 1.0}), "loss_names must be different names.*'pde'"),
        (lambda: AdaptiveLossWeights(["a", "a"], {"a": 1.0}), "different names"),
        (lambda: AdaptiveLossWeights([], {}), "different names"),
        (lambda: AdaptiveLossWeights(["a", "b"], {"a": 1.0}), r'initial_weights got no "b"'),
        (lambda: AdaptiveLossWeights(["a"], {"a": -1.0}), r"initial_weights\['a'\] = -1.0"),
        (lambda: AdaptiveLossWeights(["a"], [1.0]), r"by name for \"a\"; got \[1.0\]"),  # pyright: ignore
        (lambda: AdaptiveLossWeights(["a"], {"a": 1.0}, ema_alpha=2.0), "ema_alpha = 2.0"),
        (lambda: AdaptiveLossWeights(["a"], {"a": 1.0}, update_frequency=0), "update_frequency = 0"),
        (lambda: AdaptiveLossWeights(["a"], {"a": 1.0}, min_weight=2.0, max_weight=1.0), "min_weight = 2"),
        (lambda: AdaptiveLossWeights(["a"], {"a": 1.0}, "relobralo", tua=1.0), 'no argument "tua".*"tau"'),
        (lambda: AdaptiveLossWeights(["a"], {"a": 1.0}).update(0, {"b": 1.0}), 'no "a" and unknown "b"'),
        (lambda: AdaptiveLossWeights(["pde"], {"pde": 1.0}).update(0, {"pdf": 1.0}), 'Did you mean "pde"'),
        (lambda: AdaptiveLossWeights(["a"], {"a": 1.0}).update(0, {"a": jnp.ones(2)}), r'loss "a" of shape \(2,\)'),
        (lambda: AdaptiveLossWeights(["a"], {"a": 1.0}).update({"a": 1.0}, 0), "epoch = {'a': 1.0}"),  # pyright: ignore
        (lambda: AdaptiveLossWeights(["pde"], {"pde": 1.0}).get_weight("pd"), 'no loss "pd".*Did you mean "pde"'),
    ],
)
def test_mistakes_are_errors_that_say_so(wrong, message):
    with pytest.raises(BalanceError, match=message):
        wrong()


def test_a_state_of_something_else_is_an_error():
    adaptive = AdaptiveLossWeights(["a", "b"], {"a": 1.0, "b": 1.0}, "ema")
    other = AdaptiveLossWeights(["a", "b"], {"a": 1.0, "b": 1.0}, "relobralo")
    with pytest.raises(BalanceError, match='strategy "relobralo", but this one has "ema"'):
        adaptive.load_state_dict(other.state_dict())
    names = AdaptiveLossWeights(["a", "c"], {"a": 1.0, "c": 1.0}, "ema")
    with pytest.raises(BalanceError, match='losses "a", "c", but this one has "a", "b"'):
        adaptive.load_state_dict(names.state_dict())
    with pytest.raises(BalanceError, match='without "strategy"'):
        adaptive.load_state_dict({})
    with jax.enable_x64(True):
        wide = AdaptiveLossWeights(["a", "b"], {"a": 1.0, "b": 1.0}, "ema").state_dict()
    with pytest.raises(BalanceError, match=r"as .*64.*same precision"):
        adaptive.load_state_dict(wide)
    assert adaptive.get_weights() == {"a": 1.0, "b": 1.0}
