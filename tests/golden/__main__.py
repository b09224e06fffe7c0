"""`python -m tests.golden [NAME]…`: write the golden texts anew, of all assignments or of these; a few minutes."""

from __future__ import annotations

import sys

from grader.course import load_course, select
from grader.options import GradeOptions, start_sandbox
from tests.golden import errors, texts


def main() -> None:
    """Write them, and say which differ from before."""
    with start_sandbox(GradeOptions(load_course(), rung="split")) as sandbox:
        for assignment in select(sys.argv[1:] or None):
            path = texts.path_of(assignment)
            before = path.read_text(encoding="utf-8") if path.is_file() else ""
            texts.write(path, ((name, texts.text_of(assignment, name, sandbox)) for name in texts.names_of(assignment)))
            print(f"{path.name}: {'the same' if path.read_text(encoding='utf-8') == before else 'written'}", flush=True)
    texts.write(errors.PATH, errors.explained())


if __name__ == "__main__":
    main()
