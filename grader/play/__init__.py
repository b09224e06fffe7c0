"""See it work: pictures of what a student's own code does. Nothing here is graded."""

from grader.play.plot import NAMES, PlotError, can_draw, make_plot

__all__ = ["NAMES", "PlotError", "can_draw", "make_plot"]
