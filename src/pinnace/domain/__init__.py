"""Where equations hold: shapes, time, regions, and the coordinates and normals of their points."""

from pinnace.domain.anywhere import coordinates as coordinates
from pinnace.domain.balls import Ball as Ball
from pinnace.domain.balls import Disk as Disk
from pinnace.domain.balls import ball as ball
from pinnace.domain.balls import disk as disk
from pinnace.domain.boxes import Box as Box
from pinnace.domain.boxes import box as box
from pinnace.domain.boxes import interval as interval
from pinnace.domain.boxes import rectangle as rectangle
from pinnace.domain.combination import Combination as Combination
from pinnace.domain.domain import Domain as Domain
from pinnace.domain.instants import Point as Point
from pinnace.domain.instants import time as time
from pinnace.domain.measured import data as data
from pinnace.domain.normals import normal as normal
from pinnace.domain.patch import Patch as Patch
from pinnace.domain.plan import Plan as Plan
from pinnace.domain.shape import Shape as Shape
from pinnace.domain.span import Span as Span
from pinnace.domain.tagged import Tagged as Tagged
