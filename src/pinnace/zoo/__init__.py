"""Problems with references: written in the language as a user would, each in a file of its own."""

from pinnace._errors import did_you_mean
from pinnace.zoo.advection import Advection as Advection
from pinnace.zoo.advection_diffusion import AdvectionDiffusion as AdvectionDiffusion
from pinnace.zoo.allen_cahn import AllenCahn as AllenCahn
from pinnace.zoo.balancing import balancer_of as balancer_of
from pinnace.zoo.balancing import called as called
from pinnace.zoo.burgers import Burgers as Burgers
from pinnace.zoo.burgers_inverse import BurgersInverse as BurgersInverse
from pinnace.zoo.cavity import Cavity as Cavity
from pinnace.zoo.comparison import Summary as Summary
from pinnace.zoo.comparison import Trial as Trial
from pinnace.zoo.comparison import compare as compare
from pinnace.zoo.comparison import read_trials as read_trials
from pinnace.zoo.comparison import summaries as summaries
from pinnace.zoo.comparison import write_trials as write_trials
from pinnace.zoo.heat_anisotropic import HeatAnisotropic as HeatAnisotropic
from pinnace.zoo.heat_ball import HeatBall as HeatBall
from pinnace.zoo.heat_inverse import HeatInverse as HeatInverse
from pinnace.zoo.helmholtz import Helmholtz as Helmholtz
from pinnace.zoo.kdv import KdV as KdV
from pinnace.zoo.kuramoto_sivashinsky import KuramotoSivashinsky as KuramotoSivashinsky
from pinnace.zoo.oscillator import Oscillator as Oscillator
from pinnace.zoo.poisson import Poisson as Poisson
from pinnace.zoo.poisson_5d import Poisson5D as Poisson5D
from pinnace.zoo.poisson_boltzmann import PoissonBoltzmann as PoissonBoltzmann
from pinnace.zoo.poisson_discs import PoissonDiscs as PoissonDiscs
from pinnace.zoo.poisson_inverse import PoissonInverse as PoissonInverse
from pinnace.zoo.problem import Answer as Answer
from pinnace.zoo.problem import Case as Case
from pinnace.zoo.problem import Posed as Posed
from pinnace.zoo.problem import Problem as Problem
from pinnace.zoo.schroedinger import Schroedinger as Schroedinger
from pinnace.zoo.settings import SettingError as SettingError
from pinnace.zoo.settings import fitted as fitted
from pinnace.zoo.settings import from_text as from_text
from pinnace.zoo.settings import setting as setting
from pinnace.zoo.settings import settings_of as settings_of
from pinnace.zoo.volterra import Volterra as Volterra
from pinnace.zoo.wave import Wave as Wave

PROBLEMS: dict[str, type[Problem]] = {
    one.name: one
    for one in (
        Burgers,
        BurgersInverse,
        Poisson,
        Helmholtz,
        AllenCahn,
        Oscillator,
        Advection,
        AdvectionDiffusion,
        HeatAnisotropic,
        KdV,
        KuramotoSivashinsky,
        Schroedinger,
        Volterra,
        Wave,
        PoissonDiscs,
        PoissonBoltzmann,
        Poisson5D,
        HeatBall,
        Cavity,
        PoissonInverse,
        HeatInverse,
    )
}
"""All problems by name. A new one is a file, and a word here."""


def by_name(name: str) -> type[Problem]:
    """The problem of that name.

    Raises SettingError where there is none.

    >>> by_name("burgers")().nu < 0.01
    True
    """
    if name not in PROBLEMS:
        raise SettingError(
            f'there is no problem "{name}".{did_you_mean(name, PROBLEMS)} There are {", ".join(PROBLEMS)}.'
        )
    return PROBLEMS[name]
