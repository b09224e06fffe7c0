"""What a course chooses for itself: `course.toml`, which assignments, points, dates and wording.

The file is read here and nowhere else. In a checkout it is the instructor's, and grading follows it;
`grader release` writes what students may know of it into their bundle, so that both count alike.
"""

from __future__ import annotations

import datetime
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_POINTS = 10_000.0
IN_WORDS = {str: "text", list: "a list", bool: "true or false", dict: "a table"}


class ChoiceError(Exception):
    """A course.toml says something that can't be followed; the message names the file and the key."""


@dataclass(frozen=True)
class Choices:
    """Everything has a default: all assignments, their own points, no dates, plain wording.

    `points` and `due` map an assignment's name to what it is worth and to a date in words; `welcome`
    and `hand_in` are paragraphs of the bundle's README; `notebooks` asks for notebooks in the bundle.
    """

    title: str = "Sequence modelling from scratch"
    welcome: str = ""
    hand_in: str = ""
    assignments: tuple[str, ...] = ()
    notebooks: bool = False
    points: Mapping[str, float] = field(default_factory=dict)
    due: Mapping[str, str] = field(default_factory=dict)


def read_choices(path: Path, known: tuple[str, ...]) -> Choices:
    """Read a course.toml; `known` are the assignments there are. Raises ChoiceError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ChoiceError(f"{path} can't be read ({problem.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise ChoiceError(f"{path} is no TOML: {problem}") from None
    try:
        return _choices(table, known)
    except ValueError as problem:
        raise ChoiceError(f"{path}: {problem}") from None


def _choices(table: dict[str, Any], known: tuple[str, ...]) -> Choices:
    kinds = {"title": str, "welcome": str, "hand_in": str, "assignments": list, "notebooks": bool}
    kinds |= {"points": dict, "due": dict}
    for key, value in table.items():
        if key not in kinds:
            raise ValueError(f"there is no key {key!r}. There are: {', '.join(kinds)}")
        if not isinstance(value, kinds[key]):
            raise ValueError(f"{key} has to be {IN_WORDS[kinds[key]]}")
    names = [*table.get("assignments", ()), *table.get("points", ()), *table.get("due", ())]
    for name in names:
        if name not in known:
            raise ValueError(f"there is no assignment {name!r}. There are: {', '.join(known)}")
    for name, worth in table.get("points", {}).items():
        if isinstance(worth, bool) or not isinstance(worth, int | float) or not 0 < worth <= MOST_POINTS:
            raise ValueError(f"points.{name} has to be a number above 0 and at most {MOST_POINTS:g}")
    return Choices(
        **{key: table[key] for key in ("title", "welcome", "hand_in", "notebooks") if key in table},
        assignments=tuple(table.get("assignments", ())),
        points={name: float(worth) for name, worth in table.get("points", {}).items()},
        due={name: _date(name, value) for name, value in table.get("due", {}).items()},
    )


def _date(name: str, value: Any) -> str:
    """`2026-10-01`, `2026-10-01 18:00`, or words of the instructor's own."""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M%z")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, str) and value.isprintable():
        return value
    raise ValueError(f"due.{name} has to be a date, a date with a time, or a line of words")


def as_toml(choices: Choices) -> str:
    """The choices as a course.toml without comments: an instructor's own may not be meant for students."""
    lines = [f"{key} = {_quoted(getattr(choices, key))}" for key in ("title", "welcome", "hand_in")]
    lines.append(f"assignments = [{', '.join(map(_quoted, choices.assignments))}]")
    lines.append(f"notebooks = {str(choices.notebooks).lower()}")
    lines += ["", "[points]", *(f"{name} = {worth!r}" for name, worth in choices.points.items())]
    lines += ["", "[due]", *(f"{name} = {_quoted(date)}" for name, date in choices.due.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's escapes are among its own."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
