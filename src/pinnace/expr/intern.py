"""Equal nodes are one object: the key of a node, and the weak table that keeps them."""

import weakref
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np


def key_of(item: Any) -> Hashable:
    """A key that tells apart what Python calls equal: 1 from 1.0 from True, 0.0 from -0.0.

    Everything that is no number, text, array or tuple counts by identity.
    """
    match item:
        case None | bool() | int() | str():
            return (type(item), item)
        case float():
            return (float, item.hex())
        case slice():
            return (slice, item.start, item.stop, item.step)
        case tuple():
            return tuple(key_of(part) for part in item)
        case np.ndarray():
            return (np.ndarray, item.dtype.str, item.shape, item.tobytes())
        case _:
            return (type(item), id(item))


class Table:
    """Nodes by key, forgotten when nobody holds them."""

    def __init__(self) -> None:
        self._nodes: weakref.WeakValueDictionary[Hashable, Any] = weakref.WeakValueDictionary()

    def find(self, key: Hashable, build: Callable[[], Any]) -> Any:
        """The node of this key, built where there is none yet."""
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes.setdefault(key, build())
        return node
