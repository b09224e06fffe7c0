"""Runs a campaign: many cases in a process of its own, watched from outside for crashes, hangs and growth.

Each case depends on nothing but the campaign's name, its seed and the case's number, so a case can be
made again from one line. The process that runs the cases tells where it is through eight shared bytes:
if it dies or stops there, that case is at fault and the campaign goes on with the next one. It knows
nothing of what is fuzzed; that is the business of a `Target`.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import gc
import json
import mmap
import random
import resource
import select
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TextIO

ROOT = Path(__file__).resolve().parents[2]
CASE_WALL_S = 60.0  # a case that takes longer hangs; the slowest honest one takes a few seconds on a busy machine
MAX_FAILURES = 20
WARM_UP = 0.1  # the share of the cases after which memory is measured for the first time
REPORT_S = 1.0
PLACE = struct.Struct("<Q")
WORKER = ["-m", "tests.fuzz", "--worker"]
MIB = 2**20


class Target(Protocol):
    """What is fuzzed: makes a case from random numbers, and feeds one to the code under test."""

    growth_limit: int  # bytes of resident memory that may be gained between warm-up and end
    peak_limit: int  # bytes of resident memory that one case may take beyond what the process had at warm-up
    ending: str  # of the file that a failing case is written to

    def make(self, rng: random.Random) -> bytes:
        """One case."""

    def feed(self, case: bytes) -> str:
        """Feed it to the code; return the outcome by name. Whatever it raises is a finding."""


@dataclass
class Tally:
    """What came of a campaign; `failures` maps a case's number to what went wrong with it."""

    name: str
    seed: int
    cases: int = 0
    seconds: float = 0.0
    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    failures: dict[int, str] = field(default_factory=dict)
    growth: int = 0
    peak: int = 0
    slowest_s: float = 0.0
    slowest: int = -1
    shown: int = 0  # failures already told

    def lines(self) -> Iterator[str]:
        """The tally for people."""
        yield f"{self.name}: {self.cases:,} cases from seed {self.seed} in {self.seconds:.0f} s"
        for outcome, count in self.outcomes.most_common():
            yield f"  {count:9,}  {count / max(1, self.cases):6.1%}  {outcome}"
        yield f"  slowest case: {self.slowest_s:.2f} s of CPU (case {self.slowest})"
        yield f"  memory: {_mib(self.growth)} gained from warm-up to end, {_mib(self.peak)} at the most"
        yield f"  failures: {len(self.failures)}"


def case_of(target: Target, name: str, seed: int, number: int) -> bytes:
    """Make case `number` of a campaign again."""
    return target.make(random.Random(f"{name}/{seed}/{number}"))


def run(name: str, target: Target, seed: int, cases: int, found: Path, progress: TextIO | None = None) -> Tally:
    """Run a campaign. Failing cases are written below `found`, with the line that replays them."""
    tally = Tally(name, seed)
    started = time.monotonic()
    with tempfile.NamedTemporaryFile() as shared:
        shared.write(PLACE.pack(0))
        shared.flush()
        with mmap.mmap(shared.fileno(), PLACE.size) as place:
            first = 0
            while first < cases and len(tally.failures) < MAX_FAILURES:
                first = _run_worker(tally, first, cases, place, shared.name, started, progress)
    tally.seconds = time.monotonic() - started
    if tally.growth > target.growth_limit:
        tally.failures[-1] = f"{_mib(tally.growth)} gained, {_mib(target.growth_limit)} are allowed"
    if tally.peak > target.peak_limit:
        tally.failures[-2] = f"{_mib(tally.peak)} at the most, {_mib(target.peak_limit)} are allowed"
    for number, problem in tally.failures.items():
        if number >= 0:
            _write_failure(tally, target, number, problem, found)
    return tally


def _run_worker(
    tally: Tally, first: int, cases: int, place: mmap.mmap, shared: str, started: float, progress: TextIO | None
) -> int:
    """Let one process run the cases from `first` on; return the number of the case to go on with."""
    place[:] = PLACE.pack(first)
    order = json.dumps({"name": tally.name, "seed": tally.seed, "first": first, "cases": cases, "shared": shared})
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [sys.executable, *WORKER, order],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
        assert process.stdout is not None
        base = tally.cases, collections.Counter(tally.outcomes)
        at, since, hung, finished = first, time.monotonic(), False, False
        try:
            while True:
                if select.select([process.stdout], [], [], 0.5)[0]:
                    line = process.stdout.readline()
                    if not line:
                        break
                    finished = _note(tally, json.loads(line), base) or finished
                    _show(tally, cases, started, progress)
                (now,) = PLACE.unpack(place[:])
                if now != at:
                    at, since = now, time.monotonic()
                elif time.monotonic() - since > CASE_WALL_S:
                    hung = True
                    process.kill()
                    break
        finally:
            process.stdout.close()
            if process.poll() is None and sys.exc_info()[0] is not None:
                process.kill()
            status = process.wait()
        if finished:
            return cases
        (at,) = PLACE.unpack(place[:])
        complaints.seek(0)
        said = complaints.read()[-2000:].decode("utf-8", "replace")
    tally.failures[at] = f"it took over {CASE_WALL_S:g} s" if hung else f"the process died with status {status}\n{said}"
    tally.cases = at + 1
    return at + 1


