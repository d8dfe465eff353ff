"""Which optimizer trains what, at which rate."""

from pinnace.optim.radam import radam as radam
from pinnace.optim.soap import soap as soap
from pinnace.optim.trainable import Binding as Binding
from pinnace.optim.trainable import Group as Group
from pinnace.optim.trainable import Trainable as Trainable
from pinnace.optim.trainable import optimizer as optimizer
from pinnace.optim.trainable import trainable_of as trainable_of
from pinnace.optim.untrained import Untrained as Untrained

__all__ = ["Binding", "Group", "Trainable", "Untrained", "optimizer", "radam", "soap", "trainable_of"]
