"""Learning rates: pure functions of the epoch, of the losses, and of what happened before.

>>> from pinnace.schedule import LearningRateSchedule as lrs
>>> schedule = lrs.exponential(0.1, 0.5, 1000, staircase=True)
>>> schedule(1500).item()
0.05000000074505806

A schedule is a pytree whose numbers are leaves: passed to a jitted function as an argument, other numbers
compile nothing.
"""

from pinnace.schedule._dlrs import dlrs as dlrs
from pinnace.schedule._functional import as_schedule as as_schedule
from pinnace.schedule._functional import constant_lr as constant_lr
from pinnace.schedule._functional import lambda_lr as lambda_lr
from pinnace.schedule._functional import step_lr as step_lr
from pinnace.schedule._learning_rate import LearningRateSchedule as LearningRateSchedule
from pinnace.schedule._losses import LossValues as LossValues
