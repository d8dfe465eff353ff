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
from pinnace.step.probe import Derivative as Derivative
from pinnace.step.probe import Probe as Probe
from pinnace.step.probe import derivatives_of as derivatives_of
from pinnace.step.probe import lower_derivative as lower_derivative
from pinnace.step.probe import probes as probes
from pinnace.step.probe import residuals_of as residuals_of
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
from pinnace.step.state import is_key as is_key
from pinnace.step.state import sound as sound
from pinnace.step.values import values_at as values_at

__all__ = [
    "PRECISIONS",
    "Attached",
    "Chunk",
    "Cost",
    "Derivative",
    "Placement",
    "Probe",
    "Recipe",
    "Scale",
    "State",
    "attached",
    "blame_for_update",
    "clean",
    "cost_of_step",
    "derivatives_of",
    "first_nonfinite",
    "initial",
    "is_key",
    "look",
    "lower_derivative",
    "probes",
    "reattached",
    "recipe",
    "residuals_of",
    "restless",
    "run_chunk",
    "scale_of",
    "searching",
    "sound",
    "values_at",
    "warn_of_searches",
]
