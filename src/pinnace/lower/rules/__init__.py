"""How each primitive maps jets to jets: one table by the primitive's name. What is in none goes through `nested`."""

from pinnace.lower.rules.elementwise import FUNCTIONS
from pinnace.lower.rules.inside import INSIDE as INSIDE
from pinnace.lower.rules.linear import LINEAR

RULES = {**LINEAR, **FUNCTIONS}
"""name of the primitive -> rule(equation, jets of the arguments, terms) -> jets of the results."""
