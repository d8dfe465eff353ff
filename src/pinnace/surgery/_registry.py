"""All surgeries by name. A new one is a file, and a line here."""

from collections.abc import Callable

from pinnace.surgery._config import config
from pinnace.surgery._contract import Surgery
from pinnace.surgery._dcgd import dcgd
from pinnace.surgery._pcgrad import pcgrad

SURGERIES: dict[str, Callable[..., Surgery]] = {"config": config, "pcgrad": pcgrad, "dcgd": dcgd}
"""The factories by name."""
