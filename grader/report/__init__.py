"""The class report of a batch folder, and what differs between two of them.

`statistics` and `changes` compute, `pictures` draws, `site` writes the pages from `templates/`.
"""

from grader.report.changes import Change, compare
from grader.report.site import ReportError, write_report

__all__ = ["Change", "ReportError", "compare", "write_report"]
