"""Helpers of the tests: write submissions, grade them, and look into result documents."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.course import select
from grader.grade import Graded, grade
from grader.options import GradeOptions
from grader.sandbox import Sandbox

Grader = Callable[..., dict[str, Any]]


def grade_folder(folder: Path, names: list[str], sandbox: Sandbox, **options: Any) -> Graded:
    """Grade a folder in a started sandbox."""
    return grade(folder, GradeOptions(select(names), **options), sandbox)


def write_files(folder: Path, files: dict[str, str | bytes]) -> Path:
    """Write a submission folder."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def rows_of(document: dict[str, Any], *statuses: str) -> dict[str, dict[str, Any]]:
    """The document's tests by name; only those with one of the statuses, if any is given."""
    rows = [test for assignment in document["assignments"] for test in assignment["tests"]]
    return {test["name"]: test for test in rows if not statuses or test["status"] in statuses}


def processes_with(marker: str) -> list[str]:
    """The command lines of all processes that name the marker, this one apart."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if marker in command and f"/{os.getpid()}/" not in str(path):
            found.append(command)
    return found


def without_timing(document: dict[str, Any]) -> dict[str, Any]:
    """The document as it must be equal between two gradings of the same submission."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strip(item) for key, item in value.items() if key not in ("timing", "duration_s")}
        if isinstance(value, list):
            return [strip(item) for item in value]
        return value

    stripped: dict[str, Any] = strip(document)
    return stripped
