"""Whether points are inside of a closed surface, from the few triangles near each.

The box around the surface is cut into voxels. Each knows one point of its own, how often the surface winds around that,
and the triangles that meet the voxel: the segment from any other point of the voxel to it crosses only these, and the
winding number changes by one at each crossing. So a point costs a few dozen triangles, not all of them.
"""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from pinnace.domain.arrays import namespace
from pinnace.domain.flat import normals_of

SPLIT = 4
"""Voxels for each triangle, about."""
FINEST = 48
"""Voxels along the longest side of the box, at most."""
SLOTS = 8
"""Places for the point of a voxel; it takes the one that is farthest from the surface."""
OFF = (0.0, 0.445041867912629, 0.554958132087371)
"""Where the points of voxels are across the rays: at no fraction that edges of a regular mesh are at."""
ROOM = 1e-3
"""How much of a voxel the triangles of its neighbours count as its own, for rounding."""


@dataclass(frozen=True, eq=False)
class Voxels:
    """A closed surface in voxels. Made by `voxels_of`."""

    low: Float[np.ndarray, "3"]
    steps: Float[np.ndarray, "3"]
    counts: Int[np.ndarray, "3"]
    triangles: Float[np.ndarray, "m+1 3 3"]
    """The triangles, and one more without extent, for voxels with few."""
    turned: Bool[np.ndarray, "m+1 3"]
    """Whether each side goes against the order of its ends, so that neighbours compute the same for it."""
    table: Int[np.ndarray, "voxels most"]
    own: Float[np.ndarray, "voxels 3"]
    around: Float[np.ndarray, "voxels"]
    """How often the surface winds around the own point of each voxel."""

    def inside(self, points: Float[Array, "n 3"], margin: float) -> Any:
        """Which points of the box are inside, and farther than that from the plane of every triangle nearby."""
        if namespace(points) is np:
            with jax.ensure_compile_time_eval(), jax.enable_x64(points.dtype == np.float64):
                return np.asarray(_inside(self, jax.numpy.asarray(points), margin))
        return _inside(self, points, margin)


def _inside(voxels: Voxels, points: Float[Array, "n 3"], margin: float) -> Bool[Array, "n"]:
    xp, kind = jax.numpy, points.dtype
    index = xp.floor((points - xp.asarray(voxels.low, kind)) / xp.asarray(voxels.steps, kind)).astype(int)
    index = xp.clip(index, 0, voxels.counts - 1)
    voxel = (index[:, 0] * voxels.counts[1] + index[:, 1]) * voxels.counts[2] + index[:, 2]
    triangles, turned = xp.asarray(voxels.triangles, kind), xp.asarray(voxels.turned)
    start = list(points.T)
    stop = list(xp.asarray(voxels.own, kind)[voxel].T)

    def add(found: tuple[Array, Array], numbers: Int[Array, "n"]) -> tuple[tuple[Array, Array], None]:
        around, near = found
        corners = triangles[numbers]
        a, b, c = ([corners[:, k, axis] for axis in range(3)] for k in range(3))
        ways = [_left(start, stop, *ends, turned[numbers, k]) for k, ends in enumerate(((a, b), (b, c), (c, a)))]
        through = (ways[0] == ways[1]) & (ways[1] == ways[2])
        across = _cross(_less(b, a), _less(c, a))
        height, other = _dot(_less(start, a), across), _dot(_less(stop, a), across)
        size = _dot(across, across)
        crossed = through & ((height > 0) != (other > 0)) & (size > 0)
        change = xp.where(crossed, xp.where(height > 0, -1, 1), 0)
        return (around + change, near | (height**2 <= margin**2 * size) & (size > 0)), None

    before = xp.asarray(voxels.around, kind)[voxel], xp.zeros(len(points), bool)
    rows = xp.asarray(voxels.table)[voxel].T
    (around, near), _ = jax.lax.scan(add, before, rows)
    return (around > 0.5) & ~near


_inside = jax.jit(_inside, static_argnums=(0, 2))


def voxels_of(triangles: Float[np.ndarray, "m 3 3"]) -> Voxels:
    """A closed surface in voxels, about as many as it has triangles, times four."""
    low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
    # a little more than the box, so that nothing is on its faces
    room = 0.01 * (high - low)
    low, high = low - room, high + room
    side = max((np.prod(high - low) / (SPLIT * len(triangles))) ** (1 / 3), (high - low).max() / FINEST)
    counts = np.maximum(np.ceil((high - low) / side).astype(int), 1)
    steps = (high - low) / counts
    voxel, number = _meetings(triangles, low, steps, counts)
    order = np.argsort(voxel, kind="stable")
    voxel, number = voxel[order], number[order]
    lengths = np.bincount(voxel, minlength=np.prod(counts))
    table = np.full((len(lengths), max(1, lengths.max())), len(triangles), np.int32)
    table[voxel, np.arange(len(voxel)) - np.repeat(np.cumsum(lengths) - lengths, lengths)] = number
    padded = np.concatenate([triangles, np.broadcast_to(low, (1, 3, 3))])
    own, around = _own_points(padded, table, low, steps, counts)
    return Voxels(low, steps, counts, padded, _against(padded), table, own, around)


