"""Writes the class report: `index.html` for the instructor, `students/NAME.html` for each student.

Every page is one file that asks the network for nothing, under a content-security policy that allows its
own style and script by their hashes and nothing else. A student's page holds what that student may see:
no other student, no name of a hidden test, no note that is meant for the instructor.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.course import load_course
from grader.documents import file_stem, for_student
from grader.messages import gist, one_line, printable, verdict
from grader.report import statistics
from grader.report.changes import compare
from grader.report.statistics import ENOUGH, Document

if TYPE_CHECKING:
    from jinja2 import Environment

    from grader.report.pictures import Picture

TEMPLATES = Path(__file__).with_name("templates")
NEEDED = ("jinja2", "matplotlib")
STATUSES = ("failed", "error", "timeout", "grader-error")


class ReportError(Exception):
    """There is no report; one line says why and what to do."""


@dataclass(frozen=True)
class Student:
    """A line of the students' table."""

    name: str
    page: str
    score: float
    complete: bool
    scores: dict[str, float]
    lost: int
    reviews: int
    who: str
    late: bool
    nothing: bool


def write_report(documents: Sequence[Document], out: Path, before: Sequence[Document] | None = None) -> Path:
    """Write the report of a class into the folder `out` and return its index. Raises ReportError."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        install = ".venv/bin/pip install 'sequence-grader[report]'"
        raise ReportError(f"the report needs {' and '.join(missing)}. Type: {install}")
    environment = _environment()
    pages = {document["submission"]: f"{file_stem(document['submission'])}.html" for document in documents}
    try:
        (out / "students").mkdir(parents=True, exist_ok=True)
        template = environment.get_template("student.html")
        for document in documents:
            text = template.render(**student_view(document))
            (out / "students" / pages[document["submission"]]).write_text(text, encoding="utf-8")
        index = out / "index.html"
        text = environment.get_template("index.html").render(**_class_view(documents, pages, before))
        index.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise ReportError(f"{out} can't be written ({problem.strerror}). Give --out another folder.") from None
    return index


def student_view(document: Document) -> dict[str, Any]:
    """What a student's page shows. Hidden tests have numbers here, not names."""
    assignments = []
    for row in for_student(document)["assignments"]:
        tests = [
            {
                "title": readable(test["name"]),
                "of": one_line(test.get("of") or ""),
                "hidden": test["visibility"] == "hidden",
                "status": test["status"],
                "word": verdict(test),
                "score": test["score"],
                "most": test["max_score"],
                "message": printable(test["message"]),
            }
            for test in row["tests"]
        ]
        assignments.append(
            {
                "name": one_line(row["name"]),
                "score": row["score"],
                "most": row["max_score"] or row.get("bonus", 0.0),
                "bonus": "bonus" in row,
                "passed": sum(test["status"] == "passed" for test in tests),
                "count": len(tests),
                "open": _together([test for test in tests if test["status"] != "passed"]),
                "done": [test for test in tests if test["status"] == "passed"],
                "curve": _curve(row),
            }
        )
    return {
        "name": one_line(document["submission"]),
        "score": document["score"],
        "most": document["max_score"],
        "complete": document["complete"],
        "who": _who(document),
        "coming": _coming(document),
        "notes": [one_line(note) for note in document["notes"]],
        "assignments": assignments,
    }


def _curve(row: dict[str, Any]) -> Picture | None:
    """The loss curve of an assignment in which something was trained, if there is one to be drawn."""
    from grader.report import pictures

    curves = [tuple(map(float, test["curve"])) for test in row["tests"] if len(test.get("curve", ())) > 1]
    if not curves:
        return None
    first, last = (f"{curves[0][at]:.3g}" for at in (0, -1))
    return pictures.loss_curve(curves[0], f"Loss of {len(curves[0])} epochs: {first} in the first, {last} in the last.")


