"""What a person sees while they wait: a line on standard error, only where it is a terminal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TextIO

from rich.console import Console

from grader.course import Assignment

if TYPE_CHECKING:
    from grader.suite.plugin import Outcome

PLAIN_WIDTH = 100
NARROWEST = 20


def console_for(stream: TextIO) -> Console:
    """A console on this stream; lines are not wrapped to a terminal's width where there is none."""
    asked = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() else PLAIN_WIDTH
    if asked.isdecimal():  # in 0 columns nothing would be shown
        width = max(NARROWEST, int(asked)) if int(asked) else PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False, emoji=False, markup=False, soft_wrap=False)


@contextlib.contextmanager
def counting(assignments: tuple[Assignment, ...], stream: TextIO) -> Iterator[Callable[[Outcome], None]]:
    """Yield a callback that shows which assignment is running and how many tests have been run."""
    console = console_for(stream)
    if not stream.isatty() or console.is_dumb_terminal:  # TERM=dumb: a screen reader would read every frame
        yield lambda outcome: None
        return
    done = 0
    with console.status("starting") as status:

        def show(outcome: Outcome) -> None:
            nonlocal done
            done += 1
            status.update(f"{outcome.assignment.name}: {done} tests run")

        yield show
