"""Where the points are: of a domain, of some coordinates, of a problem as it stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from pinnace._errors import PinnaceError
from pinnace.canvas import Dots, arrows, height_of, outline, scatter, some_of, strip
from pinnace.domain import Domain, Shape
from pinnace.expr import Expr, PointSet, text
from pinnace.plot.dots import are_lengths, ordered
from pinnace.plot.grid import coordinate_of
from pinnace.train import Crux, given_axes, new_figure, new_panels

MOST = {"interior": 256, "boundary": 64, "initial": 32, "final": 32}
"""Points that a domain is shown by."""


@dataclass(frozen=True)
class Cloud:
    """The points of one set."""

    points: PointSet
    values: Float[np.ndarray, "n d"]

    @property
    def label(self) -> str:
        """Which part of its domain it is, and how many points."""
        plan = self.points.plan
        region = plan.region or self.points.label
        return f"{region}, {len(self.values)} point{'s' * (len(self.values) != 1)}"

    @property
    def space(self) -> Shape | None:
        """The shape that they are in; None for data."""
        return None if self.points.where is None else self.points.where.shape

    def columns(self, names: Sequence[str]) -> list[np.ndarray]:
        """The coordinates of these names."""
        return [self.values[:, self.points.axes.index(name)] for name in names]


def points(
    what: Domain | Expr | Crux | Sequence[Any],
    *,
    over: Sequence[Any] | None = None,
    n: int | None = None,
    normals: bool = True,
    ax: Any = None,
    axes: Any = None,
) -> tuple[Any, Any]:
    """Draw points: of each region of a domain, of coordinates, or those that a crux has now: (figure, axes).

    A domain and coordinates, as `dom.variable(...)` gives them, show points as some crux would draw them, those of a
    domain `n` in its interior. `over` chooses up to three coordinates, `[x, y]`. Shapes in the plane have their outline
    and, unless `normals=False`, outward normals at boundary points. Sets whose coordinates have other names get panels
    of their own. `ax` (or `axes`) are matplotlib's; three coordinates need `projection="3d"`.

    Raises PinnaceError for anything else, and for coordinates that there are not.

    >>> dom = pn.domain.rectangle((0, 2), (0, 1))
    >>> fig, axes = pn.plot.points(dom)
    >>> [entry.get_text() for entry in axes[0].get_legend().get_texts()]
    ['interior, 256 points', 'boundary, 64 points']
    """
    groups = _groups(_clouds(what, n), over)
    panels = _panels(groups, given_axes(ax, axes))
    for panel, (names, members) in zip(panels, groups.items(), strict=True):
        draw = _strip if len(names) == 1 else _scatter
        draw(panel, names, members)
        space = next((one.space for one in members if one.space is not None), None)
        if space is not None and names == space.axes and space.dim == 2:
            outline(panel, space.bounds, space.signed_distance)
            for one in members if normals else ():
                _normals(panel, one)
    return panels[0].figure, np.array([*panels, None], object)[:-1]


def _clouds(what: Any, n: int | None) -> list[Cloud]:
    if isinstance(what, Crux):
        return [Cloud(one, np.stack([np.asarray(what.eval(key)) for key in _axes(one)], axis=1)) for one in what.points]
    if isinstance(what, Domain):
        share = 1.0 if n is None else n / MOST["interior"]
        regions = {region: max(1, round(share * MOST[region])) for region in MOST if region in what.regions}
        what = [what.variable(region, count) for region, count in regions.items()]
    sets = list(dict.fromkeys(one.points for one in _symbols(what)))
    # `init` in JAX's default float type, as crux has them
    return [Cloud(one, np.asarray(one.plan.init(jax.random.key(0))[0])) for one in sets if one is not None]


def _axes(points: PointSet) -> list[Expr]:
    return [Expr("coordinate", (), (points, axis)) for axis in range(len(points.axes))]


def _symbols(what: Any) -> Iterator[Expr]:
    """The expressions in tuples and lists."""
    if isinstance(what, (tuple, list)) and what:
        for one in what:
            yield from _symbols(one)
    elif isinstance(what, Expr) and what.points is not None:
        yield what
    else:
        shown = f"`{text(what)}`" if isinstance(what, Expr) else repr(what)
        raise PinnaceError(
            f"plot.points takes a domain, coordinates as dom.variable(...) gives them, or a crux; got {shown}."
        )


def _groups(clouds: Sequence[Cloud], over: Sequence[Any] | None) -> dict[tuple[str, ...], list[Cloud]]:
    """The sets that are drawn together, under the names of the coordinates; data join those whose names they have."""
    groups: dict[tuple[str, ...], list[Cloud]] = {}
    if over is not None:
        names = tuple(text(key) if isinstance(key, Expr) else str(key) for key in over)
        members = [one for one in clouds if set(names) <= set(one.points.axes)]
        if not members or len(set(names)) < len(names) or len(names) not in (1, 2, 3):
            known = "; ".join(", ".join(one.points.axes) for one in clouds)
            raise PinnaceError(f"over= takes one, two or three different coordinates of {known}; got {names}.")
        return {names: members}
    for one in sorted(clouds, key=lambda one: one.space is None):
        axes = one.points.axes
        known = [names for names in groups if set(names) <= set(axes)] if one.space is None else []
        groups.setdefault(known[0] if known else axes[:3], []).append(one)
    return groups


def _panels(groups: Mapping[tuple[str, ...], Sequence[Cloud]], given: Any) -> Sequence[Any]:
    if given is not None:
        panels = new_panels(1, len(groups), (1, 1), given)[0]
        for panel, names in zip(panels, groups, strict=True):
            if (panel.name == "3d") != (len(names) == 3):
                raise PinnaceError(
                    f"points over {', '.join(names)} need axes of {max(2, len(names))} dimensions; got {panel.name} "
                    f'axes. Make them with projection="3d", or choose two coordinates with over=.'
                )
        return list(panels)
    high = max(_height(names, members) for names, members in groups.items())
    figure = new_figure((4.8 * len(groups), high))
    kinds = ["3d" if len(names) == 3 else None for names in groups]
    found = [figure.add_subplot(1, len(groups), k + 1, projection=kind) for k, kind in enumerate(kinds)]
    return found


def _height(names: tuple[str, ...], members: Sequence[Cloud]) -> float:
    """Inches of a panel, with its legend."""
    keys = _keys(names, members)
    columns = np.concatenate([one.values for one in _dots(keys, members)]).T
    return height_of(list(columns), len(members), are_lengths(keys))


def _keys(names: tuple[str, ...], members: Sequence[Cloud]) -> list[Expr]:
    return ordered([coordinate_of(members[0].points, name) for name in names])


def _dots(keys: Sequence[Expr], members: Sequence[Cloud]) -> list[Dots]:
    shown = [text(key) for key in keys]
    return [
        Dots(one.label, np.stack(one.columns(shown), axis=1), small=one.points.plan.region == "interior")
        for one in members
    ]


def _strip(panel: Any, names: tuple[str, ...], members: Sequence[Cloud]) -> None:
    """One coordinate: a row for each set."""
    keys = _keys(names, members)
    strip(panel, _dots(keys, members), keys[0])


def _scatter(panel: Any, names: tuple[str, ...], members: Sequence[Cloud]) -> None:
    keys = _keys(names, members)
    scatter(panel, _dots(keys, members), keys, are_lengths(keys))


def _normals(panel: Any, cloud: Cloud) -> None:
    """Arrows at some of the points, where they have normals."""
    plan = cloud.points.plan
    if plan.has_normals:
        feet = some_of(cloud.values)
        arrows(panel, feet[:, :2], np.asarray(plan.normals(jnp.asarray(feet))), equal=True)
