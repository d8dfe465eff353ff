"""What tells whether two problems are the same one: losses as text with all digits, and a digest of everything else."""

import hashlib
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from pinnace.expr import Expr, Identity, PointSet, nodes
from pinnace.expr.text import function_name


def fingerprint(roots: Sequence[Expr]) -> str:
    """A digest of expressions that is the same in every process.

    It looks at all digits of constants, all bytes of data, the points' domains and samplers, and the names of the
    functions given to `pn.apply`; not at what changes while a network is trained.
    """
    told = Told()
    found = hashlib.sha256()
    numbers: dict[Expr, int] = {}
    for node in nodes(roots):
        numbers[node] = len(numbers)
        found.update(repr((node.kind, [numbers[arg] for arg in node.args], told(node.data))).encode())
    found.update(repr([numbers[root] for root in roots]).encode())
    return found.hexdigest()


def flat(told: Any) -> list[str]:
    """What was told, as one list of texts."""
    return [text for part in told for text in flat(part)] if isinstance(told, list) else [str(told)]


class Told:
    """The data of nodes as plain texts; what has an identity is numbered in order of first use."""

    def __init__(self) -> None:
        self._seen: dict[Identity, int] = {}

    def __call__(self, thing: Any) -> Any:
        match thing:
            case bool() | int() | float() | str() | None:
                return f"{type(thing).__name__} {thing!r}"
            case np.ndarray():
                content = hashlib.sha256(np.ascontiguousarray(thing).tobytes()).hexdigest()
                return f"{thing.dtype}{thing.shape} {content}"
            case tuple() | list():
                return [self(part) for part in thing]
            case dict():
                return [[self(key), self(value)] for key, value in thing.items()]
            case slice():
                return repr(thing)
            case Identity():
                return self._identity(thing)
            case type():
                return f"{thing.__module__}.{thing.__qualname__}"
        if is_dataclass(thing):
            return [self(type(thing)), *(self(vars(thing).get(part.name)) for part in fields(thing))]
        return function_name(thing) if callable(thing) else self(type(thing))

    def _identity(self, thing: Identity) -> Any:
        first = thing not in self._seen
        number = self._seen.setdefault(thing, len(self._seen))
        if first and isinstance(thing, PointSet):
            told = None if thing.symbolic else thing.plan.told
            return [type(thing).__name__, number, thing.label, thing.size, self(told)]
        return [type(thing).__name__, number, thing.name]
