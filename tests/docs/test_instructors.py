"""docs/instructors.md carried out: its files written, its commands typed, what it shows found in what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from grader.arguments import parser
from grader.choices import read_choices
from grader.course import ROOT, SOLUTIONS, whole_course
from grader.sandbox import Sandbox, SandboxError

PAGE = ROOT / "docs" / "instructors.md"
FENCE = re.compile(r"(?:^`(?P<path>[\w./-]+)`:\n\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_TYPED = {"make grade": "sets up an environment of its own; tests/test_bootstrap.py and the README's test do that"}
COPIED = ("grader", "assignments", "solutions", "starter", "pyproject.toml", "constraints.txt", "LICENSE")
PERPLEXITY = "## Write your own assignment"


@dataclass
class Step:
    """A file to write, or a command to type with the lines that have to come."""

    path: str = ""
    text: str = ""
    command: str = ""
    shown: list[str] = field(default_factory=list)


def steps_of(page: str) -> list[Step]:
    """The page's files and commands, in their order."""
    found: list[Step] = []
    for fence in FENCE.finditer(page):
        if fence["path"]:
            found.append(Step(path=fence["path"], text=fence["text"]))
        elif fence["kind"] == "console":
            for line in fence["text"].splitlines():
                if line.startswith("$ "):
                    found.append(Step(command=line[2:]))
                else:
                    found[-1].shown.append(line)
    return found


def parts() -> tuple[list[Step], list[Step]]:
    """The steps before one's own assignment, and those of it."""
    before, _, after = PAGE.read_text(encoding="utf-8").partition(PERPLEXITY)
    return steps_of(before), steps_of(after)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the page's reader has, where the machine can grade at the page's level."""
    for rung in ("namespaced", "landlock"):
        try:
            with Sandbox([], rung=rung):
                break
        except SandboxError:
            continue
    else:
        pytest.skip("this machine offers only `split`, at which the page's commands refuse to grade")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def carry_out(steps: list[Step], checkout: Path) -> None:
    for step in steps:
        if step.path:
            path = checkout / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
        elif step.command not in NOT_TYPED:
            program, *words = step.command.split()
            assert program == ".venv/bin/grader", step.command
            done = subprocess.run(
                [sys.executable, "-m", "grader", *words],
                cwd=checkout,
                env={**os.environ, "COLUMNS": "100", "PYTHONPATH": str(checkout)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{step.command}\n{done.stdout}{done.stderr}"
            said = " ".join(done.stdout.split())
            for line in step.shown:
                assert " ".join(line.split()) in said, f"{step.command}\n{line}\n{done.stdout}"


def test_the_page_is_read_as_it_is_meant():
    adopting, writing = parts()
    assert {step.command for step in adopting} >= set(NOT_TYPED)
    assert len([step for step in adopting if step.command]) == 9
    assert [step.path for step in adopting if step.path] == ["course.toml"]
    assert len([step for step in writing if step.path]) == 11
    assert all(step.shown for step in writing if step.command)


def test_every_command_is_one_that_the_grader_knows(tmp_path):
    for step in [step for part in parts() for step in part]:
        if step.command and step.command not in NOT_TYPED:
            parser().parse_args(step.command.split()[1:])
        elif step.path == "course.toml":
            (tmp_path / "course.toml").write_text(step.text)
            read_choices(tmp_path / "course.toml", (*(a.name for a in whole_course()), "perplexity"))


@pytest.mark.long
def test_adopting_it(checkout):
    handed_in = checkout / "handed-in"
    wrong = (SOLUTIONS / "cells.py").read_text().replace("h = (1 - z) * h_prev + z", "h = z * h_prev + (1 - z)")
    for name, source in {"ada": (SOLUTIONS / "cells.py").read_text(), "ben": wrong}.items():
        (handed_in / name).mkdir(parents=True)
        (handed_in / name / "cells.py").write_text(source)
        shutil.copy(SOLUTIONS / "gradient_flow.py", handed_in / name)
    shutil.make_archive(str(handed_in / "ben"), "zip", handed_in / "ben")
    shutil.rmtree(handed_in / "ben")
    carry_out(parts()[0], checkout)
    assert (checkout / "graded" / "summary.csv").read_text().count("\n") == 3


@pytest.mark.timeout(900)
def test_an_assignment_from_an_empty_folder_to_its_solutions_grade(checkout):
    steps = parts()[1]
    graded = next(number for number, step in enumerate(steps) if "grade solutions" in step.command)
    carry_out(steps[: graded + 1], checkout)
    assert (checkout / "starter" / "notebooks" / "perplexity.ipynb").is_file()


@pytest.mark.long
def test_an_assignment_from_an_empty_folder_to_a_grade(checkout):
    carry_out(parts()[1], checkout)


def test_the_page_tells_the_course_as_it_is():
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    course = whole_course()
    assert f"there are {['nine'][len(course) - 9]} assignments" in page
    assert f"{sum(a.points for a in course if not a.bonus):g} points and " in page
    assert f"{sum(a.points for a in course if a.bonus):g} of bonus" in page


def test_every_link_leads_somewhere():
    page = PAGE.read_text(encoding="utf-8")
    anchors = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^## (.+)$", page, re.M)
    }
    for target in re.findall(r"\]\(([^)]+)\)", page):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif not target.startswith("https://"):
            assert (PAGE.parent / target).exists(), target
