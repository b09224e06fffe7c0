"""How the benchmarks measure: wall and CPU time of a stretch of code, medians, and the load beside them."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Spent:
    """Seconds that a stretch took; filled in when it is over. `cpu` is this process's, all threads."""

    wall: float = 0.0
    cpu: float = 0.0

    def add(self, more: Spent) -> None:
        """Add another stretch to this one."""
        self.wall += more.wall
        self.cpu += more.cpu


@contextlib.contextmanager
def spent() -> Iterator[Spent]:
    """Measure the body of a `with`."""
    found = Spent()
    wall, cpu = time.perf_counter(), time.process_time()
    yield found
    found.wall, found.cpu = time.perf_counter() - wall, time.process_time() - cpu


class Table:
    """Rows of numbers under a label each; shown as medians, and as multiples of one row's first number."""

    def __init__(self, what: str, *columns: str) -> None:
        self._head = (what, *columns)
        self._rows: dict[str, list[tuple[float, ...]]] = {}

    def add(self, label: str, *numbers: float) -> None:
        """One measurement of a row."""
        self._rows.setdefault(label, []).append(numbers)

    def median(self, label: str, column: int = 0) -> float:
        """The median of a row's numbers in one column."""
        return statistics.median(row[column] for row in self._rows[label])

    def show(self, against: str | None = None) -> None:
        """Print the medians; with `against` also how many times that row's first number each row's is."""
        what, *columns = self._head
        print(f"{what:44}" + "".join(f"{column:>14}" for column in columns) + (f"{'times':>9}" if against else ""))
        for label, rows in self._rows.items():
            numbers = "".join(f"{statistics.median(column):14.3f}" for column in zip(*rows, strict=True))
            times = f"{self.median(label) / self.median(against):9.2f}" if against else ""
            print(f"{label:44}{numbers}{times}")


def load() -> str:
    """How busy the machine was: to stand beside every figure."""
    one, five, _ = os.getloadavg()
    return f"{os.cpu_count()} cores, load {one:.1f} (last minute), {five:.1f} (last five)"
