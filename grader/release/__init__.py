"""What is generated from the sources: the students' stubs."""

from grader.release.stubs import StubError, build_stubs, make_stub

__all__ = ["StubError", "build_stubs", "make_stub"]
