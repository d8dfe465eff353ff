"""pinnace: a language for solving differential equations with neural networks on JAX."""

from pinnace import balance as balance
from pinnace import domain as domain
from pinnace import exact as exact
from pinnace import fn as fn
from pinnace import optim as optim
from pinnace import plot as plot
from pinnace import schedule as schedule
from pinnace import sinks as sinks
from pinnace import surgery as surgery
from pinnace._errors import PinnaceError as PinnaceError
from pinnace._errors import PinnaceWarning as PinnaceWarning
from pinnace.domain import normal as normal
from pinnace.exact import periodic as periodic
from pinnace.expr import Expr as Expr
from pinnace.expr import np as np
from pinnace.fn import diagnose as diagnose
from pinnace.fn import weigh as weigh
from pinnace.fn import weigh_points as weigh_points
from pinnace.net import apply as apply
from pinnace.net import arch as arch
from pinnace.net import nn as nn
from pinnace.net import parameter as parameter
from pinnace.optim import optimizer as optimizer
from pinnace.schedule import LearningRateSchedule as LearningRateSchedule
from pinnace.train import Outcome as Outcome
from pinnace.train import core as core
from pinnace.train import load as load
from pinnace.train import stop as stop

__version__ = "0.1.0"
