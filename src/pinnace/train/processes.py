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

    def agree(self, code: int, length: int) -> tuple[int, int]:
        """The largest of the codes of all processes, and the shortest next chunk that one proposes."""
        if self._gather is None:
            return code, length
        devices, sharding = self._rows
        mine = np.array([[code, -length]], np.int32)
        rows = jax.make_array_from_callback((devices, 2), sharding, lambda index: mine)
        most = np.asarray(self._gather(rows)).max(axis=0)
        return int(most[0]), -int(most[1])

    def meet(self) -> None:
        """Wait until every process is here."""
        self.agree(0, 1)
