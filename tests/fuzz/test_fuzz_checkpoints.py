"""Files that were damaged: each one is told, none is taken, and the running state stays what it was."""

import os

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pinnace as pn
from pinnace._errors import CheckpointError

DAMAGED = 1000 * int(os.environ.get("PINNACE_FUZZ", "1"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A problem after three steps, and its file."""
    x = pn.domain.interval(0, 1).variable("interior", 8, resample=2)
    net = pn.nn(eqx.nn.MLP(1, "scalar", 4, 1, jnp.tanh, key=jax.random.key(0))).optimizer(optax.adam(1e-2))
    u = net(x)
    ode, start = (u.d(x) + u).mse.named("ode"), ((u.at({x: 0.0}) - 1) ** 2).named("start")
    w_ode, w_start = pn.fn.adaptive.relobralo([ode, start])
    crux = pn.core([w_ode * ode, w_start * start, u.tracker("u", every=2)])
    crux.solve(3, progress=False)
    path = tmp_path_factory.mktemp("whole") / "run.npz"
    crux.save(path)
    return crux, path


def damaged(whole, rng):
    """Bytes that are not the whole, and how they came about."""
    how = rng.choice(["flip", "byte", "cut", "shift", "insert", "delete", "twice", "zeros", "noise", "swap", "append"])
    content = bytearray(whole)
    at, other = sorted(int(place) for place in rng.integers(0, len(content), 2))
    length = int(rng.integers(1, 65))
    noise = rng.bytes(length)
    match how:
        case "flip":
            content[at] ^= 1 << int(rng.integers(8))
        case "byte":
            content[at] = (content[at] + int(rng.integers(1, 256))) % 256
        case "cut":
            del content[at:]
        case "shift":
            del content[: at + 1]
        case "insert":
            content[at:at] = noise
        case "delete":
            del content[at : at + length]
        case "twice":
            content[at:at] = content[at : at + length]
        case "zeros":
            content[at : at + length] = bytes(len(content[at : at + length]))
        case "noise":
            content[at : at + length] = noise[: len(content[at : at + length])]
        case "swap":
            length = min(length, other - at, len(content) - other)
            content[at : at + length], content[other : other + length] = (
                content[other : other + length],
                content[at : at + length],
            )
        case "append":
            content += noise
    return bytes(content), f"{how} at {at}, {length}"


def each(whole, count, seed):
    rng = np.random.default_rng(seed)
    while count:
        content, how = damaged(whole, rng)
        if content != whole:
            count -= 1
            yield content, how


def test_every_damaged_file_is_told(saved, tmp_path):
    _, whole = saved
    path, taken = tmp_path / "run.npz", []
    pn.load(whole)
    for content, how in each(whole.read_bytes(), DAMAGED, 0):
        path.write_bytes(content)
        try:
            pn.load(path)
        except CheckpointError as told:
            assert "run.npz" in str(told), how
        else:
            taken.append(how)
    assert not taken, f"{len(taken)} of {DAMAGED} damaged files were taken: {taken[:5]}"


def test_a_damaged_file_leaves_the_running_state_alone(saved, tmp_path):
    crux, whole = saved
    path = tmp_path / "run.npz"
    state, rows = jax.tree.leaves(crux.state), {name: crux.history[name] for name in crux.history}
    for content, how in each(whole.read_bytes(), DAMAGED // 20, 1):
        path.write_bytes(content)
        with pytest.raises(CheckpointError):
            crux.load(path)
            pytest.fail(how)
        assert all(a is b for a, b in zip(state, jax.tree.leaves(crux.state), strict=True))
        assert {name: crux.history[name] is rows[name] for name in rows} == dict.fromkeys(rows, True)
    crux.load(whole)


def test_a_file_with_pickles_is_not_opened(tmp_path):
    np.savez(tmp_path / "run.npz", header=np.array([print], object))
    with pytest.raises(CheckpointError):
        pn.load(tmp_path / "run.npz")
