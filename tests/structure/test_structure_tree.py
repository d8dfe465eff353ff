"""The source of pinnace keeps the rules of the house."""

import importlib
from pathlib import Path

import equinox
import jax
import numpy
import optax
import pytest
from house import RULES, read
from house.examples import examples, failures
from house.forbidden import no_longer_probed
from house.silence import import_effects

import pinnace

SOURCE = Path(__file__).parents[2] / "src"
PACKAGE = read(SOURCE)
WITH_EXAMPLES = [name for name, module in PACKAGE.items() if examples(module, {})]
CONVENTIONS = {
    "pn": pinnace,
    "jax": jax,
    "jnp": jax.numpy,
    "np": numpy,
    "eqx": equinox,
    "optax": optax,
}
"""Names that an example may use without importing them; those of its own module come first."""


@pytest.mark.parametrize("rule", RULES)
def test_the_source_keeps_the_rule(rule):
    broken = RULES[rule](PACKAGE)
    assert not broken, "\n".join(broken)


def test_every_permission_to_probe_is_used():
    assert not no_longer_probed(PACKAGE)


def test_importing_is_silent_and_light(tmp_path):
    assert not import_effects(SOURCE, tmp_path)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_run(name):
    told = failures(PACKAGE[name], CONVENTIONS | vars(importlib.import_module(name)))
    assert not told, "\n".join(told)
