"""The state in a file."""

import json
import zipfile
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace._errors import CheckpointError
from pinnace.train import checkpoint, container

OLD = Path(__file__).parent / "data" / "format1.npz"
"""A file that pinnace wrote before there were digests."""


def problem(weight=1.0, width=8, end=1, activation=jnp.tanh, balancer=pn.fn.adaptive.relobralo):
    x = pn.domain.interval(0, end).variable("interior", 16, resample=4)
    net = pn.nn(eqx.nn.MLP(1, "scalar", width, 1, activation, key=jax.random.key(0)))
    net.optimizer(optax.adam(1)).scale(pn.fn.adaptive.dlrs(lr0=1e-2, window=3))
    u = net(x)
    ode, start = (u.d(x) + weight * u).mse.named("ode"), ((u.at({x: 0.0}) - 1) ** 2).named("start")
    w_ode, w_start = balancer([ode, start])
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
    others = {
        r"1.0 \* u\).mse in the file, \(d\(u, x\) \+ 2.0 \* u": problem(weight=2.0)[0],
        r"1.0000000001 \* u\).mse here": problem(weight=1.0000000001)[0],
        r"\[9": problem(width=9)[0],
        r"fields: u has .*sin here": problem(activation=jnp.sin)[0],
        r"interval\(0, 2\) here": problem(end=2)[0],
        r"the same, but its data, its points": problem(end=1.0000000001)[0],
        r"balancers: dwa here only": problem(balancer=pn.fn.adaptive.dwa)[0],
    }
    for differs, other in others.items():
        other.solve(1)
        before = jax.tree.leaves(other.state)
        with pytest.raises(CheckpointError, match=f"the state of another problem(.|\n)*{differs}"):
            other.load(tmp_path / "state.npz")
        assert all(a is b for a, b in zip(before, jax.tree.leaves(other.state), strict=True))


def test_arrays_and_history_come_without_the_problem(tmp_path):
    crux, net = problem()
    crux.solve(3)
    crux.save(tmp_path / "state.npz")
    saved = pn.load(tmp_path / "state.npz")
    np.testing.assert_array_equal(saved.history["ode"], crux.history["ode"])
    assert any(np.array_equal(array, net.module.layers[0].weight) for array in saved.arrays.values())
    assert saved.header["steps"] == 3 and saved.header["losses"]["ode"] == "(d(u, x) + 1.0 * u).mse"
    with zipfile.ZipFile(tmp_path / "state.npz") as archive:  # readable by hand, and by NumPy
        assert json.loads(archive.read("header.json"))["versions"]["jax"] == jax.__version__
    with np.load(tmp_path / "state.npz") as file:
        np.testing.assert_array_equal(file["state.step"], 3)
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


def test_a_file_of_an_older_format_gives_arrays_and_history():
    saved = pn.load(OLD)
    assert saved.header["steps"] == 5 and saved.header["format"] == 1
    assert saved.history["ode"].shape == (5,) and saved.arrays["state.params[0].layers[0].weight"].shape == (4, 1)
    crux, _ = problem()
    with pytest.raises(CheckpointError, match=r"in format 1; this one goes on from files of format 2\. pn\.load"):
        crux.load(OLD)


def tampered(path, change):
    """The same file with another header, and a digest that fits."""
    saved = checkpoint.load(path)
    header = dict(saved.header)
    change(header)
    container.write_file(path, header, {**saved.arrays, **_history(saved.history)})


def _history(history):
    columns = {f"history/{k}/values": history[name] for k, name in enumerate(history)}
    return columns | {f"history/{k}/steps": history.steps(name) for k, name in enumerate(history)}


def test_other_versions_are_told_and_can_be_taken_all_the_same(tmp_path):
    crux, _ = problem()
    crux.solve(3)
    path = tmp_path / "state.npz"
    crux.save(path)
    tampered(path, lambda header: header["versions"].update(jax="0.9.9"))
    other, _ = problem()
    with pytest.raises(CheckpointError, match=r"jax 0\.9\.9 in the file, .* here.*strict=False"):
        other.load(path)
    assert other.steps == 0
    assert other.load(path, strict=False).steps == 3
    other.solve(1)
    assert len(other.history["ode"]) == 4