def _together(tests: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Tests that say the same, told together."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for test in tests:
        groups.setdefault((test["status"], gist(test["message"])), []).append(test)
    return list(groups.values())


def _class_view(
    documents: Sequence[Document], pages: dict[str, str], before: Sequence[Document] | None
) -> dict[str, Any]:
    from grader.report import pictures

    judged = statistics.complete(documents)
    present = [document for document in judged if not _absent(document)]
    items = statistics.items(present)
    most = max((document["max_score"] for document in judged), default=0.0)
    names = list(dict.fromkeys(row["name"] for document in documents for row in document["assignments"]))
    limits = {assignment.name: assignment.cpu_s for assignment in load_course()}
    spread = statistics.spread(judged) if judged else None
    students = [_student(document, pages) for document in documents]
    view: dict[str, Any] = {
        "size": len(documents),
        "judged": len(judged),
        "present": len(present),
        "few": len(present) < ENOUGH,
        "late": sum(student.late for student in students),
        "absent": len(judged) - len(present),
        "enough": ENOUGH,
        "most": most,
        "spread": spread,
        "levels": sorted({document["isolation"]["level"] for document in documents}),
        "names": names,
        "students": students,
        "assignments": [_assignment(name, present) for name in names],
        "items": items,
        "notes": [_remark(item) for item in items],
        "mistakes": statistics.mistakes(present),
        "pages": pages,
        "kinds": _kinds([each for each in documents if not _absent(each)], names),
        "statuses": STATUSES,
        "runtimes": statistics.runtimes(present, limits),
        "reviews": [
            (document["submission"], row["name"], test["name"], printable(test["review"]))
            for document in documents
            for row in document["assignments"]
            for test in row["tests"]
            if test.get("review")
        ],
        "changes": None,
        "pictures": {},
    }
    if spread:
        says = f"Histogram of {len(judged)} scores; mean {spread.mean:.1f}, median {spread.median:.1f} (dashed line)."
        scores = [document["score"] for document in judged]
        view["pictures"] = {
            "histogram": pictures.histogram(scores, most, says),
            "scatter": pictures.scatter(items, "Each test's difficulty and discrimination. The table has both."),
        }
        if items:
            says = "Map of students and tests. What fails for whom stands in the tables and on the students' pages."
            view["pictures"]["map"] = pictures.student_map(present, [(i.assignment, i.name) for i in items], says)
    if before is not None:
        view["changes"] = compare(before, documents)
        pairs = [
            (change.before, change.after)
            for change in view["changes"]
            if change.before is not None and change.after is not None and change.before != change.after
        ]
        if pairs:
            says = f"Scores of {len(pairs)} students before and after. The table has the figures."
            view["pictures"]["changes"] = pictures.before_and_after(pairs, says)
    return view


def _student(document: Document, pages: dict[str, str]) -> Student:
    tests = [test for row in document["assignments"] for test in row["tests"]]
    told = document.get("handed_in") or {}
    return Student(
        document["submission"],
        pages[document["submission"]],
        document["score"],
        document["complete"],
        {row["name"]: row["score"] for row in document["assignments"]},
        sum(test["status"] != "passed" for test in tests),
        sum(bool(test.get("review")) for test in tests),
        _who(document),
        bool(told.get("late")),
        _absent(document),
    )


def _absent(document: Document) -> bool:
    """Whether nothing was handed in: a 0 that says nothing about any test."""
    return bool((document.get("handed_in") or {}).get("nothing"))


def _who(document: Document) -> str:
    """The names behind a submission, where they are known and say more than its own."""
    names = [one_line(one["name"]) for one in (document.get("handed_in") or {}).get("students", []) if one.get("name")]
    return "" if names == [document["submission"]] else ", ".join(names)


def _coming(document: Document) -> str:
    """When a submission came, as its student's page says it; "" where nothing is known."""
    told = document.get("handed_in") or {}
    if told.get("nothing"):
        return "Nothing was handed in."
    at = _moment(one_line(told.get("at") or ""))
    late = {True: " late", False: " in time", None: ""}[told.get("late")]
    return f"Handed in{late}{', ' + at if at else ''}." if at or late else ""


def _moment(text: str) -> str:
    """`2026-10-01T23:51:00+02:00` as a reader wants it, or the text itself if it is no time."""
    try:
        found = datetime.fromisoformat(text)
        return f"{found:%Y-%m-%d %H:%M}" + (f" ({found:%Z})" if found.tzinfo else "")
    except ValueError:
        return text


def _assignment(name: str, judged: Sequence[Document]) -> dict[str, Any]:
    rows = [row for document in judged for row in document["assignments"] if row["name"] == name]
    most = max(((row["max_score"] or row.get("bonus", 0.0)) for row in rows), default=0.0)
    tests = [test for row in rows for test in row["tests"]]
    scores = sorted(row["score"] for row in rows)
    return {
        "name": name,
        "bonus": any("bonus" in row for row in rows),
        "most": most,
        "mean": sum(scores) / len(scores) if scores else math.nan,
        "median": (scores[(len(scores) - 1) // 2] + scores[len(scores) // 2]) / 2 if scores else math.nan,
        "full": sum(score >= most - 1e-9 for score in scores),
        "zero": sum(score == 0 for score in scores),
        "passed": sum(test["status"] == "passed" for test in tests) / len(tests) if tests else math.nan,
    }


def _remark(item: statistics.Item) -> str:
    """What an instructor might look at; nothing where there is nothing to see, or too few to see it."""
    if item.count < ENOUGH:
        return ""
    if item.passed == 0:
        return "nobody passes it: is it right?"
    if math.isnan(item.discrimination):
        return "all earn the same"
    if item.discrimination < 0:
        return "the better students fail it: is it right?"
    if item.discrimination < 0.2 and item.difficulty <= 0.95:
        return "says little about the rest"
    return ""


def _kinds(documents: Sequence[Document], names: Sequence[str]) -> dict[str, Counter[str]]:
    kinds: dict[str, Counter[str]] = {name: Counter() for name in names}
    for document in documents:
        for row in document["assignments"]:
            kinds[row["name"]].update(test["status"] for test in row["tests"])
    return kinds


def readable(name: str) -> str:
    """`test_lstm_one_step` as `lstm one step`."""
    return one_line(name).removeprefix("test_").replace("_", " ")


def number(value: float | None, digits: int = 2, fixed: bool = False) -> str:
    """A number as a reader wants it: 12, 12.5, 0.07; a dash where there is none.

    `fixed` keeps the zeros at the end, so that what is measured stands point under point: 0.60, 0.51.
    """
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    if fixed:
        return text.replace("-", "−")
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    environment.globals.update(policy=policy, style=Markup(style), script=Markup(script), isnan=math.isnan)
    environment.filters.update(number=number, readable=readable, line=one_line)
    environment.filters["breakable"] = lambda name: Markup("_<wbr>").join(one_line(name).split("_"))  # it escapes each
    return environment


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
