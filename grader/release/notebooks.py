"""Makes the notebooks from handouts, annotated solutions and public tests: one an assignment, one of them all.

Each comes twice, of one list of parts: the student's, to work in (starter/notebooks/), and the master for
`otter assign` (solutions/notebooks/), whose students' version Otter makes itself. Both run the public tests
through `grader.notebook`; hidden tests are in neither, and a solution only in the master.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.course import ROOT, SOLUTIONS, STARTER, Assignment, whole_course
from grader.release.stubs import BEGIN, BEGIN_SILENT, END, make_stub, otter_master
from grader.suite.in_process import public_tests

WHOLE = "all"  # the notebook of the whole lesson
Cell = dict[str, Any]


@dataclass(frozen=True)
class Parts:
    """What a notebook shows of one assignment: the handout, and its code cut before each contract name."""

    assignment: Assignment
    handout: str
    preamble: str  # imports and helpers, in the annotated form
    siblings: str  # what it imports from other assignments
    pieces: dict[str, str]  # name -> its definition, in the annotated form


def build_notebooks(*, write: bool) -> list[Path]:
    """Make every notebook; return those that differ from what is on disk, having written them if asked."""
    course = whole_course()
    chosen = {assignment.name: (assignment,) for assignment in course} | {WHOLE: course}
    changed = []
    for name, assignments in chosen.items():
        made = {STARTER: student_notebook(name, assignments), SOLUTIONS: master_notebook(name, assignments)}
        for folder, content in made.items():
            target = folder / "notebooks" / f"{name}.ipynb"
            if not target.is_file() or target.read_text(encoding="utf-8") != content:
                changed.append(target.relative_to(ROOT))
                if write:
                    target.parent.mkdir(exist_ok=True)
                    target.write_text(content, encoding="utf-8")
    return changed


def student_notebook(name: str, assignments: tuple[Assignment, ...], *, solved: bool = False) -> str:
    """The notebook that students work in; `solved`, with the solutions in place of the stubs, is for tests."""
    cells = [_markdown(_welcome(name)), _code("from grader.notebook import check")]
    alone = len(assignments) == 1
    for parts in map(parts_of, assignments):
        own = parts.assignment.name
        shown = _solved if solved else _stub
        cells.append(_markdown(parts.handout))
        if alone and parts.siblings:
            cells += [_markdown(_bring_along(parts)), _code(_needed(parts) if solved else parts.siblings)]
        cells.append(_code(shown(parts.preamble, own)))
        for contract_name, piece in parts.pieces.items():
            cells.append(_code(shown(piece, own)))
            if len(parts.pieces) > 1:
                cells.append(_code(f'check("{own}", "{contract_name}")'))
        cells.append(_code(f'check("{own}")'))
    return _as_json(cells)


def master_notebook(name: str, assignments: tuple[Assignment, ...]) -> str:
    """The master for `otter assign`: a question an assignment, a test case for each public test."""
    config = [
        "# ASSIGNMENT CONFIG",
        f"name: {name}",
        "init_cell: true",
        "export_cell: false",
        "check_all_cell: true",
        "tests:",
        "    ok_format: false",
        "generate: true",
        "requirements:",
        '    - "# the kit, from where pip finds your checkout: docs/otter.md"',  # no name that anybody could register
        "plugins:",
        "    - grader.otter.IsolatedGrading",
    ]
    cells = [_raw("\n".join(config))]
    alone = len(assignments) == 1
    for parts in map(parts_of, assignments):
        own = parts.assignment.name
        tests = public_tests(parts.assignment)
        worth = sum(grading.points for _, grading in tests.values())
        cells.append(_raw(f"# BEGIN QUESTION\nname: {own}\npoints: {worth:g}"))
        cells.append(_markdown(parts.handout))
        cells.append(_raw("# BEGIN SOLUTION"))
        if alone and parts.siblings:
            prompt = f'""" # BEGIN PROMPT\n{parts.siblings}\n""" # END PROMPT'
            cells.append(_code(f"{prompt}\n{BEGIN_SILENT}\n{_needed(parts)}\n{END}"))
        cells.append(_code(otter_master(parts.preamble, own)))
        cells += [_code(otter_master(piece, own)) for piece in parts.pieces.values()]
        cells += [_raw("# END SOLUTION"), _raw("# BEGIN TESTS")]
        for test_name, (_, grading) in tests.items():
            cells.append(
                _code(
                    f'""" # BEGIN TEST CONFIG\npoints: {grading.points:g}\n""" # END TEST CONFIG\n'
                    f"def {test_name}(env):\n"
                    f"    from grader.notebook import run_public_test\n"
                    f'    run_public_test("{own}", "{test_name}", env)'
                )
            )
        cells += [_raw("# END TESTS"), _raw("# END QUESTION")]
    return _as_json(cells)


