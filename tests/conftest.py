"""Fixtures that several kinds of tests share: sandboxes, and graders of sources written in a test."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from grader.course import load_course
from grader.options import GradeOptions, start_sandbox
from grader.sandbox import RUNGS, Sandbox, SandboxError
from tests.support import Grader, grade_folder, write_files

NO_GPU = "no GPU that CUDA can use"


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


@pytest.fixture(scope="session")
def sandbox_on(trusted_sandbox: Sandbox) -> Iterator[Callable[[str], Sandbox]]:
    """The sandbox for code of our own on a device; that of the GPU is started when it is first asked for."""
    with contextlib.ExitStack() as stack:
        started = {"cpu": trusted_sandbox}

        def on(device: str) -> Sandbox:
            if device not in started:
                started[device] = stack.enter_context(
                    start_sandbox(GradeOptions(load_course(), device=device, rung="split"))
                )
            return started[device]

        yield on


@pytest.fixture(params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest) -> str:
    """Each device that a grade may be asked for on; without a GPU its case is skipped, and counted at the end."""
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip(NO_GPU)
    return str(request.param)


@pytest.fixture
def grade_own(tmp_path: Path, sandbox_on: Callable[[str], Sandbox]) -> Grader:
    """Grade sources of our own: `grade_own({"cells.py": text}, ["cells"])` gives the document."""

    def run(files: dict[str, str | bytes], names: list[str], **options: Any) -> dict[str, Any]:
        folder = write_files(tmp_path / f"submission-{len(list(tmp_path.iterdir()))}", files)
        return grade_folder(folder, names, sandbox_on(options.get("device", "cpu")), **options).document

    return run


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many cases were skipped for want of a GPU, and what would run them."""
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", []) if report.longrepr]
    missing = sum(NO_GPU in reason for reason in reasons)
    if missing:
        terminalreporter.write_line(f"{missing} cases wait for a GPU; on a machine with one: make gpu")
