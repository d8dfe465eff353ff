"""What has an identity given at birth: point sets, fields, parameters, cells. Two of one name are two."""

from typing import Any, ClassVar

from pinnace._errors import ExpressionError


class Identity:
    """A thing that expressions refer to and that is equal only to itself."""

    stem: ClassVar[str] = "thing"
    """What it is called where it was given no name: the stem, the stem and 2, and so on."""

    def __init__(self, name: str | None = None) -> None:
        if name is not None and not (isinstance(name, str) and name.strip()):
            raise ExpressionError(f"a name is a text that is not empty; got {name!r}.")
        self.name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name or self.stem}>"


class Noise(Identity):
    """Random directions, drawn anew at each step, different at each point and independent of all other noise."""

    stem = "noise"


class PointSet(Identity):
    """Points of one region that are sampled together: an array `[n, d]` once a crux has drawn them.

    `axes` are the names of the d coordinates, `label` tells a reader which region of which domain it is,
    `plan` draws the points (level domain).
    """

    stem = "points"
    free: ClassVar[bool] = False
    """Whether it stands for any points with the same axes: expressions on it take the points of what they meet."""

    def __init__(self, axes: tuple[str, ...], label: str, size: int, plan: Any) -> None:
        super().__init__(label)
        self.axes, self.label, self.size, self.plan = axes, label, size, plan

    def __repr__(self) -> str:
        return f"{self.size} points of {self.label}"
