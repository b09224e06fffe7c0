"""A notebook's code cells, and their source without what is Jupyter's and not Python's.

Magics, shell and help lines are dropped and named. Cells are counted from 1, code cells only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OTHER_LANGUAGES = frozenset(
    {
        *("bash", "sh", "cmd", "script", "system", "sx", "!", "perl", "ruby", "html", "HTML", "svg", "SVG"),
        *("javascript", "js", "latex", "markdown", "cython", "sql", "writefile", "file", "python2", "pypy", "R"),
    }
)


class NoNotebook(Exception):
    """The bytes are no notebook; the text says why."""


@dataclass(frozen=True)
class Cell:
    """One code cell: what it is called in messages, its notebook, and its source."""

    label: str
    notebook: int
    source: str


def cells_of(raw: bytes, title: str, notebook: int) -> list[Cell]:
    """The code cells of a notebook of any version 3 or 4. Raises NoNotebook."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise NoNotebook(f"it is not UTF-8 (byte {problem.start})") from None
    try:
        sources = [_source(cell) for cell in _cells(text) if cell.get("cell_type") == "code"]
    except RecursionError:
        raise NoNotebook("it is nested too deep") from None
    except MemoryError:
        raise NoNotebook("it is too large to be read") from None
    except Exception as problem:  # a notebook that is none raises whatever its reader happens to meet
        raise NoNotebook(f"it is damaged, or no notebook ({type(problem).__name__})") from None
    prefix = f"{title}, " if title else ""
    return [Cell(f"{prefix}cell {number}", notebook, source) for number, source in enumerate(sources, start=1)]


def _cells(text: str) -> list[Mapping[str, object]]:
    """The cells of a notebook as version 4 has them.

    Most are of that version, and then there is nothing to convert: what a tool left out of them, metadata or
    the version, is not read here. All others are nbformat's to judge; importing it takes longer than all else
    that is done to a submission before it is run.
    """
    try:
        notebook = json.loads(text)
    except ValueError:
        notebook = None
    if _is_plain(notebook):
        return [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    import nbformat

    converted: list[Mapping[str, object]] = nbformat.reads(text, as_version=4).cells  # type: ignore[no-untyped-call]
    return converted


def _is_plain(notebook: Any) -> bool:
    """Whether it has its cells where version 4 has them, and says no other."""
    return (
        isinstance(notebook, dict)
        and str(notebook.get("nbformat", 4)) == "4"
        and isinstance(notebook.get("cells"), list)
    )


def _source(cell: Mapping[str, object]) -> str:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source.replace("\r\n", "\n").replace("\r", "\n") if isinstance(source, str) else ""


# The beginning of a line, its indentation taken away: no pattern here can be made to go back and forth.
_MAGIC = re.compile(r"%|!|\?{1,2}[\w.*]|[\w.*\[\]]+\?{1,2}[\s;]*$|[\w.,\s\[\]\"']+=[ \t]*(!|%(?=[a-z]))")


def without_magics(cell: Cell, notes: list[str]) -> str:
    """The cell with each magic, shell or help line replaced by `pass`, so that line numbers stay."""
    lines = cell.source.split("\n")
    first = next(number for number, line in enumerate(lines) if line.strip())
    if lines[first].startswith("%%"):
        word = (lines[first][2:].split() or [""])[0]
        notes.append(f"{cell.label}: dropped, for Jupyter and not for Python: {lines[first][:80]}")
        python_file = word in ("writefile", "file") and lines[first].split()[-1].endswith(".py")
        if word in OTHER_LANGUAGES and not python_file:
            return ""
        lines[first] = ""
    inside = ""  # the quotes of a string that goes on
    depth = 0
    joined = dropping = False
    for number, line in enumerate(lines):
        if dropping or (not inside and depth <= 0 and not joined and _MAGIC.match(line.lstrip())):
            if not dropping:
                notes.append(f"{cell.label}: dropped, for Jupyter and not for Python: {line.strip()[:80]}")
            indent = line[: len(line) - len(line.lstrip())]
            lines[number] = "" if dropping else f"{indent}pass"
            dropping = line.endswith("\\")
            continue
        inside, depth = _lexed(line, inside, max(depth, 0))
        joined = not inside and line.endswith("\\")
    return "\n".join(lines)


_TOKEN = re.compile(r"\\.|'''|\"\"\"|['\"#()\[\]{}]")


def _lexed(line: str, inside: str, depth: int) -> tuple[str, int]:
    """After this line: the quotes of the string that goes on, or "", and how many brackets are open."""
    for match in _TOKEN.finditer(line):
        token = match.group()
        if inside:
            if token == inside:
                inside = ""
            elif len(inside) == 1 and len(token) == 3 and token[0] == inside:
                inside = "" if len(token) % 2 else inside  # 'x''' closes, opens, closes again
        elif token == "#":
            break
        elif token[0] in "'\"":
            inside = token
        elif token in "([{":
            depth += 1
        elif token in ")]}":
            depth -= 1
    if len(inside) == 1 and not line.endswith("\\"):
        inside = ""
    return inside, depth
