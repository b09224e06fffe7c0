"""The result document: what one grading found, as the contract lays it out."""

from grader.result.document import SCHEMA_VERSION, as_json, build_document, percent

__all__ = ["SCHEMA_VERSION", "as_json", "build_document", "percent"]
