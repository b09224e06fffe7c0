"""How a command ends: its exit status, and the one line that says why when it can't go on."""

from __future__ import annotations

DONE, BELOW, UNUSABLE, GRADER_FAILED = 0, 1, 2, 3
STOPPED = 130  # by Ctrl-C


class Stop(Exception):
    """End the command with a status and one line for standard error."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status
