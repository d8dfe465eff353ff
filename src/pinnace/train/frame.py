"""What was logged as a table of pandas."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pinnace._errors import PinnaceError
from pinnace.sinks import components


def frame(values: Mapping[str, np.ndarray], steps: Mapping[str, np.ndarray]) -> Any:
    """A pandas.DataFrame of arrays `[rows, *shape]` by name, and of the steps that their rows belong to.

    >>> log = {"total": np.array([3.0, 2.0]), "w": np.array([[1.0, 4.0]])}
    >>> frame(log, {"total": np.array([0, 1]), "w": np.array([0])})
          total  w[0]  w[1]
    step
    0       3.0   1.0   4.0
    1       2.0   NaN   NaN
    """
    try:
        import pandas
    except ImportError as missing:
        raise PinnaceError('a DataFrame needs pandas. Install it, `pip install "pinnace[pandas]"`.') from missing
    tables = [
        pandas.DataFrame(
            array.reshape(len(array), -1), pandas.Index(steps[name]), components(name, array.shape[1:]), copy=True
        )
        for name, array in values.items()
    ]
    table = pandas.concat(tables, axis=1) if tables else pandas.DataFrame()
    return table.sort_index().rename_axis(index="step")