def parts_of(assignment: Assignment) -> Parts:
    """Cut an annotated solution before each contract name."""
    source = (SOLUTIONS / assignment.file).read_text(encoding="utf-8")
    tree = ast.parse(source)
    lines = source.split("\n")
    begins = 0
    if ast.get_docstring(tree) is not None:
        begins = tree.body[0].end_lineno or 0
    starts: dict[int, str] = {}
    taken: set[int] = set()
    siblings: list[str] = []
    modules = {other.name for other in whole_course()}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in assignment.names:
            starts[min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1] = node.name
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            taken.update(range(node.lineno - 1, node.end_lineno or node.lineno))
            siblings.append(ast.unparse(node))
    cuts = [*starts, len(lines)]
    piece = {name: _tidied(lines[start:end]) for (start, name), end in zip(starts.items(), cuts[1:], strict=True)}
    preamble = [line for number, line in enumerate(lines[: cuts[0]]) if number >= begins and number not in taken]
    handout = assignment.handout.read_text(encoding="utf-8").strip()
    return Parts(assignment, _for_notebooks(handout, assignment), _tidied(preamble), "\n".join(siblings), piece)


def _tidied(lines: list[str]) -> str:
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip("\n")


def _for_notebooks(handout: str, assignment: Assignment) -> str:
    """The handout in the words of a notebook: what is typed at a prompt there is a cell here."""
    command = f"```\ngrader check -a {assignment.name}\n```"
    return handout.replace(command, f'Run the cell `check("{assignment.name}")` below.').replace(
        f"In `{assignment.file}`, complete", "Below, complete"
    )


def _welcome(name: str) -> str:
    what = "The whole lesson" if name == WHOLE else f"`{name}`"
    return (
        f"{what}, as a notebook. Write your code where the cells say `raise NotImplementedError`, run them from top to "
        "bottom, and run a `check` cell whenever you like. Hand in the notebook itself: of a name that you define "
        "more than once the last definition counts, and experiments in cells of their own do no harm."
    )


def _bring_along(parts: Parts) -> str:
    files = " and ".join(f"`{need}.py`" for need in _needs(parts))
    return (
        f"This assignment builds on one before it. Put your own {files} beside this notebook, or paste your "
        "definitions into the next cell in place of the import."
    )


def _needs(parts: Parts) -> list[str]:
    found = [node.module for node in ast.parse(parts.siblings).body if isinstance(node, ast.ImportFrom)]
    return [module for module in dict.fromkeys(found) if module]


def _needed(parts: Parts) -> str:
    """The solutions that an assignment builds on, as a cell may hold them: without marks."""
    return "\n\n".join(_solved((SOLUTIONS / f"{need}.py").read_text(encoding="utf-8"), need) for need in _needs(parts))


def _solved(source: str, _: str) -> str:
    return _tidied([line for line in source.split("\n") if line.strip() not in (BEGIN, BEGIN_SILENT, END)])


def _stub(source: str, assignment_name: str) -> str:
    stub = make_stub(source, assignment_name).strip("\n")
    return stub.replace(f"then type: grader check -a {assignment_name}", "then run the check below")


def _markdown(source: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": _lines(source)}


def _raw(source: str) -> Cell:
    return {"cell_type": "raw", "metadata": {}, "source": _lines(source)}


def _code(source: str) -> Cell:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": _lines(source)}


def _lines(source: str) -> list[str]:
    return source.splitlines(keepends=True)


def _as_json(cells: list[Cell]) -> str:
    """A notebook of these cells, the same each time; a cell without source is left out."""
    numbered = [{"id": f"cell-{number}", **cell} for number, cell in enumerate(_with_source(cells), start=1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "cells": numbered,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _with_source(cells: list[Cell]) -> Iterator[Cell]:
    return (cell for cell in cells if cell["source"])
