"""How far two answers to one probe agree: replies but for rounding, errors by what they mean."""

from __future__ import annotations

import math
import re
from typing import Any

import torch

from grader.diagnosis.python_errors import explain

CLOSE = {torch.float64: 1e-6, torch.float32: 2e-4}
CLOSE_OTHERWISE = 1e-2
CLOSE_NUMBER = 1e-5
WORDS = "the words of"  # parts of a reply whose labels begin so are the student's own, and prove nothing
DIFFERENT, SAME_KIND_OF_ERROR, ALIKE = range(3)
RAISE = re.compile(r"\braise\b")

Answer = tuple[Any, dict[str, Any] | None]  # a reply and None, or None and what was raised


def agreement_of(ours: Answer, theirs: Answer) -> int:
    """How far two answers agree: replies where neither raised, errors where both did."""
    if ours[1] is not None and theirs[1] is not None:
        return error_agreement(ours[1], theirs[1])
    same = ours[1] is None and theirs[1] is None and alike(ours[0], theirs[0])
    return ALIKE if same else DIFFERENT


def error_agreement(ours: dict[str, Any], theirs: dict[str, Any]) -> int:
    """ALIKE if type and text are the same; else of one kind if both were raised in so many words, or mean the same."""
    if (ours.get("type"), ours.get("text")) == (theirs.get("type"), theirs.get("text")):
        return ALIKE
    if ours.get("builtin") != theirs.get("builtin"):
        return DIFFERENT
    on_purpose = [raised_on_purpose(raised) for raised in (ours, theirs)]
    if any(on_purpose):
        return SAME_KIND_OF_ERROR if all(on_purpose) else DIFFERENT
    meaning = explain(ours)
    return SAME_KIND_OF_ERROR if meaning is not None and meaning == explain(theirs) else DIFFERENT


def raised_on_purpose(raised: dict[str, Any]) -> bool:
    """Whether the line that raised says so in so many words."""
    return bool(RAISE.search(str(raised.get("code", ""))))


def alike(one: Any, other: Any) -> bool:
    """Whether two decoded replies are the same but for rounding."""
    if isinstance(one, torch.Tensor) or isinstance(other, torch.Tensor):
        return _alike_tensors(one, other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return one == other or abs(one - other) <= CLOSE_NUMBER * (1 + abs(other))
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(alike(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        compared = [key for key in one if not str(key).startswith(WORDS)]
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in compared)
    return bool(type(one) is type(other) and one == other)


def _alike_tensors(one: Any, other: Any) -> bool:
    if not isinstance(one, torch.Tensor) or not isinstance(other, torch.Tensor):
        return False
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if not one.dtype.is_floating_point:
        return torch.equal(one, other)
    close = CLOSE.get(one.dtype, CLOSE_OTHERWISE)
    return torch.allclose(one, other, rtol=close, atol=close, equal_nan=True)
