"""A value that is an array, as several numbers with names of their own."""

from collections.abc import Sequence
from itertools import product


def components(name: str, shape: Sequence[int]) -> list[str]:
    """What the numbers of a value are called, in the order in which they lie in memory.

    >>> components("total", ())
    ['total']
    >>> components("w", (1, 2))
    ['w[0,0]', 'w[0,1]']
    """
    if not shape:
        return [name]
    return [f"{name}[{','.join(map(str, index))}]" for index in product(*map(range, shape))]
