"""See it work: pictures of what a student's own code does. Nothing here is graded."""

from grader.play.plot import NAMES, PlotError, can_draw, make_plot
from grader.play.show import PlayError, play

__all__ = ["NAMES", "PlayError", "PlotError", "can_draw", "make_plot", "play"]
