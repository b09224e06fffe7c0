"""The student's process and the wall around it.

`Sandbox` starts one process tree on the best rung that this machine offers, measures by canary what
it holds, and opens sessions in it; a `Session` runs probes and returns plain data. Which tests
there are, and what a right answer is, is not known here.
"""

from grader.sandbox.sandbox import RUNGS, Limits, Sandbox, SandboxError, rank
from grader.sandbox.session import Clock, ProbeDied, ProbeRaised, ProbeTimeout, Session

__all__ = [
    "RUNGS",
    "Clock",
    "Limits",
    "ProbeDied",
    "ProbeRaised",
    "ProbeTimeout",
    "Sandbox",
    "SandboxError",
    "Session",
    "rank",
]
