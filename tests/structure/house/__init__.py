"""The rules of the house as functions over a source tree: each returns what breaks it, line by line."""

from house.budgets import file_budget, function_budget, median_budget, module_names
from house.forbidden import broad_excepts, inner_imports, private_jax, probing
from house.graph import cycles
from house.levels import face, levels, plain_expressions
from house.public import public_names
from house.source import Package, read

RULES = {
    "levels": levels,
    "face": face,
    "plain expressions": plain_expressions,
    "cycles": cycles,
    "median file": median_budget,
    "any file": file_budget,
    "any function": function_budget,
    "module names": module_names,
    "inner imports": inner_imports,
    "private jax": private_jax,
    "broad excepts": broad_excepts,
    "probing": probing,
    "public names": public_names,
}

__all__ = ["RULES", "Package", "read"]
