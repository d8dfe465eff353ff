"""The step: a program with its balancers, optimizers and rates, as one pure function of one state."""

from pinnace.step.chunk import Chunk as Chunk
from pinnace.step.chunk import run_chunk as run_chunk
from pinnace.step.cost import Cost as Cost
from pinnace.step.cost import cost_of_step as cost_of_step
from pinnace.step.initial import initial as initial
from pinnace.step.initial import reattached as reattached
from pinnace.step.look import look as look
from pinnace.step.lost import blame_for_update as blame_for_update
from pinnace.step.nonfinite import first_nonfinite as first_nonfinite
from pinnace.step.placement import Placement as Placement
from pinnace.step.recipe import Attached as Attached
from pinnace.step.recipe import Recipe as Recipe
from pinnace.step.recipe import attached as attached
from pinnace.step.recipe import recipe as recipe
from pinnace.step.scale import PRECISIONS as PRECISIONS
from pinnace.step.scale import Scale as Scale
from pinnace.step.scale import scale_of as scale_of
from pinnace.step.searching import restless as restless
from pinnace.step.searching import searching as searching
from pinnace.step.searching import warn_of_searches as warn_of_searches
from pinnace.step.state import State as State
from pinnace.step.state import clean as clean
from pinnace.step.state import sound as sound

__all__ = [
    "PRECISIONS",
    "Attached",
    "Chunk",
    "Cost",
    "Placement",
    "Recipe",
    "Scale",
    "State",
    "attached",
    "blame_for_update",
    "clean",
    "cost_of_step",
    "first_nonfinite",
    "initial",
    "look",
    "reattached",
    "recipe",
    "restless",
    "run_chunk",
    "scale_of",
    "searching",
    "sound",
    "warn_of_searches",
]
