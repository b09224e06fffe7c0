"""Submissions for the benchmarks: whole ones, right and wrong in known ways."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from grader.course import SOLUTIONS, STARTER, Assignment
from grader.diagnosis import load_misconceptions, mutate
from tests.support import write_files

SPOILT = '''

def _spoilt(value):
    """Not a number, not the text, not the count."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(_spoilt, value))
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return value[::-1] + "?"
    if isinstance(value, int):
        return value + 1
    if isinstance(value, dict):
        return {}
    if hasattr(value, "dtype"):
        return value * float("nan") if value.is_floating_point() else value + 1
    if hasattr(value, "__iter__"):
        return map(_spoilt, value)
    return float("nan")


def _spoiling(call):
    return lambda *args, **kwargs: _spoilt(call(*args, **kwargs))


for _name in NAMES:
    if isinstance(globals()[_name], type):
        globals()[_name].forward = _spoiling(globals()[_name].forward)
    else:
        globals()[_name] = _spoiling(globals()[_name])
'''


def solved(assignments: tuple[Assignment, ...]) -> dict[str, str]:
    """The reference solutions."""
    return {assignment.file: (SOLUTIONS / assignment.file).read_text() for assignment in assignments}


def untouched(assignments: tuple[Assignment, ...]) -> dict[str, str]:
    """The stubs as they are handed out."""
    return {assignment.file: (STARTER / assignment.file).read_text() for assignment in assignments}


def not_a_number(assignments: tuple[Assignment, ...]) -> dict[str, str]:
    """The solutions, with nan in the place of every number that they return, and other texts and counts."""
    sources = solved(assignments)
    return {a.file: sources[a.file] + SPOILT.replace("NAMES", repr(a.names)) for a in assignments}


def raising(assignments: tuple[Assignment, ...]) -> dict[str, str]:
    """Whatever is called raises, each time from a line of its own kind."""
    line = "        raise KeyError('the key that was looked up')\n"
    sources = {}
    for assignment in assignments:
        parts = ["import torch\n"]
        for name in assignment.names:
            kind = f"class {name}(torch.nn.Module):\n    def __init__(self, *args, **kwargs):\n{line}"
            function = f"def {name}(*args, **kwargs):\n    if True:\n{line}"
            parts.append(kind if name[0].isupper() else function)
        sources[assignment.file] = "\n\n".join(parts)
    return sources


def mistaken(assignments: tuple[Assignment, ...], seed: int) -> dict[str, str]:
    """In each assignment one known mistake, drawn from the seed."""
    rng = random.Random(seed)
    sources = solved(assignments)
    for assignment in assignments:
        known = load_misconceptions(assignment)
        if known:
            sources[assignment.file] = mutate(assignment.name, rng.choice(known))
    return sources


def write(folder: Path, sources: Mapping[str, str], student: int = 0) -> Path:
    """A submission folder of which no other has the same bytes."""
    return write_files(folder, {name: f"{source}\n# student {student}\n" for name, source in sources.items()})
