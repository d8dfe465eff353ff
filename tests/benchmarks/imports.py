"""What `import pinnace` costs over the libraries that it stands on.

Run `python tests/benchmarks/imports.py [pairs]`, or `python -m tests.benchmarks.imports`.
Fresh processes, the two kinds in turn, so that a busy moment of the machine slows both.
"""

import subprocess
import sys
from statistics import median

BELOW = "import jax, equinox, optax"
ABOVE = "import pinnace"
CLOCK = "from time import perf_counter as now; start = now(); {}; print(now() - start)"


def seconds(statement: str) -> float:
    """The time of one import in a process of its own."""
    command = [sys.executable, "-c", CLOCK.format(statement)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main(pairs: int = 15) -> None:
    """Print both medians, their ratio and their difference."""
    seconds(BELOW), seconds(ABOVE)
    below, above = map(median, zip(*((seconds(BELOW), seconds(ABOVE)) for _ in range(pairs)), strict=True))
    print(f"{BELOW}: {below:.3f} s, {ABOVE}: {above:.3f} s (medians of {pairs})")
    print(f"ratio {above / below:.3f}, difference {above - below:+.3f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
