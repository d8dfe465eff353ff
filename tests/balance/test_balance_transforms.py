"""Balancers are pure: the same under jit, scan, vmap and in every face; other numbers compile nothing."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from pinnace import balance

CLAMPS = {"min_weight": 0.01, "max_weight": 100.0}
EXAMPLES = {
    "relobralo": {"expected_rho": 0.5},
    "softadapt": {},
    "dwa": {"every": 2},
    "lbpinns_loss_balancing": {"init_s": 0.5, "lr_s": 0.1},
    "rlw": {},
    "fixed": {"weights": 2.0},
    "equal_init": {},
    "ema": {},
    "equal_init_ema": {},
    "grad_norm": {"every": 1},
    "lra": {"every": 1, "reference": 1},
    "ntk": {"every": 1},
    "gradnorm": {},
}
each = pytest.mark.parametrize("name", list(balance.BALANCERS))


def example(name, **numbers):
    return balance.by_name(name, **(EXAMPLES[name] | numbers))


def update(balancer, losses, state):
    """One update with whatever the balancer reads, made up from the losses."""
    named, values = isinstance(losses, dict), losses.values() if isinstance(losses, dict) else list(losses)
    grads = [{"w": jnp.stack([loss * 1.0, loss * -2.0]), "b": None, "c": jnp.asarray(0.5)} for loss in values]
    traces = [jnp.asarray(loss) ** 2 + 1.0 for loss in values]
    made = {"grads": grads, "traces": traces}
    signals = {name: dict(zip(losses, made[name], strict=True)) if named else made[name] for name in balancer.reads}
    return balancer.update(losses, state, **signals)


def loss_rows(steps=6, m=3, seed=0):
    rows = np.exp(np.random.default_rng(seed).normal(0, 1, (steps, m)))
    rows[3, 0] = np.nan
    return jnp.asarray(rows)


def eagerly(balancer, rows):
    state, weights = balancer.init(rows.shape[1]), []
    for row in rows:
        w, state = update(balancer, row, state)
        weights.append(w)
    return jnp.stack(weights), state


@jax.jit
def scanned(balancer, rows):
    def step(state, row):
        w, state = update(balancer, row, state)
        return state, w

    state, weights = jax.lax.scan(step, balancer.init(rows.shape[1]), rows)
    return weights, state


def assert_same(got, expected, rtol=1e-12):
    assert jax.tree.structure(got) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol)


def test_every_balancer_has_an_example_here():
    assert set(EXAMPLES) == set(balance.BALANCERS)


@each
def test_jit_and_scan_equal_eager(x64, name):
    balancer, rows = example(name, mode="l2" if name.startswith("equal_init") else "minmax"), loss_rows()
    assert_same(scanned(balancer, rows), eagerly(balancer, rows))


@pytest.mark.parametrize("name", ["relobralo", "equal_init_ema"])
def test_numbers_that_the_compiler_knows_give_the_same(x64, name):
    balancer, rows = example(name, **CLAMPS), loss_rows()
    assert_same(jax.jit(lambda rows: scanned(balancer, rows))(rows), eagerly(balancer, rows))


@each
def test_vmap_over_problems_equals_each_alone(x64, name):
    balancer = example(name)
    batch = jnp.stack([loss_rows(seed=seed) for seed in range(3)])
    together = jax.vmap(lambda rows: scanned(balancer, rows))(batch)
    for i, rows in enumerate(batch):
        assert_same(jax.tree.map(lambda leaf, i=i: leaf[i], together), scanned(balancer, rows))


def test_vmap_over_numbers_of_a_balancer(x64):
    taus, rows = jnp.array([0.1, 1.0, 10.0]), loss_rows()
    together = jax.vmap(lambda tau: scanned(balance.relobralo(tau=tau), rows)[0])(taus)
    for tau, weights in zip((0.1, 1.0, 10.0), together, strict=True):
        assert_same(weights, scanned(balance.relobralo(tau=tau), rows)[0])


@pytest.mark.parametrize(("name", "numbers"), [*((name, {}) for name in EXAMPLES), ("dwa", CLAMPS)])
def test_other_numbers_compile_nothing(name, numbers):
    traces = []

    @jax.jit
    def jitted(balancer, losses, state):
        traces.append(name)
        return update(balancer, losses, state)

    first = example(name, **numbers)
    others = {leaf: value / 2 for leaf, value in vars(first).items() if type(value) is float}
    others |= {leaf: value + 1 for leaf, value in vars(first).items() if type(value) is int}
    second = balance.by_name(name, **others)
    assert set(others) >= {"every"}
    state, weights = first.init(3), []
    for balancer in (first, second):
        for losses in (jnp.ones(3), jnp.array([1.0, 2.0, 3.0])):
            w, state = jitted(balancer, losses, state)
            weights.append(w)
    assert len(traces) == 1


def test_numbers_given_as_arguments_are_used(x64):
    """A balancer that read its numbers while tracing would repeat the first answer."""
    jitted = jax.jit(lambda balancer, losses, state: balancer.update(losses, state)[0])
    for weights in (1.0, 2.0):
        balancer = balance.fixed(weights)
        assert jitted(balancer, jnp.ones(2), balancer.init(2)).tolist() == [weights, weights]
    for seed in (1, 2):
        balancer = balance.rlw(seed=seed)
        expected, _ = balancer.update(jnp.ones(2), balancer.init(2))
        assert_same(jitted(balancer, jnp.ones(2), balancer.init(2)), expected)


@each
@pytest.mark.parametrize("wide", [False, True])
def test_the_state_keeps_shapes_and_dtypes(name, wide):
    with jax.enable_x64(wide):
        for dtype in [None, jnp.float32, jnp.float64][: 3 if wide else 2]:
            balancer = example(name, mode="l2")
            state = balancer.init(3, dtype=dtype)
            assert state.weights.dtype == (dtype or jnp.result_type(float))
            avals = jax.tree.map(jax.typeof, state)
            for losses in (jnp.ones(3, jnp.float32), [1.0, 2.0, 3.0], jnp.ones(3, jnp.bfloat16)):
                _, after = jax.eval_shape(partial(update, balancer), losses, state)
                shapes = jax.tree.map(lambda a: (a.shape, a.dtype, a.weak_type), after)
                assert shapes == jax.tree.map(lambda a: (a.shape, a.dtype, False), avals)
            _, after = update(balancer, [1.0, 2.0, 3.0], state)
            assert jax.tree.map(jax.typeof, after) == avals


@pytest.mark.parametrize(
    "name", ["relobralo", "softadapt", "dwa", "lbpinns_loss_balancing", "rlw", "ema", "lra", "gradnorm"]
)
def test_the_state_keeps_its_dtype_where_the_numbers_are_arrays_of_another(x64, name):
    numbers, kinds = eqx.partition(example(name), lambda leaf: isinstance(leaf, float))
    balancer = eqx.combine(jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), numbers), kinds)
    state = balancer.init(2, dtype=jnp.float32)
    _, after = jax.eval_shape(partial(update, balancer), jnp.ones(2), state)
    assert jax.tree.map(lambda a: a.dtype, after) == jax.tree.map(lambda a: a.dtype, state)


@each
def test_weights_come_in_the_dtype_of_the_losses(x64, name):
    balancer = example(name)
    for dtype in (jnp.float32, jnp.float64, jnp.bfloat16):
        weights, state = update(balancer, jnp.ones(2, dtype), balancer.init(2))
        assert weights.dtype == dtype
        assert state.weights.dtype == jnp.float64
    assert update(balancer, [1, 2], balancer.init(2))[0].dtype == jnp.float64


@each
def test_a_dict_and_a_sequence_give_the_weights_of_the_vector(x64, name):
    balancer, rows = example(name), loss_rows()
    # The reference of lra among named losses is named: ic is the second of the sorted names.
    named = example(name, reference="ic") if name == "lra" else balancer
    state = named.init({"pde": 0.0, "bc": 0.0, "ic": 0.0})
    vector_state = sequence_state = balancer.init(3)
    eager = partial(update, named)
    jitted = jax.jit(eager)
    for i, (pde, bc, ic) in enumerate(rows):
        losses = {"pde": pde, "bc": bc, "ic": ic}
        # Eager and compiled calls alternate: a dict has another order inside jit.
        weights, state = (eager if i % 2 else jitted)(losses, state)
        vector, vector_state = update(balancer, jnp.stack([bc, ic, pde]), vector_state)
        sequence, sequence_state = update(balancer, (bc, ic, pde), sequence_state)
        assert set(weights) == {"pde", "bc", "ic"}
        assert_same(jnp.stack([weights[k] for k in ("bc", "ic", "pde")]), vector)
        assert_same(sequence, vector)


def test_a_dict_keeps_its_order_and_its_numbers_by_name():
    balancer = balance.fixed({"pde": 1.0, "bc": 100.0})
    losses = {"pde": jnp.array(0.5), "bc": jnp.array(2.0)}
    for update in (balancer.update, jax.jit(balancer.update)):
        weights, _ = update(losses, balancer.init(losses))
        assert {name: float(w) for name, w in weights.items()} == {"pde": 1.0, "bc": 100.0}
    assert list(balancer.update(losses, balancer.init(losses))[0]) == ["pde", "bc"]


@each
def test_weights_are_constants_for_differentiation(name):
    balancer = example(name)
    _, state = update(balancer, jnp.array([1.0, 2.0]), balancer.init(2))

    def total(losses):
        weights, _ = update(balancer, losses, state)
        return jnp.sum(weights * losses)

    losses = jnp.array([0.5, 0.1])
    np.testing.assert_array_equal(jax.grad(total)(losses), update(balancer, losses, state)[0])


@each
def test_no_step_makes_a_nan_that_debugging_would_stop_at(name):
    with jax.debug_nans(True):
        for losses in (jnp.zeros(3), jnp.array([1.0, 1e30, 0.0]), jnp.array([jnp.inf, 1.0, 2.0])):
            for mode in ("raw", "l2"):
                balancer = example(name, mode=mode)
                state = balancer.init(3)
                for _ in range(2):
                    _, state = update(balancer, losses, state)


@each
def test_the_call_counter_goes_on_where_the_moves_stand(name):
    balancer = example(name, every=2)
    state = balancer.init(2)
    for losses in ([1.0, 1.0], [jnp.nan, 1.0], [jnp.nan, 1.0], [jnp.nan, 1.0], [1.0, 1.0], [1.0, 1.0]):
        _, state = update(balancer, losses, state)
    assert int(state.calls) == 6
    # dwa: the blocks end at calls 1, 3, 5, and the one of calls 2 and 3 has no finite value.
    assert int(state.moves) == 2


def residual(params, x):
    return params["a"] * jnp.sin(params["b"] * x) - x


@jax.jit
def train(balancer, params):
    """A user's own loop in one scan: two losses, one balancer, gradients only where they are due."""
    points, tx = {"in": jnp.linspace(0, 1, 9), "end": jnp.array([1.0])}, optax.sgd(1e-2)

    def loss(name, params):
        return jnp.mean(jax.vmap(residual, (None, 0))(params, points[name]) ** 2)

    def measured(params):
        return {
            "grads": {name: jax.grad(partial(loss, name))(params) for name in points},
            "traces": {name: balance.ntk_trace(residual, params, points[name]) for name in points},
        }

    def step(carry, _):
        params, moments, state = carry
        raw = {name: loss(name, params) for name in points}
        nothing = jax.tree.map(jnp.zeros_like, jax.eval_shape(measured, params))
        signals = jax.lax.cond(balancer.due(state), lambda: measured(params), lambda: nothing)
        weights, state = balancer.update(raw, state, **{name: signals[name] for name in balancer.reads})
        grads = jax.grad(lambda params: sum(weights[name] * loss(name, params) for name in points))(params)
        updates, moments = tx.update(grads, moments)
        return (optax.apply_updates(params, updates), moments, state), (weights, raw)

    start = (params, tx.init(params), balancer.init(points))
    return jax.lax.scan(step, start, None, length=12)


@each
def test_a_loop_of_ones_own_under_vmap_over_four_networks(x64, name):
    balancer = example(name, every=3, **({"reference": "in"} if name == "lra" else {}))
    params = {"a": jnp.array([0.5, 1.0, 3.0, -2.0]), "b": jnp.array([1.0, 0.1, 2.0, 0.7])}
    together = jax.vmap(train, in_axes=(None, 0))(balancer, params)
    for i in range(4):
        alone = train(balancer, jax.tree.map(lambda leaf, i=i: leaf[i], params))
        assert_same(jax.tree.map(lambda leaf, i=i: leaf[i], together), alone, rtol=1e-10)
    weights = together[1][0]["end"]
    assert bool(jnp.isfinite(weights).all())
    if name not in ("fixed", "equal_init"):
        assert int((jnp.diff(weights[0]) != 0).sum()) >= 2
