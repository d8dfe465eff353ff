"""Optimizers by name, and what weight decay means to each."""

import numpy as np
import optax
import pytest

from pinnace import zoo
from pinnace.zoo.optimizers import OPTIMIZERS, optimizer_of

SMALL = {"width": 8, "depth": 2, "points": 32}


def first_update(name, decay, parameter=2.0, gradient=0.5):
    tx = optimizer_of(name, decay)
    return float(tx.update(gradient, tx.init(parameter), parameter)[0])


def test_the_usual_ones_are_there_and_nothing_that_is_no_optimizer():
    assert {"adam", "adamw", "sgd", "radam", "rmsprop", "lion", "lbfgs", "nadam", "soap"} <= set(OPTIMIZERS)
    assert not {"chain", "scale", "apply_updates", "scale_by_adam", "scale_by_learning_rate"} & set(OPTIMIZERS)
    for name in OPTIMIZERS:
        optimizer_of(name, 0.1).init(np.ones(3, np.float32))


def test_weight_decay_is_that_of_the_optimizer_or_a_part_of_the_gradient():
    assert first_update("sgd", 0.0) == -0.5
    assert first_update("sgd", 0.1) == pytest.approx(-(0.5 + 0.1 * 2.0))
    assert first_update("adam", 0.1) == pytest.approx(-1, rel=1e-4)  # of the sum of both, normalised
    assert first_update("adam", 0.1, gradient=-0.1) == pytest.approx(-1, rel=1e-4)  # the decay outweighs
    assert first_update("adamw", 0.1) == pytest.approx(-1 - 0.1 * 2.0, rel=1e-4)
    assert first_update("adamw", 0.0) == pytest.approx(-1, rel=1e-4)


@pytest.mark.parametrize("name", ["sgd", "lbfgs"])
def test_a_problem_is_trained_by_the_optimizer_that_was_asked_for(name):
    case = zoo.Poisson(steps=4, optimizer=name, rate=0.5, weight_decay=1e-6, **SMALL).build()
    run = case.solve(progress=False)
    assert run.steps == 4 and run.history["pde"][-1] < run.history["pde"][0]


def test_a_name_that_does_not_exist_is_told():
    with pytest.raises(zoo.SettingError, match=r'no optimizer "adem". Did you mean "adam"'):
        zoo.Poisson(optimizer="adem")
    assert optax.adam is OPTIMIZERS["adam"]
