"""What a problem is: settings, the equation written in the language, and an answer to compare with."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import jax
import numpy as np
from jaxtyping import Array, Float, Key

import pinnace as pn
from pinnace import LearningRateSchedule as lrs
from pinnace.expr import text
from pinnace.train import Crux, Run
from pinnace.zoo.balancing import balancer_of, weighted
from pinnace.zoo.optimizers import check_optimizer, optimizer_of
from pinnace.zoo.settings import check, read, setting, settings_of

OPTIMIZERS_TOLD = "any optimizer of Optax or pinnace by its name: adam, soap, adamw, sgd, radam, lbfgs, ..."


@dataclass(frozen=True, eq=False)
class Answer:
    """An expression of the problem, and the values that it should have.

    `points` are values of its coordinates: one axis of a grid each, in the order of the axes of `exact`, and a number
    for a coordinate that is held; or, `scattered`, a column of points each; empty for an unknown number. Components are
    the last axis of `exact`. Where it is NaN, outside of the domain, nothing is compared. `floor` is the relative L2
    error of `exact` itself: no error below it means anything. `label` names the expression in figures.
    """

    expr: pn.Expr
    exact: Float[np.ndarray, "*grid"]
    points: Mapping[pn.Expr, Float[np.ndarray, " n"] | float] = field(default_factory=dict)
    floor: float = 1e-15
    scattered: bool = False
    label: str = "u"

    def found(self, crux: Crux) -> Float[np.ndarray, "*grid"]:
        """The values that the expression has now."""
        at = {key: np.asarray(values, float) for key, values in self.points.items()}
        if not self.scattered:
            axes = [key for key, values in at.items() if values.ndim]
            at |= dict(zip(axes, np.ix_(*(at[key] for key in axes)), strict=True))
        return np.asarray(crux.eval(self.expr, at or None), float)

    def error(self, crux: Crux) -> float:
        """Relative L2 error over the points, never below the floor."""
        known = ~np.isnan(self.exact)
        wrong = np.linalg.norm((self.found(crux) - self.exact)[known]) / np.linalg.norm(self.exact[known])
        return float(np.maximum(wrong, self.floor))


@dataclass(frozen=True, eq=False)
class Posed:
    """An equation in the language: the losses, what is trained, and the answers.

    `solution` is what the problem is about, `others` are further fields whose errors are told, and `picture` is what
    figures show where the solution itself is no line or image.
    """

    losses: Sequence[pn.Expr]
    trained: Sequence[Any]
    solution: Answer
    unknowns: Mapping[str, Answer] = field(default_factory=dict)
    others: Mapping[str, Answer] = field(default_factory=dict)
    picture: Answer | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the losses."""
        return tuple(map(text, self.losses))


@dataclass(frozen=True, kw_only=True)
class Problem(ABC):
    """A differential equation with a reference. Its fields are its settings, their defaults those that work.

    A new problem is a subclass in a file of its own: the texts below, settings, and `pose`.
    """

    name: ClassVar[str]
    """How the command line calls it."""
    title: ClassVar[str]
    equation: ClassVar[str]
    source: ClassVar[str]
    """Where the reference comes from."""
    floor: ClassVar[float]
    """Relative L2 error of the reference with the default settings, held by a test."""

    draws_data: ClassVar[bool] = False
    """Whether the key of `pose` decides more than where networks start, the noise in data for example."""

    steps: int = setting(5000, "steps of the optimizer")
    rate: float = setting(1e-3, "learning rate at the first step; falls by a cosine to a thousandth")
    optimizer: str = setting("adam", OPTIMIZERS_TOLD)
    weight_decay: float = setting(0.0, "decay of the parameters, as the optimizer has it, else L2", zero=True)
    balancer: str = setting("none", 'balancer of the losses, such as "relobralo" or "softadapt(beta=0.5)"')
    width: int = setting(32, "neurons in a layer")
    depth: int = setting(4, "hidden layers")
    points: int = setting(2048, "points where the equation is asked to hold")

    def __post_init__(self) -> None:
        for name, declared in settings_of(self).items():
            check(name, vars(self)[name], declared)
        balancer_of(self.balancer)
        check_optimizer(self.optimizer)

    @abstractmethod
    def pose(self, key: Key[Array, ""]) -> Posed:
        """Write the problem in the language; everything random comes from the key."""

    @classmethod
    def read(cls, texts: Iterable[str]) -> Self:
        """The problem with settings from texts such as "width=32"."""
        return cls(**read(cls, texts))

    def losses(self) -> tuple[str, ...]:
        """The names of its losses with these settings."""
        return self.pose(jax.random.key(0)).names

    def build(self, seed: int = 0) -> "Case":
        """Compile: networks, points and noise come from the seed, and so does everything after."""
        posed = self.pose(jax.random.key(seed))
        schedule = lrs.cosine(self.steps, self.rate, self.rate / 1000)
        pn.optimizer(list(posed.trained), optimizer_of(self.optimizer, self.weight_decay)).scale(schedule)
        unknowns = [answer.expr.tracker(name) for name, answer in posed.unknowns.items()]
        entries = [*weighted(posed.losses, self.balancer), *unknowns]
        return Case(self, posed, entries, pn.core(entries, key=seed))


@dataclass(eq=False)
class Case:
    """A problem while it is being solved: `case = zoo.Burgers(width=32).build(seed=0)`, then `case.solve()`."""

    problem: Problem
    posed: Posed
    entries: Sequence[Any]
    crux: Crux

    def solve(self, **options: Any) -> Run:
        """Take the steps that are left of those in the settings; options are those of `crux.solve`."""
        return self.crux.solve(until=self.problem.steps, **options)

    def restart(self, seed: int) -> None:
        """Begin anew from another seed: as `problem.build(seed)` bit for bit, but what was compiled serves again."""
        if self.problem.draws_data:
            fresh = self.problem.build(seed)
            self.posed, self.entries, self.crux = fresh.posed, fresh.entries, fresh.crux
            return
        start = self.problem.pose(jax.random.key(seed))
        for mine, other in zip(self.posed.trained, start.trained, strict=True):
            pn.optim.trainable_of(mine).module = pn.optim.trainable_of(other).module
        self.crux = pn.core(self.entries, key=seed)

    @property
    def error(self) -> float:
        """Relative L2 error of the solution."""
        return self.posed.solution.error(self.crux)

    @property
    def others(self) -> dict[str, float]:
        """Relative L2 error of each further field."""
        return {name: answer.error(self.crux) for name, answer in self.posed.others.items()}

    @property
    def unknowns(self) -> dict[str, tuple[float, float]]:
        """Each unknown number as it is now, and as it should be."""
        answers = self.posed.unknowns.items()
        return {name: (float(answer.found(self.crux)), float(answer.exact)) for name, answer in answers}
