"""Autograded assignments on sequence modelling: the harness. See `cli` for what a user can type."""

__version__ = "0.1.0"
