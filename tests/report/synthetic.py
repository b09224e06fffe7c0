"""Makes the documents of a whole class out of a few that were really graded.

A few submissions are graded; each synthetic student then takes every test's row from one of them, the
likelier from the perfect one the abler they are. So texts, statuses and misconceptions are those of real
gradings, and points add up. Names are hostile on purpose. It imitates no class that ever was.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader.course import select
from grader.grade import grade
from grader.options import GradeOptions
from grader.sandbox import Sandbox
from tests.example_class.members import make_members

HOSTILE = (
    "<script>alert(1)</script>",
    "=HYPERLINK('http:__evil.example','x')",
    '"><img src=x onerror=alert(2)>',
    "{{ 7 * 7 }}{% raw %}",
    "##[error]forged",
    "::error::forged",
    "|a|*b*[c](d)`e`&amp;",
    "@everyone #1",
    "_.%2f..%2fetc",
    "Ren\\xe9e O'Neill, 3rd",
    "x" * 100,
    "--",
)
NAMES = (
    "ada",
    "ben",
    "chloe",
    "dmitri",
    "eve",
    "fatima",
    "goran",
    "hana",
    "ivo",
    "june",
    "kofi",
    "lin",
    "mara",
    "noor",
)


def graded_pool(folder: Path, sandbox: Sandbox, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Documents of the example class, graded for real: the perfect one first, then the rest."""
    options = GradeOptions(select(names))
    honest = [member for member in make_members(folder) if member.name != "mallory"]
    return [grade(member.path, options, sandbox).document for member in honest]


def make_class(pool: Sequence[dict[str, Any]], size: int, seed: int = 0) -> list[dict[str, Any]]:
    """`size` documents, the same for a seed; the first names are hostile ones."""
    rng = random.Random(seed)
    return [_student(pool, _name(number), rng) for number in range(size)]


def write_class(documents: Sequence[dict[str, Any]], folder: Path) -> Path:
    """Write documents as a batch folder has them."""
    (folder / "documents").mkdir(parents=True)
    for document in documents:
        target = folder / "documents" / f"{document['submission']}.json"
        target.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return folder


def add_up(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the sums that its tests' points give."""
    for row in document["assignments"]:
        row["score"] = round(sum(test["score"] for test in row["tests"]), 6)
    document["score"] = round(sum(row["score"] for row in document["assignments"]), 6)
    tests = [test for row in document["assignments"] for test in row["tests"]]
    document["complete"] = all(test["status"] != "grader-error" for test in tests)
    return document


def _name(number: int) -> str:
    if number % 2 and number // 2 < len(HOSTILE):
        return HOSTILE[number // 2].replace("/", "_")
    return f"{NAMES[number % len(NAMES)]}-{number:03}"


def _student(pool: Sequence[dict[str, Any]], name: str, rng: random.Random) -> dict[str, Any]:
    ability = rng.betavariate(5, 2)
    document = copy.deepcopy(pool[0])
    document["submission"] = name
    for index, row in enumerate(document["assignments"]):
        source = pool[0] if rng.random() < ability else rng.choice(pool[1:])
        others = source["assignments"][index]["tests"]
        for place in range(len(row["tests"])):
            hard = 0.5 + 0.5 * place / len(row["tests"])
            keep = rng.random() < 1 - (1 - ability) * hard * 0.5
            test = copy.deepcopy(others[place] if keep else rng.choice(pool[1:])["assignments"][index]["tests"][place])
            if rng.random() < 0.004:
                test.update(status="timeout", score=0.0, message="It gave no answer in time: <b>bold</b>")
            test["timing"] = {"duration_s": 0.02, "student_cpu_s": round(rng.lognormvariate(-4, 1), 4)}
            row["tests"][place] = test
    return add_up(document)
