"""Python functions that branch, inside the compiled step.

A function is run once for each path through it, with stand-ins for its arguments whose truth value comes from
a script; the results of the paths are joined by `jnp.where`.
"""

from pinnace.schedule._capture.paths import capture as capture
