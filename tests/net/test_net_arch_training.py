"""The architectures in problems: derivatives by rules, what is not trained, every option of `core`."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace import arch
from pinnace.lower.interpret import propagate
from pinnace.lower.jet import Jet
from pinnace.lower.rules import nested
from pinnace.lower.terms import MultiIndex

KEY = jax.random.key(2)
MAKE = {
    "fourier": lambda dtype: arch.FourierFeatures(2, "scalar", 6, 2, scales=[1.0, 2.0], key=KEY, dtype=dtype),
    "modified": lambda dtype: arch.ModifiedMLP(2, "scalar", 6, 2, key=KEY, dtype=dtype),
    "pirate": lambda dtype: awake(arch.PirateNet(2, "scalar", 6, 2, key=KEY, dtype=dtype)),
    "siren": lambda dtype: arch.Siren(2, "scalar", 6, 2, omega0=5.0, key=KEY, dtype=dtype),
    "factorized": lambda dtype: arch.weight_factorized(
        eqx.nn.MLP(2, "scalar", 6, 2, jnp.tanh, dtype=dtype, key=KEY), key=KEY
    ),
}


def awake(net):
    return eqx.tree_at(lambda net: [block.alpha for block in net.blocks], net, replace_fn=lambda alpha: alpha + 0.4)


@pytest.mark.parametrize("name", MAKE)
def test_derivatives_go_by_rules_in_either_precision(name, x64, monkeypatch):
    x, t, xx, xt = (MultiIndex(counts) for counts in ((1, 0), (0, 1), (2, 0), (1, 1)))

    def both(net, point):
        rows = jnp.eye(2, dtype=point.dtype)
        (found,) = propagate(net, [Jet(point, {x: rows[0], t: rows[1]})], [x, t, xx, xt])
        slope, second = jax.grad(net)(point), jax.hessian(net)(point)
        expected = {x: slope[0], t: slope[1], xx: second[0, 0], xt: second[0, 1]}
        return [found.parts[term] for term in expected], list(expected.values())

    def fallback(*_):
        raise AssertionError("a primitive without a rule")

    monkeypatch.setattr(nested, "rule", fallback)
    ours, theirs = eqx.filter_jit(both)(MAKE[name](jnp.float64), jnp.array([0.3, -0.2]))
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
    ours, theirs = eqx.filter_eval_shape(both, MAKE[name](jnp.float32), jnp.array([0.3, -0.2], jnp.float32))
    assert {one.dtype for one in ours} == {jnp.dtype(jnp.float32)}


def problem(**options):
    x, t = pn.domain.interval(-1, 1).time(0, 1).variable("interior", 23)
    module = arch.FourierFeatures(2, "scalar", 6, 1, scales=[1.0, 2.0], key=KEY)
    first = pn.nn(arch.weight_factorized(module, key=KEY), name="u")
    second = pn.nn(awake(arch.PirateNet(2, "scalar", 6, 1, key=KEY)), name="v")
    pn.optimizer([first, second], optax.adamw(1e-2, weight_decay=0.5))
    u, v = first(x, t), second(x, t)
    return first, second, pn.core([(u.d(t) + v * u.dd(x)).mse.named("pde")], **options)


def test_parts_and_recomputation_change_nothing_and_frequencies_stay(x64):
    first, second, whole = problem()
    fixed = [first.module.embeddings, second.module.embedding]
    before = jax.tree.map(np.asarray, eqx.filter(fixed, eqx.is_array))
    layers = first.module.hidden[0].weight
    whole.solve(4)
    after = eqx.filter([first.module.embeddings, second.module.embedding], eqx.is_array)
    jax.tree.map(np.testing.assert_array_equal, before, after)
    assert np.all(first.module.hidden[0].weight != layers)
    _, _, parts = problem(microbatch=5, remat=True)
    parts.solve(4)
    np.testing.assert_allclose(parts.history["pde"], whole.history["pde"], rtol=1e-10)
    for ours, theirs in zip(jax.tree.leaves(parts.state.params), jax.tree.leaves(whole.state.params), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_what_is_untrained_has_no_gradient_and_no_optimizer():
    net = arch.FourierFeatures(2, "scalar", 6, 1, key=KEY)
    gradient = eqx.filter_grad(lambda net: net(jnp.array([0.3, 0.2])))(net)
    assert not np.any(gradient.embeddings[0].phases.array) and np.any(gradient.hidden[0].weight)
    field = pn.nn(net).optimizer(optax.adam(1e-3), filter=True)
    mask = field.mask()
    assert mask.embeddings[0].phases.array is False and mask.hidden[0].weight is True
    assert field.freeze(False).mask().embeddings[0].phases.array is False

    class Scaled(eqx.Module):
        factor: arch.Untrained
        weight: jax.Array

        def __call__(self, point):
            return self.factor.value * jnp.sum(self.weight * point)

    own = pn.nn(Scaled(arch.Untrained(jnp.array(2.0)), jnp.ones(2)))
    assert jax.tree.leaves(own.mask()) == [False, True]


def test_a_factorized_separable_network_goes_axis_by_axis(x64):
    x, y = pn.domain.rectangle((0, 1), (0, 1)).variable("interior", 12, sampler="grid")
    plain = arch.Separable(2, "scalar", 2, 4, 1, key=KEY, dtype=float)
    first, second = pn.nn(plain, name="u"), pn.nn(arch.weight_factorized(plain, key=KEY), name="v")
    pn.optimizer([first, second], optax.sgd(0.0))
    assert second(x, y).data[2] == "separable"
    crux = pn.core([(first(x, y).dd(x) + 1).mse.named("u"), (second(x, y).dd(x) + 1).mse.named("v")])
    history = crux.solve(1).history
    assert history["v"][0] == pytest.approx(history["u"][0], rel=1e-12)
