"""What is attached to what is trained."""

import equinox as eqx
import jax
import numpy as np
import optax
import pytest

import pinnace as pn


@pytest.fixture
def net():
    return pn.nn(eqx.nn.MLP(1, "scalar", 4, 1, key=jax.random.key(0)))


def test_masks_join_the_filter_and_what_is_frozen(net):
    arrays = jax.tree.leaves(eqx.filter(net.module, eqx.is_inexact_array))
    assert sum(jax.tree.leaves(net.mask())) == len(arrays) == 4
    net.optimizer(optax.sgd(1.0), filter=lambda leaf: eqx.is_array(leaf) and leaf.ndim == 2)
    assert sum(jax.tree.leaves(net.mask())) == 2
    net.freeze(eqx.tree_at(lambda m: m.layers[0].weight, jax.tree.map(lambda _: False, net.module), True))
    assert sum(jax.tree.leaves(net.mask())) == 1
    net.freeze(False)
    assert sum(jax.tree.leaves(net.mask())) == 2
    net.freeze()
    assert sum(jax.tree.leaves(net.mask())) == 0


def test_a_filter_of_another_structure_is_told(net):
    with pytest.raises(pn.PinnaceError, match="another structure"):
        net.optimizer(optax.sgd(1.0), filter=[True, False])


def test_a_group_trains_as_one_vector(x64):
    a, b = pn.parameter(3.0, name="a"), pn.parameter(4.0, name="b")
    group = pn.optimizer([a, b], optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(1.0))).scale(0.5)
    run = pn.core([(a**2 + b**2) / 2]).solve(2)
    assert float(a.value) == pytest.approx(3 * (1 - 0.5 / 5) - 0.5 * 0.6)
    assert float(b.value) == pytest.approx(4 * (1 - 0.5 / 5) - 0.5 * 0.8)
    np.testing.assert_array_equal(run.history["lr(a)"], run.history["lr(b)"])
    group.scale(0.0)
    a.optimizer(optax.sgd(0.1))  # leaves the group
    crux = pn.core([a + b])
    before = float(b.value)
    crux.solve(1)
    assert float(b.value) == before and float(a.value) == pytest.approx(3 * 0.9 - 0.3 - 0.1)


@pytest.mark.parametrize("members", [[], None, "u", [1.0]])
def test_a_group_is_a_list_of_what_can_be_trained(members):
    with pytest.raises(pn.PinnaceError, match="networks"):
        pn.optimizer(members, optax.sgd(1.0))


def test_masked_transformations_see_the_structure_of_the_module(net):
    """Optax's own masks are trees like the module, so one field is given as itself and not as a list of one."""
    mask = jax.tree.map(lambda leaf: leaf.ndim == 2, eqx.filter(net.module, eqx.is_inexact_array))
    net.optimizer(optax.chain(optax.masked(optax.set_to_zero(), mask), optax.sgd(0.1)))
    x = pn.domain.interval(0, 1).variable("interior", 8)
    before = net.module
    pn.core([net(x).mse]).solve(1)
    assert np.array_equal(before.layers[1].weight, net.module.layers[1].weight)
    assert not np.array_equal(before.layers[1].bias, net.module.layers[1].bias)
