"""A grading process: reads tasks from standard input, a line each, and writes a line for each document.

    python -m grader.classroom.worker '{"assignments": ["cells"], ...}'

It lives for a class and grades in its main thread, where pytest-timeout works. When its standard input
closes it ends, and so does its sandbox.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from grader.classroom.ledger import course_digest
from grader.course import select
from grader.options import GradeOptions, start_sandbox
from grader.sandbox import SandboxError, below_the_floor, rank

MEND = "Bring it up to date, restart its Dask worker, and type the command again."
_stopping = False


def main() -> int:
    """Say hello with the isolation level, then grade until there is nothing more to read."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # nothing but answers may reach the reader
    ready = False

    def answer(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    try:
        signal.signal(signal.SIGTERM, _stop)
        choice = json.loads(sys.argv[1])
        assignments = select(choice["assignments"])
        if choice["course"] and choice["course"] != course_digest(assignments):
            answer({"refused": f"{platform.node()} has another version of the course, of torch or of Python. {MEND}"})
            return 3
        options = GradeOptions(assignments, choice["seed"], choice["device"], hidden=True, rung=choice["rung"])
        starting = start_sandbox(options)
        from grader.grade import grade
        from grader.intake import IntakeError

        with starting as sandbox:
            if rank(sandbox.level) < rank(choice["floor"]):
                answer({"refused": below_the_floor(sandbox.level, choice["floor"])})
                return 3
            answer({"level": sandbox.level})
            ready = True
            for line in sys.stdin:
                task = json.loads(line)
                try:
                    graded = grade(Path(task["path"]), options, sandbox, _look)
                except IntakeError as problem:  # the machine's doing: no verdict, and the next one may fare better
                    answer({"blamed": str(problem)})
                    continue
                graded.document["submission"] = task["name"]
                answer({"document": graded.document, "errors": graded.grader_errors})
    except SandboxError as problem:
        answer({"refused": f"{problem}. Type: grader doctor"})
        return 3
    except KeyboardInterrupt:
        pass
    except Exception as problem:
        if ready:
            raise
        answer({"refused": f"a grading process could not start ({type(problem).__name__}: {problem})"})
        return 3
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    """End a grading half-way, and the sandbox with it.

    Where Python can't raise (a finalizer, a hook around fork) it would write of it and go on: nobody needs
    to read that, and `_look` ends it at the next test. Clean-up is not interrupted again.
    """
    global _stopping
    _stopping = True
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.unraisablehook = lambda unraisable: None
    raise KeyboardInterrupt


def _look(outcome: object) -> None:
    """Called after every test."""
    if _stopping:
        raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
