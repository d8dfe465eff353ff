"""What sinks keep of a run is its history, over resumes too."""

import json

import equinox as eqx
import jax
import numpy as np
import optax
import pandas
import pytest

import pinnace as pn


def problem():
    x = pn.domain.interval(0, 1).variable("interior", 8)
    net = pn.nn(eqx.nn.MLP(1, "scalar", 4, 1, key=jax.random.key(0))).optimizer(optax.adam(1e-2))
    u = net(x)
    return pn.core([(u.d(x) + u).mse.named("ode"), u.tracker("u", every=3)])


@pytest.fixture(scope="module")
def crux():
    return problem()


def test_files_hold_the_history_of_a_run_that_was_resumed(crux, tmp_path):
    def sinks():
        return pn.sinks.csv(tmp_path / "run.csv"), pn.sinks.jsonl(tmp_path / "run.jsonl")

    crux.solve(5, sinks=sinks(), progress=False)
    crux.save(tmp_path / "run.npz")
    crux.solve(4, sinks=sinks(), progress=False)
    crux.load(tmp_path / "run.npz")
    assert crux.steps == 5
    run = crux.solve(6, sinks=sinks(), progress=False)
    table = pandas.read_csv(tmp_path / "run.csv", index_col="step")
    rows = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert list(table.index) == [row["step"] for row in rows] == list(range(11))
    history = crux.history.to_dataframe()
    assert list(table.columns) == list(history.columns)
    np.testing.assert_array_equal(table.to_numpy(np.float32), history.to_numpy(np.float32))
    assert history["u[7]"].notna().tolist() == [step % 3 == 0 for step in range(11)]
    np.testing.assert_array_equal(np.float32([row["ode"] for row in rows]), crux.history["ode"])
    np.testing.assert_array_equal(np.float32([row["u"] for row in rows if "u" in row]), crux.history["u"])
    assert list(run.to_dataframe().index) == list(range(5, 11))


def test_a_file_of_somebody_else_is_told_once_and_training_goes_on(crux, tmp_path):
    sink = pn.sinks.csv(tmp_path / "run.csv")
    (tmp_path / "run.csv").write_text("name,value\n")
    with pytest.warns(pn.PinnaceWarning, match="which no sink of this kind wrote"):
        run = crux.solve(3, sinks=sink, progress=False)
    assert run.steps == 3 and (tmp_path / "run.csv").read_text() == "name,value\n"
