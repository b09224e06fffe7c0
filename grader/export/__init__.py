"""A result document in the forms that people and other programs read."""

from grader.export.terminal import show_document

__all__ = ["show_document"]
