"""Why a reply is wrong: it is compared with what each known misconception would have replied.

A misconception is an edit of the annotated solution. Its mutant runs here, in the trusted process,
on the very inputs that the student's code was given; a name is given only if every reply agrees.
"""

from grader.diagnosis.diagnose import Failure, diagnose
from grader.diagnosis.local import LocalStudent, local_student, replay
from grader.diagnosis.misconception import Misconception, load_misconceptions, mutate
from grader.diagnosis.python_errors import explain

__all__ = [
    "Failure",
    "LocalStudent",
    "Misconception",
    "diagnose",
    "explain",
    "load_misconceptions",
    "local_student",
    "mutate",
    "replay",
]