def _note(tally: Tally, line: dict[str, object], base: tuple[int, collections.Counter[str]]) -> bool:
    """Take in one report of the worker, which counts from its own start; True if it is the last."""
    tally.cases = base[0] + int(str(line["cases"]))
    outcomes = line["outcomes"]
    assert isinstance(outcomes, dict)
    tally.outcomes = base[1] + collections.Counter(outcomes)
    failures = line["failures"]
    assert isinstance(failures, dict)
    tally.failures.update({int(number): problem for number, problem in failures.items()})
    tally.growth = max(tally.growth, int(str(line["growth"])))
    tally.peak = max(tally.peak, int(str(line["peak"])))
    if float(str(line["slowest_s"])) > tally.slowest_s:
        tally.slowest_s, tally.slowest = float(str(line["slowest_s"])), int(str(line["slowest"]))
    return bool(line["last"])


def _show(tally: Tally, cases: int, started: float, progress: TextIO | None) -> None:
    if progress is None:
        return
    for number in list(tally.failures)[tally.shown :]:
        print(f"case {number}: {tally.failures[number].strip().splitlines()[-1]:70}", file=progress)
    tally.shown = len(tally.failures)
    spent = time.monotonic() - started
    left = spent / max(1, tally.cases) * (cases - tally.cases)
    line = f"{tally.name}: {tally.cases:,} of {cases:,}, {len(tally.failures)} failures, {left:.0f} s left"
    end = "\r" if progress.isatty() else "\n"
    print(f"{line:70}", end=end, file=progress, flush=True)


def _write_failure(tally: Tally, target: Target, number: int, problem: str, found: Path) -> None:
    found.mkdir(parents=True, exist_ok=True)
    path = found / f"{tally.name}-{tally.seed}-{number}{target.ending}"
    try:
        path.write_bytes(case_of(target, tally.name, tally.seed, number))
    except Exception as fault:  # what makes the cases has a fault of its own; the rest of the tally is worth having
        problem += f"\nthe case could not be made again: {fault!r}"
    tally.failures[number] = f"{problem.strip()}\nreplay: python -m tests.fuzz {tally.name} --replay {path}"


def work(target: Target, order: dict[str, object], out: TextIO) -> None:
    """The worker: run the cases in order, saying where it is; a report a second, and one at the end."""
    name, seed = str(order["name"]), int(str(order["seed"]))
    first, cases = int(str(order["first"])), int(str(order["cases"]))
    outcomes: collections.Counter[str] = collections.Counter()
    failures: dict[int, str] = {}
    slowest_s, slowest, base, reported = 0.0, -1, 0, time.monotonic()
    warm = first + int((cases - first) * WARM_UP)

    def report(done: int, last: bool) -> None:
        growth = _resident() - base if last and base else 0
        peak = _peak() - base if last and base else 0
        line = {"cases": done, "outcomes": outcomes, "failures": failures, "growth": growth, "peak": peak}
        print(json.dumps({**line, "slowest_s": slowest_s, "slowest": slowest, "last": last}), file=out, flush=True)

    with open(str(order["shared"]), "r+b") as shared, mmap.mmap(shared.fileno(), PLACE.size) as place:
        for number in range(first, cases):
            place[:] = PLACE.pack(number)
            if number == warm:
                base = _resident()
            case = case_of(target, name, seed, number)
            began = _cpu()
            try:
                outcomes[target.feed(case)] += 1
            except Exception:
                outcomes["FAILED"] += 1
                failures[number] = traceback.format_exc(limit=-3)[-2000:]
                if len(failures) >= MAX_FAILURES:
                    report(number + 1 - first, True)
                    return
            spent = _cpu() - began
            if spent > slowest_s:
                slowest_s, slowest = spent, number
            if time.monotonic() - reported > REPORT_S:
                reported = time.monotonic()
                report(number + 1 - first, False)
    report(cases - first, True)


def _cpu() -> float:
    """Seconds that this process, and children it has waited for, have computed."""
    used = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _resident() -> int:
    """Bytes of memory this process holds on to; 0 where the system does not tell."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # glibc keeps freed memory for later, which is no growth
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    return 0


def _peak() -> int:
    """The most memory this program ever held; getrusage also remembers that of the one it was started from."""
    with contextlib.suppress(OSError):
        status = Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    return 0


def _mib(count: int) -> str:
    return f"{count / MIB:.1f} MiB"
