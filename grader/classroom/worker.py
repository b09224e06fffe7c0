"""A grading process: reads tasks from standard input, a line each, and writes a line for each document.

    python -m grader.classroom.worker '{"assignments": ["cells"], ...}'

It lives for a class and grades in its main thread, where pytest-timeout works. When its standard input
closes it ends, and so does its sandbox.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from grader.course import select
from grader.options import GradeOptions, start_sandbox
from grader.sandbox import SandboxError, below_the_floor, rank


def main() -> int:
    """Say hello with the isolation level, then grade until there is nothing more to read."""
    signal.signal(signal.SIGTERM, _stop)
    choice = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # nothing but answers may reach the reader
    options = GradeOptions(
        select(choice["assignments"]), choice["seed"], choice["device"], hidden=True, rung=choice["rung"]
    )

    def answer(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    try:
        starting = start_sandbox(options)
        from grader.grade import grade
        from grader.intake import IntakeError

        with starting as sandbox:
            if rank(sandbox.level) < rank(choice["floor"]):
                answer({"refused": below_the_floor(sandbox.level, choice["floor"])})
                return 3
            answer({"level": sandbox.level})
            for line in sys.stdin:
                task = json.loads(line)
                try:
                    graded = grade(Path(task["path"]), options, sandbox)
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
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    """End a grading half-way, and the sandbox with it.

    Where Python can't raise (a finalizer, a hook around fork) it would write of it and go on: then this
    submission is graded to its end, and nobody needs to read that.
    """
    sys.unraisablehook = lambda unraisable: None
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
