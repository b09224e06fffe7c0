"""The result document: what one grading found, as the contract lays it out."""

from grader.result.document import SCHEMA_VERSION, assignment_row, build_document

__all__ = ["SCHEMA_VERSION", "assignment_row", "build_document"]
