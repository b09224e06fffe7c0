"""Fingerprints of wrong replies: how a students' bundle knows a misconception without holding its code.

For each public test and each misconception that fails it, `take` notes a sketch of every reply: a hash
of what has to be equal (structure, shapes, whole numbers, text) and a few weighted means of the floats,
which agree within a tolerance whenever the floats do. No line of a solution can be had from them. They
fit the inputs of the seed they were taken with, and no others.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from grader.course import Assignment
from grader.diagnosis.agreement import (
    ALIKE,
    CLOSE,
    CLOSE_NUMBER,
    CLOSE_OTHERWISE,
    DIFFERENT,
    SAME_KIND_OF_ERROR,
    WORDS,
    Answer,
    raised_on_purpose,
)
from grader.diagnosis.misconception import Misconception
from grader.diagnosis.python_errors import explain
from grader.suite.attempt import Exchange
from grader.wire.values import Opaque

FILE = "fingerprints.json"
SOLUTION = "solution"
DIGITS = 7
ANGLES = (0.618034, 1.414214, 2.236068)  # of the weights' cosines: any that are no fractions of a turn

Sketch = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """What a bundle's file holds: the misconceptions, and `replies[kind][test][id]`, a sketch an exchange.

    `kind` is "own" or "stand-in": what the part builds on. The solution is among the ids.
    """

    misconceptions: tuple[Misconception, ...]
    replies: Mapping[str, Mapping[str, Mapping[str, Sequence[Sketch]]]]


class Fingerprints:
    """Evidence from the fingerprints of one assignment."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.candidates = table.misconceptions

    def agreement(self, test: str, candidate: Misconception, exchanges: Sequence[Exchange]) -> int:
        """How far the student's replies fit the candidate's fingerprint, every time, and not the solution's."""
        noted, right = (self._noted(test, name, exchanges) for name in (candidate.id, SOLUTION))
        if len(noted) < len(exchanges):
            return DIFFERENT
        telling = DIFFERENT
        for number, exchange in enumerate(exchanges):
            own = sketch((exchange.reply, exchange.raised))
            how = fit(own, noted[number])
            if how == DIFFERENT:
                return DIFFERENT
            if how > max(telling, fit(own, right[number]) if number < len(right) else DIFFERENT):
                telling = how
        return telling

    def is_wrong(self, test: str, candidate: Misconception, exchanges: Sequence[Exchange]) -> bool:
        """Whether the candidate's fingerprint differs from the solution's, as far as was asked."""
        noted, right = (self._noted(test, name, exchanges) for name in (candidate.id, SOLUTION))
        return any(fit(one, other) == DIFFERENT for one, other, _ in zip(noted, right, exchanges, strict=False))

    def is_refuted(self, test: str, candidate: Misconception, exchanges: Sequence[Exchange]) -> bool:
        """Whether the student's code fits the solution's fingerprint where the candidate's differs from that."""
        noted, right = (self._noted(test, name, exchanges) for name in (candidate.id, SOLUTION))
        return any(
            fit(one, other) == DIFFERENT and fit(sketch((exchange.reply, exchange.raised)), other) != DIFFERENT
            for one, other, exchange in zip(noted, right, exchanges, strict=False)
        )

    def _noted(self, test: str, name: str, exchanges: Sequence[Exchange]) -> Sequence[Sketch]:
        kind = "stand-in" if exchanges and exchanges[0].stand_in else "own"
        return self._table.replies.get(kind, {}).get(test, {}).get(name, ())


@functools.cache
def fingerprints_of(assignment: Assignment) -> Table:
    """What lies beside the assignment's tests in a students' bundle; elsewhere nothing."""
    path = assignment.folder / FILE
    if not path.is_file():
        return Table((), {})
    table = json.loads(path.read_text(encoding="utf-8"))
    rows = table["misconceptions"]
    known = [Misconception(row["id"], row["of"], (), "", row["says"], row["same_as"]) for row in rows]
    return Table(tuple(known), table["replies"])


def sketch(answer: Answer) -> Sketch:
    """What is kept of one answer: `{"equal": "9f…", "close": [[tolerance, numbers…], …]}`, or of what was raised."""
    reply, raised = answer
    if raised is not None:
        return {
            "raised": _digest([raised.get("type"), raised.get("text")]),
            "builtin": raised.get("builtin"),
            "on_purpose": raised_on_purpose(raised),
            "meaning": _digest(explain(raised)) if explain(raised) else None,
        }
    close: list[list[float]] = []
    return {"equal": _digest(_walk(reply, close)), "close": close}


def fit(ours: Sketch, theirs: Sketch) -> int:
    """How far two sketches agree: as far as the answers do that they are of."""
    if "raised" in ours and "raised" in theirs:
        if ours["raised"] == theirs["raised"]:
            return ALIKE
        if ours["builtin"] != theirs["builtin"]:
            return DIFFERENT
        if ours["on_purpose"] or theirs["on_purpose"]:
            return SAME_KIND_OF_ERROR if ours["on_purpose"] and theirs["on_purpose"] else DIFFERENT
        same = ours["meaning"] is not None and ours["meaning"] == theirs["meaning"]
        return SAME_KIND_OF_ERROR if same else DIFFERENT
    if "raised" in ours or "raised" in theirs or ours["equal"] != theirs["equal"]:
        return DIFFERENT
    near = all(
        abs(one - other) <= group[0] * (1 + max(map(abs, noted[1:])))
        for group, noted in zip(ours["close"], theirs["close"], strict=True)
        for one, other in zip(group[1:], noted[1:], strict=True)
    )
    return ALIKE if near else DIFFERENT


def _walk(value: Any, close: list[list[float]]) -> Any:
    """What has to be equal, as JSON; floats go to `close`, with the tolerance that they are compared with."""
    if isinstance(value, torch.Tensor):
        return _of_tensor(value, close)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        if not math.isfinite(value):
            return ["number", repr(float(value))]
        close.append([CLOSE_NUMBER, _rounded(float(value))])
        return ["number"]
    if isinstance(value, list | tuple):
        return ["list", *(_walk(item, close) for item in value)]
    if isinstance(value, dict):
        compared = {str(key): item for key, item in value.items() if not str(key).startswith(WORDS)}
        return ["dict", sorted(map(str, value)), [_walk(compared[key], close) for key in sorted(compared)]]
    return ["opaque", value.kind if isinstance(value, Opaque) else type(value).__name__]


def _of_tensor(tensor: torch.Tensor, close: list[list[float]]) -> Any:
    head = ["tensor", str(tensor.dtype), list(tensor.shape)]
    if not tensor.dtype.is_floating_point:
        return [*head, tensor.tolist()]
    flat = tensor.double().flatten()
    finite = torch.isfinite(flat)
    odd = None if finite.all() else [repr(number) for number in torch.where(finite, 0.0, flat).tolist()]
    flat = torch.where(finite, flat, 0.0)
    if len(flat):
        places = torch.arange(1, len(flat) + 1, dtype=torch.float64)
        means = [flat.abs().mean(), *((flat * torch.cos(angle * places)).mean() for angle in ANGLES)]
        close.append([CLOSE.get(tensor.dtype, CLOSE_OTHERWISE), *(_rounded(float(mean)) for mean in means)])
    return [*head, odd]


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]
