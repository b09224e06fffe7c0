"""Receives one submission: starts the reading child under limits and collects what it made.

Whatever exists is a submission. What can't be read is said in `unreadable` and `notes` and costs its
own points; nothing a student hands in raises here.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.course import Assignment, load_course
from grader.messages import one_line, quote

READING = "import sys; sys.path.append(sys.argv[1]); from inside.reading import main; main()"
HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE_S = 60
CPU_S = 30
IDLE_SHARE = 0.25  # a child that used less of its time than this was kept waiting, or ended by others
DISK_LEFT = 2**20
MEMORY = 2 * 2**30
TOO_SLOW = "reading it took too long"
SUMMARY_LIMIT = 8 * 2**20
NAME_LIMIT = 100


class IntakeError(Exception):
    """The grader could not read a submission, and that is the machine's doing, not the submission's."""


@dataclass(frozen=True)
class Finding:
    """A recurrent cell of the library seen in the source of one of the contract's names."""

    name: str
    place: str  # "line 12", or "cell 3, line 2"
    code: str
    certain: bool  # False: it only looks like one, and a person should look


@dataclass
class Submission:
    """`files` by relative name, module problems by file name, findings by contract name."""

    name: str
    files: dict[str, bytes] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    whole: str = ""  # why nothing at all could be read, if so
    spans: dict[str, list[tuple[int, int, str, int]]] = field(default_factory=dict)  # of modules made of a notebook

    def place(self, file: str, line: int) -> str:
        """Where a student finds this line of a module: `cells.py, line 12`, or `cell 3, line 2` of the notebook."""
        for first, last, cell, start in self.spans.get(file, []):
            if first <= line <= last:
                return f"{cell}, line {start + line - first}"
        return f"{file}, line {line}"


def submission_name(path: Path) -> str:
    """The name a result document carries: printable ASCII, at most 100 characters.

    `submission_name(Path("in/ada lovelace.zip"))` is `"ada lovelace"`.
    """
    name = Path(os.path.abspath(path)).name if path.name in ("", ".", "..") else path.name
    return printable_name(name if path.is_dir() else without_ending(name))


def without_ending(name: str) -> str:
    """The name of a file that was handed in, without `.zip`, `.tar.gz` or `.ipynb`."""
    ending = next((each for each in (".tar.gz", ".zip", ".ipynb") if name.lower().endswith(each)), "")
    return name[: len(name) - len(ending)]


def printable_name(name: str) -> str:
    """Any name as a document may carry it: printable ASCII, at most 100 characters, no `/`, no leading `.`."""
    plain = "".join(c if 32 <= ord(c) < 127 else ascii(c)[1:-1] for c in name.replace("/", "_"))
    if plain.startswith("."):
        plain = "_" + plain[1:]
    return plain[:NAME_LIMIT] or "_"


def receive(path: Path, assignments: Iterable[Assignment]) -> Submission:
    """Read the submission at `path`, a folder, archive, notebook or module."""
    submission = Submission(submission_name(path))
    course = list(assignments)
    job = job_for(path, course)
    with tempfile.TemporaryDirectory(prefix="grader-intake-") as folder:
        summary = _read_in_child(job, folder, submission)
        for name in summary.get("files", []):
            inside = str(name).encode("utf-8", "surrogateescape")  # as the child wrote it, whatever the locale here
            with open(os.path.join(os.fsencode(folder), inside), "rb") as file:
                submission.files[str(name)] = file.read()
    submission.unreadable = {str(k): one_line(quote(str(v), 200)) for k, v in summary.get("unreadable", {}).items()}
    submission.notes = [one_line(quote(str(note), 200)) for note in summary.get("notes", [])]
    submission.whole = submission.whole or one_line(quote(str(summary.get("whole", "")), 200))
    for file, rows in summary.get("spans", {}).items():
        submission.spans[str(file)] = [
            (int(a), int(b), one_line(quote(str(cell), 80)), int(n)) for a, b, cell, n in rows
        ]
    for row in summary.get("findings", []):
        place = submission.place(str(row["file"]), int(row["line"])).removeprefix(f"{row['file']}, ")
        finding = Finding(str(row["name"]), place, one_line(quote(str(row["code"]), 160)), bool(row["certain"]))
        submission.findings.setdefault(finding.name, []).append(finding)
    return submission


@functools.cache
def nbformat_origin() -> str:
    """The file of the package that reads notebooks; found, not imported."""
    found = importlib.util.find_spec("nbformat")
    return str(found.origin) if found else ""


def job_for(path: Path, course: Iterable[Assignment]) -> dict[str, Any]:
    """What the reading child is told, but for the folder it writes to and the modules it must not parse."""
    course = list(course)
    return {
        "path": os.path.abspath(path),
        "modules": [assignment.name for assignment in course],
        "names": {a.name: list(a.names) for a in load_course()},  # a notebook is cut into the modules of all
        "packages": str(Path(nbformat_origin()).parent.parent),
        "scan": {a.file: list(a.names) for a in course if a.refuses_library_cells},
    }


def _read_in_child(job: dict[str, Any], folder: str, submission: Submission) -> dict[str, Any]:
    """Let the child read; if a file kills its parser, let it read again without parsing that file."""
    skipped: list[str] = []
    deadline = time.monotonic() + PATIENCE_S
    killed = 0
    while True:
        cpu_before = _cpu_of_children()
        for entry in os.scandir(folder):  # what an earlier child had copied
            shutil.rmtree(entry) if entry.is_dir(follow_symlinks=False) else os.unlink(entry)
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-S", "-B", "-W", "ignore", "-c", READING, HERE],
                input=json.dumps({**job, "folder": folder, "skip": skipped}).encode(),
                capture_output=True,
                timeout=max(0.0, deadline - time.monotonic()),
                preexec_fn=limit_reading,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                check=False,
            )
        except subprocess.TimeoutExpired:
            if _cpu_of_children() - cpu_before < IDLE_SHARE * PATIENCE_S:
                raise IntakeError("reading the submission took too long on a busy machine") from None
            submission.whole = TOO_SLOW
            return {}
        if shutil.disk_usage(folder).free < DISK_LEFT:
            raise IntakeError(f"the disk is full below {tempfile.gettempdir()}")
        if done.returncode == -signal.SIGKILL and _cpu_of_children() - cpu_before < IDLE_SHARE * CPU_S:
            killed += 1  # by somebody else: its own limits need more than this
            if killed == 2:
                raise IntakeError("what reads the submission was killed, twice")
            continue
        if done.returncode == 0 and len(done.stdout) <= SUMMARY_LIMIT:
            summary: dict[str, Any] = json.loads(done.stdout)
            return summary
        said = done.stderr.decode("utf-8", "replace").splitlines()
        culprit = next((line.removeprefix("parsing ") for line in reversed(said) if line.startswith("parsing ")), "")
        if not culprit or culprit in skipped:
            ran_out = done.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
            submission.whole = TOO_SLOW if ran_out else "it could not be read"
            return {}
        skipped.append(culprit)


def _cpu_of_children() -> float:
    """CPU seconds of this process' children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def limit_reading(cpu_s: int | None = CPU_S) -> None:
    """Put the limits of the reading child on this process."""
    if cpu_s is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
