"""A result document in Otter's terms: a question for each assignment, a test case for each of its tests.

Hidden tests are hidden cases with numbers for names, for a course may let Otter show them. Otter knows no
bonus: the points of a bonus assignment count like any other question's.
"""

from __future__ import annotations

from typing import Any, NoReturn

from otter.test_files.abstract_test import TestCase, TestCaseResult, TestFile

from grader.documents import for_student

PASSED, FAILED = "✅ Test case passed", "❌ Test case failed"  # in Otter's words


class Question(TestFile):  # type: ignore[misc]  # Otter has no types
    """The results of one assignment; its tests have run elsewhere."""

    @classmethod
    def from_file(cls, path: str) -> NoReturn:
        """Not from a file: it is made of a result document."""
        raise NotImplementedError

    @classmethod
    def from_metadata(cls, s: Any, path: str) -> NoReturn:
        """Nor from a notebook."""
        raise NotImplementedError

    def run(self, global_environment: dict[str, Any]) -> NoReturn:
        """Its tests have run already."""
        raise NotImplementedError


def as_questions(document: dict[str, Any]) -> dict[str, Question]:
    """Otter's results by the name of the question."""
    return {row["name"]: _question(row) for row in for_student(document)["assignments"]}


def _question(row: dict[str, Any]) -> Question:
    question = Question(row["name"], f"tests/{row['name']}.py", [_case(test) for test in row["tests"]], False)
    question.test_case_results = [
        TestCaseResult(case, _message(test), test["status"] == "passed")
        for case, test in zip(question.test_cases, row["tests"], strict=True)
    ]
    return question


def _case(test: dict[str, Any]) -> TestCase:
    name = test["name"].removeprefix("test_").replace("_", " ")
    hidden = test["visibility"] == "hidden"
    return TestCase(name, None, hidden, test["max_score"], success_message=None, failure_message=None)


def _message(test: dict[str, Any]) -> str:
    return PASSED if test["status"] == "passed" else f"{FAILED}\n{test['message']}"
