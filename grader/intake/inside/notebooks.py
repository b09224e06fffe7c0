"""Notebooks among the files handed in: from their bytes to the contract's modules, within limits.

`code_cells` reads the cells, `statements` takes them apart, `program` chooses what each module needs,
`writing` writes it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from .code_cells import NoNotebook, cells_of
from .limits import CELLS_CODE_LIMIT, MODULE_LIMIT, NOTEBOOK_LIMIT, STATEMENTS_LIMIT
from .program import Program, said_again, seen_apart, work_among
from .statements import Statement, statements_of
from .uploads import Notes, Source, Unreadable, content_of


def make_modules(notebooks: list[Source], job: dict[str, Any], summary: dict[str, Any], notes: Notes) -> None:
    """Make the contract's modules of the notebooks' cells, for those that were not handed in as files."""
    said: list[str] = []
    problems: list[str] = []
    statements = _statements(notebooks, job, notes, said, problems)
    taken = {*summary["files"], *summary["unreadable"]}
    present = {module for module in job["names"] if {f"{module}.py", f"{module}/__init__.py"} & taken}
    program = Program(statements, job["names"], present)
    for module in program.made:
        made = program.make(module)
        content = made.source.encode("utf-8", "backslashreplace")  # a lone surrogate, which JSON can hold
        if len(content) > MODULE_LIMIT:
            summary["unreadable"][f"{module}.py"] = "what the notebook defines for it is larger than 1 MiB"
            continue
        with open(os.path.join(job["folder"], f"{module}.py"), "wb") as file:
            file.write(content)
        summary["files"].append(f"{module}.py")
        summary["spans"][f"{module}.py"] = made.spans
    for module in present:
        if any(name in program.bound for name in job["names"][module]):
            notes.append(f"{module}.py counts, and not what the notebook defines for it")
    notes += [*said, *said_again(program), *seen_apart(program)]
    idle = work_among(statements, program)
    if idle:
        notes.append(f"not run, since no assignment needs what they define: {_listed(idle)}")
    if problems:
        for module in job["names"]:
            if f"{module}.py" not in summary["files"] and module not in present:
                summary["unreadable"].setdefault(f"{module}.py", problems[0])


def _statements(
    notebooks: list[Source], job: dict[str, Any], notes: Notes, said: list[str], problems: list[str]
) -> list[Statement]:
    """The statements of all notebooks, in the order of their names; `problems` says which are none."""
    statements: list[Statement] = []
    code = 0
    for number, (name, size, opener) in enumerate(sorted(notebooks, key=lambda source: source[0])):
        title = name if len(notebooks) > 1 else ""
        try:
            raw = content_of(opener, size, NOTEBOOK_LIMIT, NOTEBOOK_LIMIT)
            if name in job["skip"]:
                raise Unreadable("its reader gives up on it")
            print(f"parsing {name}", file=sys.stderr, flush=True)
            cells = cells_of(raw, title, number)
        except (Unreadable, NoNotebook) as problem:
            if job["path"].lower().endswith(".ipynb") and os.path.isfile(job["path"]):
                raise Unreadable(f"{problem}") from None
            problems.append(f"{name}: {problem}")
            notes.leave_out(str(problem), name)
            continue
        for cell in cells:
            code += len(cell.source)
            if code > CELLS_CODE_LIMIT or len(statements) > STATEMENTS_LIMIT:
                notes.append(f"{cell.label} and all below it are passed over: the notebook holds too much code")
                break
            if cell.label in job["skip"]:
                notes.append(f"{cell.label} is passed over: Python's parser gives up on it")
                continue
            print(f"parsing {cell.label}", file=sys.stderr, flush=True)
            statements += statements_of(cell, len(statements), said)
    return statements


def _listed(labels: list[str]) -> str:
    return ", ".join(labels[:8]) + (f" and {len(labels) - 8} more" if len(labels) > 8 else "")
