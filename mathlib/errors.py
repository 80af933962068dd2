"""The errors that the package raises: what Python's own classes say, and short where a notebook shows them."""

import linecache
import sys
import textwrap
import traceback

from IPython.core.getipython import get_ipython

COLUMNS = 80  # what a projector shows
LINES = 5  # of a message; with where it happened and how to see more, a notebook shows eight


class Short(Exception):
    """An error that a notebook shows in at most eight lines, its sentence first; ``%tb`` shows everything.

    IPython asks an exception for `_render_traceback_`. Elsewhere the usual traceback appears.
    """

    mark = ""

    def _render_traceback_(self):
        # While it is being handled the cell has just failed; %tb asks later, when no error is.
        return self.in_short() if sys.exc_info()[1] is self else self.in_full()

    def in_short(self):
        """The message, the line of the reader's own that led to it, and how to see the rest."""
        message = self.mark + str(self.args[0] if self.args else type(self).__name__)
        lines = textwrap.wrap(message, COLUMNS)
        if len(lines) > LINES:  # what was given may be long; what to do stands at the end
            lines = [*lines[:2], "…", *lines[-2:]]
        kind = type(self).__name__
        return [*lines, "", *self.own_line(), f"{kind}. Run %tb in a cell of its own to see the whole traceback."]

    def own_line(self):
        """The innermost line that was written in the notebook, as a list of one line, or of none."""
        for frame, number in reversed(list(traceback.walk_tb(self.__traceback__))):
            if frame.f_globals.get("__name__") == "__main__":
                text = linecache.getline(frame.f_code.co_filename, number).strip()
                return [textwrap.shorten(f"In line {number} of the cell: {text}", COLUMNS, placeholder=" …")]
        return []

    def in_full(self):
        """What IPython shows of other exceptions, in the mode of ``%xmode``; without IPython, what Python shows."""
        shell = get_ipython()
        if shell is None:
            return traceback.format_exception(self)
        return shell.InteractiveTB.structured_traceback(type(self), self, self.__traceback__)


class WrongType(Short, TypeError):
    """An argument of a kind that would have to be cast, or that lacks what is asked of it."""


class WrongValue(Short, ValueError):
    """An argument of the right kind whose shape or entries do not fit."""


class NotFinite(WrongValue):
    """An entry that is NaN or infinite: what a loop that has diverged leaves behind."""


class UnknownName(Short, KeyError):
    """A name that nothing here is called by."""


class NoSolution(Short, ArithmeticError):
    """A system of equations that could not be solved."""
