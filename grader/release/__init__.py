"""What is generated from the sources: the students' stubs and the notebooks."""

from grader.release.notebooks import build_notebooks, master_notebook, student_notebook
from grader.release.stubs import StubError, build_stubs, make_stub

__all__ = ["StubError", "build_notebooks", "build_stubs", "make_stub", "master_notebook", "student_notebook"]
