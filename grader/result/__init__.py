"""The result document: what one grading found, as the contract lays it out."""

from grader.result.document import SCHEMA_VERSION, as_json, build_document, percent
from grader.result.folder import FolderError, read_batch

__all__ = ["SCHEMA_VERSION", "FolderError", "as_json", "build_document", "percent", "read_batch"]
