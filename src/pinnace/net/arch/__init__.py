"""Architectures that Equinox does not have, as Equinox modules that are called on one point."""

from pinnace.net.arch.factorized import WeightFactorized as WeightFactorized
from pinnace.net.arch.factorized import weight_factorized as weight_factorized
from pinnace.net.arch.fourier import FourierEmbedding as FourierEmbedding
from pinnace.net.arch.fourier import FourierFeatures as FourierFeatures
from pinnace.net.arch.last import LastLinear as LastLinear
from pinnace.net.arch.modified import ModifiedMLP as ModifiedMLP
from pinnace.net.arch.pirate import PirateNet as PirateNet
from pinnace.net.arch.separable import Separable as Separable
from pinnace.net.arch.siren import Siren as Siren
from pinnace.optim import Untrained as Untrained

__all__ = [
    "FourierEmbedding",
    "FourierFeatures",
    "LastLinear",
    "ModifiedMLP",
    "PirateNet",
    "Separable",
    "Siren",
    "Untrained",
    "WeightFactorized",
    "weight_factorized",
]
