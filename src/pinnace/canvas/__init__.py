"""What figures are made of: axes to draw into, what is written beside them, dots and arrows. Knows no shapes."""

from pinnace.canvas.dots import ARROWS as ARROWS
from pinnace.canvas.dots import LONG as LONG
from pinnace.canvas.dots import MARKERS as MARKERS
from pinnace.canvas.dots import Dots as Dots
from pinnace.canvas.dots import arrows as arrows
from pinnace.canvas.dots import height_of as height_of
from pinnace.canvas.dots import name_axes as name_axes
from pinnace.canvas.dots import outline as outline
from pinnace.canvas.dots import ratio_of as ratio_of
from pinnace.canvas.dots import scatter as scatter
from pinnace.canvas.dots import some_of as some_of
from pinnace.canvas.dots import strip as strip
from pinnace.canvas.figures import COLOURS as COLOURS
from pinnace.canvas.figures import Arrangement as Arrangement
from pinnace.canvas.figures import flat as flat
from pinnace.canvas.figures import given_axes as given_axes
from pinnace.canvas.figures import new_figure as new_figure
from pinnace.canvas.figures import new_panels as new_panels
from pinnace.canvas.labels import label_of as label_of
from pinnace.canvas.labels import name_axis as name_axis
from pinnace.canvas.labels import place as place
from pinnace.canvas.labels import plain as plain
