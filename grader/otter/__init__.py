"""Otter-Grader's plug-in: a course that grades with Otter gets its verdicts from behind our wall.

Named in a master's or an archive's settings as `grader.otter.IsolatedGrading`; docs/otter.md says how.
"""

from grader.otter.plugin import IsolatedGrading

__all__ = ["IsolatedGrading"]
