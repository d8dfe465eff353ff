"""The state in a file."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace._errors import CheckpointError


def problem(weight=1.0, width=8):
    x = pn.domain.interval(0, 1).variable("interior", 16, resample=4)
    net = pn.nn(eqx.nn.MLP(1, "scalar", width, 1, jnp.tanh, key=jax.random.key(0)))
    net.optimizer(optax.adam(1)).scale(pn.fn.adaptive.dlrs(lr0=1e-2, window=3))
    u = net(x)
    ode, start = (u.d(x) + weight * u).mse.named("ode"), ((u.at({x: 0.0}) - 1) ** 2).named("start")
    w_ode, w_start = pn.fn.adaptive.relobralo([ode, start], expected_rho=0.5)
    return pn.core([w_ode * ode, w_start * start, w_ode.tracker()], key=3), net


def test_a_resumed_run_is_bit_equal(tmp_path):
    whole, net = problem()
    whole.solve(23)
    part, _ = problem()
    part.solve(11)
    part.save(tmp_path / "state.npz")
    resumed, again = problem()
    resumed.solve(2)
    resumed.load(tmp_path / "state.npz").solve(12)
    assert list(resumed.history) == list(whole.history)
    for name in whole.history:
        np.testing.assert_array_equal(resumed.history[name], whole.history[name], err_msg=name)
    for ours, theirs in zip(jax.tree.leaves(resumed.state), jax.tree.leaves(whole.state), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(net.module.layers[0].weight, again.module.layers[0].weight)


def test_another_problem_is_refused_and_nothing_changes(tmp_path):
    crux, _ = problem()
    crux.solve(3)
    crux.save(tmp_path / "state.npz")
    for other, differs in ((problem(weight=2.0)[0], "2.0 \\* u"), (problem(width=9)[0], r"\[9")):
        other.solve(1)
        before = jax.tree.leaves(other.state)
        with pytest.raises(CheckpointError, match=differs):
            other.load(tmp_path / "state.npz")
        assert all(a is b for a, b in zip(before, jax.tree.leaves(other.state), strict=True))


def test_arrays_and_history_come_without_the_problem(tmp_path):
    crux, net = problem()
    crux.solve(3)
    crux.save(tmp_path / "state.npz")
    saved = pn.load(tmp_path / "state.npz")
    np.testing.assert_array_equal(saved.history["ode"], crux.history["ode"])
    assert any(np.array_equal(array, net.module.layers[0].weight) for array in saved.arrays.values())
    assert saved.header["steps"] == 3 and any("ode" in line for line in saved.header["losses"])
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"no file of ours"])
def test_damaged_files_are_told(tmp_path, damage):
    crux, _ = problem()
    path = tmp_path / "state.npz"
    crux.save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError, match="damaged"):
        crux.load(path)
    with pytest.raises(CheckpointError, match="no file"):
        crux.load(tmp_path / "other.npz")
