"""What the images of a field are made of: the network, the reference and the error, each with its colours."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from pinnace.plot.panels import Frame
from pinnace.plot.scales import DECADES, colours, largest

Stack = Float[np.ndarray, "slices *grid"]


@dataclass(frozen=True)
class Layer:
    """One quantity on all slices."""

    word: str
    """What it is beside a reference; nothing where there is none."""
    values: Stack
    shown: Stack
    """The values that are drawn."""
    style: dict[str, Any]
    """Its colours, the same on all slices."""

    def titled(self, label: str) -> str:
        """What it is, with the label of the field."""
        return f"{label}, {self.word}" if label and self.word else label or self.word


def layers_of(frame: Frame, found: Stack, exact: Stack | None) -> list[Layer]:
    """The network alone, or network, reference and error; the first two in the same colours."""
    from matplotlib.colors import LogNorm

    if exact is None:
        return [Layer("", found, frame.shown(found), colours(frame.inside(found)))]
    scale = colours(np.stack([frame.inside(found), frame.inside(exact)]))
    error = found - exact
    top = largest(frame.inside(error))
    floored = np.maximum(np.abs(error), top / 10**DECADES)
    norm = LogNorm(top / 10**DECADES, top)
    return [
        Layer("network", found, frame.shown(found), scale),
        Layer("exact", exact, frame.shown(np.where(np.isnan(found), np.nan, exact)), scale),
        Layer("absolute error", error, frame.shown(floored), {"cmap": "viridis", "norm": norm}),
    ]
