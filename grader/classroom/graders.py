"""The processes that grade: each holds one warm sandbox and grades what it is handed, one by one.

A task may run in a thread of ours, in a Dask worker's thread, anywhere: it takes an idle grading process
of its machine, or starts one. Tests need a main thread of their own, and a process that dies takes
nobody with it.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader.course import ROOT

START_PATIENCE_S = 300.0
TASK_PATIENCE_S = 600.0  # many times the guard of a submission: only a grader that hangs meets it


class GraderDied(Exception):
    """A grading process ended, or went silent, in the middle of its work."""


class GraderRefused(Exception):
    """A grading process could not start; the message is one line for the user."""


@dataclass(frozen=True)
class Choice:
    """What a class is graded with, as plain data that may travel to other machines.

    `course` is the digest of all that a verdict depends on, where the batch was started: who has
    another one, on another machine or from before a mend, grades nothing for it.
    """

    assignments: tuple[str, ...]
    seed: int = 0
    device: str = "cpu"
    rung: str | None = None
    floor: str = "landlock"
    course: str = ""


@dataclass(frozen=True)
class Task:
    """One submission to grade: a path of this machine, or the bytes of it for another one."""

    name: str
    path: str
    files: dict[str, bytes] | None = None  # by relative name; {"": bytes} is a lone file


class GradingProcess:
    """One process with one sandbox; `begin` blocks until it is ready, `grade` until the document is there."""

    def __init__(self, choice: Choice) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "grader.classroom.worker", json.dumps(choice.__dict__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C is the batch's to handle
        )
        self._pending = b""
        self.level = ""  # of isolation; empty until it has begun

    def begin(self) -> None:
        """Wait until it can grade. Raises GraderRefused, or GraderDied."""
        if not self.level:
            hello = self._answer(START_PATIENCE_S)
            if "refused" in hello:
                raise GraderRefused(hello["refused"])
            self.level = hello["level"]

    def grade(self, name: str, path: str) -> dict[str, Any]:
        """Grade the submission at `path`; returns {"document": …, "errors": [...]}. Raises GraderDied."""
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps({"name": name, "path": path}).encode() + b"\n")
            stdin.flush()
        except OSError as problem:
            raise GraderDied(str(problem)) from None
        return self._answer(TASK_PATIENCE_S)

    def _answer(self, patience_s: float) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None
        while b"\n" not in self._pending:
            if not select.select([stdout], [], [], patience_s)[0]:
                raise GraderDied("it went silent")
            chunk = os.read(stdout.fileno(), 2**20)
            if not chunk:
                raise GraderDied("it ended")
            self._pending += chunk
        line, _, self._pending = self._pending.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        """Ask the process to drop what it is doing; whoever waits for it learns that it died."""
        self._process.terminate()

    def close(self) -> None:
        """End the process; its sandbox ends with it."""
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


class Pool:
    """The grading processes of this machine; at most one for each thread that asks at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Choice, list[GradingProcess]] = {}
        self._busy: set[GradingProcess] = set()
        self._levels: dict[Choice, str] = {}
        self._closed = False

    def open(self) -> None:
        """Take work again after `close`."""
        self._closed = False

    def take(self, choice: Choice) -> GradingProcess:
        """An idle process for this choice, or a new one on the rung of the first.

        Those of other choices end: a Dask node serves one batch after the other and never restarts.
        Raises GraderRefused or GraderDied.
        """
        with self._lock:
            if self._closed:
                raise GraderDied("the batch was stopped")
            others = [process for other in self._idle.keys() - {choice} for process in self._idle.pop(other)]
            level = self._levels.get(choice)
            idle = self._idle.get(choice)
            process = idle.pop() if idle else GradingProcess(replace(choice, rung=level or choice.rung))
            self._busy.add(process)  # from here on `close` knows of it
        for other in others:
            other.close()
        try:
            process.begin()
            with self._lock:
                level = self._levels.setdefault(choice, process.level)
            if process.level != level:
                raise GraderRefused(
                    f"one grading process was isolated by {level!r}, another by {process.level!r}. Try again"
                )
        except BaseException:
            self.give_back(choice, process, alive=False)
            raise
        return process

    @contextlib.contextmanager
    def lend(self, choice: Choice) -> Iterator[GradingProcess]:
        """A process for one task; who fails with it gives back one that is of no more use."""
        process, alive = self.take(choice), False
        try:
            yield process
            alive = True
        finally:
            self.give_back(choice, process, alive)

    def give_back(self, choice: Choice, process: GradingProcess, alive: bool) -> None:
        """Keep a process that has done its task for the next one; end one that has not."""
        with self._lock:
            self._busy.discard(process)
            keep = alive and not self._closed
            if keep:
                self._idle.setdefault(choice, []).append(process)
        if not keep:
            process.close()

    def close(self) -> None:
        """End every process, whatever it is doing."""
        with self._lock:
            self._closed = True
            processes = [process for idle in self._idle.values() for process in idle]
            busy = list(self._busy)
            self._idle.clear()
        for process in busy:
            process.stop()
        for process in processes:
            process.close()

    @property
    def closed(self) -> bool:
        """Whether no more work is taken."""
        return self._closed


POOL = Pool()
atexit.register(POOL.close)


def grade_task(task: Task, choice: Choice) -> dict[str, Any]:
    """Grade one task on this machine; what executors and Dask workers are asked to run.

    A process that dies is replaced once: if that one dies too it is this submission's doing, and
    `{"blamed": reason}` is all that comes back.
    """
    with contextlib.ExitStack() as stack:
        path = task.path if task.files is None else _unpack(task, stack)
        reason = ""
        for _ in range(2):
            try:
                with POOL.lend(choice) as process:
                    return process.grade(task.name, path)
            except GraderDied as problem:
                reason = str(problem)
                if POOL.closed:
                    raise
        return {"blamed": f"the grading process ended twice ({reason})"}


def packed(path: Path) -> dict[str, bytes]:
    """The bytes of a submission, to send to a machine that does not share this one's disk."""
    if not path.is_dir():
        return {"": path.read_bytes()}
    files = {}
    for root, _, names in os.walk(path):
        for name in names:
            file = Path(root, name)
            if file.is_file() and not file.is_symlink():
                with contextlib.suppress(OSError):
                    files[file.relative_to(path).as_posix()] = file.read_bytes()
    return files


def _unpack(task: Task, stack: contextlib.ExitStack) -> str:
    assert task.files is not None
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="grader-task-")), Path(task.path).name)
    if set(task.files) == {""}:
        folder.write_bytes(task.files[""])
        return str(folder)
    folder.mkdir()
    for name, content in task.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return str(folder)
