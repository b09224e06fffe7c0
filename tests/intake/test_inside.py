"""What the reading child may import: the standard library, its neighbours, and nbformat where there is a notebook."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import grader.intake.inside
from grader.course import load_course

INSIDE = Path(grader.intake.inside.__file__).parent
FILES = sorted(INSIDE.glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_imports_nothing_that_the_child_does_not_have(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            roots = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            roots = {str(node.module).split(".")[0]}
        else:
            continue
        assert roots <= sys.stdlib_module_names | {"nbformat"}


def test_its_names_are_nobody_elses():
    modules = {assignment.name for assignment in load_course()}
    assert not {path.stem for path in FILES} & (modules | sys.stdlib_module_names)


def test_it_loads_without_the_grader():
    load = (
        "import sys; sys.path.append(sys.argv[1]); from inside import reading, notebooks, source_scan; "
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'grader', 'torch', 'site', 'nbformat'}))"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", load, str(INSIDE.parent)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
