"""From a path that a student handed in to a `Submission`: names, bytes, and what was left out.

The bytes are unpacked, decoded and parsed in a limited child process, which runs what is in `inside`; this
side, `receive`, only takes what it made of them.
"""

from grader.intake.receive import (
    Finding,
    IntakeError,
    Submission,
    printable_name,
    receive,
    submission_name,
    without_ending,
)

__all__ = ["Finding", "IntakeError", "Submission", "printable_name", "receive", "submission_name", "without_ending"]
