"""The language: immutable expressions, their operators, functions, derivatives and how they are printed."""

from pinnace.expr.free import bound as bound
from pinnace.expr.free import unbound as unbound
from pinnace.expr.functions import Functions as Functions
from pinnace.expr.identity import Identity as Identity
from pinnace.expr.identity import Noise as Noise
from pinnace.expr.identity import PointSet as PointSet
from pinnace.expr.kinds import MEASURED as MEASURED
from pinnace.expr.latex import latex as latex
from pinnace.expr.mathtext import mathtext as mathtext
from pinnace.expr.mover import Mover as Mover
from pinnace.expr.node import Expr as Expr
from pinnace.expr.node import as_expr as as_expr
from pinnace.expr.text import Names as Names
from pinnace.expr.text import factory_name as factory_name
from pinnace.expr.text import text as text
from pinnace.expr.tracker import Tracker as Tracker
from pinnace.expr.walk import nodes as nodes
from pinnace.expr.walk import replace as replace

np = Functions()
"""The elementwise part of jax.numpy for expressions; users know it as `pn.np`."""
