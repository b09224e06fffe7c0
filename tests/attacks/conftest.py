"""The option `--all-attacks`, and which attacks run on which rung without it."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--all-attacks` runs every attack on every rung, as `make test-attacks` does."""
    parser.addoption("--all-attacks", action="store_true", help="every attack on every rung, not a few on the best")