def test_another_number_of_threads_is_a_warning(tmp_path):
    crux, _ = problem()
    path = tmp_path / "state.npz"
    crux.save(path)
    tampered(path, lambda header: header["machine"].update(threads=1234))
    with pytest.warns(pn.PinnaceWarning, match="threads 1234 in the file"):
        problem()[0].load(path)


@pytest.mark.parametrize("header", [{}, [], 3, {"history": 3}, {"history": ["a"]}, {"history": None}])
def test_a_whole_file_that_is_not_ours_is_told(tmp_path, header):
    path = tmp_path / "a.npz"
    with open(path, "w+b") as file:
        container._archive(file, {}, {})
    if header != {}:
        np.savez(path, header=np.frombuffer(json.dumps(header).encode(), np.uint8))
    with pytest.raises(CheckpointError, match=r"a\.npz"):
        pn.load(path)


def test_all_kinds_of_numbers_come_back(tmp_path):
    header = {"format": 2, "history": []}
    arrays = {
        "bfloat16": np.asarray(jnp.arange(3, dtype=jnp.bfloat16)),
        "float8": np.asarray(jnp.ones((2, 1), jnp.float8_e4m3fn)),
        "int4 and \u00e9 / odd name": np.arange(4, dtype=np.int8),
        "bool": np.array([True, False]),
        "empty": np.zeros((0, 3)),
        "scalar": np.array(np.nan),
    }
    container.write_file(tmp_path / "a.npz", header, arrays)
    read, found = container.read_file(tmp_path / "a.npz")
    assert read["format"] == 2 and list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and found[name].tobytes() == array.tobytes()


class Drawn:
    """A balancer with a typed random key in its state."""

    reads = frozenset()

    def init(self, m):
        return {"key": jax.random.key(7), "m": jnp.ones(m)}

    def update(self, losses, state):
        now, later = jax.random.split(state["key"])
        return 1 + jax.random.uniform(now, (len(losses),)), {"key": later, "m": state["m"]}


def test_random_keys_in_a_state_come_back(tmp_path):
    def drawn():
        return problem(balancer=lambda losses: pn.weigh(losses, Drawn()))[0]

    whole, part, resumed = drawn(), drawn(), drawn()
    whole.solve(7)
    part.solve(4)
    part.save(tmp_path / "state.npz")
    resumed.load(tmp_path / "state.npz").solve(3)
    np.testing.assert_array_equal(resumed.history["w(ode)"], whole.history["w(ode)"])


def test_checkpoints_are_written_while_a_run_goes_on_and_at_its_end(tmp_path):
    crux, _ = problem()
    path, seen = tmp_path / "deep" / "run.npz", []
    crux.solve(23, checkpoint=path, checkpoint_every=5, callbacks=lambda run: seen.append(_steps_in(path)))
    assert seen[-1] == 20 and set(seen) <= {None, 5, 10, 15, 20} and _steps_in(path) == 23
    again, _ = problem()
    again.load(path).solve(until=23)
    assert _steps_in(path) == 23 and again.steps == 23


def _steps_in(path):
    return pn.load(path).header["steps"] if path.exists() else None


def test_a_file_of_another_run_is_kept_under_another_name(tmp_path):
    path = tmp_path / "run.npz"
    first, _ = problem()
    first.solve(9, checkpoint=path)
    first.solve(1, checkpoint=path)
    second, _ = problem()
    run = second.solve(2, checkpoint=path)
    assert "run.previous.npz" in run.notes[0]
    assert _steps_in(path) == 2 and _steps_in(tmp_path / "run.previous.npz") == 10
    second.load(tmp_path / "run.previous.npz").solve(1, checkpoint=path)
    assert _steps_in(path) == 11 and _steps_in(tmp_path / "run.previous.npz") == 10


@pytest.mark.parametrize(
    "wrong",
    [{"checkpoint_every": 3}, {"checkpoint": 3}, {"checkpoint": "a.npz", "checkpoint_every": 0}, {"checkpoint": "."}],
)
def test_a_checkpoint_that_makes_no_sense_is_told(wrong):
    crux, _ = problem()
    with pytest.raises(pn.PinnaceError, match="checkpoint"):
        crux.solve(1, **wrong)
