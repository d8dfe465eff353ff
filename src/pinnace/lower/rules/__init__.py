"""How each primitive maps jets to jets: one table by the primitive's name. What is in none goes through `nested`."""

from pinnace.lower.rules import pieces
from pinnace.lower.rules.elementwise import FUNCTIONS, TOWERS
from pinnace.lower.rules.inside import INSIDE as INSIDE
from pinnace.lower.rules.linear import LINEAR

ALONE = (*TOWERS, *"add sub mul div pow neg convert_element_type reduce_precision copy copy_p".split())
"""What acts on each entry alone, and so on each piece of a concatenation."""

RULES = {**LINEAR, **FUNCTIONS}
"""name of the primitive -> rule(equation, jets of the arguments, terms) -> jets of the results."""

RULES |= {name: pieces.entrywise(RULES[name]) for name in ALONE}
RULES |= {
    "concatenate": pieces.concatenate,
    "stack": pieces.stack,
    "slice": pieces.slice_,
    "split": pieces.split,
    "transpose": pieces.transpose,
    "dot_general": pieces.dot_general,
}
