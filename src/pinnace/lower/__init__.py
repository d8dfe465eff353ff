"""From expressions to the hand-written step. The passes, in order, each in files of its own:

check    scalars where scalars are due, names unique, every field has an optimizer, unused weights
collapse sums of derivatives become functionals (components, linear: what an expression is a combination of)
require  top-down: which derivatives, and which functionals, each node must deliver
evaluate bottom-up: values with exactly those derivatives, by jets, in one forward propagation
measured what is trained, looked at from outside: norms of gradients, tangent kernels; for trackers only
reduce   residuals to losses, and the residual vectors for least squares; batches, where sets are large
program  the frozen result

A field goes through `fields` (how its module is called) and `mapped` (one point to all of them), then forwards through
`directions` and `interpret` with the rules of each primitive, or `backwards`.
"""

from pinnace.lower.batches import all_at_points as all_at_points
from pinnace.lower.batches import at_points as at_points
from pinnace.lower.batches import batches as batches
from pinnace.lower.check import check_symbols as check_symbols
from pinnace.lower.check import check_targets as check_targets
from pinnace.lower.functional import spelled as spelled
from pinnace.lower.given import Given as Given
from pinnace.lower.measured import Vantage as Vantage
from pinnace.lower.program import WEIGHTS as WEIGHTS
from pinnace.lower.program import Canonical as Canonical
from pinnace.lower.program import Compiled as Compiled
from pinnace.lower.program import Moved as Moved
from pinnace.lower.program import Program as Program
from pinnace.lower.program import Static as Static
from pinnace.lower.program import lower as lower
from pinnace.lower.program import noises_of as noises_of
from pinnace.lower.program import sets_of as sets_of
from pinnace.lower.tangent import kernel_trace as kernel_trace
from pinnace.lower.work import FieldWork as FieldWork
from pinnace.lower.work import matrix_products as matrix_products
from pinnace.lower.work import work as work

__all__ = [
    "WEIGHTS",
    "Canonical",
    "Compiled",
    "FieldWork",
    "Given",
    "Moved",
    "Program",
    "Static",
    "Vantage",
    "all_at_points",
    "at_points",
    "batches",
    "check_symbols",
    "check_targets",
    "kernel_trace",
    "lower",
    "matrix_products",
    "noises_of",
    "sets_of",
    "spelled",
    "work",
]
