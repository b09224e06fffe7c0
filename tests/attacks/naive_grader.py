"""A grader as many courses use it, to measure what the attacks earn there: pytest, one process, tests beside the work.

The submission is unpacked, the hidden tests are copied beside it, and pytest imports the student's
module into its own process. The grade is the share of passed tests in the report that pytest wrote,
or full marks for exit status 0; both ways are in use, so both are measured. A baseline of our own
making: it stands for no product.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.attacks.attack import Attack
from tests.attacks.targets import Targets

TESTS = Path(__file__).with_name("naive_tests.py")
PATIENCE_S = 120
MEMORY, CPU_S, FILE_SIZE = 8 * 2**30, 60, 300 * 2**20


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


def naive_grade(attack: Attack, targets: Targets) -> NaiveGrade:
    """Grade one attack naively, in a process of its own with limits."""
    with tempfile.TemporaryDirectory(prefix="naive-") as folder:
        work = Path(folder, "work")
        _unpack(attack.build(Path(folder, "submission"), targets.source), work)
        shutil.copyfile(TESTS, work / "test_hidden.py")
        report = Path(folder, "report.xml")
        status, output = _run_pytest(work, report, attack.assignment)
        passed = _passed(report)
    effects = targets.harm()
    if re.search("LOOT", output) or any(token in output for token in targets.tokens.values()):
        effects.add("loot")
    if targets.left_behind():
        effects.add("left")
    wanted = test_names(attack.assignment)
    share = len([name for name in wanted if name in passed]) / len(wanted)
    return NaiveGrade(share, 1.0 if status == 0 else 0.0, frozenset(effects))


def _unpack(submission: Path, work: Path) -> None:
    if submission.is_dir():
        shutil.copytree(submission, work, symlinks=True, ignore_dangling_symlinks=True)
        return
    work.mkdir()
    with contextlib.suppress(Exception):  # a naive script would stop here; the tests then find nothing
        shutil.unpack_archive(submission, work)


def _run_pytest(work: Path, report: Path, assignment: str) -> tuple[int, str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "test_hidden.py",
        "-k",
        f"test_{assignment}_",
        f"--junitxml={report}",
    ]
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(work), "COURSE_TOKEN": "token-of-the-course"}
    process = subprocess.Popen(
        command,
        cwd=work,
        env={**environment, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_limit,
    )
    try:
        output, _ = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        output = b""
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return process.returncode, output.decode("utf-8", "replace")


def _limit() -> None:
    for kind, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))


def _passed(report: Path) -> set[str]:
    """The tests that pytest's own report calls passed."""
    try:
        cases = ElementTree.parse(report).iter("testcase")
    except (OSError, ElementTree.ParseError):
        return set()
    return {case.get("name", "") for case in cases if not len(case.findall("*"))}
