"""What is trained: fields from networks, unknown numbers; and functions applied to expressions."""

from pinnace.net import arch as arch
from pinnace.net.apply import apply as apply
from pinnace.net.field import Net as Net
from pinnace.net.field import dtype_of as dtype_of
from pinnace.net.field import nn as nn
from pinnace.net.parameter import Parameter as Parameter
from pinnace.net.parameter import parameter as parameter

__all__ = ["Net", "Parameter", "apply", "arch", "dtype_of", "nn", "parameter"]
