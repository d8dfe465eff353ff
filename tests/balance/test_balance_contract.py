"""Balancers of a user's own, and what the shared rules do with gradients and residuals."""

import doctest
import importlib
import pkgutil

import jax
import jax.numpy as jnp
import pytest

from pinnace import balance
from pinnace._errors import BalanceError

READS = {"grad_norm": {"grads"}, "lra": {"grads"}, "gradnorm": {"grads"}, "ntk": {"traces"}}


class Inverse:
    """The smallest balancer: no base class, no signals."""

    def init(self, m):
        return jnp.ones(m)

    def update(self, losses, state):
        return 1 / losses, state


class GradientNorms(balance.LossBalancer):
    """A balancer of gradients in a page: the formula sees one pytree a loss."""

    reads = frozenset({"grads"})

    def move(self, now, memory):
        return jnp.stack([jnp.linalg.norm(tree) for tree in now.grads]), memory


class Sampled(balance.LossBalancer):
    reads = frozenset({"step", "key", "residuals"})

    def move(self, now, memory):
        return now.step + jax.random.uniform(now.key, now.losses.shape) * now.residuals["pde"].mean(), memory


def test_anything_with_init_and_update_is_a_balancer():
    assert isinstance(Inverse(), balance.Balancer)
    assert balance.reads_of(Inverse()) == frozenset()
    for name, factory in balance.BALANCERS.items():
        balancer = factory(1.0) if name == "fixed" else factory()
        assert isinstance(balancer, balance.Balancer)
        assert balance.reads_of(balancer) == READS.get(name, frozenset())
    assert balance.reads_of(GradientNorms()) == {"grads"}


def test_what_is_no_balancer():
    with pytest.raises(BalanceError, match=r"not a balancer.*relobralo"):
        balance.reads_of(jnp.ones(2))  # pyright: ignore[reportArgumentType]

    class Misspelt(Inverse):
        reads = frozenset({"grad"})

    with pytest.raises(BalanceError, match=r'reads "grad".*Did you mean "grads"'):
        balance.reads_of(Misspelt())


def test_signals_that_are_read_and_not_given():
    balancer = GradientNorms()
    with pytest.raises(BalanceError, match=r'reads "grads".*update\(losses, state, grads=...\)'):
        balancer.update([1.0, 1.0], balancer.init(2))


def test_a_balancer_that_reads_gradients_stands_where_they_are_not_finite():
    balancer = GradientNorms(every=2, max_weight=10.0)
    state, seen = balancer.init(2), []
    assert bool(balancer.due(state))
    bad = jnp.array([[jnp.nan, 0.0], [1.0, 0.0]])
    for grads in (bad, jnp.ones((2, 2)), jnp.array([[3.0, 4.0], [30.0, 40.0]]), bad, bad):
        weights, state = balancer.update([1.0, 1.0], state, grads=grads)
        seen.append(weights.tolist())
    assert seen == [[1.0, 1.0], [1.0, 1.0], [5.0, 10.0], [5.0, 10.0], [5.0, 10.0]]
    assert not bool(balancer.due(state))
    assert int(state.moves) == 1


class Counting(balance.LossBalancer):
    reads = frozenset({"residuals"})

    def move(self, now, memory):
        return jnp.full_like(now.losses, now.t), memory


def test_signals_count_even_where_the_weights_do_not_show_them():
    balancer = Counting()
    state = balancer.init(1)
    for value in (jnp.nan, 1.0, jnp.inf, 1.0):
        weights, state = balancer.update([1.0], state, residuals={"pde": jnp.array([1.0, value])})
    assert int(state.moves) == 2
    assert weights.tolist() == [1.0]


class Quotients(balance.LossBalancer):
    """Ordinary weights from a memory that 0 / 0 would spoil for ever; what was not seen yet is infinite."""

    def memory_before(self, m, dtype):
        return jnp.full(m, jnp.inf, dtype), jnp.zeros(m, dtype)

    def move(self, now, memory):
        return 1 / (1 + now.losses), (jnp.minimum(memory[0], 5.0), now.losses / jnp.max(now.losses))


def test_a_memory_that_would_be_no_number_is_not_kept():
    balancer = Quotients()
    state, seen = balancer.init(2), []
    for losses in ([1.0, 3.0], [0.0, 0.0], [3.0, 1.0]):
        weights, state = jax.jit(balancer.update)(jnp.array(losses), state)
        seen.append(weights.tolist())
    assert seen == [[0.5, 0.25], [0.5, 0.25], [0.25, 0.5]]
    assert int(state.moves) == 2 and state.memory[1].tolist() == pytest.approx([1, 1 / 3])


class Shown(balance.LossBalancer):
    def move(self, now, memory):
        return now.losses, memory


@pytest.mark.parametrize("largest", [3e38, 1.0, 1e-37])
def test_the_largest_losses_that_there_are_have_the_length_one(largest):
    balancer = Shown(mode="l2")
    weights, _ = jax.jit(balancer.update)(largest * jnp.array([0.6, 0.8], jnp.float32), balancer.init(2))
    assert weights.tolist() == pytest.approx([0.6, 0.8])


def test_signals_that_are_not_read_change_nothing():
    balancer = balance.ema()
    plain, state = balancer.update([1.0, 2.0], balancer.init(2))
    with_nan, other = balancer.update([1.0, 2.0], balancer.init(2), grads=jnp.nan, residuals=jnp.nan, step=3)
    assert plain.tolist() == with_nan.tolist()
    assert jax.tree.all(jax.tree.map(jnp.array_equal, state, other))


def test_all_signals_reach_a_formula_that_reads_them():
    balancer, key = Sampled(), jax.random.key(3)
    given = {"step": jnp.array(5), "key": key, "residuals": {"pde": jnp.array([1.0, 3.0])}}
    weights, state = jax.jit(balancer.update)(jnp.ones(2), balancer.init(2), **given)
    assert weights.tolist() == pytest.approx((5 + 2 * jax.random.uniform(key, (2,))).tolist())
    given["residuals"] = {"pde": jnp.array([1.0, jnp.inf])}
    assert int(balancer.update(jnp.ones(2), state, **given)[1].moves) == 1


def test_gradients_through_the_signals_are_zero():
    balancer = GradientNorms()

    def total(grads):
        return balancer.update(jnp.ones(2), balancer.init(2), grads=grads)[0].sum()

    assert not jax.grad(total)(jnp.ones((2, 3))).any()


def test_a_balancer_of_ones_own_has_checked_rules():
    with pytest.raises(BalanceError, match=r'GradientNorms got mode = "min-max".*"minmax"'):
        GradientNorms(mode="min-max")
    with pytest.raises(BalanceError, match="every = 0"):
        GradientNorms(every=0)


@pytest.mark.parametrize("module", ["", *(f".{info.name}" for info in pkgutil.iter_modules(balance.__path__))])
def test_the_examples_in_the_documentation_run(module):
    result = doctest.testmod(importlib.import_module(f"pinnace.balance{module}"))
    assert result.failed == 0


def test_every_public_factory_has_an_example():
    for factory in balance.BALANCERS.values():
        assert ">>> " in (factory.__doc__ or "")
