"""`pn.exact`: expressions that fulfil conditions whatever a network in them does.

    u = pn.exact.dirichlet(net(x, y), dom, {"left": 0.0, "right": pn.np.sin(y)})

Each takes a network (or any expression) at points of a domain and gives an ordinary expression: differentiate it, call
it elsewhere by `.at`, put it into residuals. No loss is needed for the conditions, and they hold before any training.
They are made of `dom.distance(...)`, which is there for conditions that these do not have.
"""

from pinnace.exact.initial import initial as initial
from pinnace.exact.neumann import neumann as neumann
from pinnace.exact.periodic import periodic as periodic
from pinnace.exact.values import dirichlet as dirichlet

__all__ = ["dirichlet", "initial", "neumann", "periodic"]
