"""Standard streams as they come: closed, in an encoding with few letters, with nobody left to read them.

None of that is an error of the grader's, and none of it changes what a command does or how it ends.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Any

_PLAIN = str.maketrans("✓✗−–…“”‘’█", "+x--.\"\"''#")
_gone: set[int] = set()  # the descriptors that nobody reads any more


class _Patient(io.FileIO):
    """A descriptor that takes what is written though nobody reads it: `grader grade … | head -1`.

    Results that can't be written are an error, once; a complaint that can't be is none.
    """

    def write(self, data: Any) -> int:
        if self.fileno() not in _gone:
            try:
                return super().write(data)
            except OSError as problem:
                _gone.add(self.fileno())
                if self.fileno() == 1 and not isinstance(problem, BrokenPipeError):
                    raise
        return memoryview(data).nbytes


def make_patient() -> None:
    """Let the process' own streams take whatever is printed; those that a test has put in their place stay."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest that is free, so this one, before a pipe of ours gets it
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        own = getattr(sys, f"__{name}__")
        if getattr(sys, name) is own:
            encoding, at_once = (own.encoding, own.line_buffering or own.write_through) if own else ("utf-8", True)
            buffered = io.BufferedWriter(_Patient(descriptor, "wb", closefd=False))
            setattr(sys, name, io.TextIOWrapper(buffered, encoding, "plainer", line_buffering=at_once))


def put(text: str) -> None:
    """Write what a program will read to standard output: as UTF-8, whatever a terminal's letters are."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="plainer")
    sys.stdout.write(text)


def nobody_reads() -> bool:
    """Whether standard output goes nowhere since its reader has gone."""
    return 1 in _gone


def _plainer(problem: UnicodeError) -> tuple[str, int]:
    """In place of a character that the encoding lacks one that looks like it, or a question mark."""
    assert isinstance(problem, UnicodeEncodeError)
    text = problem.object[problem.start : problem.end].translate(_PLAIN)
    return "".join(c if c.isascii() else "?" for c in text), problem.end


codecs.register_error("plainer", _plainer)
