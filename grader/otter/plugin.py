"""The plug-in: what Otter calls, and when. Otter's kernel is given an empty notebook, and our verdicts are its results.

Otter unpacks the submission, then calls, in its own process:

1. `before_grading`: everything handed in is moved out of the folder that Otter's kernel will run in, and the
   archive's tests are taken out of it too, so that the kernel finds neither the student's code nor a test.
2. `before_execution`: `grader grade`, a process of its own, grades what was set aside; Otter executes nothing.
3. `after_grading`: the document's tests become Otter's, a question for each assignment.

Whatever keeps this from a verdict is raised, so that Otter ends without a result: never a zero that nobody earned.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from otter.plugins import AbstractOtterPlugin

from grader.course import ROOT, load_course, select
from grader.otter.questions import as_questions

LEVELS = ("split", "landlock", "namespaced")
PATIENCE_S = 900  # of all: the grader ends a submission itself long before this
SCRIPT_LIMIT = 2**20
EMPTY: dict[str, Any] = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


class NoVerdict(RuntimeError):
    """The plug-in can't grade: its settings or the machine are in the way. The text says what to do."""


@dataclass(frozen=True)
class Settings:
    """What stands below the plug-in's name in the settings of a master or an archive."""

    require_isolation: str = "landlock"
    seed: int = 0

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Settings:
        """Check them. Raises NoVerdict for what is not known."""
        settings = dict(given or {})
        level, seed = settings.pop("require_isolation", cls.require_isolation), settings.pop("seed", cls.seed)
        if settings:
            raise NoVerdict(f"the plug-in knows no setting {min(settings)!r}. It has: require_isolation, seed")
        if level not in LEVELS:
            raise NoVerdict(f"there is no isolation level {level!r}. There are: {', '.join(LEVELS)}")
        if not isinstance(seed, int):
            raise NoVerdict(f"seed has to be a whole number, not {seed!r}")
        return cls(level, seed)


class IsolatedGrading(AbstractOtterPlugin):  # type: ignore[misc]  # Otter has no types
    """Grades the questions of an archive that are assignments of ours, in our sandbox."""

    def during_generate(self, otter_config: Mapping[str, Any], assignment: Any) -> None:
        """Refuse settings that would fail for every student, while there is still an instructor to read it."""
        Settings.of(self.plugin_config)
        _refuse_the_log(bool(otter_config.get("grade_from_log")))

    def before_grading(self, config: Any) -> None:
        """Set aside what was handed in; the working directory is the submission's folder."""
        self.settings = Settings.of(self.plugin_config)
        _refuse_the_log(config.grade_from_log)
        submission = Path(self.submission_path)
        folder = submission.parent
        self.assignments = _asked(folder / "tests")
        shutil.rmtree(folder / "tests")  # Otter's copy; were they left, its kernel would run them on nothing
        self.aside = tempfile.TemporaryDirectory(prefix="set-aside-", dir=folder.parent, ignore_cleanup_errors=True)
        for entry in os.listdir(folder):
            os.rename(folder / entry, Path(self.aside.name) / entry)
        if config.pdf or config.token:  # Otter makes a PDF of it now
            shutil.copy(Path(self.aside.name) / submission.name, submission)
        else:
            _leave_empty(submission)

    def before_execution(self, submission: Any) -> Any:
        """Grade what was set aside, and hand Otter an empty notebook."""
        _leave_empty(Path(self.submission_path))
        with self.aside:
            whole = Path(self.aside.name)
            _as_notebook(whole / Path(self.submission_path).name)
            self.document = _graded(whole, self.assignments, self.settings)
        return nbformat.from_dict({**EMPTY, "cells": []})  # type: ignore[no-untyped-call]

    def after_grading(self, results: Any) -> None:
        """Put our verdicts in the place of what Otter found in the empty notebook."""
        results.results = as_questions(self.document)
        if self.document["notes"]:
            results.set_output("\n".join(self.document["notes"]))

    def generate_report(self) -> str:
        """For the instructor, on Otter's standard output: how well it was isolated, and what wants a person's eye."""
        isolation = self.document["isolation"]
        lines = [f"isolation: {isolation['level']}" + "".join(f"; not held: {gap}" for gap in isolation["gaps"])]
        for row in self.document["assignments"]:
            reviews = dict.fromkeys(f"{test['of']}: {test['review']}" for test in row["tests"] if "review" in test)
            lines += [f"{row['name']}, {review}" for review in reviews]
        return "\n".join(lines)


def _refuse_the_log(wanted: bool) -> None:
    if wanted:
        raise NoVerdict("grade_from_log runs pickles that students hand in. Take it out: the notebook itself is graded")


def _asked(tests: Path) -> list[str]:
    """The archive's questions, each of them an assignment. Raises NoVerdict."""
    questions = sorted(path.stem for path in tests.glob("*.py"))
    try:
        return [assignment.name for assignment in select(questions or [""])]
    except KeyError as unknown:
        known = ", ".join(assignment.name for assignment in load_course())
        which = f"no assignment for the question {unknown.args[0]!r}" if questions else "no question in the archive"
        raise NoVerdict(f"there is {which}. With this plug-in, questions are named as assignments: {known}") from None


def _leave_empty(submission: Path) -> None:
    """What Otter reads in the submission's place."""
    submission.write_text("" if submission.suffix == ".py" else json.dumps(EMPTY), encoding="utf-8")


def _as_notebook(submission: Path) -> None:
    """To Otter, a script of any name is a notebook of one cell; to us too, unless it is a module of the course."""
    is_module = submission.stem in {assignment.name for assignment in load_course()}
    if submission.suffix != ".py" or is_module or not submission.is_file() or submission.is_symlink():
        return
    if submission.stat().st_size <= SCRIPT_LIMIT:
        source = submission.read_bytes().decode("utf-8-sig", "replace")
        cell: dict[str, Any] = {
            "cell_type": "code",
            "id": "all",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        submission.with_suffix(".ipynb").write_text(json.dumps({**EMPTY, "cells": [cell]}), encoding="utf-8")


def _graded(path: Path, assignments: list[str], settings: Settings) -> dict[str, Any]:
    """The result document of `grader grade`. Raises NoVerdict if it came to none."""
    with tempfile.TemporaryDirectory(prefix="grader-otter-") as folder:
        target = Path(folder) / "document.json"
        command = [sys.executable, "-m", "grader", "grade", str(path), "--json", str(target)]
        command += [part for name in assignments for part in ("-a", name)]
        command += ["--seed", str(settings.seed), "--require-isolation", settings.require_isolation]
        try:
            done = subprocess.run(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise NoVerdict(f"the grader did not end within {PATIENCE_S} s. Try again") from None
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip() or f"it ended with status {done.returncode}"
            hint = "For Otter, options of `grader grade` are settings of the plug-in: docs/otter.md"
            raise NoVerdict(f"no verdict, so no grade. The grader says: {said[-1000:]}\n{hint}")
        document: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
        return document
