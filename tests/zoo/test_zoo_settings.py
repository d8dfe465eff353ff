"""Settings: typed, checked, read from text."""

import pytest

from pinnace import PinnaceError, zoo
from pinnace.zoo.balancing import balancer_of


def test_settings_are_read_in_their_types():
    problem = zoo.Burgers.read(["width=1e2", "rate=2e-3", "conditions=hard", "balancer=none", "points = 64"])
    assert (problem.width, problem.rate, problem.conditions, problem.points) == (100, 2e-3, "hard", 64)
    assert isinstance(problem.width, int) and problem.depth == zoo.Burgers().depth


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["widht=32"], 'no setting "widht". Did you mean "width"?'),
        (["width"], "key=value"),
        (["=3"], "key=value"),
        (["width=wide"], 'width (neurons in a layer) is a whole number; got "wide"'),
        (["width=1.5"], "is a whole number"),
        (["width=inf"], "is a whole number"),
        (["width=nan"], "is a whole number"),
        (["width=0"], "more than 0"),
        (["width=-3"], "more than 0"),
        (["rate=nan"], "more than 0"),
        (["rate=fast"], "is a number"),
        (["damping=-1"], "0 or more"),
        (["conditions=Hard"], 'is one of "soft", "hard"; got \'Hard\'. Did you mean "hard"?'),
        (["balancer=relobrallo"], 'no balancer "relobrallo". Did you mean "relobralo"?'),
        (["balancer=softadapt(beta)"], "a balancer is a name"),
        (["balancer=softadapt(0.5)"], "a balancer is a name"),
        (["balancer=softadapt(beta=open)"], "a balancer is a name"),
        (["balancer=softadapt(betta=1)"], 'Did you mean "beta"?'),
        (["balancer=fixed"], "weights"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(texts, told):
    with pytest.raises(PinnaceError) as error:
        zoo.Burgers.read(texts)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "wrong", [{"width": 3.0}, {"width": True}, {"rate": "1e-3"}, {"conditions": 1}, {"balancer": 1}]
)
def test_a_value_of_another_type_is_refused(wrong):
    with pytest.raises(zoo.SettingError):
        zoo.Burgers(**wrong)


def test_zero_is_allowed_where_it_means_something():
    assert zoo.BurgersInverse(noise=0, damping=0.0).noise == 0


def test_a_balancer_is_written_as_in_the_language():
    assert balancer_of("none") is None
    assert balancer_of("fixed(weights=[1, 10])").weights == (1.0, 10.0)
    assert balancer_of(" softadapt(beta=0.5) ").beta == 0.5


def test_problems_are_found_by_name():
    assert {"burgers", "burgers_inverse", "poisson", "helmholtz", "allen_cahn", "oscillator"} <= set(zoo.PROBLEMS)
    with pytest.raises(zoo.SettingError, match='Did you mean "burgers"'):
        zoo.by_name("burger")
