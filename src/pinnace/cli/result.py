"""Everything that came out of a run, as plain numbers and texts."""

import math
import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import jax

import pinnace as pn
from pinnace import zoo
from pinnace.train import Crux

BELOW = ("jax", "jaxlib", "equinox", "optax", "numpy")


def result_of(case: zoo.Case, seed: int, outcome: str, message: str, seconds: float) -> dict[str, Any]:
    """Settings, seed, how it ended, losses, weights, rates, errors and versions, ready for JSON."""
    problem, crux, solution = case.problem, case.crux, case.posed.solution
    result = {
        "problem": problem.name,
        "equation": problem.equation,
        "settings": asdict(problem),
        "seed": seed,
        "outcome": outcome,
        "message": message,
        "steps": crux.steps,
        "seconds": round(seconds, 3),
        "relative_l2_error": case.error,
        "floor": solution.floor,
        "others": case.others,
        "unknowns": {
            name: {"found": found, "true": true, "relative_error": abs(found / true - 1)}
            for name, (found, true) in case.unknowns.items()
        },
        "losses": _ends(crux, losses_of(case)),
        "weights": _ends(crux, weights_of(case)),
        "rates": _ends(crux, rates_of(case)),
        "reference": problem.source,
        "versions": {"pinnace": pn.__version__, **{name: version(name) for name in BELOW}},
        "python": platform.python_version(),
        "device": jax.devices()[0].device_kind,
    }
    return _finite(result)


def losses_of(case: zoo.Case) -> list[str]:
    """The names in the history that are losses, the total last."""
    others = {"total", *weights_of(case), *rates_of(case), *case.posed.unknowns}
    return [*(name for name in case.crux.history if name not in others), *(["total"] if case.crux.history else [])]


def weights_of(case: zoo.Case) -> list[str]:
    """The names in the history that are weights."""
    return [name for name in case.crux.history if name.startswith("w(")]


def rates_of(case: zoo.Case) -> list[str]:
    """The names in the history that are learning rates."""
    return [name for name in case.crux.history if name.startswith("lr(")]


def _ends(crux: Crux, names: list[str]) -> dict[str, dict[str, float]]:
    logged = {name: crux.history[name] for name in names if len(crux.history[name])}
    return {name: {"first": float(rows[0]), "last": float(rows[-1])} for name, rows in logged.items()}


def _finite(value: Any) -> Any:
    """JSON knows no NaN: null."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
