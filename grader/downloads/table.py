"""`roll.csv`: who handed in what and when, a row each, for an instructor to read or to keep."""

from __future__ import annotations

from collections.abc import Sequence

from grader.downloads.read import Entry
from grader.export.plain import write_csv

HEADINGS = ("submission", "name", "email", "login", "id", "platform_ids", "handed_in", "late", "at", "notes")


def roll_csv(entries: Sequence[Entry]) -> str:
    """A row for each student of each submission; a group has several."""
    rows: list[list[str]] = [list(HEADINGS)]
    for entry in entries:
        told = entry.told or {}
        late = {True: "yes", False: "no", None: ""}[told.get("late")]
        came = "no" if told.get("nothing") else "yes"
        for one in told.get("students") or [{}]:
            known = [one.get(key, "") for key in ("name", "email", "login", "sid")]
            ids = " ".join(one.get("ids", []))
            rows.append([entry.name, *known, ids, came, late, told.get("at") or "", "; ".join(entry.notes)])
    return write_csv(rows)
