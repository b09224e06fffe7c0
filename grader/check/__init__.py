"""The student's own check: the public tests, once, on every save, or under the debugger.

It runs the same probes and tests as the grader, without the wall around them, and grades nothing.
"""

from grader.check.debug import debug
from grader.check.once import once
from grader.check.watch import watch

__all__ = ["debug", "once", "watch"]
