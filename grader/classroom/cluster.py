"""More than one machine: Dask Distributed as a `concurrent.futures` executor.

A Dask worker only hands a task on to a grading process of its own machine; student code runs in that
process' sandbox. What a lost worker was doing is run again elsewhere, by Dask.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any, cast

from grader.classroom.batch import BatchError

PATIENCE = "20s"


def connect(address: str) -> tuple[Executor, int]:
    """An executor on the cluster, and how many tasks it runs at a time. Raises BatchError."""
    try:
        from distributed import Client  # untyped
    except ImportError:
        raise BatchError("--scheduler needs Dask. Type: .venv/bin/pip install 'sequence-grader[cluster]'") from None
    try:
        client: Any = Client(address, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
        threads = sum(client.nthreads().values())
    except (OSError, ValueError, TimeoutError) as problem:
        raise BatchError(f"no Dask scheduler answers at {address} ({type(problem).__name__})") from None
    if not threads:
        raise BatchError(f"the scheduler at {address} has no workers. Start one: dask worker {address}")
    return cast(Executor, client.get_executor(pure=False, retries=3)), threads
