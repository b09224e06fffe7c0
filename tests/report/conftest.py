"""The classes that reports and exports are tried on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.sandbox import Sandbox
from tests.report.synthetic import graded_pool


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory, trusted_sandbox: Sandbox) -> list[dict[str, Any]]:
    """Documents of the example class in three assignments, one of them bonus."""
    folder: Path = tmp_path_factory.mktemp("pool")
    return graded_pool(folder, trusted_sandbox, ["cells", "batching", "fast_lstm"])
