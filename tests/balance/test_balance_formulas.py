"""Every balancer, move by move, against its formula written once more in NumPy."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinnace import balance

STEPS = 40


# ---------------------------------------------------------------- the formulas, in NumPy


def softmax(scores, sharpness):
    scores = sharpness * (scores - scores.max())
    power = np.exp(scores - scores.max())
    return len(scores) * power / power.sum()


def ratio(a, b):
    return np.minimum(np.maximum(np.abs(a), 1e-30) / np.maximum(np.abs(b), 1e-30), 1e12)


class ReferenceRelobralo:
    def __init__(self, m, alpha=0.99, tau=0.1, expected_rho=0.999, seed=42):
        self.start, self.alpha, self.tau, self.p, self.seed = np.ones(m), alpha, tau, expected_rho, seed

    def move(self, t, x, w):
        if t == 0:
            self.first = self.last = x
            return np.ones_like(x)
        key = jax.random.fold_in(jax.random.key(self.seed), t)
        rho = float(jax.random.bernoulli(key, self.p))
        b0, b1 = (softmax(ratio(x, past), 1 / self.tau) for past in (self.first, self.last))
        self.last = x
        return self.alpha * (rho * w + (1 - rho) * b0) + (1 - self.alpha) * b1


class ReferenceSoftadapt:
    def __init__(self, m, beta=0.1, variant="normalized", eps=1e-12):
        self.start, self.beta, self.variant, self.eps = np.ones(m), beta, variant, eps

    def move(self, t, x, w):
        last, self.last = (x if t == 0 else self.last), x
        if t == 0:
            return np.ones_like(x)
        s = x - last
        if self.variant == "original":
            return softmax(s, self.beta)
        if self.variant == "normalized":
            return softmax(s / (np.abs(s).sum() + self.eps), self.beta)
        size = np.maximum(np.abs(x), 1e-30)
        return softmax(np.log(size) + self.beta * (s - s.max()), 1)


class ReferenceDwa:
    def __init__(self, m, temperature=2.0):
        self.start, self.temperature = np.ones(m), temperature

    def move(self, t, x, w):
        last, self.last = (x if t == 0 else self.last), x
        return softmax(ratio(x, last), 1 / self.temperature)


class ReferenceLbpinns:
    def __init__(self, m, init_s=0.0, lr_s=1e-2):
        self.s, self.lr = np.broadcast_to(init_s, m).astype(float), lr_s
        self.start = np.exp(-self.s) / 2
        self.first, self.second = np.zeros(m), np.zeros(m)

    def move(self, t, x, w):
        g = np.maximum((1 - np.exp(-self.s) * np.abs(x)) / 2, -1e3)
        self.first = 0.9 * self.first + 0.1 * g
        self.second = 0.999 * self.second + 0.001 * g * g
        m_hat, v_hat = self.first / (1 - 0.9 ** (t + 1)), self.second / (1 - 0.999 ** (t + 1))
        self.s = np.clip(self.s - self.lr * m_hat / (np.sqrt(v_hat) + 1e-8), -20, 20)
        return np.exp(-self.s) / 2


class ReferenceRlw:
    def __init__(self, m, alpha=1.0, seed=42):
        self.start, self.alpha, self.seed = np.ones(m), alpha, seed

    def move(self, t, x, w):
        key = jax.random.fold_in(jax.random.key(self.seed), t)
        return len(x) * np.asarray(jax.random.dirichlet(key, np.full(len(x), self.alpha)))


class ReferenceFixed:
    def __init__(self, m, weights):
        self.start = np.broadcast_to(weights, m).astype(float)

    def move(self, t, x, w):
        return self.start


class ReferenceEqual:
    """equal_init; with `follow` equal_init_ema, with `follow` and without `first` ema."""

    def __init__(self, m, alpha=0.9, beta=0.9, initial_weights=1, eps=1e-8, normalize=True, *, follow, first):
        self.start = np.broadcast_to(initial_weights, m).astype(float)
        self.alpha, self.beta, self.eps, self.normalize = alpha, beta, eps, normalize
        self.follow, self.first = follow, first

    def target(self, size):
        w = np.full(len(size), self.start.mean())
        live = np.flatnonzero(size > self.eps)
        inverse = np.array([1 / (size[i] + self.eps) for i in live])
        if len(live):
            w[live] = inverse * (self.start.mean() / inverse.mean() if self.normalize else 1)
        return w

    def move(self, t, x, w):
        size = np.abs(x)
        self.average = size if t == 0 else self.alpha * self.average + (1 - self.alpha) * size
        if self.first and t == 0:
            return self.target(size)
        if not self.follow:
            return w
        target = self.target(self.average) if self.first else 1 / (self.average + self.eps)
        return self.beta * w + (1 - self.beta) * target


def equal_family(**kind):
    return lambda m, **numbers: ReferenceEqual(m, **kind, **numbers)


REFERENCES = {
    "relobralo": ReferenceRelobralo,
    "softadapt": ReferenceSoftadapt,
    "dwa": ReferenceDwa,
    "lbpinns_loss_balancing": ReferenceLbpinns,
    "rlw": ReferenceRlw,
    "fixed": ReferenceFixed,
    "equal_init": equal_family(follow=False, first=True),
    "ema": equal_family(follow=True, first=False),
    "equal_init_ema": equal_family(follow=True, first=True),
}


def scaled(mode, x, seen):
    if mode == "minmax":
        seen = [*seen, x]
        low, high = np.min(seen, axis=0), np.max(seen, axis=0)
        place = [max((v - a) / (b - a), 1e-3) if b > a else 1.0 for v, a, b in zip(x, low, high, strict=True)]
        return np.array(place), seen
    if mode == "l2":
        if not x.any():
            return np.full(len(x), 1 / math.sqrt(len(x))), seen
        u = x / np.abs(x).max()
        return u / math.sqrt((u * u).sum()), seen
    return x, seen


def signals(name, losses, every):
    """What each step shows the balancer: losses where it is due to move, None elsewhere."""
    if name != "dwa":
        return [row if i % every == 0 else None for i, row in enumerate(losses)]
    shown = [None] * len(losses)
    for end in range(every - 1, len(losses), every):
        block = losses[end - every + 1 : end + 1].T
        kept = [values[np.isfinite(values)] for values in block]
        shown[end] = np.array([values.sum() / len(values) if len(values) else np.nan for values in kept])
    return shown


def reference(name, losses, mode="raw", every=1, min_weight=None, max_weight=None, **numbers):
    low = -math.inf if min_weight is None else min_weight
    high = math.inf if max_weight is None else max_weight
    formula = REFERENCES[name](losses.shape[1], **numbers)
    w, t, seen, rows = formula.start, 0, [], []
    if name == "fixed":
        w = np.clip(w, low, high)
    for x in signals(name, losses, every):
        if x is not None and np.isfinite(x).all():
            x, seen = scaled(mode, x, seen)
            w = np.clip(formula.move(t, x, w), low, high)
            t += 1
        rows.append(w)
    return np.array(rows)


# ---------------------------------------------------------------- what is compared


@jax.jit
def weights_of(balancer, losses):
    def step(state, row):
        w, state = balancer.update(row, state)
        return state, w

    return jax.lax.scan(step, balancer.init(losses.shape[1]), losses)[1]


def agree(name, losses, **numbers):
    factory = balance.BALANCERS[name]
    if name in ("equal_init", "ema", "equal_init_ema"):
        numbers = {"min_weight": 1e-4, "max_weight": 1e4} | numbers
    got = np.asarray(weights_of(factory(**numbers), jnp.asarray(losses)))
    assert got.dtype == np.float64
    assert np.isfinite(got).all()
    assert (got >= 0).all()
    expected = reference(name, losses, **numbers)
    bound = 1e-12 * expected + 1e-300
    if name == "softadapt" and numbers.get("mode") == "l2":
        bound = bound + cancellation(losses, numbers["every"])[:, None] * expected
    error = np.abs(got - expected)
    at = np.unravel_index(np.argmax(error - bound), got.shape)
    assert error[at] <= bound[at], f"at {at}: {got[at]!r}, expected {expected[at]!r}"
    return got


def cancellation(losses, every):
    """What rounding the norm does to a change smaller than the vector: nobody can be exact below it."""
    rows, last, now = [], None, 0.0
    for x in signals("softadapt", losses, every):
        if x is not None and np.isfinite(x).all():
            x, _ = scaled("l2", x, [])
            now = 0.0 if last is None else 1e-15 / (np.abs(x - last).sum() + 1e-12)
            last = x
        rows.append(now)
    return np.array(rows)


def sequences(m, seed=0, steps=STEPS):
    """Loss sequences [steps, m] by name: ordinary, extreme and broken ones."""
    rng = np.random.default_rng(seed)
    walk = np.exp(np.cumsum(rng.normal(0, 0.3, (steps, m)), axis=0) + rng.normal(0, 3, m))
    wide = 10.0 ** np.clip(np.cumsum(rng.normal(0, 3, (steps, m)), axis=0), -10, 10)
    broken = walk.copy()
    broken[[0, 11, 12, 28, 29], rng.integers(0, m, 5)] = [np.nan, np.inf, -np.inf, np.nan, np.inf]
    broken[14:21] = np.nan
    gaps = wide * np.where(rng.random((steps, m)) < 0.2, 0.0, 1.0)
    return {
        "walk": walk,
        "twenty orders": wide,
        "zeros": np.zeros((steps, m)),
        "sometimes zero": gaps,
        "equal": np.full((steps, m), 0.3),
        "both signs": walk * rng.choice([-1.0, 1.0], (steps, m)),
        "negative": -walk,
        "tiny": walk * 1e-30,
        "huge": walk * 1e29 / walk.max(),
        "from huge to tiny": np.geomspace(1e30, 1e-30, steps)[:, None] * rng.uniform(0.5, 2, (steps, m)),
        "jumps": 10.0 ** rng.choice([-30, -9, 0, 9, 29], (steps, m)) * rng.uniform(0.5, 2, (steps, m)),
        "one jumps": np.where(np.arange(m) == 0, 10.0 ** rng.choice([-30, 0, 29], (steps, 1)), walk),
        "zeros and equal": np.where(rng.random((steps, 1)) < 0.5, 0.0, 0.3) * np.ones(m),
        "not finite": broken,
        "never finite": np.full((steps, m), np.nan),
    }


KINDS = [
    ("relobralo", {"expected_rho": 0.7}),
    ("softadapt", {"variant": "normalized"}),
    ("softadapt", {"variant": "original"}),
    ("softadapt", {"variant": "loss_weighted"}),
    ("dwa", {}),
    ("lbpinns_loss_balancing", {"lr_s": 0.3}),
    ("rlw", {}),
    ("fixed", {"weights": 3.0}),
    ("equal_init", {}),
    ("equal_init", {"normalize": False}),
    ("ema", {}),
    ("equal_init_ema", {}),
    ("equal_init_ema", {"normalize": False}),
]
SUM_TO_M = ("relobralo", "softadapt", "dwa", "rlw")
# One kind of each; what a mode shows is the same for all kinds.
ONE_EACH = list({name: (name, numbers) for name, numbers in reversed(KINDS)}.values())
SCALED = [
    (name, numbers, mode)
    for name, numbers in ONE_EACH
    for mode in ("minmax", "l2")
    if name not in ("rlw", "fixed") and not (mode == "minmax" and name.startswith("equal_init"))
]


def label(value):
    return value if isinstance(value, str) else "-".join(map(str, value.values()))


named = pytest.mark.parametrize(("name", "numbers"), KINDS, ids=label)
in_a_mode = pytest.mark.parametrize(("name", "numbers", "mode"), [(*kind, "raw") for kind in KINDS] + SCALED, ids=label)


@in_a_mode
def test_weights_equal_the_formula_in_every_mode(x64, name, numbers, mode):
    for losses in sequences(4).values():
        for every in (1, 7):
            agree(name, losses, mode=mode, every=every, **numbers)


@pytest.mark.parametrize(("name", "numbers"), ONE_EACH, ids=label)
@pytest.mark.parametrize("m", [1, 50])
def test_weights_equal_the_formula_for_one_and_for_many_losses(x64, name, numbers, m):
    for kind, losses in sequences(m, seed=m).items():
        weights = agree(name, losses, **numbers)
        if name in SUM_TO_M:
            np.testing.assert_allclose(weights.sum(axis=1), m, rtol=1e-12, err_msg=kind)


@pytest.mark.parametrize(("name", "numbers", "mode"), SCALED, ids=label)
@pytest.mark.parametrize("m", [1, 50])
def test_weights_equal_the_formula_in_every_mode_for_one_and_for_many_losses(x64, name, numbers, mode, m):
    shown = sequences(m, seed=m + 1)
    for kind in ("walk", "twenty orders", "zeros", "equal", "both signs", "jumps", "not finite"):
        agree(name, shown[kind], mode=mode, every=7, **numbers)


@named
def test_weights_equal_the_formula_within_clamps(x64, name, numbers):
    for losses in sequences(4, seed=2).values():
        weights = agree(name, losses, min_weight=0.9, max_weight=1.3, every=1, **numbers)
        assert name == "lbpinns_loss_balancing" or (weights >= 0.9).all()
        assert (weights <= 1.3).all()


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("relobralo", {"alpha": 0.3, "tau": 2.0, "expected_rho": 0.5, "seed": 7}),
        ("softadapt", {"beta": -2.0, "variant": "original"}),
        ("softadapt", {"beta": 30.0, "eps": 1e-3}),
        ("dwa", {"temperature": 0.01}),
        ("lbpinns_loss_balancing", {"init_s": [-3.0, 0.0, 2.0, 20.0], "lr_s": 5.0}),
        ("rlw", {"alpha": 0.05, "seed": 0}),
        ("fixed", {"weights": [1.0, 0.0, 3.5, 1e5]}),
        ("equal_init", {"initial_weights": [1.0, 2.0, 30.0, 0.0], "eps": 1e-3}),
        ("ema", {"alpha": 0.2, "beta": 0.6, "initial_weights": [1.0, 2.0, 30.0, 0.0]}),
        ("equal_init_ema", {"alpha": 0.2, "beta": 0.6, "initial_weights": [1.0, 2.0, 30.0, 0.0], "eps": 0.0}),
    ],
)
def test_weights_equal_the_formula_with_other_numbers(x64, name, numbers):
    for losses in sequences(4, seed=3).values():
        agree(name, losses, **numbers)


@pytest.mark.parametrize(("name", "numbers"), KINDS[:5] + KINDS[8:12])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_weights_equal_the_formula_for_adversarial_losses(name, numbers, data):
    value = st.sampled_from([0.0, 1e-30, 1e-9, 1e-8, 0.5, 1.0, 3.7, -2.0, -1e-8, 1e30, -1e30, np.nan, np.inf])
    rows = data.draw(st.lists(st.tuples(value, value, value), min_size=8, max_size=8))
    with jax.enable_x64(True):
        agree(name, np.array(rows), every=data.draw(st.sampled_from([1, 2, 3])), **numbers)


@in_a_mode
def test_float32_weights_are_finite_and_not_negative(name, numbers, mode):
    for kind, losses in sequences(4, seed=5).items():
        got = weights_of(balance.BALANCERS[name](mode=mode, **numbers), jnp.asarray(losses, jnp.float32))
        assert got.dtype == jnp.float32
        assert bool(jnp.all(jnp.isfinite(got))), kind
        assert bool(jnp.all(got >= 0)), kind
        if name in SUM_TO_M:
            np.testing.assert_allclose(got.sum(axis=1), 4, rtol=1e-5, err_msg=kind)


@pytest.mark.parametrize(("name", "numbers"), ONE_EACH, ids=label)
@pytest.mark.parametrize("m", [1, 50])
def test_float32_weights_of_one_and_of_many_losses_are_finite(name, numbers, m):
    for kind, losses in sequences(m, seed=6).items():
        got = weights_of(balance.BALANCERS[name](every=7, **numbers), jnp.asarray(losses, jnp.float32))
        assert bool(jnp.all(jnp.isfinite(got))), kind
        assert bool(jnp.all(got >= 0)), kind


@pytest.mark.parametrize(
    ("name", "numbers"), [kind for kind in KINDS if kind[0] not in ("relobralo", "rlw")], ids=label
)
def test_float32_weights_follow_the_formula(name, numbers):
    """Where a formula is well conditioned: ordinary losses. The draws of the others depend on the precision."""
    losses = sequences(4, seed=7)["walk"]
    clamps = {"min_weight": 1e-4, "max_weight": 1e4} if name in ("equal_init", "ema", "equal_init_ema") else {}
    got = weights_of(balance.BALANCERS[name](**numbers), jnp.asarray(losses, jnp.float32))
    np.testing.assert_allclose(got, reference(name, losses, **clamps, **numbers), rtol=2e-4)


def test_a_long_walk_over_twenty_orders(x64):
    """Long enough for errors of recursions to add up."""
    rng = np.random.default_rng(0)
    losses = 10.0 ** np.clip(np.cumsum(rng.normal(0, 0.7, (1500, 3)), axis=0), -10, 10)
    for name, numbers in ONE_EACH:
        for every in (1, 7):
            agree(name, losses, every=every, mode="raw", **numbers)


def test_l2_holds_where_squares_overflow():
    balancer = balance.ema(alpha=0, beta=0, mode="l2")
    weights, _ = balancer.update(jnp.array([3e30, -4e30], jnp.float32), balancer.init(2))
    np.testing.assert_allclose(weights, [1 / 0.6, 1 / 0.8], rtol=1e-5)


def test_equal_init_gives_the_published_weights(x64):
    losses = np.array([[1.234e-3, 5.678e-2, 2.345e-3, 1.234e-1]])
    plain = agree("equal_init", losses, normalize=False)[0]
    np.testing.assert_allclose(plain, [810.37, 17.61, 426.44, 8.104], rtol=1e-3 / 2)
    normalised = agree("equal_init", losses)[0]
    np.testing.assert_allclose(normalised, [2.567, 0.0558, 1.351, 0.0257], rtol=1e-3)
    np.testing.assert_allclose(normalised.sum(), 4, rtol=1e-14)
    np.testing.assert_allclose((plain * losses).sum(), 4, rtol=1e-4)


@pytest.mark.parametrize("losses", [[1.0, 0.0, 1e-9, 5.0], [1e30, 1e-30, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
def test_equal_init_keeps_the_mean_of_the_initial_weights(x64, losses):
    balancer = balance.equal_init([1.0, 2.0, 3.0, 6.0], min_weight=None, max_weight=None)
    weights, _ = balancer.update(jnp.array(losses), balancer.init(4))
    np.testing.assert_allclose(weights.sum(), 12, rtol=1e-12)


def test_dwa_with_blocks_compares_means(x64):
    """Written out by hand: blocks of two, with a value that is left out."""
    losses = np.array([[2.0, 4.0], [4.0, 4.0], [6.0, np.nan], [np.nan, 1.0], [1.0, 1.0]])
    balancer = balance.dwa(temperature=1.0, every=2)
    weights = np.asarray(weights_of(balancer, jnp.asarray(losses)))
    assert (weights[:3] == 1).all()
    a, b = math.exp(6 / 3), math.exp(1 / 4)
    np.testing.assert_allclose(weights[3], [2 * a / (a + b), 2 * b / (a + b)], rtol=1e-14)
    assert (weights[4] == weights[3]).all()


def test_relobralo_and_rlw_draw_again_at_each_move_and_never_between(x64):
    balancer, losses = balance.rlw(every=3), np.ones((7, 3))
    losses[3, 1] = np.nan
    weights = np.asarray(weights_of(balancer, jnp.asarray(losses)))
    assert len(np.unique(weights[:6], axis=0)) == 1
    key = jax.random.fold_in(jax.random.key(42), 1)
    np.testing.assert_allclose(weights[6], 3 * jax.random.dirichlet(key, np.ones(3)), rtol=1e-14)
