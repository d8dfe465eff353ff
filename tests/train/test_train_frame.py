"""A history as a table of pandas."""

import sys

import numpy as np
import pytest

import pinnace as pn
from pinnace.train import History, Run


def test_rare_values_are_missing_between_and_arrays_are_components():
    history = History()
    history.append("total", np.arange(3, 5), np.array([1.0, 2.0], np.float32))
    history.append("total", np.arange(5, 7), np.array([3.0, 4.0], np.float32))
    history.append("w", np.array([4, 6]), np.arange(8).reshape(2, 2, 2))
    table = Run(history, 3).to_dataframe()
    assert table.index.name == "step" and list(table.index) == [3, 4, 5, 6]
    assert list(table.columns) == ["total", "w[0,0]", "w[0,1]", "w[1,0]", "w[1,1]"]
    np.testing.assert_equal(table["total"].to_numpy(), np.array([1, 2, 3, 4], np.float32))
    np.testing.assert_equal(table["w[1,0]"].to_numpy(), [np.nan, 2.0, np.nan, 6.0])
    table.loc[3, "total"] = -1
    assert history["total"][0] == 1


def test_nothing_logged_is_a_table_without_rows():
    assert History().to_dataframe().shape == (0, 0)


def test_without_pandas_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(pn.PinnaceError, match=r"pip install \"pinnace\[pandas\]\""):
        History().to_dataframe()
