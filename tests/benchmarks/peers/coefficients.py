"""The numbers of the benchmark problems, for every side: imports nothing, so that a peer's process can read it."""

from math import pi

RATE = 1e-3
"""Of Adam, everywhere."""
BURGERS = 0.01 / pi
"""nu in u_t + u u_x = nu u_xx."""
KDV = 0.0025
"""c in u_t + u u_x + c u_xxx = 0."""
REYNOLDS = 100.0
"""Of the cavity."""
