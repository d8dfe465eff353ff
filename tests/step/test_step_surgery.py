"""Surgery in the step: what it gets, what the optimizer gets, what is kept."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn


def descent():
    """Hands the gradient on as the update, and keeps it for looking at."""

    def update(updates, state, params=None):
        return jax.tree.map(jnp.zeros_like, updates), updates

    return optax.GradientTransformation(lambda params: jax.tree.map(jnp.zeros_like, params), update)


def flat(tree):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


ENTRIES = [lambda r, bc, ic: 3.0 * r.mse, lambda r, bc, ic: bc, lambda r, bc, ic: 0.5 * ic + 0.1 * r.mse]
KNOWN = []
"""The gradient of each, computed once: three compilations."""


def gradients_of_entries(burgers):
    for k in range(len(KNOWN), 3):
        _, _, r, bc, ic = burgers(tx=descent())
        alone = pn.core([float(j == k) * entry(r, bc, ic) for j, entry in enumerate(ENTRIES)])
        alone.solve(1)
        KNOWN.append(alone.state.optimizers[0])
    return KNOWN


@pytest.mark.parametrize(("name", "microbatch"), [("config", None), ("config", 9), ("pcgrad", None), ("dcgd", None)])
def test_the_optimizer_gets_the_direction_of_weighted_entries(x64, burgers, name, microbatch):
    """Against the same surgery on the gradients of each entry, the others times zero."""
    gradients = gradients_of_entries(burgers)
    surgery = pn.surgery.pcgrad(seed=3) if name == "pcgrad" else getattr(pn.surgery, name)()
    expected, _ = surgery.update(gradients, surgery.init(3))

    _, _, r, bc, ic = burgers(tx=descent())
    crux = pn.core([entry(r, bc, ic) for entry in ENTRIES], surgery=surgery, microbatch=microbatch)
    crux.solve(1)
    np.testing.assert_allclose(flat(crux.state.optimizers[0]), flat(expected), rtol=1e-9, atol=1e-14)
    assert np.linalg.norm(flat(expected) - sum(map(flat, gradients))) > 1e-3 * np.linalg.norm(flat(expected))


def test_weights_of_balancers_are_applied_before(x64, burgers):
    """With one entry at ten thousand times its weight, a conflict-free direction has another length but not another
    direction: ConFIG uses directions, and the sum of what each gains for the length."""
    directions = []
    for weights in ([1.0, 1.0], [1e4, 1.0]):
        _, _, r, bc, _ = burgers(tx=descent())
        a, b = pn.fn.adaptive.fixed([r.mse, bc], weights)
        crux = pn.core([a * r.mse, b * bc], surgery=pn.surgery.config())
        crux.solve(1)
        directions.append(flat(crux.state.optimizers[0]))
    lengths = [np.linalg.norm(direction) for direction in directions]
    np.testing.assert_allclose(directions[0] / lengths[0], directions[1] / lengths[1], rtol=1e-6, atol=1e-9)
    assert lengths[1] > 10 * lengths[0]


def test_several_fields_are_one_vector(x64):
    """Conflicts are those of all parameters together, whoever trains them, and what is frozen has no part in it."""
    x = pn.domain.interval(0, 1).variable("interior", 16)
    p, q = pn.parameter(1.0, name="p").optimizer(descent()), pn.parameter(-2.0, name="q").optimizer(descent())
    net = pn.nn(eqx.nn.MLP(1, "scalar", 3, 1, key=jax.random.key(0))).freeze()
    first, second = (p * x + q * x**2 - net(x)).mse, (p * x + q * x**2 + 5).mse
    crux = pn.core([first, second], surgery=pn.surgery.pcgrad())
    grads = []
    for loss in (first, second):
        alone = pn.core([loss])
        alone.solve(1)
        grads.append(flat(alone.state.optimizers))
    crux.solve(1)
    a, b = grads
    assert a @ b < 0
    expected = a - a @ b / (b @ b) * b + b - a @ b / (a @ a) * a
    np.testing.assert_allclose(flat(crux.state.optimizers), expected, rtol=1e-9)


def test_losses_balancers_and_trackers_are_as_without(x64, burgers):
    """The first row: surgery changes where the step goes, and nothing that is logged before it."""
    rows = []
    for surgery in (None, pn.surgery.config()):
        _, _, r, bc, ic = burgers()
        losses = [r.mse.named("pde"), bc, ic]
        weights = pn.fn.adaptive.grad_norm(losses)
        entries = [w * loss for w, loss in zip(weights, losses, strict=True)]
        crux = pn.core([*entries, weights[0].tracker(), r.mean.tracker("mean")], surgery=surgery)
        rows.append(crux.solve(2).history)
    for name in rows[0]:
        assert rows[1][name][0] == pytest.approx(rows[0][name][0], rel=1e-12)
    assert rows[1]["total"][1] != rows[0]["total"][1]


def test_the_order_of_pcgrad_goes_on_after_loading(x64, burgers, again):
    _, _, r, bc, ic = burgers()
    again(pn.core([r.mse.named("pde"), bc, ic], surgery=pn.surgery.pcgrad(seed=5)))


class Drawn(eqx.Module):
    """Adds the gradients up, and keeps a number drawn from the key."""

    reads = frozenset({"key"})

    def init(self, m):
        return jnp.zeros(())

    def update(self, gradients, state, *, key=None):
        return jax.tree.map(lambda *parts: sum(parts), *gradients), jax.random.uniform(key)


def test_surgery_has_a_key_of_its_own_at_each_step(x64, burgers):
    seen = []
    for key in (0, 0, 1):
        _, _, r, bc, _ = burgers()
        w, v = pn.fn.adaptive.rlw([r.mse, bc])
        crux = pn.core([w * r.mse, v * bc], surgery=Drawn(), key=key)
        seen.append([float((crux.solve(1), crux.state.surgery)[1]) for _ in range(4)])
    assert seen[0] == seen[1] and len({*seen[0], *seen[2]}) == 8
