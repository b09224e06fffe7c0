"""Fixtures that several kinds of tests share: sandboxes, and graders of sources written in a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.course import load_course
from grader.options import GradeOptions, start_sandbox
from grader.sandbox import RUNGS, Sandbox, SandboxError
from tests.support import Grader, grade_folder, write_files


def rungs() -> list[Any]:
    """Each rung of the ladder as a parameter; one that this machine lacks is skipped with the reason."""
    return [pytest.param(rung, id=rung) for rung in RUNGS]


@pytest.fixture(params=rungs())
def rung(request: pytest.FixtureRequest) -> str:
    """A rung that this machine offers."""
    name: str = request.param
    try:
        with Sandbox([], rung=name):
            return name
    except SandboxError as problem:
        pytest.skip(f"no {name} here: {problem}")


@pytest.fixture(scope="session")
def trusted_sandbox() -> Iterator[Sandbox]:
    """One warm sandbox for code of our own (solutions, mutants, variants), shared by the whole run."""
    options = GradeOptions(load_course(), rung="split")
    with start_sandbox(options) as sandbox:
        yield sandbox


@pytest.fixture
def grade_own(tmp_path: Path, trusted_sandbox: Sandbox) -> Grader:
    """Grade sources of our own: `grade_own({"cells.py": text}, ["cells"])` gives the document."""

    def run(files: dict[str, str | bytes], names: list[str], **options: Any) -> dict[str, Any]:
        folder = write_files(tmp_path / f"submission-{len(list(tmp_path.iterdir()))}", files)
        return grade_folder(folder, names, trusted_sandbox, **options).document

    return run