def _meetings(
    triangles: Float[np.ndarray, "m 3 3"], low: np.ndarray, steps: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of a voxel and a triangle that meet, or nearly."""
    first = np.clip(np.floor((triangles.min(axis=1) - low) / steps - ROOM).astype(int), 0, counts - 1)
    last = np.clip(np.floor((triangles.max(axis=1) - low) / steps + ROOM).astype(int), 0, counts - 1)
    number, index = _spans(first, last)
    # the plane has to meet the voxel too
    normals = normals_of(triangles)[number]
    centres = low + (index + 0.5) * steps
    gaps = np.abs(np.sum((centres - triangles[number, 0]) * normals, axis=1))
    meets = gaps <= (0.5 + ROOM) * np.sum(np.abs(normals) * steps, axis=1)
    return np.asarray(np.ravel_multi_index(tuple(index[meets].T), tuple(counts))), number[meets]


def _spans(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All indices from the first to the last of each row, and the rows that they are of."""
    widths = last - first + 1
    total = widths.prod(axis=1)
    number = np.repeat(np.arange(len(first)), total)
    rest = np.arange(len(number)) - np.repeat(np.cumsum(total) - total, total)
    index = np.empty((len(number), first.shape[1]), int)
    for axis in range(first.shape[1])[::-1]:
        rest, index[:, axis] = np.divmod(rest, widths[number, axis])
    return number, first[number] + index


def _own_points(
    triangles: np.ndarray, table: np.ndarray, low: np.ndarray, steps: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A point of each voxel, and how often the surface winds around it: by rays along the first axis."""
    shares = np.array([0.5, *OFF[1:]])
    slots = (np.arange(counts[0] * SLOTS) + 0.5) * steps[0] / SLOTS
    changes = np.zeros((counts[0] * SLOTS + 1, counts[1], counts[2]))
    flat = triangles[:-1, :, 1:]
    # the rays that go through the box around each triangle
    first = np.ceil((flat.min(axis=1) - low[1:]) / steps[1:] - shares[1:]).astype(int)
    last = np.floor((flat.max(axis=1) - low[1:]) / steps[1:] - shares[1:]).astype(int)
    first, last = np.clip(first, 0, counts[1:]), np.clip(last, -1, counts[1:] - 1)
    meets = np.flatnonzero(np.all(last >= first, axis=1))
    number, index = _spans(first[meets], last[meets])
    number = meets[number]
    rays = low[1:] + (index + shares[1:]) * steps[1:]
    corners = triangles[number]
    a, b, c = (corners[:, k] for k in range(3))
    pairs = [((q[:, 1:] - p[:, 1:]) * (rays - p[:, 1:])[:, ::-1]) @ [1, -1] for p, q in ((a, b), (b, c), (c, a))]
    areas = np.stack(pairs, axis=1)
    through = np.all(areas > 0, axis=1) | np.all(areas < 0, axis=1)
    areas, corners, index = areas[through], corners[through], index[through]
    total = areas.sum(axis=1)
    # the share of a corner is that of the triangle with the opposite side
    at = np.sum(areas[:, [1, 2, 0]] / total[:, None] * corners[:, :, 0], axis=1) - low[0]
    slot = np.searchsorted(slots, at)
    np.add.at(changes, (slot, index[:, 0], index[:, 1]), -np.sign(total))
    winds = np.cumsum(changes[:-1], axis=0).reshape(counts[0], SLOTS, counts[1], counts[2])
    grid = np.stack(np.meshgrid(*(np.arange(count) for count in counts), indexing="ij"), axis=-1).reshape(-1, 3)
    places = low + (grid + shares) * steps
    alongs = low[0] + slots.reshape(counts[0], SLOTS)[grid[:, 0]]
    best = _farthest(triangles, table, places, alongs)
    rows = np.arange(len(grid))
    places[:, 0] = alongs[rows, best]
    return places, winds[grid[:, 0], best, grid[:, 1], grid[:, 2]]


def _farthest(triangles: np.ndarray, table: np.ndarray, places: np.ndarray, alongs: np.ndarray) -> np.ndarray:
    """Which place of each voxel is farthest from the planes of its triangles."""
    normals = np.concatenate([normals_of(triangles[:-1]), np.zeros((1, 3))])
    gaps = np.full(alongs.shape, np.inf)
    for column in table.T:
        normal, corner = normals[column], triangles[column, 0]
        fixed = np.sum((places - corner)[:, 1:] * normal[:, 1:], axis=1)
        far = np.abs(fixed[:, None] + (alongs - corner[:, :1]) * normal[:, :1])
        gaps = np.minimum(gaps, np.where((column < len(triangles) - 1)[:, None], far, np.inf))
    return gaps.argmax(axis=1)


def _against(triangles: Float[np.ndarray, "m 3 3"]) -> Bool[np.ndarray, "m 3"]:
    """Whether the sides ab, bc, ca go from the later to the earlier end."""
    _, number = np.unique(triangles.reshape(-1, 3), axis=0, return_inverse=True)
    number = number.reshape(-1, 3)
    return number > np.roll(number, -1, axis=1)


def _left(start: list, stop: list, tail: list, head: list, turned: Bool[Array, "n"]) -> Bool[Array, "n"]:
    """On which side of a segment the line through an edge passes; the same for both triangles at the edge."""
    xp = jax.numpy
    first = [xp.where(turned, b, a) for a, b in zip(tail, head, strict=True)]
    second = [xp.where(turned, a, b) for a, b in zip(tail, head, strict=True)]
    volume = _dot(_less(stop, start), _cross(_less(first, start), _less(second, start)))
    return (volume > 0) != turned


def _less(first: list, second: list) -> list:
    return [one - other for one, other in zip(first, second, strict=True)]


def _dot(first: list, second: list) -> Array:
    return first[0] * second[0] + first[1] * second[1] + first[2] * second[2]


def _cross(first: list, second: list) -> list:
    (a, b, c), (x, y, z) = first, second
    return [b * z - c * y, c * x - a * z, a * y - b * x]
