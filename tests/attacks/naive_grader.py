"""A grader as many courses use it, to measure what the attacks earn there: pytest, one process, tests beside the work.

The submission is unpacked, the hidden tests are copied beside it, and pytest imports the student's
module into its own process. The grade is the share of passed tests in the report that pytest wrote,
or full marks for exit status 0; both ways are in use, so both are measured. A baseline of our own
making: it stands for no product.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.attacks.attack import Attack
from tests.attacks.targets import Targets

TESTS = Path(__file__).with_name("naive_tests.py")
PATIENCE_S = 120
PRELOADED = "import numpy, pytest, torch"
SERVER = f"""
import ctypes, json, os, resource, sys
{PRELOADED}
die_with_parent = lambda: ctypes.CDLL(None).prctl(1, 9)
die_with_parent()
for line in sys.stdin:
    job = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        die_with_parent()
        for kind, value in (("AS", 8 * 2**30), ("CPU", 60), ("FSIZE", 300 * 2**20), ("CORE", 0)):
            resource.setrlimit(getattr(resource, "RLIMIT_" + kind), (value, value))
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(job["output"], os.O_WRONLY | os.O_CREAT), 1)
        os.dup2(1, 2)
        os.chdir(job["work"])
        sys.path.insert(0, job["work"])
        import pytest
        sys.exit(pytest.main(job["arguments"]))
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class NaiveGrade:
    """`by_report` and `by_status` are shares of the points, 0 to 1; `effects` what else was seen."""

    by_report: float
    by_status: float
    effects: frozenset[str]


def can_grade(attack: Attack) -> bool:
    """Whether there are naive tests for its assignment and it may run where nothing holds it back."""
    return attack.harmless and bool(test_names(attack.assignment))


def test_names(assignment: str) -> list[str]:
    """The naive tests of an assignment."""
    tree = ast.parse(TESTS.read_text(encoding="utf-8"))
    prefix = f"test_{assignment}_"
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith(prefix)]


class NaiveGrader:
    """Grades attacks naively, each in a process of its own with limits; a context.

    The processes are forked from one that has loaded torch and pytest, for speed. An upload may hide
    a library behind a file of its own: those get an interpreter that has loaded nothing yet.
    """

    def __init__(self, targets: Targets) -> None:
        self._targets = targets

    def __enter__(self) -> NaiveGrader:
        self._folder = tempfile.TemporaryDirectory(prefix="naive-")
        self._ready = self._start(SERVER)
        return self

    def __exit__(self, *_: object) -> None:
        self._end(self._ready)
        self._folder.cleanup()

    def grade(self, attack: Attack) -> NaiveGrade:
        """Grade one attack; `can_grade` says which."""
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        work, report, output = folder / "work", folder / "report.xml", folder / "output"
        _unpack(attack.build(folder / "submission", self._targets.source), work)
        shutil.copyfile(TESTS, work / "test_hidden.py")
        arguments = ["-q", "test_hidden.py", "-k", f"test_{attack.assignment}_", f"--junitxml={report}"]
        job = {"work": str(work), "output": str(output), "arguments": arguments}
        if attack.kind == "uploads":
            server = self._start(SERVER.replace(PRELOADED, ""))
            status = self._ask(server, job)
            self._end(server)
        else:
            status = self._ask(self._ready, job)
        said = output.read_text(errors="replace") if output.is_file() else ""
        effects = self._targets.harm()
        if "LOOT" in said or any(token in said for token in self._targets.tokens.values()):
            effects.add("loot")
        if self._targets.left_behind():
            effects.add("left")
        wanted = test_names(attack.assignment)
        passed = _passed(report)
        share = len([name for name in wanted if name in passed]) / len(wanted)
        return NaiveGrade(share, 1.0 if status == 0 else 0.0, frozenset(effects))

    def _start(self, program: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=self._folder.name,
            env={
                "PATH": "/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "HOME": self._folder.name,
                "OMP_NUM_THREADS": "1",
                "COURSE_TOKEN": self._targets.tokens["environment"],
            },
            start_new_session=True,
        )

    def _ask(self, server: subprocess.Popen[str], job: dict[str, Any]) -> int | None:
        """Let the server run one job. Returns its exit status, None if it ran out of time or was killed."""
        assert server.stdin is not None and server.stdout is not None
        print(json.dumps(job), file=server.stdin, flush=True)
        pid = int(server.stdout.readline())
        if not select.select([server.stdout], [], [], PATIENCE_S)[0]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        status = int(server.stdout.readline())
        with contextlib.suppress(ProcessLookupError):  # what it left in its group
            os.killpg(pid, signal.SIGKILL)
        return status if status >= 0 else None

    def _end(self, server: subprocess.Popen[str]) -> None:
        server.kill()
        server.communicate()


def _unpack(submission: Path, work: Path) -> None:
    if submission.is_dir():
        shutil.copytree(submission, work, symlinks=True, ignore_dangling_symlinks=True)
        return
    work.mkdir()
    with contextlib.suppress(Exception):  # a naive script would stop here; the tests then find nothing
        shutil.unpack_archive(submission, work)


def _passed(report: Path) -> set[str]:
    """The tests that pytest's own report calls passed."""
    try:
        cases = ElementTree.parse(report).iter("testcase")
    except (OSError, ElementTree.ParseError):
        return set()
    return {case.get("name", "") for case in cases if not len(case.findall("*"))}
