"""What probes of several assignments share: scripted models made of tables, and how a probe complains.

Staged into the student's process, so it holds no answers.
"""

from __future__ import annotations

from typing import Any


class Complaint(Exception):
    """What the student's code returned cannot be used as the handout promises; the text says why."""


def pair(result: Any, what: str) -> tuple[Any, Any]:
    """Take a returned pair apart, or complain about what came instead."""
    if not isinstance(result, tuple | list) or len(result) != 2:
        came = f"{len(result)} values" if isinstance(result, tuple | list) else f"a {type(result).__name__}"
        raise Complaint(f"{what} returned {came}, expected a pair")
    return result[0], result[1]
