"""Checks again on every save: what changed since the last time, and the next thing to do.

`h` gives a hint, `q` quits. On a terminal a key is enough; elsewhere a line of it on standard input is.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.text import Text

from grader.check.hand_in import describe_hand_in
from grader.check.hints import Hints
from grader.check.once import public_options, run
from grader.check.show import first_failed, show_change, show_check
from grader.course import Assignment
from grader.export.terminal import indented
from grader.messages import one_line
from grader.options import start_sandbox
from grader.progress import console_for
from grader.streams import nobody_reads

POLL_S = 0.3
SETTLE_S = 0.05  # an editor may write a file in two strokes
PROMPT = "Watching: save a file to check again, h for a hint, q to quit."


def watch(path: Path, assignments: tuple[Assignment, ...], seed: int) -> int:
    """Check now and whenever a Python file or notebook of `path` changes, until q or Ctrl-C.

    One sandbox serves every check: torch is imported once.
    """
    options = public_options(assignments, seed)
    console = console_for(sys.stdout)
    hints, document, seen = Hints(), None, None  # type: Hints, dict[str, Any] | None, dict[str, int] | None
    with contextlib.suppress(KeyboardInterrupt), start_sandbox(options) as sandbox, _keys() as keys:
        while True:
            now = saved(path)
            if now != seen:
                time.sleep(SETTLE_S if seen is not None else 0)
                seen = saved(path)
                graded = run(path, options, sandbox)
                console.print()
                if document is None:
                    handed_in = describe_hand_in(path, graded.submission, assignments)
                    show_check(graded.document, assignments, handed_in, console)
                else:
                    console.print(Text(f"{time.strftime('%H:%M:%S')} checked again"))
                    show_change(document, graded.document, assignments, console)
                document = graded.document
                console.print(Text(PROMPT, style="dim"))
                if nobody_reads():
                    return 0
            for key in keys.pressed(POLL_S):
                if key == "q":
                    return 0
                if key == "h" and document is not None:
                    for line in _hint(hints, document, assignments).split("\n"):
                        indented(one_line(line), console, by=2)
    return 0


def saved(path: Path) -> dict[str, int]:
    """When each Python file and notebook was last written."""
    files = [*path.rglob("*.py"), *path.glob("*.ipynb")] if path.is_dir() else [path]
    found = {}
    for file in files:
        if not any(part.startswith(".") for part in file.relative_to(path).parts[:-1]):  # .venv, .kit
            with contextlib.suppress(OSError):
                found[str(file)] = file.stat().st_mtime_ns
    return found


def _hint(hints: Hints, document: dict[str, Any], assignments: tuple[Assignment, ...]) -> str:
    row = first_failed(document)
    if row is None:
        return "All public tests pass: nothing to give a hint for."
    return hints.next(next(assignment for assignment in assignments if assignment.name == row["name"]))


class _Keys:
    """The keys pressed on standard input, for as long as it is open."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def pressed(self, patience_s: float) -> str:
        """Wait so long for keys; what came, in lower case."""
        if self._descriptor is None:
            time.sleep(patience_s)
            return ""
        ready, _, _ = select.select([self._descriptor], [], [], patience_s)
        if not ready:
            return ""
        came = os.read(self._descriptor, 1024)
        if not came:
            self._descriptor = None  # closed, as in a container: saves are still watched
        return came.decode("utf-8", "replace").lower()


@contextlib.contextmanager
def _keys() -> Iterator[_Keys]:
    """Keys one by one where standard input is a terminal, which is put back afterwards; else whole lines."""
    try:
        descriptor = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # there is none
        yield _Keys(None)
        return
    if not os.isatty(descriptor):
        yield _Keys(descriptor)
        return
    import termios
    import tty

    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield _Keys(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
