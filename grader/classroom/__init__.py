"""A whole class: every submission in a folder graded once, on all cores or many machines, resumably.

`roll` finds the submissions, `ledger` remembers what has been graded, `graders` runs the processes that
grade, `batch` puts them together. How one submission is graded is not known here.
"""

from grader.classroom.batch import Batch, BatchError, run_batch

__all__ = ["Batch", "BatchError", "run_batch"]
