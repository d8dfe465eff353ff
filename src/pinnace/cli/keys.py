"""Which keys a problem understands, and the problem and seed that they make."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pinnace import PinnaceError, zoo
from pinnace._errors import did_you_mean
from pinnace.cli.config import Given, Layer
from pinnace.cli.weighing import ADAPTIVE, BALANCER, LOSS, SPECIAL, WEIGHTS, Weighing

SAME = {"epochs": "steps", "learning_rate": "rate", "loss.use_rk4": "use_rk4"}
"""Keys of the specification, and what they are called here."""
GAUSS_NEWTON = "loss.use_gn_solver"
SEEDS = 2**32


@dataclass(frozen=True)
class Asked:
    """What was asked for: a problem with its settings, a seed, and notes on what had no effect."""

    problem: zoo.Problem
    seed: int
    notes: tuple[str, ...]

    def kept(self) -> dict[str, Any]:
        """Everything that `--config` needs to do the same again."""
        return {"problem": self.problem.name, "seed": self.seed, **asdict(self.problem)}


def asked(problem: type[zoo.Problem], layers: Sequence[Layer]) -> Asked:
    """The problem that the layers ask for; a later one has the last word.

    Raises SettingError that names the key, and the file that it stands in.
    """
    settings, seed = {}, 0
    weighing = Weighing.of(problem().balancer)
    for layer in layers:
        about_weights = {}
        for key, given in _renamed(problem, layer).items():
            if key == "seed":
                seed = _seed(given)
            elif key == "problem":
                _same(problem, given)
            elif key == GAUSS_NEWTON:
                _no_gauss_newton(given)
            elif key == BALANCER or f"{key}.".startswith(LOSS):
                about_weights[key] = given
            else:
                settings[key] = _setting(problem, key, given)
        weighing.change(about_weights)
    balancer = weighing.balancer(problem(**settings, balancer="none").losses() if weighing.weights else ())
    return Asked(problem(**settings, balancer=balancer), seed, tuple(weighing.notes))


def _renamed(problem: type[zoo.Problem], layer: Layer) -> Layer:
    """The layer with the specification's words replaced by those of the problem."""
    found: dict[str, Given] = {}
    for key, given in layer.items():
        name = SAME.get(key, key)
        if name in found:
            other = next(word for word in layer if SAME.get(word, word) == name)
            raise given.mistake(f"{other} and {key} are the same; give one of them.")
        if name in SAME.values() and name not in zoo.settings_of(problem):
            raise _unknown(problem, key, given)
        found[name] = given
    return found


def _setting(problem: type[zoo.Problem], name: str, given: Given) -> Any:
    known = zoo.settings_of(problem)
    if name not in known:
        raise _unknown(problem, name, given)
    try:
        value = given.value
        if given.file is None and isinstance(value, str):
            value = zoo.from_text(name, value, known[name])
        value = zoo.fitted(name, value, known[name])
        problem(**{name: value})  # what only the problem itself can tell, such as the name of an optimizer
        return value
    except PinnaceError as wrong:
        raise given.mistake(str(wrong)) from None


def _unknown(problem: type[zoo.Problem], name: str, given: Given) -> zoo.SettingError:
    known = [*zoo.settings_of(problem), *SAME, "seed", *(f"{ADAPTIVE}{word}" for word in SPECIAL), WEIGHTS[:-1]]
    return given.mistake(
        f'{problem.name} has no setting "{name}".{did_you_mean(name, known)} '
        f"It has {', '.join(zoo.settings_of(problem))}."
    )


def _seed(given: Given) -> int:
    value = given.value
    if given.file is None and isinstance(value, str) and value.isdecimal() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < SEEDS:
        raise given.mistake(f"seed is a whole number from 0 to 2^32 - 1; got {given.value!r}.")
    return value


def _same(problem: type[zoo.Problem], given: Given) -> None:
    if given.value != problem.name:
        raise given.mistake(f"this config is for the problem {given.value!r}, not {problem.name!r}.")


def _no_gauss_newton(given: Given) -> None:
    if given.value not in (False, "false"):
        raise given.mistake(f"{GAUSS_NEWTON} can only be false: there is no Gauss-Newton solver; choose an optimizer.")
