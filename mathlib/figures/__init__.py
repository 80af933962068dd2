"""The figures of the collection, one function each; every function returns a `Picture`."""

from mathlib.figures.audit import *  # noqa: F403
from mathlib.figures.costs import *  # noqa: F403
from mathlib.figures.differences import *  # noqa: F403
from mathlib.figures.expansions import *  # noqa: F403
from mathlib.figures.failures import *  # noqa: F403
from mathlib.figures.first_order import *  # noqa: F403
from mathlib.figures.implicit import *  # noqa: F403
from mathlib.figures.jacobians import *  # noqa: F403
from mathlib.figures.many_steps import *  # noqa: F403
from mathlib.figures.one_number import *  # noqa: F403
from mathlib.figures.one_step import *  # noqa: F403
from mathlib.figures.other_routes import *  # noqa: F403
from mathlib.figures.overview import *  # noqa: F403
from mathlib.figures.picture import Picture as Picture
