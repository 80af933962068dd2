"""The figures of the collection: functions that take arrays and return a `Picture`; `plot` draws in a cell."""

from mathlib.figures.costs import *  # noqa: F403
from mathlib.figures.differences import *  # noqa: F403
from mathlib.figures.drag import *  # noqa: F403
from mathlib.figures.expansions import *  # noqa: F403
from mathlib.figures.failures import *  # noqa: F403
from mathlib.figures.first_order import *  # noqa: F403
from mathlib.figures.implicit import *  # noqa: F403
from mathlib.figures.jacobians import *  # noqa: F403
from mathlib.figures.many_steps import *  # noqa: F403
from mathlib.figures.networks import *  # noqa: F403
from mathlib.figures.one_number import *  # noqa: F403
from mathlib.figures.one_step import *  # noqa: F403
from mathlib.figures.other_routes import *  # noqa: F403
from mathlib.figures.overview import *  # noqa: F403
from mathlib.figures.picture import FOMAML as FOMAML
from mathlib.figures.picture import MAML as MAML
from mathlib.figures.picture import NEUTRAL as NEUTRAL
from mathlib.figures.picture import REPTILE as REPTILE
from mathlib.figures.picture import Picture as Picture
from mathlib.figures.picture import plot as plot
