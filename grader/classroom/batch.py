"""Grades a class: what the ledger doesn't have yet goes to an executor, what comes back is written whole.

The order of writing makes it safe to kill at any moment: first the ledger, then the document, and a run
begins by writing what the ledger has and the folder lacks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Executor, Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from grader.classroom import roll
from grader.classroom.graders import POOL, Choice, GraderRefused, Task, grade_task, packed
from grader.classroom.ledger import Ledger, LedgerError, course_digest, key_of
from grader.course import Assignment
from grader.documents import as_json, write_whole
from grader.downloads import Class
from grader.downloads.table import roll_csv
from grader.export.plain import write_csv
from grader.interrupts import ctrl_c_calls

AHEAD = 2  # tasks waiting for each that is running: nobody idles, and a class is not held in memory


class BatchError(Exception):
    """The batch can't be run at all; the message is one line for the user."""


@dataclass
class Batch:
    """How a class went: what was graded now, what had been before, what has no verdict."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    graded: int = 0
    known: int = 0
    incomplete: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)  # whose documents of an earlier run are in `earlier/` now


def run_batch(
    folder: Path,
    out: Path,
    assignments: tuple[Assignment, ...],
    choice: Choice,
    executor: Executor,
    jobs: int,
    *,
    remote: bool = False,
    regrade: bool = False,
    call: Callable[[Path], Class] | None = None,
    begin: Callable[[int, int], None] = lambda total, known: None,
    done: Callable[[dict[str, Any]], None] = lambda document: None,
) -> Batch:
    """Grade every submission in `folder` into `out`; raises BatchError, or DownloadError where that is no class.

    `begin(total, known)` is called once, `done(document)` for each that is graded now. With `remote`
    a task carries its submission's bytes. `call(unpacked)` says who handed in what, if `folder` is more
    than a plain one; what it unpacks goes below the path that it is given.
    """
    documents = out / "documents"
    try:
        documents.mkdir(parents=True, exist_ok=True)
        ledger = Ledger(out / "ledger.sqlite")
    except (OSError, LedgerError) as problem:
        raise BatchError(f"{out}: {problem}. Give --out another folder, or mend this one.") from None
    batch = Batch()
    try:
        entries = _called(folder, out, call, batch)
        for leftover in documents.glob(".*.part"):
            leftover.unlink()
        batch.gone = _put_aside(documents, out / "earlier", {entry.name for entry in entries})
        if regrade:
            ledger.let_all_go_stale()
        course = course_digest(assignments)
        choice = replace(choice, course=course)
        options = {"assignments": choice.assignments, "seed": choice.seed, "device": choice.device}
        keys = {entry.name: key_of(roll.digest(entry.path), course, options) for entry in entries}
        found = {entry.name: ledger.find(keys[entry.name]) for entry in entries}
        for entry in entries:
            if document := found[entry.name]:
                found[entry.name] = document = entry.signed(document)
                _write_document(documents, document)
        waiting = [entry for entry in entries if found[entry.name] is None]
        batch.known = len(entries) - len(waiting)
        begin(len(entries), batch.known)
        with contextlib.closing(_results(waiting, choice, executor, jobs * AHEAD, remote)) as results:
            for entry, result in results:
                document = result.get("document") or _no_verdict(entry.name, assignments, choice)
                batch.errors += [f"{entry.name}: {text}" for text in result.get("errors", [])]
                if "blamed" in result:
                    batch.errors.append(f"{entry.name}: {result['blamed']}")
                if document["complete"]:  # what has no verdict is tried again next time
                    ledger.keep(keys[entry.name], document)
                document = entry.signed(document)
                _write_document(documents, document)
                found[entry.name] = document
                batch.graded += 1
                done(document)
        batch.documents = [document for document in (found[entry.name] for entry in entries) if document]
        batch.incomplete = [document["submission"] for document in batch.documents if not document["complete"]]
        write_whole(out / "summary.csv", _summary(batch.documents, assignments))
    finally:
        ledger.close()
    return batch


def _called(folder: Path, out: Path, call: Callable[[Path], Class] | None, batch: Batch) -> list[roll.Entry]:
    """Who handed in what; `roll.csv` says so where more than names is known."""
    try:
        if call is None:
            entries, batch.ignored = roll.call(folder)
            return entries
        known = call(out / "unpacked")
        batch.ignored = known.ignored
        if any(entry.told is not None for entry in known.submissions):
            write_whole(out / "roll.csv", roll_csv(known.submissions))
        return known.submissions
    except OSError as problem:
        raise BatchError(f"{folder} can't be read ({problem}). Mend that, then type the command again.") from None


def _put_aside(documents: Path, earlier: Path, names: set[str]) -> list[str]:
    """Move the documents of submissions that are not in the class now, so that no old grade counts beside a new one."""
    gone = sorted(path for path in documents.glob("[!.]*.json") if path.stem not in names)
    for path in gone:
        earlier.mkdir(exist_ok=True)
        path.replace(earlier / path.name)
    return [path.stem for path in gone]


def _results(
    waiting: list[roll.Entry], choice: Choice, executor: Executor, ahead: int, remote: bool
) -> Generator[tuple[roll.Entry, dict[str, Any]]]:
    """Hand out the tasks, some ahead of time, and yield what comes back as it comes."""
    running: dict[Future[dict[str, Any]], roll.Entry] = {}
    finished: SimpleQueue[Future[dict[str, Any]] | None] = SimpleQueue()
    entries = iter(waiting)
    POOL.open()
    with ctrl_c_calls(lambda: finished.put(None)):
        try:
            while True:
                for entry in entries:
                    files = packed(entry.path) if remote else None
                    future = executor.submit(grade_task, Task(entry.name, str(entry.path.absolute()), files), choice)
                    running[future] = entry
                    future.add_done_callback(finished.put)
                    if len(running) >= ahead:
                        break
                if not running:
                    return
                ended = finished.get()
                if ended is None:
                    raise KeyboardInterrupt
                yield running.pop(ended), _result(ended)
        finally:
            for future in running:
                future.cancel()
            POOL.close()


def _result(ended: Future[dict[str, Any]]) -> dict[str, Any]:
    """What came of a task. Raises BatchError where no other task would fare better."""
    try:
        return ended.result()
    except GraderRefused as problem:
        raise BatchError(str(problem)) from None
    except CancelledError:
        raise BatchError("the scheduler was lost. The same command again goes on.") from None
    except Exception as problem:  # a full disk, a node that died three times: the next one may fare better
        return {"blamed": f"{type(problem).__name__}: {problem}"}


def _no_verdict(name: str, assignments: tuple[Assignment, ...], choice: Choice) -> dict[str, Any]:
    """The document of a submission that the grader itself failed on, twice."""
    rows = [
        {"name": a.name, "score": 0.0, "max_score": 0.0 if a.bonus else float(a.points), "tests": []}
        for a in assignments
    ]
    return {
        "schema_version": 1,
        "submission": name,
        "score": 0.0,
        "max_score": sum(row["max_score"] for row in rows),
        "complete": False,
        "isolation": {"level": choice.rung or choice.floor, "gaps": [], "observed": {}},
        "device": choice.device,
        "notes": ["The grader itself failed on this submission, so it has no verdict."],
        "duration_s": 0.0,
        "timing": {},
        "assignments": rows,
    }


def _write_document(folder: Path, document: dict[str, Any]) -> None:
    text = as_json(document)
    target = folder / f"{document['submission']}.json"
    try:
        if target.read_text(encoding="utf-8") == text:
            return
    except OSError:
        pass
    write_whole(target, text)


def _summary(documents: list[dict[str, Any]], assignments: tuple[Assignment, ...]) -> str:
    """A header and a row each: submission, score, max_score, isolation, a column per assignment."""
    rows: list[list[Any]] = [["submission", "score", "max_score", "isolation", *(a.name for a in assignments)]]
    for document in documents:
        by_name = {row["name"]: row["score"] for row in document["assignments"]}
        head = [document["submission"], document["score"], document["max_score"], document["isolation"]["level"]]
        rows.append([*head, *(by_name.get(assignment.name) for assignment in assignments)])
    return write_csv(rows)
