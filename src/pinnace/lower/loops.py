"""What is evaluated once, and what at each node of an integral: told from what depends on its abscissas."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pinnace.expr.text import postorder

Key = Any
"""A frame and a node."""


@dataclass(frozen=True)
class Loop:
    """What an integral runs: a root, for each value of the abscissas; what depends on them, in order."""

    root: Key
    abscissas: tuple[Key, ...]
    order: tuple[Key, ...]

    @property
    def within(self) -> frozenset[Key]:
        """What is known inside only."""
        return frozenset((self.root, *self.abscissas))


@dataclass(frozen=True)
class Loops:
    """The order of a plan, taken apart."""

    outside: tuple[Key, ...]
    inside: Mapping[Key, Loop]
    """For each integral, by its key."""


def loops_of(
    order: Sequence[Key], arguments: Mapping[Key, Sequence[Key]], before: Callable[[Key], tuple[Key, ...]]
) -> Loops:
    """Which nodes of a plan run in which integral.

    An abscissa that no integral of the plan binds is like any other node.
    """
    own = {key: _abscissas(arguments[key]) for key in order if key[1].kind == "integral" and arguments[key]}
    bound = frozenset(one for found in own.values() for one in found)
    if not own:
        return Loops(tuple(order), {})
    held: dict[Key, frozenset[Key]] = {}
    """The abscissas that each node depends on, those of integrals left out that it contains whole."""
    for key in order:
        rest = arguments[key][1:] if key in own else before(key)
        held[key] = frozenset().union(*(held[one] for one in rest)) | (bound & {key})
        if key in own:
            held[key] = (held[key] | held[arguments[key][0]]) - frozenset(own[key])
    inside = {key: _loop(arguments[key][0], abscissas, held, before) for key, abscissas in own.items()}
    return Loops(tuple(key for key in order if not held[key]), inside)


def _abscissas(arguments: Sequence[Key]) -> tuple[Key, ...]:
    return tuple(one for one in arguments if one[1].kind == "abscissa")


def _loop(
    root: Key, abscissas: tuple[Key, ...], held: Mapping[Key, frozenset[Key]], before: Callable[[Key], tuple[Key, ...]]
) -> Loop:
    """Nodes that depend on more abscissas than the root run in a loop inside this one."""
    mine = frozenset(abscissas)
    reached = postorder([root], lambda key: tuple(one for one in before(key) if held[one] & mine))
    return Loop(root, abscissas, tuple(key for key in reached if key not in mine and held[key] <= held[root]))
