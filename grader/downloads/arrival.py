"""One submission as a platform hands it out: of whom, when, whether late, and which names are its files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_RUBY = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,6})\d*)? ?(Z|UTC|[+-]\d\d:?\d\d)?")


class DownloadError(Exception):
    """The download can't be read at all; one line says why and what to do."""


@dataclass(frozen=True)
class Student:
    """What is known of a student; any of it may be empty.

    `ids` carry their platform: `canvas:123`, `moodle:501`.
    """

    name: str = ""
    email: str = ""
    login: str = ""
    sid: str = ""
    ids: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As it stands in a result document: what is empty is left out."""
        told = {"name": self.name, "email": self.email, "login": self.login, "sid": self.sid, "ids": list(self.ids)}
        return {key: value for key, value in told.items() if value}


@dataclass(frozen=True)
class Part:
    """A name at the top of a download, and what the student calls that file; "" for a whole folder.

    Of two files with one name the one with the higher `order` was handed in later.
    """

    top: str
    name: str = ""
    order: int = 0


@dataclass
class Arrival:
    """One submission. `late` and `at` (a time with its offset) are None where the platform doesn't say.

    Without `parts` nothing was handed in.
    """

    label: str
    students: list[Student]
    parts: list[Part] = field(default_factory=list)
    late: bool | None = None
    at: datetime | None = None
    notes: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)  # what the student's may be, where the label holds more than it


def moment(text: str) -> datetime | None:
    """`2023-09-21 18:02:11.123456000 Z` and its like as a time; None for anything else.

    A time without an offset is one of this machine's.
    """
    match = _RUBY.fullmatch(text.strip())
    if not match:
        return None
    day, clock, seconds, fraction, offset = match.groups()
    try:
        found = datetime.fromisoformat(f"{day}T{clock}{seconds or ':00'}.{(fraction or '0').ljust(6, '0')}")
        if offset:
            zone = "+00:00" if offset in ("Z", "UTC") else offset
            return datetime.fromisoformat(found.isoformat() + zone)
        return found.astimezone()
    except (ValueError, OverflowError, OSError):  # a 31st of February, a year that no clock knows
        return None
