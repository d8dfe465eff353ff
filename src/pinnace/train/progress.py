"""What a user sees while a run goes on."""

import sys
from typing import Any


class Progress:
    """A bar with the losses behind it; silent where nobody can see it."""

    def __init__(self, total: int, shown: bool) -> None:
        self._bar: Any = None
        if shown and (sys.stderr.isatty() or "ipykernel" in sys.modules):
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit="step", dynamic_ncols=True, leave=True)

    def advance(self, count: int, values: dict[str, float]) -> None:
        """So many steps more, with the values of the last one."""
        if self._bar is not None:
            self._bar.set_postfix_str(" ".join(f"{name}={value:.3g}" for name, value in values.items()), refresh=False)
            self._bar.update(count)

    def close(self) -> None:
        """The bar stays as it is."""
        if self._bar is not None:
            self._bar.close()
