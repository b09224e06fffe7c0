"""Builds the result document (contract §4) from a suite's outcomes.

Everything but `duration_s` and what stands under `timing` depends on the submission, the course and
the seed alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grader import messages
from grader.course import Assignment
from grader.diagnosis import Failure, Misconception, diagnose, explain
from grader.documents import LARGEST
from grader.intake import Finding, Submission
from grader.sandbox import Sandbox
from grader.suite.call import describe_call
from grader.suite.plugin import Outcome

Steps = Mapping[str, str]  # the next step for each way to fail, as in `messages.NEXT`
Findings = Mapping[str, list[Finding]]  # of what is not allowed, by contract name

SCHEMA_VERSION = 1
PRINTED_LIMIT = 300
CURVE_LIMIT = 200
WITH_CALL = frozenset(
    {"mismatch", "raised", "cpu", "wall", "died", "memory", "gpu-memory", "reply", "library-called", "exited"}
)


def build_document(
    submission: Submission,
    assignments: Sequence[Assignment],
    outcomes: Sequence[Outcome],
    sandbox: Sandbox,
    *,
    device: str,
    duration_s: float,
    steps: Steps,
) -> dict[str, Any]:
    """The whole document, ready for `json.dumps`."""
    findings = submission.findings
    rows = [assignment_row(a, [o for o in outcomes if o.assignment == a], steps, findings) for a in assignments]
    complete = all(test["status"] != "grader-error" for row in rows for test in row["tests"])
    return {
        "schema_version": SCHEMA_VERSION,
        "submission": submission.name,
        "score": _round(sum(row["score"] for row in rows)),
        "max_score": _round(sum(row["max_score"] for row in rows)),
        "complete": complete,
        "isolation": {"level": sandbox.level, "gaps": sandbox.gaps, "observed": dict(sorted(sandbox.observed.items()))},
        "device": device,
        "notes": submission.notes,
        "duration_s": round(duration_s, 3),
        "timing": {
            "student_cpu_s": round(sum(o.attempt.cpu_s for o in outcomes if o.attempt), 4),
            "tests_s": round(sum(o.duration_s for o in outcomes), 4),
        },
        "assignments": rows,
    }


def assignment_row(
    assignment: Assignment, outcomes: Sequence[Outcome], steps: Steps, findings: Findings | None = None
) -> dict[str, Any]:
    """One assignment's row of the document: its points, and its tests with their messages."""
    failures = {
        outcome.name: Failure(outcome.grading.of, outcome.attempt.exchanges, outcome.attempt.on_stand_in)
        for outcome in outcomes
        if outcome.attempt is not None
        and (outcome.verdict.kind in ("mismatch", "raised") or outcome.attempt.on_stand_in)
    }
    passed = {
        outcome.name: outcome.attempt.exchanges
        for outcome in outcomes
        if outcome.attempt is not None and outcome.verdict.status == "passed" and not outcome.grading.any_choice
    }
    causes = diagnose(assignment, failures, passed)
    tests = [_test_row(outcome, causes.get(outcome.name), steps, findings or {}) for outcome in outcomes]
    most = sum(test["max_score"] for test in tests)
    return {
        "name": assignment.name,
        "score": _round(sum(test["score"] for test in tests)),
        "max_score": 0.0 if assignment.bonus else _round(most),
        **({"bonus": _round(most)} if assignment.bonus else {}),
        "tests": tests,
    }


def _test_row(
    outcome: Outcome, misconception: Misconception | None, steps: Steps, findings: Findings
) -> dict[str, Any]:
    passed = outcome.verdict.status == "passed"
    row: dict[str, Any] = {
        "name": outcome.name,
        "of": outcome.grading.of,
        "visibility": "public" if outcome.public else "hidden",
        "status": outcome.verdict.status,
        "score": outcome.grading.points if passed else 0.0,
        "max_score": float(outcome.grading.points),
        "message": outcome.verdict.detail if passed else _message(outcome, misconception, steps),
        "misconception": misconception.id if misconception else None,
    }
    if outcome.public and outcome.grading.curve:  # a hidden test's reply could carry its inputs out
        row["curve"] = _curve(outcome)
    review = [finding for finding in findings.get(outcome.grading.of, []) if not finding.certain]
    if review and outcome.assignment.refuses_library_cells:
        said = messages.LIBRARY_CELL_REVIEW.format(place=review[0].place)
        row["review"] = f"{said}: {messages.quote(review[0].code)}" if outcome.public else said
    row["timing"] = {
        "duration_s": round(outcome.duration_s, 4),
        "student_cpu_s": round(outcome.attempt.cpu_s, 4) if outcome.attempt else 0.0,
    }
    return row


def _curve(outcome: Outcome) -> list[float]:
    """The numbers that a test has to show, as far as they are some; rounded, for the last digits are the machine's."""
    reply = outcome.attempt.exchanges[-1].reply if outcome.attempt and outcome.attempt.exchanges else None
    values = reply.get(outcome.grading.curve) if isinstance(reply, dict) else None
    numbers = values[:CURVE_LIMIT] if isinstance(values, list) else []
    return [round(v, 3) for v in numbers if isinstance(v, float) and abs(v) < LARGEST]


def _message(outcome: Outcome, misconception: Misconception | None, steps: Steps) -> str:
    verdict = outcome.verdict
    if verdict.kind == "grader-error":
        return messages.GRADER_ERROR
    says = misconception.says if misconception else None
    if says is None and verdict.kind in ("raised", "import") and outcome.attempt and outcome.attempt.exchanges:
        says = explain(outcome.attempt.exchanges[-1].raised)
    cause = messages.CAUSE.format(says=says) if says else None
    if outcome.public:
        return messages.message(_called(outcome), verdict.detail, cause, _next(outcome, steps), _printed(outcome))
    quoted = verdict.kind in ("mismatch", "raised", "died", "cpu", "wall", "memory", "gpu-memory", "reply")
    sentence = outcome.assignment.promises[outcome.grading.promise] if quoted else None
    promise = messages.PROMISE.format(sentence=sentence) if sentence else None
    return messages.message(messages.HIDDEN[verdict.kind], promise, cause)


def _called(outcome: Outcome) -> str | None:
    """The call that went wrong: the last one, for after it the test was over."""
    if outcome.verdict.kind not in WITH_CALL or not outcome.attempt or not outcome.attempt.exchanges:
        return None
    last = outcome.attempt.exchanges[-1]
    return messages.CALLED.format(name=outcome.grading.of, call=describe_call(last.probe, last.inputs))


def _next(outcome: Outcome, steps: Steps) -> str | None:
    step = steps.get(outcome.verdict.kind)
    if step is None:
        return None
    assignment, grading = outcome.assignment, outcome.grading
    promise = assignment.promises[grading.promise]
    names = {"name": grading.of, "file": assignment.file, "assignment": assignment.name}
    return messages.NEXT_LINE.format(step=step.format(**names, promise=promise))


def _printed(outcome: Outcome) -> str | None:
    """The beginning of what the student's code printed during the last probe, for those who debug by print."""
    text = messages.quote(outcome.attempt.printed, PRINTED_LIMIT) if outcome.attempt else ""
    return messages.PRINTED.format(text=text) if text else None


def _round(value: float) -> float:
    return round(float(value), 6)
