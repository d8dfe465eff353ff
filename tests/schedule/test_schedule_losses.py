"""Rates that read losses, in every form that losses can have."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from pinnace._errors import ScheduleError
from pinnace.schedule import LearningRateSchedule as lrs
from pinnace.schedule import LossValues, dlrs

IN_THE_STEP = LossValues(jnp.asarray([2.0, 3.0]), {"pde": jnp.asarray(0.5), "bc": jnp.asarray(0.25)}, jnp.asarray(5.0))


@pytest.mark.parametrize("losses", [[2, 3.0], (2.0, 3), np.array([2, 3]), jnp.asarray([2.0, 3.0]), IN_THE_STEP])
def test_entries_in_order(losses):
    for read, value in [
        (lambda epoch, losses: losses[0], 2.0),
        (lambda epoch, losses: losses[-1], 3.0),
        (lambda epoch, losses: losses[1:][0], 3.0),
        (lambda epoch, losses: losses[epoch % 2], 3.0),
        (lambda epoch, losses: len(losses) + sum(losses), 7.0),
        (lambda epoch, losses: jnp.sum(losses) + jnp.max(losses) + losses.mean(), 10.5),
        (lambda epoch, losses: [*losses][1] + [*reversed(losses)][1], 5.0),
        (lambda epoch, losses: losses.total, 5.0),
        (lambda epoch, losses: losses.entries[1], 3.0),
        (lambda epoch, losses: 1.0 if 3.0 in losses and 4.0 not in losses else 2.0, 1.0),
    ]:
        assert lrs(read)(1, losses) == value


def test_raw_losses_by_name():
    named = lrs(lambda epoch, losses: losses["pde"] if "bc" in losses and "ic" not in losses else 0.0)
    assert named(0, IN_THE_STEP) == 0.5
    assert named(0, {"pde": 4.0, "bc": 1.0}) == 4.0
    assert lrs(lambda epoch, losses: losses[1])(0, {"pde": 4.0, "bc": 1.0}) == 1.0


def test_the_order_of_a_dict_is_kept():
    assert lrs(lambda epoch, losses: losses[0])(0, {"z": 1.0, "a": 2.0}) == 1.0


def test_a_name_misspelt():
    with pytest.raises(ScheduleError, match=r'there are "bc", "pde"\. Did you mean "pde"'):
        lrs(lambda epoch, losses: losses["pd"])(0, IN_THE_STEP)


def test_a_rate_that_calls_another_hands_its_losses_on():
    inner = lrs(lambda epoch, losses: losses["pde"] if losses[0] > 1 else 0.0)
    assert lrs(lambda epoch, losses: 2 * inner(epoch, losses) if epoch > 0 else 0.0)(1, IN_THE_STEP) == 1.0


def test_in_a_step():
    schedule = lrs(lambda epoch, losses: 1e-3 if losses[0] > 1e-2 else losses["pde"])

    @jax.jit
    def train():
        def one(carry):
            t, losses, _ = carry
            values = LossValues(jnp.stack([losses, losses]), {"pde": losses * 2}, 2 * losses)
            return t + 1, losses / 2, schedule.update(t, values, ())[0]

        return lax.while_loop(lambda carry: carry[0] < 8, one, (0, jnp.asarray(1.0), jnp.zeros(())))

    np.testing.assert_allclose(train()[2], 2 * 0.5**7)


@pytest.mark.parametrize("losses", [0.5, "pde", [], [[1.0]], ["a"], {1: 2.0}, {"pde": [1.0, 2.0]}, {}, [None]])
def test_what_is_no_losses(losses):
    with pytest.raises(ScheduleError, match=r"losses|Losses"):
        lrs(lambda epoch, losses: losses[0])(0, losses)


def test_losses_missing():
    schedule = lrs(lambda epoch, losses: losses[0])
    assert schedule.reads_losses and not schedule.has_state
    with pytest.raises(ScheduleError, match=r"got none.*\.scale\(schedule\)"):
        schedule(0)
    with pytest.raises(ScheduleError, match="got none"):
        dlrs().update(0, None, dlrs().init())


def test_losses_that_nobody_reads():
    schedule = lrs(lambda epoch: 1.0 * epoch)
    assert not schedule.reads_losses
    assert schedule(3, [1.0]) == 3.0 and schedule.update(3, IN_THE_STEP, ()) == (3.0, ())
