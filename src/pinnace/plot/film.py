"""A figure that moves."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from pinnace._errors import PinnaceError


class Film(tuple[Any, Any]):
    """(figure, axes) of an animation; a notebook shows it with buttons.

    Keep it as long as a window plays it.
    """

    def __new__(cls, figure: Any, axes: Any, draw: Callable[[int], Any], frames: int, fps: float) -> "Film":
        return super().__new__(cls, (figure, axes))

    def __init__(self, figure: Any, axes: Any, draw: Callable[[int], Any], frames: int, fps: float) -> None:
        self._draw, self._frames, self._fps = draw, frames, fps

    @cached_property
    def animation(self) -> Any:
        """matplotlib's own FuncAnimation."""
        from matplotlib.animation import FuncAnimation

        return FuncAnimation(self[0], self._draw, frames=self._frames, interval=1000 / self._fps, blit=False)

    def draw(self, number: int) -> None:
        """Put the frame of that number into the figure, as a still."""
        self._draw(number)

    def save(self, path: str | Path, **settings: Any) -> None:
        """Write a .gif, .webp or .png by Pillow, a page .html, or what else ffmpeg writes, such as .mp4.

        `settings` are those of matplotlib's `Animation.save`: fps, dpi, ... Raises PinnaceError where ffmpeg is needed
        and missing.
        """
        from matplotlib.animation import writers

        suffix = Path(path).suffix.lower()
        if suffix in (".html", ".htm"):
            Path(path).write_text(self.animation.to_jshtml(), encoding="utf-8")
            return
        pillow = suffix in (".gif", ".webp", ".png", ".apng")
        if not pillow and not writers.is_available("ffmpeg"):
            raise PinnaceError(
                f"{Path(path).name} takes ffmpeg, which is not installed. Save a .gif or a .html instead."
            )
        self.animation.save(path, **({"fps": self._fps, "writer": "pillow" if pillow else "ffmpeg"} | settings))

    def _repr_html_(self) -> str:
        return self.animation.to_jshtml()

    def __repr__(self) -> str:
        return f"Film of {self._frames} frames; .save(path) writes it"
