"""The student's process and the wall around it.

`Sandbox` starts one process tree on the best rung that this machine offers and measures by canary what
it holds; a `Compartment` in it is one submission's and opens its sessions; a `Session` runs probes and
returns plain data. Which tests there are, and what a right answer is, is not known here.
"""

from grader.sandbox.compartment import Compartment, Limits, SandboxError
from grader.sandbox.sandbox import RUNGS, Sandbox, below_the_floor, rank
from grader.sandbox.session import Clock, ProbeDied, ProbeRaised, ProbeTimeout, Session

__all__ = [
    "RUNGS",
    "Clock",
    "Compartment",
    "Limits",
    "ProbeDied",
    "ProbeRaised",
    "ProbeTimeout",
    "Sandbox",
    "SandboxError",
    "Session",
    "below_the_floor",
    "rank",
]
