"""One panel of a figure: a curve or an image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from pinnace.canvas import LONG, name_axis
from pinnace.plot.grid import Column, Grid
from pinnace.plot.scales import Values, limits, log_limits
from pinnace.train import COLOURS, Arrangement

BLUE, ORANGE = COLOURS[:2]
WIDTH = 3.2
"""Inches of a panel."""


@dataclass(frozen=True)
class Frame:
    """What all panels of a figure have in common: their axes, and what is outside of the domain."""

    grid: Grid
    distance: Float[np.ndarray, "slices *grid"] | None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of a panel in inches."""
        return WIDTH, WIDTH * (self.ratio if self.ratio else 0.75)

    @property
    def ratio(self) -> float:
        """Height over width of a panel whose axes are lengths; 0 where they are not, or it would be too long."""
        if not self.grid.equal:
            return 0.0
        across, up = (float(np.ptp(column)) for column in self.grid.drawn.values())
        ratio = up / across if across > 0 and up > 0 else 0.0
        return ratio if 1 / LONG <= ratio <= LONG else 0.0

    @property
    def layout(self) -> Arrangement:
        """How matplotlib places the panels."""
        return "compressed" if self.ratio else "constrained"

    def inside(self, values: Float[np.ndarray, "slices *grid"]) -> Float[np.ndarray, "slices *grid"]:
        """The values in the domain; NaN where there is none, or where they are not finite."""
        seen = np.isfinite(values)
        return np.where(seen if self.distance is None else seen & (self.distance <= 0), values, np.nan)

    def shown(self, values: Float[np.ndarray, "slices *grid"]) -> Float[np.ndarray, "slices *grid"]:
        """Those that an image is made of: some beyond the boundary too where it is drawn over them."""
        if self.distance is None or self.grid.given or len(self.grid.drawn) < 2:
            return self.inside(values)
        cell = max(float(np.diff(column).max(initial=0)) for column in self.grid.drawn.values())
        return np.where(np.isfinite(values) & (self.distance <= 2 * cell), values, np.nan)

    def missing(self, values: Values, number: int) -> int:
        """How many points of a slice have no finite value in the domain."""
        bad = ~np.isfinite(values)
        return int(np.sum(bad if self.distance is None else bad & (self.distance[number] <= 0)))

    def cover(self, panel: Any, number: int) -> None:
        """Hide what is beyond the boundary of the domain, and draw that."""
        distance = None if self.distance is None else self.distance[number]
        if self.grid.given or distance is None or distance.max() <= 0 or distance.min() > 0:
            return
        # a corner of the box may be far away; only the sign counts there
        across, up = self.grid.drawn.values()
        top = 2 * float(distance.max())
        panel.contourf(across, up, distance.T, levels=[0, top], colors=[panel.get_facecolor()], zorder=1.5)
        panel.contour(across, up, distance.T, levels=[0], colors=["0.4"], linewidths=1.2, zorder=1.6)

    def name(self, panel: Any, *, below: bool = True, left: bool = True) -> None:
        """Write the names of the coordinates, and give lengths the same scale."""
        across, *up = self.grid.drawn
        if below:
            name_axis(panel.set_xlabel, across)
        if up:
            if left:
                name_axis(panel.set_ylabel, up[0])
            panel.set_aspect("equal" if self.ratio else "auto")
        panel.tick_params(labelbottom=below, labelleft=left)
        panel.locator_params(axis="x", nbins=5)


def image(panel: Any, grid: Grid, values: Values, **style: Any) -> Any:
    """The values as colours between the points of the grid."""
    across, up = grid.drawn.values()
    # pixels, also in a vector format: a mesh of 26,000 squares is slow to draw and to print
    return panel.pcolormesh(across, up, np.ma.masked_invalid(values.T), shading="gouraud", rasterized=True, **style)


def curves(panel: Any, across: Column, found: Values, exact: Values | None) -> list[Any]:
    """The network dashed over the reference, so that both are seen where they agree."""
    lines = []
    if exact is not None:
        lines += panel.plot(across, exact, color=BLUE, linewidth=2.5, label="exact")
    style = {"color": ORANGE, "linestyle": "--"} if exact is not None else {"color": BLUE}
    lines += panel.plot(across, found, linewidth=1.5, label="network", **style)
    panel.set_xlim(limits(across))
    return lines


def logarithmic(panel: Any, values: Values) -> None:
    """Give a panel the logarithmic axis of values above zero, before they are drawn: matplotlib warns of equal ones."""
    panel.set_yscale("log")
    panel.set_ylim(log_limits(values))


def tell_missing(panel: Any, count: int) -> None:
    """Say in the panel that some values could not be drawn."""
    if count:
        panel.text(
            0.03,
            0.04,
            f"{count} value{'s' * (count > 1)} not finite",
            transform=panel.transAxes,
            fontsize="small",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )
