"""How a step is spread and rounded: devices, batches, memory, precision. What is computed stays the same."""

from dataclasses import dataclass
from typing import Any

from jax.lax import DotAlgorithmPreset
from jax.sharding import AxisType, Mesh

from pinnace._errors import LoweringError, did_you_mean, listed

POINTS, MODEL = "points", "model"
"""The axes of a mesh: what is spread along each."""

PRECISIONS = ("default", "high", "highest", "bfloat16", "tensorfloat32", "float32")
"""The precisions of matrix products that have a name of their own; JAX's algorithms (`TF32_TF32_F32`) go too."""


@dataclass(frozen=True)
class Scale:
    """Options of `core` that change how a step is computed, not what. Made by `scale_of`."""

    mesh: Mesh | None = None
    microbatch: int | None = None
    remat: bool = False
    precision: str | None = None


def scale_of(mesh: Any = None, microbatch: Any = None, remat: Any = False, precision: Any = None) -> Scale:
    """The options of `core`, checked.

    Raises LoweringError for a mesh without an axis "points", a batch that is no positive int, and an unknown precision.

    >>> from pinnace.step import scale_of
    >>> scale_of(microbatch=5000).microbatch
    5000
    """
    if microbatch is not None and (not isinstance(microbatch, int) or isinstance(microbatch, bool) or microbatch < 1):
        raise LoweringError(
            f"microbatch is the number of points that go through at once, an int from 1 on; got {microbatch!r}. Write "
            f"microbatch=10_000, or leave it out for all points at once."
        )
    if not isinstance(remat, bool):
        raise LoweringError(f"remat is True or False; got {remat!r}. True computes again what it does not keep.")
    if precision is not None and precision not in PRECISIONS and precision not in DotAlgorithmPreset.__members__:
        raise LoweringError(
            f"precision={precision!r} is not known.{did_you_mean(precision, PRECISIONS)} The precision of matrix "
            f"products is one of {listed(PRECISIONS)}, the name of a jax.lax.DotAlgorithmPreset, or None for JAX's own."
        )
    return Scale(None if mesh is None else _automatic(mesh), microbatch, remat, precision)


def _automatic(mesh: Any) -> Mesh:
    """The mesh with axes along which the compiler places arrays; `jax.make_mesh` makes others."""
    if not isinstance(mesh, Mesh):
        raise LoweringError(f'mesh is a mesh of devices, jax.make_mesh((n,), ("points",)); got {mesh!r}.')
    names = tuple(mesh.axis_names)
    if POINTS not in names or set(names) - {POINTS, MODEL}:
        raise LoweringError(
            f'the mesh has the axes {listed(names)}: points are spread along "points", which must be there, and wide '
            f'layers along "model". Write jax.make_mesh((n,), ("points",)), or ((n, m), ("points", "model")).'
        )
    return Mesh(mesh.devices, names, axis_types=(AxisType.Auto,) * len(names))
