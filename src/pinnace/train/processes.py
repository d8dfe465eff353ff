"""What several processes on one mesh agree on between chunks."""

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


class Processes:
    """The processes whose devices a mesh holds; without a mesh, this one alone."""

    def __init__(self, mesh: Mesh | None) -> None:
        devices = [] if mesh is None else list(mesh.devices.flat)
        ranks = sorted({device.process_index for device in devices}) or [jax.process_index()]
        self.first = jax.process_index() == ranks[0]
        """Whether this process writes files and shows progress."""
        self._gather: Any = None
        if mesh is not None and len(ranks) > 1:
            self._rows = (len(devices), NamedSharding(mesh, PartitionSpec(mesh.axis_names)))
            self._gather = jax.jit(lambda rows: rows, out_shardings=NamedSharding(mesh, PartitionSpec()))

    def agree(self, interrupted: bool, stopped: bool, length: int) -> tuple[bool, bool, int]:
        """Whether any process was interrupted or wants to stop, and the shortest next chunk that one proposes."""
        if self._gather is None:
            return interrupted, stopped, length
        devices, sharding = self._rows
        mine = np.array([[interrupted, stopped, -length]], np.int32)
        rows = jax.make_array_from_callback((devices, 3), sharding, lambda index: mine)
        some = np.asarray(self._gather(rows)).max(axis=0)
        return bool(some[0]), bool(some[1]), -int(some[2])

    def meet(self) -> None:
        """Wait until every process is here."""
        self.agree(False, False, 1)
