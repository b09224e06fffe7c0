"""Makes the starter stubs from the annotated solutions.

A solution marks what a student writes:

    # BEGIN SOLUTION            the lines up to END become a NotImplementedError that names the task
    # BEGIN SOLUTION NO PROMPT  the lines up to END vanish (helpers that students need not have)
    # END SOLUTION

Everything else, docstrings above all, is handed out as it stands.
"""

from __future__ import annotations

import ast
from pathlib import Path

from grader.course import ROOT, SOLUTIONS, STARTER, whole_course

BEGIN, BEGIN_SILENT, END = "# BEGIN SOLUTION", "# BEGIN SOLUTION NO PROMPT", "# END SOLUTION"


class StubError(Exception):
    """The marks of a solution are unbalanced; the message names file and line."""


def build_stubs(*, write: bool) -> list[Path]:
    """Make every stub; return those that differ from what is on disk, having written them if asked."""
    changed = []
    for assignment in whole_course():
        source = (SOLUTIONS / assignment.file).read_text(encoding="utf-8")
        stub = make_stub(source, assignment.name)
        target = STARTER / assignment.file
        if not target.is_file() or target.read_text(encoding="utf-8") != stub:
            changed.append(target.relative_to(ROOT))
            if write:
                target.parent.mkdir(exist_ok=True)
                target.write_text(stub, encoding="utf-8")
    return changed


def make_stub(source: str, assignment_name: str) -> str:
    """The stub of a solution. Raises StubError for nested, unbalanced or misplaced marks."""
    places = _qualified_names(source)
    kept: list[str] = []
    opened: tuple[int, str] | None = None
    for number, line in enumerate(source.splitlines(), start=1):
        mark = line.strip()
        if mark in (BEGIN, BEGIN_SILENT):
            if opened:
                raise StubError(f"solutions/{assignment_name}.py, line {number}: a solution begins inside another")
            opened = (number, mark)
            if mark == BEGIN:
                place = places.get(number)
                if place is None:
                    raise StubError(f"solutions/{assignment_name}.py, line {number}: a solution outside any function")
                kept.append(line[: len(line) - len(line.lstrip())] + _prompt(assignment_name, place))
        elif mark == END:
            if not opened:
                raise StubError(f"solutions/{assignment_name}.py, line {number}: a solution ends that never began")
            opened = None
        elif mark.startswith(("# BEGIN", "# END")):
            raise StubError(f"solutions/{assignment_name}.py, line {number}: an unknown mark: {mark}")
        elif not opened:
            kept.append(line)
    if opened:
        raise StubError(f"solutions/{assignment_name}.py, line {opened[0]}: a solution that never ends")
    return _tidy("\n".join(kept)) + "\n"


def otter_master(source: str, assignment_name: str) -> str:
    """The annotated source with the prompts written out, as `otter assign` wants them.

    Otter's own prompt is `...`, which returns None and says nothing.
    """
    places = _qualified_names(source)
    found: list[str] = []
    for number, line in enumerate(source.splitlines(), start=1):
        if line.strip() == BEGIN:
            indent = line[: len(line) - len(line.lstrip())]
            prompt = _prompt(assignment_name, places[number]).replace(
                f"then type: grader check -a {assignment_name}", "then run the check below"
            )
            found += [f'{indent}""" # BEGIN PROMPT', indent + prompt, f'{indent}""" # END PROMPT']
            line = indent + BEGIN_SILENT
        found.append(line)
    return "\n".join(found)


def _prompt(assignment_name: str, place: str) -> str:
    return (
        f'raise NotImplementedError("{assignment_name}: write {place}, then type: grader check -a {assignment_name}")'
    )


def _qualified_names(source: str) -> dict[int, str]:
    """For every line inside a function its qualified name: `LSTMCellFromScratch.forward`."""
    places: dict[int, str] = {}

    def note(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                name = f"{prefix}{child.name}"
                if isinstance(child, ast.FunctionDef):
                    last = _end_with_marks(child, source)
                    for number in range(child.lineno, last + 1):
                        places[number] = name
                note(child, f"{name}.")

    note(ast.parse(source), "")
    return places


def _end_with_marks(function: ast.FunctionDef, source: str) -> int:
    """The last line of a function, the mark that may follow its last statement included."""
    lines = source.splitlines()
    last = function.end_lineno or function.lineno
    while last < len(lines) and lines[last].strip().startswith("# ") and lines[last].startswith(" "):
        last += 1
    return last


def _tidy(text: str) -> str:
    """At most two blank lines in a row, none at the end."""
    while "\n\n\n\n" in text:
        text = text.replace("\n\n\n\n", "\n\n\n")
    return text.rstrip()
